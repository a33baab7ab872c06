package worker_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/worker"
	"github.com/holdfast-dev/holdfast/workflows"
)

// orphans hands out its batches one a call.
type orphans struct {
	mu       sync.Mutex
	batches  [][]completions.Completion
	heirs    []string
	adoptErr error
	buries   int
	buryErr  error
	// unstarted is handed out once; taken are those that another process drives meanwhile.
	unstarted []completions.Completion
	taken     map[string]bool
	disowned  []string
	// keepDisowned leaves what was disowned to another process.
	keepDisowned bool
}

func (o *orphans) BuryExpired(context.Context) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buries++
	return []string{"dead/1"}, o.buryErr
}

func (o *orphans) Adopt(_ context.Context, heir string, _ int) ([]completions.Completion, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heirs = append(o.heirs, heir)
	if o.adoptErr != nil || len(o.batches) == 0 {
		return nil, o.adoptErr
	}
	batch := o.batches[0]
	o.batches = o.batches[1:]
	return batch, nil
}

func (o *orphans) Unstarted(context.Context, int) ([]completions.Completion, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	waiting := o.unstarted
	o.unstarted = nil
	return waiting, nil
}

func (o *orphans) StillDrives(_ context.Context, fence completions.Fence) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.taken[fence.ID], nil
}

func (o *orphans) Disown(_ context.Context, fence completions.Fence) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.disowned = append(o.disowned, fence.ID)
	if o.keepDisowned {
		return nil
	}
	o.batches = append(o.batches, []completions.Completion{{
		ID: fence.ID, Tenant: "acme", WorkflowID: "completion/acme/" + fence.ID, Route: "gpt", Epoch: fence.Epoch + 1,
	}})
	return nil
}

func (o *orphans) change(do func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do()
}

// asked is how often the store was asked to judge and to adopt.
func (o *orphans) asked() (judgements, adoptions int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buries, len(o.heirs)
}

// temporal is a cluster that starts workflows, or refuses to.
type temporal struct {
	mu      sync.Mutex
	tries   int
	started []workflows.CompletionInput
	options []client.StartWorkflowOptions
	// refuse, if set, is asked at each try.
	refuse func(try int, in workflows.CompletionInput) error
	// gate, if set, holds every start until it can be read from.
	gate          chan struct{}
	waiting, most int
}

func (c *temporal) ExecuteWorkflow(ctx context.Context, options client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	in := args[0].(workflows.CompletionInput) //nolint:forcetypeassert // the test fails loudly
	c.mu.Lock()
	c.tries++
	try := c.tries
	c.waiting++
	c.most = max(c.most, c.waiting)
	c.mu.Unlock()
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
	if c.refuse != nil {
		if err := c.refuse(try, in); err != nil {
			return nil, err
		}
	}
	c.started, c.options = append(c.started, in), append(c.options, options)
	return nil, nil
}

// inFlight is how many starts are waited for, and how many were at most.
func (c *temporal) inFlight() (now, most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting, c.most
}

func (c *temporal) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []string{}
	for _, in := range c.started {
		list = append(list, fmt.Sprintf("%s at %d", in.ID, in.Epoch))
	}
	return list
}

func orphan(n, epoch int) completions.Completion {
	id := fmt.Sprintf("c%d", n)
	return completions.Completion{ID: id, Tenant: "acme", WorkflowID: "completion/acme/" + id, Route: "gpt", Epoch: epoch}
}

func redrive(t *testing.T, store *orphans, starter *temporal, lease *worker.Lease) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	redriver := &worker.Redriver{Store: store, Starter: starter, Lease: lease, Logger: silent}
	done := make(chan struct{})
	go func() {
		defer close(done)
		redriver.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()
}

func TestOrphansAreStartedAtTheirNewEpoch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		store := &orphans{batches: [][]completions.Completion{{orphan(1, 2), orphan(2, 5)}, {orphan(3, 2)}}}
		cluster := &temporal{}
		redrive(t, store, cluster, lease)
		require.ElementsMatch(t, []string{"c1 at 2", "c2 at 5", "c3 at 2"}, cluster.ids(), "one round takes all there is")
		cluster.mu.Lock()
		started := slices.Clone(cluster.options)
		cluster.mu.Unlock()
		for _, options := range started {
			require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING, options.WorkflowIDConflictPolicy)
		}
		id, _ := lease.Current()
		store.change(func() {
			for _, heir := range store.heirs {
				require.Equal(t, id, heir)
			}
			store.batches = [][]completions.Completion{{orphan(4, 2)}}
		})
		after(time.Second)
		require.Contains(t, cluster.ids(), "c4 at 2", "later ones are found within a second")
		require.Len(t, cluster.ids(), 4)
	})
}

func TestAStartIsRepeatedUntilTemporalAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		store := &orphans{batches: [][]completions.Completion{{orphan(1, 2)}}}
		begun := time.Now()
		cluster := &temporal{refuse: func(int, workflows.CompletionInput) error {
			if time.Since(begun) < 30*time.Second {
				return serviceerror.NewUnavailable("away")
			}
			return nil
		}}
		redrive(t, store, cluster, lease)
		after(29 * time.Second)
		require.Empty(t, cluster.ids())
		after(5 * time.Second)
		require.Len(t, cluster.ids(), 1)
		store.change(func() { require.NotEmpty(t, store.disowned, "it was given back meanwhile, for any process to take up") })
		cluster.mu.Lock()
		defer cluster.mu.Unlock()
		require.Less(t, cluster.tries, 60, "with pauses in between")
		require.Greater(t, cluster.tries, 10)
	})
}

func TestATakenOverCompletionIsNotStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		store := &orphans{batches: [][]completions.Completion{{orphan(1, 2), orphan(2, 2)}}, taken: map[string]bool{"c1": true}}
		cluster := &temporal{}
		redrive(t, store, cluster, lease)
		require.Equal(t, []string{"c2 at 2"}, cluster.ids(), "a late start would end the run of the one who took it over")
	})
}

func TestWhatWasNeverStartedIsStartedAtItsEpoch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		store := &orphans{unstarted: []completions.Completion{orphan(1, 1), orphan(2, 1)}}
		cluster := &temporal{refuse: func(_ int, in workflows.CompletionInput) error {
			if in.ID == "c2" {
				return serviceerror.NewWorkflowExecutionAlreadyStarted("it is waiting for its turn", "", "")
			}
			return nil
		}}
		redrive(t, store, cluster, lease)
		require.Equal(t, []string{"c1 at 1"}, cluster.ids())
		cluster.mu.Lock()
		defer cluster.mu.Unlock()
		require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, cluster.options[0].WorkflowIDConflictPolicy)
	})
}

func TestEightStartsAtMostAreInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		var batch []completions.Completion
		for n := range 40 {
			batch = append(batch, orphan(n, 2))
		}
		cluster := &temporal{gate: make(chan struct{})}
		redrive(t, &orphans{batches: [][]completions.Completion{batch}}, cluster, lease)
		waiting, _ := cluster.inFlight()
		require.Equal(t, 8, waiting)
		close(cluster.gate)
		synctest.Wait()
		require.Len(t, cluster.ids(), 40)
		_, most := cluster.inFlight()
		require.Equal(t, 8, most)
	})
}

func TestNobodyIsJudgedBeforeTheLeaseIsSteady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		store := &orphans{}
		redrive(t, store, &temporal{}, lease)
		after(3 * time.Second)
		judgements, adoptions := store.asked()
		require.Zero(t, judgements)
		require.NotZero(t, adoptions, "what was given back is adopted meanwhile")
		after(3 * time.Second)
		judgements, _ = store.asked()
		require.NotZero(t, judgements)
	})
}

func TestARoundThatFailsIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		after(6 * time.Second)
		store := &orphans{batches: [][]completions.Completion{{orphan(1, 2)}}, buryErr: errDown}
		cluster := &temporal{}
		redrive(t, store, cluster, lease)
		after(2 * time.Second)
		_, adoptions := store.asked()
		require.Zero(t, adoptions, "nothing is adopted in a round that could not judge")
		store.change(func() { store.buryErr, store.adoptErr = nil, errDown })
		after(2 * time.Second)
		require.Empty(t, cluster.ids())
		store.change(func() { store.adoptErr = nil })
		after(time.Second)
		require.Equal(t, []string{"c1 at 2"}, cluster.ids())
	})
}

func TestARedriverStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		cluster := &temporal{refuse: func(int, workflows.CompletionInput) error { return serviceerror.NewUnavailable("away") }}
		store := &orphans{batches: [][]completions.Completion{{orphan(1, 2)}}}
		redriver := &worker.Redriver{Store: store, Starter: cluster, Lease: lease, Logger: silent}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		redriver.Run(ctx) // returns though Temporal never answers
		require.Empty(t, cluster.ids())
	})
}

func TestAProcessThatLostItsLeaseStartsNothingItAdoptedBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		members := &table{}
		lease := run(t, members)
		away := true
		cluster := &temporal{}
		cluster.refuse = func(int, workflows.CompletionInput) error {
			if away {
				return serviceerror.NewUnavailable("away")
			}
			return nil
		}
		store := &orphans{batches: [][]completions.Completion{{orphan(1, 2)}}, keepDisowned: true}
		redrive(t, store, cluster, lease)
		after(5 * time.Second)
		old, _ := lease.Current()
		members.set(func(_ context.Context, id string) (bool, error) { return id != old, nil })
		after(2 * time.Second) // another process adopts c1 at epoch 3 and starts it
		cluster.mu.Lock()
		away = false
		cluster.mu.Unlock()
		after(10 * time.Second)
		require.Empty(t, cluster.ids())
	})
}

func TestACompletionThatTemporalRefusesForGoodDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		store := &orphans{batches: [][]completions.Completion{{orphan(1, 2)}, {orphan(2, 2)}}}
		cluster := &temporal{refuse: func(_ int, in workflows.CompletionInput) error {
			if in.ID == "c1" {
				return serviceerror.NewInvalidArgument("the summary is too long")
			}
			return nil
		}}
		redrive(t, store, cluster, lease)
		after(5 * time.Minute)
		require.Equal(t, []string{"c2 at 2"}, cluster.ids())
	})
}
