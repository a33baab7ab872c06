package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// inbox is a webhook that fails so often before it takes what it is sent.
type inbox struct {
	mu       sync.Mutex
	failures int
	refused  int
	taken    []string // the bodies, with their webhook-ids
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refused < i.failures {
		i.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	i.taken = append(i.taken, r.Header.Get("webhook-id")+" "+string(body))
}

// counts are how many it has refused and taken.
func (i *inbox) counts() (refused, taken int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.refused, len(i.taken)
}

func (i *inbox) all() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.taken...)
}

// adminFile keeps an admin token in a file, and gives the environment that has commands use it.
func adminFile(t *testing.T, token string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "admin-token")
	require.NoError(t, os.WriteFile(path, []byte(token), 0o600))
	return []string{"HOLDFAST_ADMIN_TOKEN_FILE=" + path}
}

func TestAnAlertReachesItsWebhookOnceAndTokensDoWhatTheyMay(t *testing.T) {
	t.Parallel()
	long(t)
	inbox := &inbox{failures: 2}
	receiver := httptest.NewServer(inbox)
	t.Cleanup(receiver.Close)
	providers, dir := simulate(t), dataDir(t)
	config := providers.configWith(t, settings{
		holdfast: "alerts: {webhooks: [{name: plain, url: '" + receiver.URL + "', format: json, secret: alerts/signing, kinds: [key_refused]}, {name: hidden, key: alerts/hidden}]}",
	}, []string{"demo", "openai/gpt-demo"})
	holdfast := &instance{process: run(t, nil, append(upArgs(t, dir, config), "--log-level", "debug")...), dir: dir}
	require.NoError(t, holdfast.await(within(t, late)))
	const (
		canary  = "path7KqZp2WvRmX"
		signing = "c2lnbmluZzdLcVpwMld2Um1YNGpIOA=="
	)
	hidden := &refusing{}
	secretReceiver := httptest.NewServer(hidden)
	t.Cleanup(secretReceiver.Close)
	command(t, secretReceiver.URL+"/"+canary, nil, "keys", "add", "alerts", "--name", "hidden", "--data", dir)
	command(t, "whsec_"+signing, nil, "keys", "add", "alerts", "--name", "signing", "--data", dir)

	printed := command(t, "", nil, "alerts", "test", "--data", dir)
	require.Contains(t, printed, "plain, hidden")
	require.Eventually(t, func() bool { return len(inbox.all()) == 1 }, late, tick)
	require.Eventually(t, func() bool {
		return strings.Contains(command(t, "", nil, "alerts", "list", "--data", dir), "plain: delivered")
	}, soon, tick)
	id, _, _ := strings.Cut(printed, " ")
	require.True(t, strings.HasPrefix(inbox.all()[0], id+` {"type":"alert.test"`), inbox.all()[0])
	pass(t, 20*time.Second) // in which another round finds what is undelivered
	refusals, taken := inbox.counts()
	require.Equal(t, []int{2, 1}, []int{refusals, taken}, "it was delivered twice")

	require.Eventually(t, func() bool { return hidden.asked(canary) }, soon, tick, "the other webhook was not tried")
	reader := strings.TrimSpace(command(t, "", nil, "admin-tokens", "create", "reader", "--scope", "keys:read", "--scope", "metrics:read", "--expires", "1d", "--quiet", "--data", dir))
	env := adminFile(t, reader)
	require.Contains(t, command(t, "", env, "keys", "list", "--data", dir), "hidden")
	refused, err := spawn(binary(t), strings.NewReader("sk-e2e-1234567890"), env, "keys", "add", "openai", "--data", dir)
	require.NoError(t, err)
	require.Equal(t, 1, refused.exitCode(t, soon))
	require.Contains(t, refused.stderr.String(), "keys:write")
	require.NotContains(t, command(t, "", nil, "keys", "list", "--data", dir), "openai")

	got, err := newClient(holdfast.at.AdminAPI, reader).do(within(t, soon), http.MethodGet, "/metrics", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, string(got.body), `holdfast_alert_deliveries_total{state="delivered",webhook="plain"} 1`)
	require.Contains(t, string(got.body), `holdfast_key_info{name="hidden",provider="alerts",state="active"} 1`)
	audited := command(t, "", nil, "audit", "--data", dir)
	require.Contains(t, audited, "admin_token.create")
	require.Contains(t, audited, "alert.test")

	secrets := map[string]string{"the admin token": reader, "the address": canary, "what is signed with": signing}
	requireNone(t, secrets, "a log", holdfast.stdout.String()+holdfast.stderr.String())
	requireNone(t, secrets, "Holdfast's database", dump(t, holdfast.database(t, "holdfast")))
	temporal := dump(t, holdfast.database(t, "temporal")) + dump(t, holdfast.database(t, "temporal_visibility"))
	require.Positive(t, place(temporal, "alert/"+id+"/hidden"), "a secret would not be found in this dump")
	requireNone(t, secrets, "Temporal's database", temporal)
	require.Empty(t, providers.Completions(simulator.OpenAI))
}

// refusing is a webhook that takes nothing.
type refusing struct {
	mu    sync.Mutex
	paths []string
}

func (r *refusing) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths = append(r.paths, request.URL.Path)
	w.WriteHeader(http.StatusGone)
}

func (r *refusing) asked(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, got := range r.paths {
		if got == "/"+path {
			return true
		}
	}
	return false
}
