package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// gathered is what was said, and written, by where.
type gathered struct {
	mu    sync.Mutex
	texts map[string]string
}

func (g *gathered) add(where, text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.texts[where] += text + "\n"
}

// told runs a command to its end and keeps what it says.
func (l *leaky) told(t *testing.T, stdin string, env []string, args ...string) (exitCode int) {
	t.Helper()
	p, err := spawn(binary(t), strings.NewReader(stdin), env, append(args, "--data", l.dir)...)
	require.NoError(t, err)
	exitCode = p.exitCode(t, late)
	l.add("what commands say", p.stdout.String()+p.stderr.String())
	return exitCode
}

// answered sends a body as it is and keeps what comes back.
func (g *gathered) answered(t *testing.T, c client, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t, late), method, c.base+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, _ := io.ReadAll(response.Body) // a stream may be cut
	g.add("answers", fmt.Sprintf("%s %v %s", response.Status, response.Header, content))
	if id := response.Header.Get("X-Holdfast-Completion-Id"); id != "" {
		g.add("ids", id)
	}
	return response.StatusCode, string(content)
}

// administrators is the vendors' administration. It keeps the secrets that it gives out, and can be made to repeat those it is sent.
type administrators struct {
	next    http.Handler
	repeats atomic.Bool
	mu      sync.Mutex
	given   []string
}

var givenSecret = regexp.MustCompile(`"(?:value|access_token|privateKeyData)": ?"([^"]{16,})"`)

func (a *administrators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.repeats.Load() {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s","code":"invalid_api_key","type":%q}}`,
			strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header.Get("Authorization"))
		return
	}
	kept := &keptResponse{ResponseWriter: w}
	a.next.ServeHTTP(kept, r)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, found := range givenSecret.FindAllStringSubmatch(kept.body.String(), -1) {
		a.given = append(a.given, found[1])
	}
}

type keptResponse struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (k *keptResponse) Write(p []byte) (int, error) {
	k.body.Write(p)
	return k.ResponseWriter.Write(p)
}

// secrets are those that were given out.
func (a *administrators) secrets() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	secrets := map[string]string{}
	for i, secret := range a.given {
		secrets[fmt.Sprintf("what the administration gave as no. %d", i+1)] = secret
	}
	return secrets
}

// leaky is the installation of the test.
type leaky struct {
	*rotated
	gathered
	administrators *administrators
	admin          client
	secrets        map[string]string
}

// Canaries. That of Anthropic has all that is written otherwise in URLs and in JSON.
const (
	leakAnthropic = `sk-ant-e2e-"<5tGb>&+/%20=Nh7Yj`
	leakFormer    = "sk-ant-e2e-former-6yHnMjU7"
	leakFile      = "mistral-e2e-File-7uJmKi8"
	leakStdin     = "gemini-e2e-Stdin-8iKoLp9"
	leakTyped     = "sk-Typed-e2e-3eDcRfV4"
	leakAWS       = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYe2e4rFv"
	leakPath      = "T00E2E/B00E2E/hookPath2wSxZaQ1"
	leakSigning   = "ZTJlLXNpZ25pbmctOW9MMHBaLXhTd0VkQ3ZG"
)

// repeating is a webhook that takes nothing and says in its refusal whatever it was sent.
func repeating(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, "cannot take %s %v: %s %s", r.URL, r.Header, leakPath, leakSigning)
}

