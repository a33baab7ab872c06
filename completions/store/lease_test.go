package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
)

func TestALeaseIsHeldUntilItIsGivenBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	require.NoError(t, w.store.Join(t.Context(), "node-b/1", "127.0.0.1:1", time.Minute))
	require.Error(t, w.store.Join(t.Context(), "node-b/1", "", time.Minute), "an instance id is taken once")
	living, err := w.store.Living(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, living)
	held, err := w.store.Renew(t.Context(), "node-b/1", time.Minute)
	require.NoError(t, err)
	require.True(t, held)

	require.NoError(t, w.store.Leave(t.Context(), "node-b/1"))
	held, err = w.store.Renew(t.Context(), "node-b/1", time.Minute)
	require.NoError(t, err)
	require.False(t, held)
	living, err = w.store.Living(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, living)
	require.NoError(t, w.store.Leave(t.Context(), "node-b/1"), "leaving twice is no error")
}

func TestOnlyWhoDidNotRenewIsBuried(t *testing.T) {
	t.Parallel()
	w := setup(t)
	require.NoError(t, w.store.Join(t.Context(), "late/1", "", -time.Second))
	require.NoError(t, w.store.Join(t.Context(), "saved/1", "", -time.Second))
	held, err := w.store.Renew(t.Context(), "saved/1", time.Minute)
	require.NoError(t, err)
	require.True(t, held, "a lease that ran out is still held until somebody judges")

	dead, err := w.store.BuryExpired(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"late/1"}, dead)
	dead, err = w.store.BuryExpired(t.Context())
	require.NoError(t, err)
	require.Empty(t, dead)
	held, err = w.store.Renew(t.Context(), "late/1", time.Minute)
	require.NoError(t, err)
	require.False(t, held, "the dead learn of it")
}

func TestANodesEarlierProcessesLeaveTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, id := range []string{"node-b/1", "node-b/2", "node-bb/1", "x/node-b/1"} {
		require.NoError(t, w.store.Join(t.Context(), id, "", time.Minute))
	}
	require.NoError(t, w.store.LeaveNode(t.Context(), "node-b"))
	for id, want := range map[string]bool{"node-b/1": false, "node-b/2": false, "node-bb/1": true, "x/node-b/1": true, alive: true} {
		held, err := w.store.Renew(t.Context(), id, time.Minute)
		require.NoError(t, err)
		require.Equal(t, want, held, id)
	}
}

func TestANodesNameIsNotAPattern(t *testing.T) {
	t.Parallel()
	w := setup(t)
	require.NoError(t, w.store.Join(t.Context(), "node-b/1", "", time.Minute))
	require.NoError(t, w.store.LeaveNode(t.Context(), "node_b"))
	require.NoError(t, w.store.LeaveNode(t.Context(), "node%"))
	held, err := w.store.Renew(t.Context(), "node-b/1", time.Minute)
	require.NoError(t, err)
	require.True(t, held)
}

func TestHeldCountsTheOpenCompletionsOfAnInstance(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.accept(t)
	done := w.accept(t)
	w.accept(t, drivenBy("node-b/1"))
	_, err := w.store.RecordFailure(t.Context(), done, ended())
	require.NoError(t, err)
	for instance, want := range map[string]int{alive: 1, "node-b/1": 1, "nobody": 0} {
		n, err := w.store.Held(t.Context(), instance)
		require.NoError(t, err)
		require.Equal(t, want, n, instance)
	}
}

func TestOnlyWhatNobodyDrivesIsAdopted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	require.NoError(t, w.store.Join(t.Context(), "slow/1", "", -time.Hour)) // ran out, but nobody has judged it dead
	require.NoError(t, w.store.Join(t.Context(), "heir/1", "", time.Hour))
	orphan := w.accept(t, drivenBy("dead/1"))
	w.accept(t)
	w.accept(t, drivenBy("slow/1"))
	finished := w.accept(t, drivenBy("dead/1"))
	_, err := w.store.RecordFailure(t.Context(), finished, ended())
	require.NoError(t, err)

	adopted, err := w.store.Adopt(t.Context(), "heir/1", 10)
	require.NoError(t, err)
	require.Len(t, adopted, 1)
	require.Equal(t, orphan.ID, adopted[0].ID)
	require.Equal(t, 2, adopted[0].Epoch)
	require.Equal(t, "heir/1", adopted[0].InstanceID)
	stored, _ := w.find(t, orphan.ID)
	require.Equal(t, stored, adopted[0])
	adopted, err = w.store.Adopt(t.Context(), "heir/1", 10)
	require.NoError(t, err)
	require.Empty(t, adopted, "it is driven now")

	_, err = w.store.BuryExpired(t.Context())
	require.NoError(t, err)
	adopted, err = w.store.Adopt(t.Context(), "heir/1", 10)
	require.NoError(t, err)
	require.Len(t, adopted, 1, "what the buried one drove")
	require.NoError(t, w.store.Leave(t.Context(), alive))
	adopted, err = w.store.Adopt(t.Context(), "heir/1", 10)
	require.NoError(t, err)
	require.Len(t, adopted, 1, "what the one that left drove")
}

