package store_test

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/health/store"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const domain = failover.Domain("openai/gpt-4.1")

var start = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func open(at, pause time.Duration) failover.Health {
	return failover.Health{State: failover.BreakerOpen, Since: start.Add(at), Until: start.Add(at + pause), Cause: failover.CauseErrorRate, Reason: "x"}
}

func TestTheLaterTimeStands(t *testing.T) {
	t.Parallel()
	s := store.New(pgtest.New(t))
	put := func(next failover.Health) health.Standing {
		standing, err := s.Put(t.Context(), domain, next)
		require.NoError(t, err)
		return standing
	}
	long := open(0, 30*time.Second)
	require.Equal(t, health.Standing{Domain: domain, Health: long, Version: 1}, put(long))
	require.Equal(t, long, put(open(time.Second, 2*time.Second)).Health, "a shorter rest changes nothing")
	longer := open(time.Second, time.Hour)
	require.Equal(t, health.Standing{Domain: domain, Health: longer, Version: 2}, put(longer))

	closed := failover.Health{State: failover.BreakerClosed, Since: start.Add(time.Minute), Reason: "well"}
	require.Equal(t, longer, put(closed).Health, "it is not closed before its time, whoever has seen it well")
	closed.Since = start.Add(2 * time.Hour)
	require.Equal(t, closed, put(closed).Health)
	require.Equal(t, failover.BreakerOpen, put(open(3*time.Hour, time.Second)).Health.State)
	half := failover.Health{State: failover.BreakerHalfOpen, Since: start.Add(4 * time.Hour)}
	require.Equal(t, half, put(half).Health)
	require.Equal(t, failover.BreakerOpen, put(open(4*time.Hour, time.Second)).Health.State)
}

func TestAnOperatorsWordStandsUntilTheNext(t *testing.T) {
	t.Parallel()
	s := store.New(pgtest.New(t))
	held := failover.Health{State: failover.BreakerOpen, Since: start, Held: true, Cause: failover.CauseOperator, Reason: "maintenance", By: "ada"}
	_, err := s.Set(t.Context(), domain, held)
	require.NoError(t, err)
	for _, next := range []failover.Health{open(time.Hour, time.Hour), {State: failover.BreakerClosed, Since: start.Add(48 * time.Hour)}} {
		standing, err := s.Put(t.Context(), domain, next)
		require.NoError(t, err)
		require.Equal(t, held, standing.Health)
	}
	closed := failover.Health{State: failover.BreakerClosed, Since: start.Add(time.Second), By: "ada"}
	standing, err := s.Set(t.Context(), domain, closed)
	require.NoError(t, err)
	require.Equal(t, closed, standing.Health)
	known, err := s.Standing(t.Context(), domain)
	require.NoError(t, err)
	require.Equal(t, closed, known)
	unknown, err := s.Standing(t.Context(), "nobody")
	require.NoError(t, err)
	require.Zero(t, unknown)
}

// told notes what workflows are told.
type told struct {
	mu   sync.Mutex
	what map[failover.Domain]failover.Health
	down bool
}

func (w *told) Tell(_ context.Context, name failover.Domain, standing failover.Health, _ failover.BreakerPolicy) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return context.DeadlineExceeded
	}
	w.what[name] = standing
	return nil
}

func (w *told) of(name failover.Domain) failover.BreakerState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.what[name].State
}

func (w *told) up() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}

// TestWhatOneProcessSeesAllKnow: a process opens a domain, another hears of it within a second, and its workflow is told, if only
// when Temporal is there again.
func TestWhatOneProcessSeesAllKnow(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	s, workflow := store.New(pool), &told{what: map[failover.Domain]failover.Health{}, down: true}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	process := func() *health.View {
		v := health.New(health.Config{Probed: true})
		listening := make(chan struct{})
		once := sync.OnceFunc(func() { close(listening) })
		look := v.Look(s)
		listener := &postgres.Listener{Pool: pool, Channel: store.Channel, Heard: v.Heard, Logger: slog.New(slog.DiscardHandler), Look: func(ctx context.Context) error {
			defer once()
			return look(ctx)
		}}
		running.Go(func() { _ = listener.Run(ctx) })
		running.Go(func() { _ = v.RunTelling(ctx, s, workflow, slog.New(slog.DiscardHandler)) })
		<-listening
		return v
	}
	first, second := process(), process()
	call := failover.Call{Deployment: "one", Place: "openai", Model: "gpt-4.1", Key: "main", Mark: "m"}
	permit, _ := first.Admit(call, 1, false)
	permit.Done(activities.Outcome{Kind: llm.KindQuota})
	_, rests := first.Rest(call, 1)
	require.True(t, rests, "at once where it was seen")
	require.Eventually(t, func() bool { _, rests := second.Rest(call, 1); return rests }, time.Second, 5*time.Millisecond)
	third := process()
	_, rests = third.Rest(call, 1)
	require.True(t, rests, "who comes later reads it")
	require.Empty(t, workflow.of("openai#main"))
	workflow.up()
	require.Eventually(t, func() bool { return workflow.of("openai#main") == failover.BreakerOpen }, 10*time.Second, 10*time.Millisecond)
}

func TestProbesAreWrittenDown(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	s := store.New(pool)
	probe := activities.Probe{
		Domain: domain, Method: failover.ProbeGeneration, Usage: llm.Usage{InputTokens: 3, OutputTokens: 1}, Took: 20 * time.Millisecond,
		Endpoint: activities.Endpoint{Call: failover.Call{Deployment: "one"}, Model: "gpt-4.1", KeyName: "main"},
	}
	require.NoError(t, s.KeepProbe(t.Context(), probe))
	probe.Error, probe.Usage = &llm.Error{Kind: llm.KindOverloaded, Provider: "openai"}, llm.Usage{}
	require.NoError(t, s.KeepProbe(t.Context(), probe))
	kinds, err := s.LastProbes(t.Context(), domain, failover.ProbeGeneration, 5)
	require.NoError(t, err)
	require.Equal(t, []llm.Kind{llm.KindOverloaded, ""}, kinds)
	kinds, err = s.LastProbes(t.Context(), domain, failover.ProbeFree, 5)
	require.NoError(t, err)
	require.Empty(t, kinds)
	var tokens int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT sum((usage->>'input_tokens')::int) FROM provider_probes`).Scan(&tokens))
	require.Equal(t, 3, tokens, "what probes cost is to be found here")
}