// leaking starts it, with a secret in each place that one can be in.
func leaking(t *testing.T) *leaky {
	t.Helper()
	providers := simulate(t)
	administrators := &administrators{next: providers.Administration()}
	administration := httptest.NewServer(administrators)
	t.Cleanup(administration.Close)
	t.Cleanup(administration.CloseClientConnections)
	hook := httptest.NewServer(http.HandlerFunc(repeating))
	t.Cleanup(hook.Close)
	first := providers.Administer(simulator.AdminOpenAI, rotatedProject, administration.URL)
	google := providers.Administer(simulator.AdminGCP, "projects/e2e/serviceAccounts/leak@e2e.iam.gserviceaccount.com", administration.URL)
	var file struct {
		PrivateKey string `json:"private_key"`
	}
	require.NoError(t, json.Unmarshal([]byte(google.Key), &file))
	for _, key := range []string{leakAnthropic, leakFile, leakStdin, "AKIAE2ELEAK123456789"} {
		providers.Issue(key)
	}
	l := &leaky{
		administrators: administrators,
		rotated:        &rotated{providers: providers, first: first},
		secrets: map[string]string{
			"the key in use": first.Key, "the minter's key": adminKey, "a key with special characters": leakAnthropic,
			"a key that was kept": leakFormer, "a key read from a file": leakFile, "a key from standard input": leakStdin,
			"a key in the wrong place": leakTyped, "AWS's secret access key": leakAWS, "a webhook's address": leakPath,
			"what webhooks are signed by": leakSigning, "Google's private key": strings.Split(file.PrivateKey, "\n")[2],
		},
	}
	l.texts = map[string]string{}
	dir := dataDir(t)
	kept := filepath.Join(t.TempDir(), "mistral")
	require.NoError(t, os.WriteFile(kept, []byte(`{"api_key":"`+leakFile+`"}`), 0o600))
	l.config = providers.configWith(t, settings{
		router: "disable_cooldowns: true, num_retries: 0",
		holdfast: fmt.Sprintf(`keys: {rotation: {openai/main: {every: 3650d, mint: {kind: openai, project: %s, admin: openai-admin/main, endpoint: %q}}}},
  alerts: {webhooks: [{name: hidden, key: alerts/hidden}, {name: plain, url: %q, format: json, secret: alerts/signing}]}`,
			rotatedProject, administration.URL, hook.URL),
	}, []string{"openai", "openai/gpt-4.1"}, []string{"anthropic", "anthropic/claude-sonnet-4-5"}, []string{"mistral", "mistral/mistral-large-latest"},
		[]string{"gemini", "gemini/gemini-2.5-flash"},
		[]string{"bedrock", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0 aws_region_name: us-east-1"},
		[]string{"vertex", "vertex/gemini-3-pro-preview vertex_project: e2e, vertex_location: global"})
	l.instance = &instance{process: run(t, nil, append(upArgs(t, dir, l.config), "--log-level", "debug")...), dir: dir}
	require.NoError(t, l.await(within(t, late)))
	l.db = l.database(t, "holdfast")
	for name, secret := range map[string]string{"token": "the token of the instance", "admin-token": "its admin token", "postgres.password": "PostgreSQL's password", "vault.key": "the keeper's key"} {
		content, err := os.ReadFile(filepath.Join(l.dir, name))
		require.NoError(t, err)
		l.secrets[secret] = strings.TrimSpace(string(content))
	}
	l.admin = newClient(l.at.AdminAPI, l.secrets["its admin token"])
	for _, key := range []struct {
		stdin string
		args  []string
	}{
		{adminKey, []string{"openai-admin", "--name", "main"}},
		{first.Key, []string{"openai", "--name", "main", "--handle", first.Handle}},
		{leakFormer, []string{"anthropic", "--name", "main", "--weight", "2", "--account", "e2e"}},
		{`{"access_key_id": "AKIAE2ELEAK123456789", "secret_access_key": "` + leakAWS + `"}`, []string{"bedrock", "--name", "main"}},
		{google.Key, []string{"vertex", "--name", "main"}},
		{hook.URL + "/" + leakPath, []string{"alerts", "--name", "hidden"}},
		{"whsec_" + leakSigning, []string{"alerts", "--name", "signing"}},
		{"", []string{"mistral", "--name", "main", "--source", "file://" + kept + "?field=api_key"}},
	} {
		require.Zero(t, l.told(t, key.stdin, nil, append([]string{"keys", "add"}, key.args...)...), l.texts["what commands say"])
	}
	require.Zero(t, l.told(t, leakAnthropic, nil, "keys", "set", "anthropic", "main", "--keep-former"))
	l.watchedInput(t)
	l.secrets["an API token"] = strings.TrimSpace(command(t, "", nil, "tokens", "create", "--quiet", "--data", l.dir))
	l.secrets["an admin token"] = strings.TrimSpace(command(t, "", nil, "admin-tokens", "create", "reader", "--scope", "keys:read", "--quiet", "--data", l.dir))
	for _, route := range []string{"openai", "anthropic", "mistral", "gemini", "bedrock", "vertex"} {
		require.Eventually(t, func() bool { status, _ := l.asks(t, route, false); return status == http.StatusOK }, soon, tick, route)
	}
	for _, vendor := range []struct {
		simulator.Vendor
		key string
	}{{simulator.OpenAI, first.Key}, {simulator.Anthropic, leakAnthropic}, {simulator.Mistral, leakFile}, {simulator.Gemini, leakStdin}} {
		require.NotEmpty(t, providers.withKey(vendor.Vendor, vendor.key), "the key of %s was not used", vendor.Vendor)
	}
	return l
}

// watchedInput looks at a command, and at the server, as others on the machine can, while the command holds a key.
func (l *leaky) watchedInput(t *testing.T) {
	t.Helper()
	read, write := io.Pipe()
	p, err := spawn(binary(t), read, nil, "keys", "add", "gemini", "--name", "main", "--data", l.dir)
	require.NoError(t, err)
	_, err = write.Write([]byte(leakStdin))
	require.NoError(t, err)
	if runtime.GOOS == "linux" {
		for _, pid := range []int{p.cmd.Process.Pid, l.cmd.Process.Pid, l.postmaster(t), os.Getpid()} {
			for _, file := range []string{"cmdline", "environ"} {
				content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
				require.NoError(t, err)
				l.add("processes", string(content))
			}
		}
	}
	require.NoError(t, write.Close())
	require.Zero(t, p.exitCode(t, late), &p.stderr)
	l.add("what commands say", p.stdout.String()+p.stderr.String())
}

// asks has a completion answered, or not.
func (l *leaky) asks(t *testing.T, route string, stream bool) (status int, answer string) {
	t.Helper()
	return l.answered(t, l.client, http.MethodPost, "/v1/chat/completions",
		fmt.Sprintf(`{"model":%q,"stream":%t,"messages":[{"role":"user","content":"Is anything said of keys?"}]}`, route, stream))
}

// fails has each provider fail in each way, and repeat the key that it was sent.
func (l *leaky) fails(t *testing.T) {
	t.Helper()
	vendors := map[string]struct {
		vendor simulator.Vendor
		repeat string
	}{
		"openai": {simulator.OpenAI, l.first.Key}, "anthropic": {simulator.Anthropic, leakAnthropic}, "mistral": {simulator.Mistral, leakFile},
		"gemini": {simulator.Gemini, leakStdin}, "bedrock": {simulator.Bedrock, leakAWS},
	}
	for _, route := range slices.Sorted(maps.Keys(vendors)) {
		v := vendors[route]
		message := "Incorrect API key provided: " + v.repeat + ". You can find your API key at https://example.com/?key=" + url.QueryEscape(v.repeat)
		faults := []simulator.Fault{
			{Status: 400, Message: message},
			{Status: 404, Message: message},
			{Status: 500, Message: message},
			{Status: 503, Message: message, Code: "server_error " + v.repeat},
			{Status: 429, Message: message, RetryAfter: time.Second},
			{Status: 500, Type: v.repeat, Message: message},
			{Malformed: true},
			{Status: 500, Malformed: true, Message: message},
			{Empty: true},
			{Reset: true},
			{Status: 500, Message: message, Stream: &simulator.StreamFault{Kind: simulator.StreamError, After: 1}},
			{Stream: &simulator.StreamFault{Kind: simulator.StreamCut, After: 1}},
			{Stream: &simulator.StreamFault{Kind: simulator.StreamReset, After: 1}},
			{Status: 403, Message: message},
		}
		if route == "anthropic" || route == "mistral" { // of these a 403 says nothing of the key, and OpenAI's is rotated meanwhile
			faults = append(faults, simulator.Fault{Status: 401, Message: message})
		}
		for i, fault := range faults {
			fault.Count = 1
			fault.Match.Operation = simulator.OperationComplete
			l.providers.SetFault(v.vendor, fault)
			before := len(l.providers.Completions(v.vendor))
			l.asks(t, route, fault.Stream != nil || i == 2)
			require.Greater(t, len(l.providers.Completions(v.vendor)), before, "%s was not asked, and did not fail as fault %d has it", route, i)
			l.providers.ClearFaults(v.vendor)
		}
	}
	for _, token := range l.administrators.secrets() {
		l.providers.SetFault(simulator.VertexAI, simulator.Fault{Status: 401, Message: "Request had invalid credentials: " + token, Count: 2})
		l.asks(t, "vertex", false)
	}
}

// mistakes are those of operators, with a key where none belongs.
func (l *leaky) mistakes(t *testing.T) {
	t.Helper()
	key, long := leakTyped, leakTyped+strings.Repeat("x", 9000)
	for _, body := range []string{
		`{"provider":"groq","key":"` + key + ` ` + key + `"}`, `{"provider":"groq","name":"a","key":"` + key + `\n` + key + `"}`, `{"provider":"groq","name":"a","key":"` + long + `"}`,
		`{"provider":"` + key + `","name":"a","key":"k"}`, `{"provider":"groq","name":"` + key + `","key":"k"}`,
		`{"provider":"groq","name":"a","source":"` + key + `"}`, `{"provider":"groq","name":"a","source":"https://` + key + `"}`, `{"provider":"groq","name":"a","source":"https://u:` + key + `@x"}`,
		`{"provider":"groq","name":"a","source":"file://` + key + `"}`, `{"provider":"groq","name":"a","source":"file:///x","key":"` + key + `"}`,
		`{"provider":"groq","name":"a","source":"vaultkv://` + key + `"}`, `{"provider":"groq","name":"a","source":"%zz` + key + `"}`,
		`{"provider":"groq","name":"a","key":"k","handle":"` + long + `"}`, `{"provider":"groq","name":"a","key":"k","account":"` + key + `"}`,
		`{"provider":"groq","name":"a","key":"k","tenants":["` + key + `"]}`, `{"provider":"groq","name":"a","key":"k","expires_at":"` + key + `"}`,
		`{"provider":"groq","name":"a","key":"k","former":"` + key + `"}`, `{"provider":"groq","name":"a","weight":"` + key + `"}`,
		`{"provider":"groq","name":"a","key":["` + key + `"]}`, `{"provider":"groq","name":"a","api_key":"` + key + `"}`, `{"provider":"groq","name":"a","key":"` + key,
		`{"provider":"groq","name":"a","key":"{\"secret\":` + key + `"}`, key, `"` + key + `"`, `{"provider":"openai","name":"main","key":"` + key + `"}`,
	} {
		status, answer := l.answered(t, l.admin, http.MethodPost, "/admin/keys", body)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusConflict}, status, "%s: %s", body, answer)
	}
	for _, wrong := range []struct{ method, path, body string }{
		{http.MethodPatch, "/admin/keys/openai/" + key, `{"weight":1}`},
		{http.MethodPost, "/admin/keys/" + key + "/main/rotate", `{}`},
		{http.MethodGet, "/admin/keys/openai/" + key + "/history", ""},
		{http.MethodPatch, "/admin/keys/openai/main", `{"key":"` + key + `"}`},
		{http.MethodGet, "/admin/nothing/" + key, ""},
		{http.MethodGet, "/admin/keys?key=" + key, ""},
		{http.MethodGet, "/admin/audit?subject=" + key, ""},
		{http.MethodPost, "/admin/tokens", `{"tenant":"` + key + `"}`},
		{http.MethodPost, "/admin/admin-tokens", `{"name":"a","scopes":["` + key + `"]}`},
	} {
		l.answered(t, l.admin, wrong.method, wrong.path, wrong.body)
	}
	for _, stranger := range []client{newClient(l.at.AdminAPI, key), newClient(l.at.AdminAPI, l.secrets["an admin token"]), newClient(l.at.AdminAPI, l.secrets["an API token"])} {
		status, _ := l.answered(t, stranger, http.MethodPost, "/admin/keys", `{"provider":"groq","name":"a","key":"`+key+`"}`)
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status)
	}
	status, _ := l.answered(t, newClient(l.at.API, key), http.MethodGet, "/v1/models?key="+key, "")
	require.Equal(t, http.StatusUnauthorized, status)
	for _, stdin := range []string{key + " " + key, long, `{"secret":"` + key, "\n" + key + "\n\n"} {
		require.Equal(t, 1, l.told(t, stdin, nil, "keys", "add", "groq"), stdin)
	}
	require.Equal(t, 1, l.told(t, key, adminFile(t, key), "keys", "add", "groq"))
	require.Equal(t, 1, l.told(t, key, adminFile(t, l.secrets["an admin token"]), "keys", "set", "groq", "main"))
}

