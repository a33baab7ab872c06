package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
)

// fewTargets are the deployments of routes.
type fewTargets map[string][]failover.Target

func (t fewTargets) Targets(_, route string, _ []string, _ bool) []failover.Target { return t[route] }

// memoryBoard is a board that nobody else reads.
type memoryBoard struct {
	version int64
	err     error
}

func (b *memoryBoard) Set(_ context.Context, name failover.Domain, next failover.Health) (health.Standing, error) {
	b.version++
	return health.Standing{Domain: name, Health: next, Version: b.version}, b.err
}

// listener is a teller that passes on what it is told.
type listener struct {
	heard chan failover.Health
	err   error
}

func (l listener) Tell(_ context.Context, _ failover.Domain, standing failover.Health, _ failover.BreakerPolicy) error {
	l.heard <- standing
	return l.err
}

func newDesk() (*providerDesk, *memoryBoard, listener) {
	board, teller := &memoryBoard{}, listener{heard: make(chan failover.Health, 4)}
	main := failover.Target{Deployment: "d1", Place: "openai", Model: "gpt-4.1", Keys: []string{"main", "spare"}}
	return &providerDesk{
		routes: []string{"chat", "cheap"},
		table: fewTargets{"chat": {main, {Deployment: "d2", Place: "ollama", Model: "llama3"}}, "cheap": {
			main, {Deployment: "d3", Place: "openai", Model: "gpt-4.1-mini", Keys: []string{"main"}, Measured: failover.Measured{InFlight: 2}},
		}},
		view: health.New(health.Config{Limits: map[string]health.Limits{"d2": {RequestsPerMinute: 10}, "d3": {RequestsPerMinute: 4}}}), board: board, teller: teller,
		logger: slog.New(slog.DiscardHandler),
	}, board, teller
}

func TestTheDeskHasEveryDomainOfEveryRoute(t *testing.T) {
	t.Parallel()
	desk, _, _ := newDesk()
	call := failover.Call{Deployment: "d3", Place: "openai", Model: "gpt-4.1-mini", Key: "main"}
	for _, call := range []failover.Call{call, {Deployment: "d2", Place: "ollama", Model: "llama3"}} {
		permit, _ := desk.view.Admit(call, 0, false)
		require.NotNil(t, permit)
	}
	found := map[failover.Domain]api.ProviderDomain{}
	var names []failover.Domain
	for _, domain := range desk.Domains() {
		found[domain.Domain] = domain
		names = append(names, domain.Domain)
	}
	require.Equal(t, []failover.Domain{
		"ollama", "ollama/llama3", "openai", "openai#main", "openai#main/gpt-4.1", "openai#main/gpt-4.1-mini", "openai#spare", "openai#spare/gpt-4.1",
		"openai/gpt-4.1", "openai/gpt-4.1-mini",
	}, names)
	require.Equal(t, 2, *found["openai"].InFlight, "a deployment of two routes counts once")
	require.Equal(t, 2, *found["openai/gpt-4.1-mini"].InFlight)
	require.Nil(t, found["openai#main"].InFlight)
	require.InDelta(t, 0.25, *found["openai#main/gpt-4.1-mini"].LimitUsed, 0.01)
	require.InDelta(t, 0.1, *found["ollama/llama3"].LimitUsed, 0.01, "where no key is needed")
	require.Nil(t, found["openai#main/gpt-4.1"].LimitUsed)
}

func TestAnOperatorsWordIsInEffectHereAtOnceAndToldToTheWorkflow(t *testing.T) {
	t.Parallel()
	desk, _, teller := newDesk()
	opened := failover.Opened(time.Now(), 0, "ann", "incident")
	require.NoError(t, desk.Put(t.Context(), "openai", opened))
	require.Equal(t, opened.Reason, (<-teller.heard).Reason)
	rest, resting := desk.view.Rest(failover.Call{Deployment: "d1", Place: "openai", Model: "gpt-4.1", Key: "main"}, 0)
	require.True(t, resting)
	require.Equal(t, failover.RestOpen, rest.Class)
	_, resting = desk.view.Rest(failover.Call{Deployment: "d2", Place: "ollama", Model: "llama3"}, 0)
	require.False(t, resting)

	require.NoError(t, desk.Put(t.Context(), "openai", failover.ClosedByHand(time.Now().Add(-time.Hour), "ann", "works")))
	<-teller.heard
	_, resting = desk.view.Rest(failover.Call{Deployment: "d1", Place: "openai", Model: "gpt-4.1", Key: "main"}, 0)
	require.False(t, resting)
}

func TestWhatAnOperatorOpensForATimeComesBackByItself(t *testing.T) {
	t.Parallel()
	now := time.Now()
	desk, _, _ := newDesk()
	desk.view = health.New(health.Config{Now: func() time.Time { return now }})
	require.NoError(t, desk.Put(t.Context(), "openai", failover.Opened(now, time.Hour, "ann", "maintenance")))
	call := failover.Call{Deployment: "d1", Place: "openai", Model: "gpt-4.1", Key: "main"}
	_, resting := desk.view.Rest(call, 0)
	require.True(t, resting)
	now = now.Add(time.Hour + time.Minute) // behind the ramp of its return, too
	_, resting = desk.view.Rest(call, 0)
	require.False(t, resting)
	require.False(t, desk.Domains()[2].Health.Held)
}

func TestAnOperatorsWordNeedsTheBoardAndNotTemporal(t *testing.T) {
	t.Parallel()
	desk, board, teller := newDesk()
	teller.err = errors.New("Temporal is away")
	desk.teller = teller
	require.NoError(t, desk.Put(t.Context(), "openai", failover.Opened(time.Now(), 0, "ann", "incident")))
	<-teller.heard
	board.err = errors.New("PostgreSQL is away")
	require.Error(t, desk.Put(t.Context(), "ollama", failover.Opened(time.Now(), 0, "ann", "incident")))
	require.Empty(t, teller.heard, "what does not stand is not told")
}
