package e2e_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/temporaltest"
	"github.com/holdfast-dev/holdfast/simulator"
)

// The parts in processes of their own, as in production: Temporal, PostgreSQL, several APIs and a worker. The steps share
// them, and each leaves behind what the next one starts from.
func TestSeparateProcessesFinishEachOthersWork(t *testing.T) { //nolint:tparallel // the steps share one cluster, in order
	t.Parallel()
	long(t)
	c := newCluster(t, settings{}, []string{"cluster", "openai/gpt-4.1"}, []string{"counted", "anthropic/claude-sonnet-5"})
	c.start(t, "worker")

	t.Run("an API without a worker gets its answers from another process", func(t *testing.T) { //nolint:paralleltest // in this order
		c.providers.takes(simulator.OpenAI, time.Second)
		alone := c.startAPI(t, "--completion-worker=false")
		begun := time.Now()
		got := alone.mustSend(t, ask{route: "cluster", prompt: "from afar", key: "afar"})
		require.Equal(t, "[openai/gpt-4.1] You said: from afar", got.text(t))
		require.Less(t, time.Since(begun), soon)
		testAStreamFromElsewhere(t, c, alone)
		alone.kill(t)
	})
	first, second := c.startAPI(t), c.startAPI(t)

	t.Run("a stream is read, attached to and cancelled at any process", func(t *testing.T) { //nolint:paralleltest // in this order
		testAStreamAtAnyProcess(t, c, first, second)
	})
	t.Run("a paused process records nothing twice", func(t *testing.T) { //nolint:paralleltest // in this order
		testAPausedProcess(t, c, first, second)
	})
	t.Run("the work of a killed process is done by another", func(t *testing.T) { //nolint:paralleltest // in this order
		testAKilledProcess(t, c, first, second)
	})
	t.Run("a key is replaced in every process while Temporal is down", func(t *testing.T) { //nolint:paralleltest // in this order
		testAKeyIsReplacedWithoutTemporal(t, c, second, c.startAPI(t))
	})
}

// testAKeyIsReplacedWithoutTemporal counts tokens, which asks the vendor without a workflow: its call shows the key in use.
func testAKeyIsReplacedWithoutTemporal(t *testing.T, c *cluster, nodes ...*node) {
	t.Helper()
	const former, next = "sk-ant-former-2wSxEdCrFv", "sk-ant-next-8iKmUjNhYb"
	env := []string{"HOLDFAST_ADMIN_URL=" + nodes[0].admin, "HOLDFAST_ADMIN_TOKEN_FILE=" + filepath.Join(c.dir, "admin-token")}
	command(t, former, env, "keys", "add", "anthropic", "--name", "main")
	uses := func(n *node, key string) bool {
		got, err := n.do(within(t, soon), http.MethodPost, "/v1/messages/count_tokens", map[string]any{
			"model": "counted", "messages": []map[string]string{{"role": "user", "content": "How long is this?"}},
		})
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		calls := c.providers.Calls(simulator.Anthropic)
		return len(calls) > 0 && calls[len(calls)-1].Key == simulator.Fingerprint(key)
	}
	for _, n := range nodes {
		require.Eventually(t, func() bool { return uses(n, former) }, soon, tick)
	}
	c.temporal.Kill(t)
	command(t, next, env, "keys", "set", "anthropic", "main")
	for _, n := range nodes {
		require.Eventually(t, func() bool { return uses(n, next) }, 2*time.Second, tick, "the former key is still in use")
	}
}

// testAStreamFromElsewhere reads a stream whose calls are made by another process: the words come as they are said.
func testAStreamFromElsewhere(t *testing.T, c *cluster, alone *node) {
	t.Helper()
	c.providers.SetBehaviour(simulator.OpenAI, simulator.Behaviour{EventDelay: 100 * time.Millisecond})
	response, err := alone.open(within(t, soon), http.MethodPost, "/v1/chat/completions", streamBody("cluster", story, nil))
	require.NoError(t, err)
	got := &reading{}
	var came []time.Time
	require.NoError(t, got.read(response, func() bool { came = append(came, time.Now()); return false }))
	require.Equal(t, "[openai/gpt-4.1] You said: "+story, got.text)
	require.True(t, got.done)
	got.requireOrder(t)
	require.Greater(t, len(got.places), 6, "it came in a few large pieces, by way of PostgreSQL")
	t.Logf("%d events in %s", len(came), came[len(came)-1].Sub(came[0]).Round(time.Millisecond))
}