// rotates has the key of OpenAI replaced, or not, in each way in which that ends.
func (l *leaky) rotates(t *testing.T) {
	t.Helper()
	ends := func(state string, before string) {
		require.Eventually(t, func() bool { now := l.rotation(t); return now.ID != before && now.State == state }, late, tick, "%s: %+v", state, l.rotation(t))
	}
	require.Zero(t, l.told(t, "", nil, "keys", "rotate", "openai", "main", "--dry-run"), l.texts["what commands say"])

	l.administrators.repeats.Store(true)
	require.NotZero(t, l.told(t, "", nil, "keys", "rotate", "openai", "main"))
	l.administrators.repeats.Store(false)

	// One is given up while its new key is refused, and one while the vendor has made a key and does not say so.
	for _, step := range []string{"verify", "mint"} {
		before := l.rotation(t).ID
		if step == "verify" {
			l.providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Operation: simulator.OperationListModels}, Status: 401, Message: "Incorrect API key provided: " + l.first.Key})
		} else {
			l.providers.SetAdminFault(simulator.AdminFault{API: simulator.AdminOpenAI, Operation: simulator.AdminCreate, After: true, Count: 1, Hang: true})
		}
		require.Zero(t, l.told(t, "", nil, "keys", "rotate", "openai", "main", "--wait=false"))
		require.Eventually(t, func() bool {
			now := l.rotation(t)
			return now.ID != before && now.Step == step && len(l.providers.Handles(simulator.AdminOpenAI, rotatedProject)) > 1
		}, soon, tick, step)
		pass(t, time.Second) // it is refused, or hangs, by now
		require.NoError(t, l.temporal(t).CancelWorkflow(within(t, soon), "key-rotation/openai/main", ""))
		ends("undone", before)
		l.providers.ClearFaults(simulator.OpenAI)
	}

	l.providers.SetAdminFault(simulator.AdminFault{API: simulator.AdminOpenAI, Operation: simulator.AdminDelete, Status: 500, Count: 1})
	before := l.rotation(t).ID
	require.Zero(t, l.told(t, "", nil, "keys", "rotate", "openai", "main"), l.texts["what commands say"])
	ends("done", before)
}

