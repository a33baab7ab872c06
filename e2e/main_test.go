package e2e_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/temporaltest"
)

const (
	// soon bounds what should happen at once on a machine that has other things to do.
	soon = 15 * time.Second
	// late bounds what takes its time: starting everything, finishing all that was interrupted.
	late = 90 * time.Second
	tick = 50 * time.Millisecond
)

func TestMain(m *testing.M) {
	code := m.Run()
	standing.close()
	watched.close()
	if err := pgtest.Close(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "e2e:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// long skips what -short leaves out.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the real binary; left out by -short")
	}
}

// binary is the holdfast under test.
func binary(t testing.TB) string {
	t.Helper()
	path, err := temporaltest.Binary(t.Context())
	require.NoError(t, err)
	return path
}

// within is a context for one step of a test.
func within(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// pass lets time pass that is part of what is tested: an outage of that length, a pause longer than a lease.
func pass(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal("the test ended while time was to pass")
	}
}
