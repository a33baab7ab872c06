package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
)

// driver is a process that drives a completion at one epoch, as the activities do it. It may be a ghost: judged dead, and
// still at work.
type driver struct {
	w     *world
	fence completions.Fence
	// number is the attempt it believes to have under way.
	number       int
	conversation string
	recorded     int
}

// step does one random thing. An error that is not a refusal fails the test.
func (d *driver) step(t *testing.T, choice int) {
	t.Helper()
	ctx := t.Context()
	var err error
	var recorded bool
	switch choice {
	case 0: // start
		err = d.start(t)
	case 1: // fail
		if d.number != 0 {
			err = d.w.store.Fail(ctx, d.fence, failedAt(d.number, retry, moment))
			d.number = 0
		}
	case 2: // keep
		if d.number != 0 {
			err = d.w.store.KeepAnswer(ctx, d.fence, d.number, answer("kept"), answer("kept").Usage, moment)
			if errors.Is(err, completions.ErrSuperseded) {
				d.number = 0
			}
		}
	case 3: // record the answer
		if d.number != 0 {
			recorded, err = d.w.store.RecordSuccess(ctx, d.fence,
				turn(success(d.number, fmt.Sprint(d.number)), d.conversation, question("q").Messages...))
		}
	case 4: // give up
		recorded, err = d.w.store.RecordFailure(ctx, d.fence, ended())
	}
	if err != nil {
		require.ErrorIs(t, err, completions.ErrSuperseded)
		require.False(t, recorded)
	}
	if recorded {
		d.recorded++
	}
}

func (d *driver) start(t *testing.T) error {
	t.Helper()
	if d.fence.Epoch == 1 && d.number == 0 {
		started, err := d.w.store.StartFirst(t.Context(), d.fence, next("first"))
		if err != nil || started {
			d.number = 1
			return err
		}
	}
	resumed, err := d.w.store.Resume(t.Context(), d.fence, func(prior []completions.Attempt) *completions.NewAttempt {
		if (completions.Resumed{Prior: prior}).Answered() != 0 {
			return nil
		}
		return always("next")(prior)
	})
	d.number = max(resumed.Number, resumed.Answered())
	return err
}

// weighted makes the steps that end a completion rare, so that there is something to end.
func weighted(random *rand.Rand) int {
	return []int{0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4}[random.IntN(16)]
}

// adopt makes an heir of the completion: its driver is judged dead, whether it is or not.
func (d *driver) adopt(t *testing.T, heir string) *driver {
	t.Helper()
	require.NoError(t, d.w.store.Leave(t.Context(), d.fence.InstanceID))
	require.NoError(t, d.w.store.Join(t.Context(), heir, "", time.Hour))
	adopted, err := d.w.store.Adopt(t.Context(), heir, 1)
	require.NoError(t, err)
	if len(adopted) == 0 {
		return nil // its outcome is recorded
	}
	require.Equal(t, d.fence.ID, adopted[0].ID)
	fence := completions.Fence{ID: d.fence.ID, Epoch: adopted[0].Epoch, InstanceID: heir}
	return &driver{w: d.w, fence: fence, conversation: d.conversation}
}

// finish drives the completion to its end and checks what must hold of every completion.
func finish(t *testing.T, w *world, drivers []*driver, label string) {
	t.Helper()
	last := drivers[len(drivers)-1]
	last.step(t, 0)
	last.step(t, 3)
	recorded := 0
	for _, d := range drivers {
		recorded += d.recorded
	}
	require.Equal(t, 1, recorded, "%s: recorded outcomes", label)
	id, conversation := last.fence.ID, last.conversation
	completion, attempts := w.find(t, id)
	require.NotEqual(t, completions.StateOpen, completion.State, label)
	succeeded := 0
	for i, attempt := range attempts {
		require.Equal(t, i+1, attempt.Number, label)
		require.NotEqual(t, completions.AttemptStarted, attempt.State, "%s: attempt %d is open beside the outcome", label, i+1)
		if attempt.State == completions.AttemptSucceeded {
			succeeded++
		}
	}
	require.LessOrEqual(t, succeeded, 1, "%s: succeeded attempts", label)
	answers := w.count(t, `SELECT count(*) FROM completion_answers WHERE completion_id = $1`, id)
	items := w.count(t, `SELECT count(*) FROM conversation_items WHERE conversation_id = $1`, conversation)
	if completion.State == completions.StateSucceeded {
		require.Equal(t, []int{1, 1, 2}, []int{succeeded, answers, items}, label)
	} else {
		require.Equal(t, []int{0, 0}, []int{answers, items}, label)
	}
	head, err := w.conversations.Find(t.Context(), tenant, conversation)
	require.NoError(t, err)
	require.Empty(t, head.Active, label)
}

func begin(t *testing.T, w *world, instance string) *driver {
	t.Helper()
	require.NoError(t, w.store.Join(t.Context(), instance, "", time.Hour))
	conversation := w.conversation(t)
	return &driver{w: w, fence: w.accept(t, in(conversation), drivenBy(instance)), conversation: conversation}
}

func TestAnyInterleavingOfDriversEndsInOneOutcome(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 1))
		drivers := []*driver{begin(t, w, fmt.Sprintf("p-%d/1", seed))}
		for step := range 6 + random.IntN(20) {
			current := drivers[len(drivers)-1]
			switch {
			case random.IntN(6) == 0:
				if heir := current.adopt(t, fmt.Sprintf("p-%d/%d", seed, step+2)); heir != nil {
					drivers = append(drivers, heir)
				}
			default: // ghosts work on as if nothing had happened
				drivers[random.IntN(len(drivers))].step(t, weighted(random))
			}
		}
		finish(t, w, drivers, fmt.Sprintf("seed %d", seed))
	}
}

func TestDriversAtOnceEndInOneOutcome(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for seed := range uint64(8) {
		var mu sync.Mutex
		first := begin(t, w, fmt.Sprintf("c-%d/1", seed))
		drivers := []*driver{first}
		var group sync.WaitGroup
		run := func(d *driver, random *rand.Rand) {
			for range 12 {
				d.step(t, weighted(random))
			}
		}
		group.Go(func() { run(first, rand.New(rand.NewPCG(seed, 2))) })
		group.Go(func() {
			current := first
			for i := range uint64(4) {
				heir := current.adopt(t, fmt.Sprintf("c-%d/%d", seed, i+2))
				if heir == nil {
					return
				}
				mu.Lock()
				drivers = append(drivers, heir)
				mu.Unlock()
				group.Go(func() { run(heir, rand.New(rand.NewPCG(seed, 3+i))) })
				current = heir
			}
		})
		group.Wait()
		finish(t, w, drivers, fmt.Sprintf("seed %d", seed))
	}
}

func TestTwoDriversAtOneEpochEndInOneOutcome(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		first := begin(t, w, fmt.Sprintf("t-%d/1", seed))
		// Temporal gave the workflow to another process because the first did not report in time; no lease was lost.
		second := &driver{w: w, fence: first.fence, conversation: first.conversation}
		drivers := []*driver{first, second}
		for range 6 + random.IntN(20) {
			drivers[random.IntN(2)].step(t, weighted(random))
		}
		finish(t, w, drivers, fmt.Sprintf("seed %d", seed))
	}
}
