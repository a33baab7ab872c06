package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// What one process learns of a provider, the others know: at once, while they are told; a little later, when nothing can be told;
// and where nothing can be learnt of each other, each acts by what it has seen itself. The steps share a cluster, and each has a
// model of its own.
func TestProcessesKnowWhatOneOfThemHasLearnt(t *testing.T) { //nolint:tparallel // the steps share one cluster, in order
	t.Parallel()
	long(t)
	c := newCluster(t, settings{router: "cooldown_time: 120"},
		[]string{"told", "openai/gpt-told", "anthropic/claude-told"}, []string{"looked", "openai/gpt-looked", "anthropic/claude-looked"},
		[]string{"alone", "openai/gpt-alone", "anthropic/claude-alone"})
	c.start(t, "worker")
	first, second := c.startAPI(t), c.startAPI(t)
	db := connect(t, c.database)
	for _, route := range []string{"told", "looked", "alone"} {
		c.providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-" + route}, Status: http.StatusServiceUnavailable})
	}

	t.Run("it is told at once", func(t *testing.T) { //nolint:paralleltest // in this order
		opened := c.open(t, first, "told")
		c.requireKnown(t, second, "told", time.Second-time.Since(opened))
		require.Len(t, c.providers.clientCalls(simulator.OpenAI, "gpt-told"), 5, "the other process learnt it by failures of its own")
	})
	t.Run("who cannot listen looks", func(t *testing.T) { //nolint:paralleltest // in this order
		deafened := deafen(t, connect(t, c.database))
		require.Eventually(t, func() bool { return deafened.Load() >= 4 }, soon, tick, "nobody listens: this step has tested nothing")
		opened := c.open(t, first, "looked")
		c.requireKnown(t, second, "looked", 6*time.Second)
		t.Logf("the other process knew it %s later", time.Since(opened).Round(time.Millisecond))
		require.Len(t, c.providers.clientCalls(simulator.OpenAI, "gpt-looked"), 5, "the other process learnt it by failures of its own")
	})
	t.Run("who can learn nothing acts by what it sees", func(t *testing.T) { //nolint:paralleltest // in this order
		testProcessesThatCannotTell(t, c, db, first, second)
	})
}

// testProcessesThatCannotTell takes away the table that processes tell each other by.
func testProcessesThatCannotTell(t *testing.T, c *cluster, db *pgx.Conn, first, second *node) {
	t.Helper()
	_, err := db.Exec(within(t, soon), `ALTER TABLE provider_health RENAME TO provider_health_away`)
	require.NoError(t, err)
	c.open(t, first, "alone")
	before := len(c.providers.clientCalls(simulator.OpenAI, "gpt-alone"))
	for range 3 {
		require.Equal(t, "1", first.mustSend(t, ask{route: "alone", prompt: "On my own"}).header.Get("X-Holdfast-Attempts"))
	}
	require.Len(t, c.providers.clientCalls(simulator.OpenAI, "gpt-alone"), before, "it calls though it knows better")
	require.False(t, c.rests(t, second, "alone"), "how does it know?")
	c.open(t, second, "alone")
	require.Len(t, c.providers.clientCalls(simulator.OpenAI, "gpt-alone"), 2*before)

	_, err = db.Exec(within(t, soon), `ALTER TABLE provider_health_away RENAME TO provider_health`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return healthOf(t, db, "openai/gpt-alone").State == "open" }, soon, tick, "what could not be told is not told later")
}

// open has a process call a route's first target, which fails, until it knows better.
func (c *cluster) open(t testing.TB, n *node, route string) time.Time {
	t.Helper()
	for range 10 {
		n.mustSend(t, ask{route: route, prompt: "Are you there?"})
		if c.rests(t, n, route) {
			return time.Now()
		}
	}
	require.Fail(t, "its breaker does not open")
	return time.Time{}
}

// requireKnown requires a process to know in time that the route's first target rests.
func (c *cluster) requireKnown(t testing.TB, n *node, route string, within time.Duration) {
	t.Helper()
	require.Eventually(t, func() bool { return c.rests(t, n, route) }, within, 10*time.Millisecond, "the other process does not know of %s", route)
}

// rests says whether the process would not call the first target of the route now. It asks nobody.
func (c *cluster) rests(t testing.TB, n *node, route string) bool {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(c.dir, "admin-token"))
	require.NoError(t, err)
	var explained struct {
		Resting []struct {
			Deployment string `json:"deployment"`
		} `json:"resting"`
	}
	newClient(n.admin, strings.TrimSpace(string(token))).get(t, "/admin/route?model="+route, &explained)
	return len(explained.Resting) > 0
}

// deafen ends, again and again until the test does, the connections on which processes hear of providers. It counts them.
func deafen(t testing.TB, db *pgx.Conn) *atomic.Int64 {
	t.Helper()
	const cut = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'holdfast holdfast_health'`
	var ended atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			var n int64
			if db.QueryRow(t.Context(), cut).Scan(&n) == nil {
				ended.Add(n)
			}
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	return &ended
}
