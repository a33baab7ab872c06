package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-dev/holdfast/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errDown = errors.New("postgres is away")
	silent  = slog.New(slog.DiscardHandler)
)

// table is the table of the living as one process sees it.
type table struct {
	mu     sync.Mutex
	joined []string
	left   []string
	renews int
	// renew answers a renewal; nil says held.
	renew func(ctx context.Context, id string) (bool, error)
	join  func() error
}

func (l *table) Join(_ context.Context, id, _ string, ttl time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ttl != worker.LeaseTTL {
		return errors.New("joined for another time than the lease's")
	}
	if l.join != nil {
		if err := l.join(); err != nil {
			return err
		}
	}
	l.joined = append(l.joined, id)
	return nil
}

func (l *table) Renew(ctx context.Context, id string, _ time.Duration) (bool, error) {
	l.mu.Lock()
	l.renews++
	renew := l.renew
	l.mu.Unlock()
	if renew == nil {
		return true, nil
	}
	return renew(ctx, id)
}

func (l *table) Leave(_ context.Context, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = append(l.left, id)
	return nil
}

func (l *table) set(renew func(context.Context, string) (bool, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renew = renew
}

func (l *table) members() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.joined...)
}

// after lets time pass inside a bubble, and everything that it brings about.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// run joins and renews until the test ends. It looks between the ticks, at half seconds.
func run(t *testing.T, store *table) *worker.Lease {
	t.Helper()
	lease, err := worker.NewLease(t.Context(), store, "node-a", "", silent)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		lease.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	after(500 * time.Millisecond)
	return lease
}

func TestALeaseIsRenewedEverySecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &table{}
		lease := run(t, store)
		after(10 * time.Second)
		store.mu.Lock()
		require.Equal(t, 10, store.renews)
		store.mu.Unlock()
		id, held := lease.Current()
		require.Equal(t, []string{id}, store.members())
		require.True(t, strings.HasPrefix(id, "node-a/"))
		require.NoError(t, held.Err())
	})
}

func TestWhoCannotJoinHasNoLease(t *testing.T) {
	t.Parallel()
	_, err := worker.NewLease(t.Context(), &table{join: func() error { return errDown }}, "node-a", "", silent)
	require.ErrorIs(t, err, errDown)
}

func TestAProcessJudgedDeadJoinsAnewAndStopsItsCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &table{}
		lease := run(t, store)
		old, held := lease.Current()
		store.set(func(_ context.Context, id string) (bool, error) { return id != old, nil })
		after(time.Second)
		require.ErrorIs(t, held.Err(), context.Canceled)
		id, again := lease.Current()
		require.NotEqual(t, old, id)
		require.True(t, strings.HasPrefix(id, "node-a/"))
		require.NoError(t, again.Err())
		require.Equal(t, []string{old, id}, store.members())
		after(5 * time.Second)
		require.Len(t, store.members(), 2, "it stays alive under its new id")
	})
}

func TestJoiningAnewIsRepeatedUntilItWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &table{}
		lease := run(t, store)
		old, held := lease.Current()
		store.set(func(_ context.Context, id string) (bool, error) { return id != old, nil })
		store.mu.Lock()
		store.join = func() error { return errDown }
		store.mu.Unlock()
		after(3 * time.Second)
		id, still := lease.Current()
		require.Equal(t, old, id)
		require.Error(t, held.Err())
		require.Error(t, still.Err(), "no call may begin under the lost lease as if it were held")
		store.mu.Lock()
		store.join = nil
		store.mu.Unlock()
		after(time.Second)
		id, held = lease.Current()
		require.NotEqual(t, old, id)
		require.NoError(t, held.Err())
	})
}

func TestAnOutageOfTheTableIsNotTheLossOfTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &table{}
		lease := run(t, store)
		id, held := lease.Current()
		store.set(func(context.Context, string) (bool, error) { return false, errDown })
		after(time.Minute)
		store.set(nil)
		after(time.Second)
		same, _ := lease.Current()
		require.Equal(t, id, same)
		require.NoError(t, held.Err(), "only another process's judgement ends it")
	})
}

func TestOnlyASteadyLeaseMayJudge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease := run(t, &table{})
		for range 4 { // at 0.5, 1.5, 2.5 and 3.5 s
			require.False(t, lease.MayJudge())
			after(time.Second)
		}
		for range 10 {
			require.True(t, lease.MayJudge())
			after(time.Second)
		}
	})
}

func TestAGapInTheRenewalsForbidsJudging(t *testing.T) {
	t.Parallel()
	for name, gap := range map[string]func(context.Context, string) (bool, error){
		"an outage": func(context.Context, string) (bool, error) { return false, errDown },
		"a database that does not answer": func(ctx context.Context, _ string) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &table{}
				lease := run(t, store)
				after(6 * time.Second)
				require.True(t, lease.MayJudge())
				store.set(gap)
				after(3 * time.Second)
				require.False(t, lease.MayJudge(), "the last renewal is too old to know who is alive")
				after(7 * time.Second)
				store.set(nil)
				recovered := -1
				for i := range 12 {
					after(time.Second)
					if lease.MayJudge() {
						recovered = i
						break
					}
				}
				require.GreaterOrEqual(t, recovered, 3, "a full lease must pass first, in which the others can renew theirs")
				require.Less(t, recovered, 11)
			})
		})
	}
}

func TestARenewalThatComesLateIsAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &table{}
		lease := run(t, store)
		after(6 * time.Second)
		store.set(func(context.Context, string) (bool, error) {
			<-time.After(3 * time.Second)
			return true, nil
		})
		after(4 * time.Second)
		store.set(nil)
		require.False(t, lease.MayJudge())
	})
}

func TestOneFailedRenewalIsNoGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &table{}
		lease := run(t, store)
		after(6 * time.Second)
		store.set(func(context.Context, string) (bool, error) { return false, errDown })
		after(time.Second)
		store.set(nil)
		after(time.Second)
		require.True(t, lease.MayJudge())
	})
}

func TestWhoWasJudgedDeadMayNotJudgeAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &table{}
		lease := run(t, store)
		after(6 * time.Second)
		old, _ := lease.Current()
		store.set(func(_ context.Context, id string) (bool, error) { return id != old, nil })
		after(time.Second)
		for range 3 {
			require.False(t, lease.MayJudge())
			after(time.Second)
		}
		after(2 * time.Second)
		require.True(t, lease.MayJudge())
	})
}

func TestALeaseIsGivenBack(t *testing.T) {
	t.Parallel()
	store := &table{}
	lease, err := worker.NewLease(t.Context(), store, "node-a", "", silent)
	require.NoError(t, err)
	id, held := lease.Current()
	require.NoError(t, lease.Leave(t.Context()))
	require.Equal(t, []string{id}, store.left)
	require.ErrorIs(t, held.Err(), context.Canceled)
}
