package postgres_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

func TestAListenerHearsAndLooksAgainWhenItMayHaveMissedSomething(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	heard, looked := make(chan string, 8), make(chan struct{}, 8)
	listener := &postgres.Listener{
		Pool: pool, Channel: "holdfast_test", Heard: func(payload string) { heard <- payload },
		Look: func(context.Context) error { looked <- struct{}{}; return nil }, Logger: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- listener.Run(ctx) }()
	await := func(c <-chan struct{}) {
		select {
		case <-c:
		case <-time.After(10 * time.Second):
			t.Fatal("it does not look")
		}
	}
	await(looked)
	_, err := pool.Exec(t.Context(), `SELECT pg_notify('holdfast_test', 'one')`)
	require.NoError(t, err)
	require.Equal(t, "one", <-heard)

	_, err = pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast holdfast_test'`)
	require.NoError(t, err)
	await(looked) // at once
	await(looked) // and when it listens again
	_, err = pool.Exec(t.Context(), `SELECT pg_notify('holdfast_test', 'two')`)
	require.NoError(t, err)
	require.Equal(t, "two", <-heard)
	cancel()
	require.NoError(t, <-ended)
}
