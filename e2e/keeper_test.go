package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

const transitToken = "hvs.e2e-2wSxZaQ1cDeV"

// transit is a Vault of which there is no more than its transit engine. What it wraps it can tell from what it has not.
type transit struct {
	*httptest.Server
	// answer is what becomes of a request.
	answer atomic.Value
	mu     sync.Mutex
	calls  map[string]int
	closed chan struct{}
}

const (
	transitWell     = "well"
	transitSealed   = "sealed"
	transitNonsense = "nonsense" // of a proxy in front of it, say
	transitHanging  = "hanging"
)

// newTransit serves one, and gives the environment that has holdfast find it.
func newTransit(t *testing.T) (*transit, []string) {
	t.Helper()
	v := &transit{calls: map[string]int{}, closed: make(chan struct{})}
	v.answer.Store(transitWell)
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	t.Cleanup(func() { close(v.closed) })
	return v, []string{"VAULT_ADDR=" + v.URL, "VAULT_TOKEN=" + transitToken}
}

func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, _ := v.answer.Load().(string)
	if answer != transitWell {
		v.count(r.URL.Path, answer)
	}
	switch {
	case answer == transitHanging:
		select {
		case <-r.Context().Done():
		case <-v.closed:
		}
		return
	case answer == transitNonsense:
		_, _ = w.Write([]byte(`{}`))
		return
	case answer == transitSealed:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"errors":["Vault is sealed"]}`))
		return
	case r.Header.Get("X-Vault-Token") != transitToken:
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":["permission denied"]}`))
		return
	}
	var asked struct {
		Plaintext  string `json:"plaintext"`
		Ciphertext string `json:"ciphertext"`
	}
	said := map[string]string{}
	switch err := json.NewDecoder(r.Body).Decode(&asked); {
	case err == nil && r.Method == http.MethodPut && r.URL.Path == "/v1/transit/encrypt/holdfast":
		said["ciphertext"] = "vault:v1:" + mirrored(asked.Plaintext)
	case err == nil && r.Method == http.MethodPut && r.URL.Path == "/v1/transit/decrypt/holdfast" && strings.HasPrefix(asked.Ciphertext, "vault:v1:"):
		said["plaintext"] = mirrored(strings.TrimPrefix(asked.Ciphertext, "vault:v1:"))
	default:
		v.count(r.URL.Path, "refused")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"errors":["invalid request"]}`))
		return
	}
	v.count(r.URL.Path, answer)
	_ = json.NewEncoder(w).Encode(map[string]any{"data": said})
}

// mirrored turns bytes round within their base64: enough for a secret not to stand there.
func mirrored(text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	for i := range raw {
		raw[i] ^= 0x5a
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func (v *transit) count(path, answer string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls[path+" "+answer]++
}

// asked is how often a data key was wrapped or unwrapped, or was to be, and it answered so.
func (v *transit) asked(what, answer string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.calls["/v1/transit/"+what+"/holdfast "+answer]
}

// A keeper that is away, in each of the ways in which it can be, ends no key before its time, and every key then; back again, it is
// found by itself.
func TestKeysOutliveTheirKeeperForATime(t *testing.T) {
	t.Parallel()
	long(t)
	const cached = 20 * time.Second
	vault, env := newTransit(t)
	providers, dir := simulate(t), dataDir(t)
	config := providers.configWith(t, settings{
		router:   "disable_cooldowns: true, num_retries: 0",
		holdfast: fmt.Sprintf("keeper: 'hashivault://holdfast', keys: {cache_for: %s}", cached),
	}, []string{"gpt", "openai/gpt-4.1"})
	holdfast := up(t, dir, config, env...)
	command(t, "sk-kept-4rFvBgT5", nil, "keys", "add", "openai", "--name", "main", "--data", dir)
	command(t, "sk-kept-6yHnMjU7", nil, "keys", "add", "anthropic", "--name", "other", "--data", dir)
	status := func(prompt string) (int, string) {
		got, err := holdfast.send(within(t, late), ask{route: "gpt", prompt: prompt})
		require.NoError(t, err)
		return got.status, string(got.body)
	}
	require.Eventually(t, func() bool { now, _ := status("Are you there?"); return now == http.StatusOK }, soon, tick)
	gauge := reachable(t, holdfast)
	require.Eventually(t, func() bool { return gauge() == "1" }, soon, tick)

	// It is asked again well before keys would end.
	before := vault.asked("decrypt", transitWell)
	require.Eventually(t, func() bool { return vault.asked("decrypt", transitWell) >= before+4 }, cached, tick)
	require.Equal(t, "1", gauge())

	away := time.Now()
	vault.answer.Store(transitNonsense)
	require.Eventually(t, func() bool { return gauge() == "0" }, cached/2, tick, "a keeper that talks nonsense is held for a good one")
	vault.answer.Store(transitHanging)
	require.Eventually(t, func() bool { return vault.asked("decrypt", transitHanging) > 0 }, cached/2, tick)
	// An answer that does not come holds up no change.
	command(t, "", nil, "keys", "disable", "anthropic", "other", "--data", dir)
	said, body := http.StatusOK, ""
	for time.Since(away) < cached-6*time.Second { // it was last asked up to five seconds before it went away
		said, body = status("Still there?")
		require.Equal(t, http.StatusOK, said, "after %s: %s", time.Since(away), body)
	}
	require.Eventually(t, func() bool { said, body = status("And now?"); return said != http.StatusOK }, 2*cached, tick, "keys outlive their keeper for ever")
	t.Logf("keys ended %s after their keeper", time.Since(away).Round(time.Second))
	require.Equal(t, http.StatusServiceUnavailable, said, body)
	require.Contains(t, body, `"code":"no_model_available"`)
	vault.answer.Store(transitSealed)
	got, err := holdfast.send(within(t, late), ask{route: "gpt", prompt: "Why?"})
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, got.status, "%s", got.body)
	kept, err := holdfast.do(within(t, soon), http.MethodGet, "/v1/holdfast/completions/"+got.id(), nil)
	require.NoError(t, err)
	require.Contains(t, string(kept.body), "main: the vault's keeper cannot open it, or cannot be reached")

	db := holdfast.database(t, "holdfast")
	require.Eventually(t, func() bool {
		var kinds int
		err := db.QueryRow(within(t, soon), `SELECT count(*) FROM alerts WHERE kind = 'keeper_unreachable'`).Scan(&kinds)
		return err == nil && kinds == 1
	}, 100*time.Second-time.Since(away), 10*tick, "nobody was told")
	require.GreaterOrEqual(t, time.Since(away), time.Minute, "operators are told of what passes by itself")
	require.Equal(t, "0", gauge())

	vault.answer.Store(transitWell)
	require.Eventually(t, func() bool { now, _ := status("Back?"); return now == http.StatusOK }, soon, tick)
	require.Eventually(t, func() bool { return gauge() == "1" }, soon, tick)
	require.True(t, holdfast.alive())
	requireNone(t, map[string]string{"the keeper's token": transitToken}, "a log", holdfast.stdout.String()+holdfast.stderr.String())
	require.Len(t, providers.withKey(simulator.OpenAI, "sk-kept-4rFvBgT5"), len(providers.Completions(simulator.OpenAI)))
}

// reachable gives what the metric says of the keeper.
func reachable(t *testing.T, holdfast *instance) func() string {
	t.Helper()
	token := strings.TrimSpace(command(t, "", nil, "admin-tokens", "create", "prometheus", "--scope", "metrics:read", "--quiet", "--data", holdfast.dir))
	admin := newClient(holdfast.at.AdminAPI, token)
	return func() string {
		got, err := admin.do(within(t, soon), http.MethodGet, "/metrics", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		_, value, _ := strings.Cut(string(got.body), "\nholdfast_keeper_reachable ")
		value, _, _ = strings.Cut(value, "\n")
		return value
	}
}

// The vault moves from a file to another keeper while calls are made, and then needs the file no more.
func TestAKeeperIsChangedWhileCallsAreMade(t *testing.T) {
	t.Parallel()
	long(t)
	vault, env := newTransit(t)
	providers, dir := simulate(t), dataDir(t)
	config := func(more string) string {
		return providers.configWith(t, settings{router: "disable_cooldowns: true, num_retries: 0", holdfast: more}, []string{"gpt", "openai/gpt-4.1"})
	}
	holdfast := up(t, dir, config("privacy: {seal: true}"), env...)
	command(t, "sk-first-4rFvBgT5", nil, "keys", "add", "openai", "--name", "main", "--data", dir)
	command(t, "sk-moved-6yHnMjU7", nil, "keys", "set", "openai", "main", "--keep-former", "--data", dir)
	command(t, "sk-spare-8iKoLpZ9", nil, "keys", "add", "openai", "--name", "spare", "--data", dir)
	var first reply
	require.Eventually(t, func() bool {
		first = holdfast.mustSend(t, ask{route: "gpt", prompt: "Are you there?"})
		return len(providers.withKey(simulator.OpenAI, "sk-moved-6yHnMjU7")) > 0
	}, soon, tick)
	holdfast.kill(t)

	former := "keys: {former_keepers: ['file://" + dir + "/vault.key']}"
	holdfast = up(t, dir, config("privacy: {seal: true}, keeper: 'hashivault://holdfast', "+former), env...)
	require.Eventually(t, func() bool {
		got, err := holdfast.send(within(t, late), ask{route: "gpt", prompt: "Are you there again?"})
		return err == nil && got.status == http.StatusOK
	}, soon, tick)
	require.Zero(t, vault.asked("decrypt", transitWell), "this keeper has wrapped nothing yet")
	stop := make(chan struct{})
	var answered atomic.Int64
	var crowd sync.WaitGroup
	for n := range 8 {
		crowd.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				got, err := holdfast.send(within(t, late), ask{route: "gpt", prompt: fmt.Sprintf("client %d asks %d", n, i)})
				if err != nil || got.status != http.StatusOK {
					t.Errorf("a client was told: %v %d %s", err, got.status, got.body)
					return
				}
				answered.Add(1)
			}
		})
	}
	asked := func(more int64) {
		now := answered.Load()
		require.Eventually(t, func() bool { return answered.Load() > now+more }, late, tick)
	}
	asked(50)
	// Cut off by a keeper that is away, it says what is left; and it is gone on with.
	vault.answer.Store(transitSealed)
	p, err := spawn(binary(t), nil, nil, "vault", "rewrap", "--data", dir)
	require.NoError(t, err)
	require.Equal(t, 1, p.exitCode(t, late))
	require.Contains(t, p.stdout.String(), "left: key openai/main")
	require.Contains(t, p.stdout.String(), "left: version 1 of key")
	require.Contains(t, p.stdout.String(), "left: content key")
	vault.answer.Store(transitWell)
	require.Contains(t, command(t, "", nil, "vault", "rewrap", "--data", dir), "4 data keys are wrapped anew, 0 were before, by hashivault://holdfast")
	require.Contains(t, command(t, "", nil, "vault", "rewrap", "--data", dir), "0 data keys are wrapped anew, 4 were before, by hashivault://holdfast")
	asked(50)
	require.Eventually(t, func() bool { return vault.asked("decrypt", transitWell) > 0 }, soon, tick, "rows that changed are opened anew")
	close(stop)
	crowd.Wait()
	holdfast.kill(t)

	// Without the former one; a version that was kept comes back, too, and so does what was said.
	holdfast = up(t, dir, config("privacy: {seal: true}, keeper: 'hashivault://holdfast'"), env...)
	command(t, "", nil, "keys", "restore", "openai", "main", "1", "--data", dir)
	require.Eventually(t, func() bool {
		got, err := holdfast.send(within(t, late), ask{route: "gpt", prompt: "And at last?"})
		return err == nil && got.status == http.StatusOK && len(providers.withKey(simulator.OpenAI, "sk-first-4rFvBgT5")) > 1
	}, soon, tick)
	read, err := holdfast.do(within(t, soon), http.MethodGet, "/v1/chat/completions/"+first.id(), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, read.status, "%s", read.body)
	require.Contains(t, string(read.body), "Are you there?")
	t.Logf("%d completions were answered", answered.Load())
}