func TestWhatIsLongOverdueIsAdoptedFromTheLiving(t *testing.T) {
	t.Parallel()
	w := setup(t)
	past := func(d time.Duration) func(*completions.Acceptance) {
		return func(a *completions.Acceptance) { a.Deadline = time.Now().Add(-d) }
	}
	stuck, justOver, redriven := w.accept(t, past(time.Minute)), w.accept(t, past(10*time.Second)), w.accept(t, past(time.Minute))
	for _, fence := range []completions.Fence{stuck, justOver, redriven} {
		w.started(t, fence)
	}
	w.exec(t, `UPDATE completions SET driven_at = clock_timestamp() - interval '1 minute' WHERE id <> $1`, redriven.ID)
	adopted, err := w.store.Adopt(t.Context(), alive, 10)
	require.NoError(t, err)
	require.Len(t, adopted, 1, "neither %s nor %s", justOver.ID, redriven.ID)
	require.Equal(t, stuck.ID, adopted[0].ID)
	require.Equal(t, 2, adopted[0].Epoch)
	adopted, err = w.store.Adopt(t.Context(), alive, 10)
	require.NoError(t, err)
	require.Empty(t, adopted, "it is given time again")
}

func TestWhatWasNeverBegunIsFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	lost, begun, fresh := w.accept(t), w.accept(t), w.accept(t)
	w.started(t, begun)
	w.exec(t, `UPDATE completions SET driven_at = clock_timestamp() - interval '1 minute' WHERE id <> $1`, fresh.ID)
	waiting, err := w.store.Unstarted(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, waiting, 1, "the start of its workflow was lost; that of %s was not", begun.ID)
	require.Equal(t, lost.ID, waiting[0].ID)
	require.Equal(t, 1, waiting[0].Epoch, "its workflow may only be waiting for its turn")
	waiting, err = w.store.Unstarted(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, waiting, "it is given time again")
}

func TestTheOldestAreAdoptedFirstUpToTheLimit(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var ids []string
	for range 5 {
		ids = append(ids, w.accept(t, drivenBy("dead/1")).ID)
	}
	for _, want := range [][]string{ids[:2], ids[2:4], ids[4:], nil} {
		adopted, err := w.store.Adopt(t.Context(), alive, 2)
		require.NoError(t, err)
		var got []string
		for _, c := range adopted {
			got = append(got, c.ID)
		}
		require.ElementsMatch(t, want, got)
	}
}

func TestAdoptersAtOnceNeverShareACompletion(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const orphans, adopters = 60, 6
	for range orphans {
		w.accept(t, drivenBy("dead/1"))
	}
	for i := range adopters {
		require.NoError(t, w.store.Join(t.Context(), fmt.Sprintf("heir/%d", i), "", time.Hour))
	}
	var mu sync.Mutex
	owner := map[string]string{}
	atOnce(adopters, func(i int) {
		heir := fmt.Sprintf("heir/%d", i)
		for range orphans {
			adopted, err := w.store.Adopt(t.Context(), heir, 4)
			require.NoError(t, err)
			mu.Lock()
			for _, c := range adopted {
				require.Empty(t, owner[c.ID], "adopted twice")
				require.Equal(t, 2, c.Epoch)
				owner[c.ID] = heir
			}
			all := len(owner) == orphans
			mu.Unlock()
			if all {
				return
			}
		}
	})
	require.Len(t, owner, orphans)
	for id, heir := range owner {
		completion, _ := w.find(t, id)
		require.Equal(t, heir, completion.InstanceID)
		require.Equal(t, 2, completion.Epoch)
	}
}

func TestADeadProcessAdoptsNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t, drivenBy("dead/1"))
	for range 3 {
		adopted, err := w.store.Adopt(t.Context(), "dead/2", 10)
		require.NoError(t, err)
		require.Empty(t, adopted)
	}
	completion, _ := w.find(t, fence.ID)
	require.Equal(t, 1, completion.Epoch)
	require.Equal(t, completions.StateOpen, completion.State)
}