// testAStreamAtAnyProcess begins a stream at one process, goes on with it at another, and cancels one there.
func testAStreamAtAnyProcess(t *testing.T, c *cluster, first, second *node) {
	t.Helper()
	c.providers.SetBehaviour(simulator.OpenAI, simulator.Behaviour{EventDelay: 150 * time.Millisecond})
	response, err := first.open(within(t, soon), http.MethodPost, "/v1/chat/completions", streamBody("cluster", story, nil), "Idempotency-Key", "moves")
	require.NoError(t, err)
	got := &reading{}
	require.NoError(t, got.read(response, func() bool { return len(got.places) == 3 }))
	require.NoError(t, second.resume(within(t, soon), got, nil))
	require.Equal(t, "[openai/gpt-4.1] You said: "+story, got.text)
	require.Equal(t, 2, got.connections)
	require.Greater(t, len(got.places), 6, "it came in a few large pieces, by way of PostgreSQL")
	got.requireOrder(t)

	before := len(c.providers.Completions(simulator.OpenAI))
	response, err = first.open(within(t, soon), http.MethodPost, "/v1/chat/completions", streamBody("cluster", story, nil))
	require.NoError(t, err)
	ended := &reading{}
	finished := make(chan error, 1)
	go func() { finished <- ended.read(response, nil) }()
	require.NoError(t, c.providers.WaitCalls(within(t, soon), simulator.OpenAI, before+1))
	begun := time.Now()
	reply, err := second.do(within(t, soon), http.MethodPost, "/v1/chat/completions/"+response.Header.Get("X-Holdfast-Completion-Id")+"/cancel", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, reply.status, "%s", reply.body)
	require.Eventually(t, func() bool { return c.providers.lastDone(simulator.OpenAI, "gpt-4.1") }, time.Second-time.Since(begun), 10*time.Millisecond)
	require.NoError(t, <-finished)
	require.Equal(t, "cancelled", ended.failed)
}

func testAPausedProcess(t *testing.T, c *cluster, paused, other *node) {
	t.Helper()
	c.providers.takes(simulator.OpenAI, 5*time.Second)
	conversation := paused.newConversation(t)
	before := len(c.providers.Completions(simulator.OpenAI))
	waiting := make(chan outcome, 1)
	go func() {
		got, err := paused.send(t.Context(), ask{route: "cluster", prompt: "are you awake?", key: "paused", conversation: conversation})
		waiting <- outcome{got, err}
	}()
	require.NoError(t, c.providers.WaitCalls(within(t, soon), simulator.OpenAI, before+1))

	paused.signal(t, syscall.SIGSTOP)
	pass(t, 8*time.Second) // twice its lease
	paused.signal(t, syscall.SIGCONT)

	result := <-waiting
	require.NoError(t, result.err)
	require.Equal(t, http.StatusOK, result.status, "%s", result.body)
	require.Contains(t, result.text(t), "You said: are you awake?")
	found := other.record(t, result.id())
	require.Equal(t, "succeeded", found.State)
	require.Greater(t, found.Epoch, 1, "nobody took the completion over")
	succeeded := 0
	for _, attempt := range found.Attempts {
		if attempt.Epoch == found.Epoch && attempt.State == "succeeded" {
			succeeded++
			continue
		}
		require.Equal(t, "possibly_billed", attempt.State, "%+v", found)
		require.Less(t, attempt.Epoch, found.Epoch)
	}
	require.Equal(t, 1, succeeded, "%+v", found)
	require.Equal(t, len(found.Attempts), len(c.providers.Completions(simulator.OpenAI))-before, "calls and attempts differ")
	require.Equal(t, []string{"user: are you awake?", "assistant: [openai/gpt-4.1] You said: are you awake?"}, other.turns(t, conversation))

	c.providers.takes(simulator.OpenAI, 0)
	again := paused.mustSend(t, ask{route: "cluster", prompt: "and now?", conversation: conversation})
	require.Contains(t, again.text(t), "You said: and now?", "the paused process does not work any more")
}