func TestNoKeyIsWrittenAnywhere(t *testing.T) {
	t.Parallel()
	long(t)
	l := leaking(t)
	l.fails(t)
	require.Equal(t, 0, l.told(t, "", nil, "alerts", "test"))
	l.mistakes(t)
	l.rotates(t)
	// Bedrock's 403 is of one place; the others were refused for good, and are taken again.
	for _, provider := range []string{"anthropic", "gemini", "mistral"} {
		require.Eventually(t, func() bool {
			return strings.Contains(command(t, "", nil, "keys", "history", provider, "main", "--data", l.dir), "key.readmit")
		}, late, 10*tick, "%s was not readmitted", provider)
	}

	for _, args := range [][]string{
		{"keys", "list"},
		{"keys", "history", "openai", "main"},
		{"keys", "history", "anthropic", "main"},
		{"keys", "history", "mistral", "main"},
		{"audit"},
		{"alerts", "list"},
		{"providers"},
		{"tokens", "list"},
		{"admin-tokens", "list"},
		{"completions", "list"},
	} {
		if code := l.told(t, "", nil, args...); code != 0 {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
	for _, path := range []string{"/admin/keys", "/admin/rotations", "/admin/audit", "/admin/alerts", "/admin/completions", "/admin/providers", "/admin/keys/openai/main/history"} {
		status, answer := l.answered(t, l.admin, http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, status, answer)
	}
	status, metrics := l.answered(t, l.admin, http.MethodGet, "/metrics", "")
	require.Equal(t, http.StatusOK, status)
	l.add("metrics", metrics)
	ids := strings.Fields(l.texts["ids"])
	for _, id := range ids {
		status, answer := l.answered(t, l.client, http.MethodGet, "/v1/holdfast/completions/"+id, "")
		require.Equal(t, http.StatusOK, status, answer)
		l.add("records", answer)
	}
	l.histories(t)
	for _, name := range []string{"holdfast", "temporal", "temporal_visibility"} {
		l.add("the database "+name, dump(t, l.database(t, name)))
	}
	running, err := os.ReadFile(filepath.Join(l.dir, "instance.json")) // it is removed at the end
	require.NoError(t, err)
	l.add("other files", string(running))
	require.NoError(t, l.end(syscall.SIGINT))
	l.files(t)
	l.add("the log", l.stdout.String()+l.stderr.String())

	secrets := l.administrators.secrets()
	require.Greater(t, len(secrets), 3)
	maps.Copy(secrets, l.secrets)
	l.wouldBeFound(t, secrets, ids[0])
	for where, text := range l.texts {
		requireNone(t, secrets, where, text)
	}
}