func testAKilledProcess(t *testing.T, c *cluster, killed, other *node) {
	t.Helper()
	c.providers.takes(simulator.OpenAI, 4*time.Second)
	const inFlight = 8
	asks := make([]ask, inFlight)
	before := len(c.providers.Completions(simulator.OpenAI))
	for i := range asks {
		asks[i] = ask{route: "cluster", prompt: fmt.Sprintf("do not forget me, %d", i), key: fmt.Sprintf("killed-%d", i)}
		go func() { _, _ = killed.send(t.Context(), asks[i]) }() // its connection dies with the process
	}
	require.NoError(t, c.providers.WaitCalls(within(t, soon), simulator.OpenAI, before+inFlight))

	killed.kill(t)
	died := time.Now()
	results := make(chan outcome, inFlight)
	for _, a := range asks {
		go func() {
			got, err := other.send(t.Context(), a)
			results <- outcome{got, err}
		}()
	}
	require.NoError(t, c.providers.WaitCalls(within(t, soon), simulator.OpenAI, before+inFlight+1))
	noticed := time.Since(died)
	t.Logf("the first call was repeated %s after the kill", noticed.Round(time.Millisecond))
	require.Less(t, noticed, 6*time.Second)

	answered := map[string]bool{}
	for range asks {
		result := <-results
		require.NoError(t, result.err)
		require.Equal(t, http.StatusOK, result.status, "%s", result.body)
		answered[result.text(t)] = true
		found := other.record(t, result.id())
		require.Len(t, found.Attempts, 2, "%+v", found)
		require.Equal(t, "possibly_billed", found.Attempts[0].State)
		require.Equal(t, "succeeded", found.Attempts[1].State)
	}
	require.Len(t, answered, inFlight)
	require.Len(t, c.providers.Completions(simulator.OpenAI), before+2*inFlight)
	require.Empty(t, other.recorded(t, "open"))
}

// cluster is what the processes share.
type cluster struct {
	providers providers
	env       []string
	flags     []string
	dir       string
	database  string
	temporal  *temporaltest.Server
	token     string
}

// node is a holdfast api or worker.
type node struct {
	*process
	client
	admin string
}

func newCluster(t *testing.T, more settings, routes ...[]string) *cluster {
	t.Helper()
	postgres := pgtest.Server(t, "gateway")
	temporal := temporaltest.New(t, postgres.URL)
	c := &cluster{providers: simulate(t), dir: t.TempDir(), database: postgres.DatabaseURL("gateway"), temporal: temporal}
	c.env = []string{"DATABASE_URL=" + c.database, "TEMPORAL_ADDRESS=" + temporal.Addr}
	c.flags = []string{
		"--config", c.providers.configWith(t, more, routes...),
		"--keeper", "file://" + filepath.Join(c.dir, "vault.key"), "--data", c.dir,
	}
	command(t, "", c.env, "migrate")
	return c
}

func (c *cluster) start(t testing.TB, name string, flags ...string) *node {
	t.Helper()
	n := &node{process: run(t, c.env, append(append([]string{name}, c.flags...), flags...)...)}
	api, admin := n.ready(t)
	n.client, n.admin = newClient(api, c.token), admin
	return n
}

// startAPI starts an API with an admin API; the first one makes the token that all requests carry.
func (c *cluster) startAPI(t testing.TB, flags ...string) *node {
	t.Helper()
	n := c.start(t, "api", append([]string{"--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, flags...)...)
	if c.token == "" {
		env := []string{"HOLDFAST_ADMIN_URL=" + n.admin, "HOLDFAST_ADMIN_TOKEN_FILE=" + filepath.Join(c.dir, "admin-token")}
		c.token = strings.TrimSpace(command(t, "", env, "tokens", "create", "--tenant", "cluster", "--quiet"))
		n.token = c.token
	}
	return n
}
