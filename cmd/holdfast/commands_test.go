package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

var update = flag.Bool("update", false, "rewrite golden files")

// asked is a request that a command made.
type asked struct{ method, uri, body string }

// run runs a command against an instance that gives the answer, and shows what it was asked.
func run(t *testing.T, answer string, args ...string) (string, asked) {
	t.Helper()
	var got asked
	printed, err := runOn(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = asked{r.Method, r.URL.RequestURI(), string(body)}
		_, _ = io.WriteString(w, answer)
	}, args...)
	require.NoError(t, err)
	return printed, got
}

// runOn runs a command against an instance, both of whose APIs the handler is.
func runOn(t *testing.T, handler http.HandlerFunc, args ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	content, err := json.Marshal(instance{API: server.URL, AdminAPI: server.URL})
	require.NoError(t, err)
	for name, text := range map[string]string{instanceFile: string(content), adminTokenFile: "hfadm_x", tokenFile: "hf_x"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	cmd := newRootCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	cmd.SetIn(strings.NewReader("hi\n"))
	cmd.SetArgs(append(args, "--data", dir))
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// golden compares what a command has printed with its file.
func golden(t *testing.T, name, printed string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(printed), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), printed)
}

// local is a moment as the admin API tells it that reads the same in every time zone.
func local(hour int) string {
	return time.Date(2027, 1, 15, hour, 0, 0, 0, time.Local).Format(time.RFC3339) //nolint:gosmopolitan // as a person reads it
}

func TestCommandsPrintWhatTheyAreTold(t *testing.T) {
	t.Parallel()
	const plan = `"candidates":[
			{"deployment":"d1","provider":"openai","model":"gpt-4.1","reason":"order 1, the only one"},
			{"deployment":"d2","provider":"anthropic","model":"claude-sonnet-4-5","for":"context_length","reason":"fallback to long, the only one"}],
		"excluded":[{"provider":"gemini","model":"gemini-2.5-flash","reason":"it has no vision, which the request needs"}]`
	for name, c := range map[string]struct {
		answer string
		args   []string
		asked  asked
	}{
		"providers_list": {
			`{"data":[
			{"domain":"openai#main/gpt-4.1","state":"open","since":"` + local(8) + `","until":"` + local(9) + `","reason":"rate_limit: the provider asks us to slow down","by":"p-1","limit_used":0.97},
			{"domain":"openai","state":"closed","held":true,"since":"` + local(7) + `","reason":"watching it","by":"ann","in_flight":3},
			{"domain":"anthropic","state":"closed","in_flight":0}]}`,
			[]string{"providers", "list"},
			asked{http.MethodGet, "/admin/providers", ""},
		},
		"providers_open": {
			`{"domain":"openai","state":"open","until":"` + local(9) + `","held":true}`,
			[]string{"providers", "open", "openai", "--for", "1h", "--reason", "maintenance", "--by", "ann"},
			asked{http.MethodPost, "/admin/providers/open", `{"by":"ann","domain":"openai","for":"1h0m0s","reason":"maintenance"}`},
		},
		"providers_hold": {
			`{"domain":"openai#main","state":"closed","held":true}`,
			[]string{"providers", "hold", "openai#main", "--reason", "watching it", "--by", "ann"},
			asked{http.MethodPost, "/admin/providers/hold", `{"by":"ann","domain":"openai#main","reason":"watching it"}`},
		},
		"providers_close": {
			`{"domain":"openai","state":"closed"}`,
			[]string{"providers", "close", "openai", "--reason", "works", "--by", "ann"},
			asked{http.MethodPost, "/admin/providers/close", `{"by":"ann","domain":"openai","reason":"works"}`},
		},
		"route_explain": {
			`{` + plan + `,"resting":[{"deployment":"d1","until":"` + local(9) + `","reason":"openai is open: incident"}],
			"first":{"action":"call","delay_ms":1500,"reason":"first candidate: order 1"}}`,
			[]string{"route", "explain", "--model", "demo", "--tenant", "a", "--tags", "eu", "--tools", "--vision", "--json-schema", "--tokens", "9", "--only", "openai", "--ignore", "xai", "--sort", "price"},
			asked{http.MethodGet, "/admin/route?ignore=xai&json_schema=true&model=demo&only=openai&sort=price&tags=eu&tenant=a&tokens=9&tools=true&vision=true", ""},
		},
		"completions_show": {
			`{"id":"chatcmpl-1","route":"demo","tenant":"a","workflow_id":"w","state":"succeeded","provider":"openai","model":"gpt-4.1",
			"served_from":"degraded","plan":{` + plan + `},"attempts":[{"number":1,"provider":"openai","model":"gpt-4.1","state":"succeeded","latency_ms":7,"key_name":"main","epoch":1,"chosen_because":"first candidate"}]}`,
			[]string{"completions", "show", "chatcmpl-1"},
			asked{http.MethodGet, "/admin/completions/chatcmpl-1", ""},
		},
		"cache_show": {
			`{"data":[{"tenant":"a","route":"demo","answered":4,"hits":2,"stale":1}]}`,
			[]string{"cache", "show", "--since", "1h"},
			asked{http.MethodGet, "/admin/cache?since=1h", ""},
		},
		"alerts_list": {
			`{"data":[
			{"id":"alert_2","kind":"key_refused","severity":"critical","subject":"openai/main","title":"openai refuses the key","raised_at":"` + local(9) + `","deliveries":[
				{"webhook":"oncall","state":"failed","attempts":150,"error":"webhook oncall answered 503"},{"webhook":"slack","state":"delivered","attempts":1}]},
			{"id":"alert_1","kind":"key_expiring","severity":"warning","subject":"gemini/main","title":"the key ends in 7 days","raised_at":"` + local(8) + `","deliveries":[]}]}`,
			[]string{"alerts", "list", "--limit", "2"},
			asked{http.MethodGet, "/admin/alerts?limit=2", ""},
		},
		"alerts_test": {
			`{"alert":{"id":"alert_3"},"webhooks":["oncall","slack"]}`,
			[]string{"alerts", "test"},
			asked{http.MethodPost, "/admin/alerts/test", ""},
		},
		"alerts_test_nobody": {`{"alert":{"id":"alert_3"},"webhooks":[]}`, []string{"alerts", "test"}, asked{http.MethodPost, "/admin/alerts/test", ""}},
		"audit": {
			`{"data":[
			{"id":8,"at":"` + local(9) + `","actor":"token:ci","action":"key.set","subject":"openai/main","reason":"leaked"},
			{"id":7,"at":"` + local(8) + `","actor":"root","action":"key.disable","subject":"openai/main"}],"has_more":true,"last_id":"7"}`,
			[]string{"audit", "--subject", "openai/main", "--limit", "2"},
			asked{http.MethodGet, "/admin/audit?limit=2&subject=openai%2Fmain", ""},
		},
		"audit_json": {
			`{"data":[{"id":8,"at":"2027-01-15T08:00:00Z","actor":"root","action":"key.set","subject":"openai/main","after":{"state":"active"}}]}`,
			[]string{"audit", "--json", "--actor", "root", "--action", "key.set", "--before", "9"},
			asked{http.MethodGet, "/admin/audit?action=key.set&actor=root&before=9&limit=20", ""},
		},
		"admin_tokens_create": {
			`{"id":"adm_1","name":"ci","token":"hfadm_shown"}`,
			[]string{"admin-tokens", "create", "ci", "--scope", "keys:read", "--scope", "keys:write"},
			asked{http.MethodPost, "/admin/admin-tokens", `{"name":"ci","scopes":["keys:read","keys:write"]}`},
		},
		"admin_tokens_create_quiet": {
			`{"id":"adm_1","name":"ci","token":"hfadm_shown"}`,
			[]string{"admin-tokens", "create", "ci", "--scope", "metrics:read", "--quiet"},
			asked{http.MethodPost, "/admin/admin-tokens", `{"name":"ci","scopes":["metrics:read"]}`},
		},
		"admin_tokens_list": {
			`{"data":[
			{"id":"adm_1","name":"ci","scopes":["keys:read","keys:write"],"created_at":"` + local(8) + `","expires_at":"` + local(10) + `"},
			{"id":"adm_2","name":"old","scopes":["audit:read"],"created_at":"` + local(7) + `","revoked_at":"` + local(9) + `"}]}`,
			[]string{"admin-tokens", "list"},
			asked{http.MethodGet, "/admin/admin-tokens", ""},
		},
		"admin_tokens_revoke": {`{}`, []string{"admin-tokens", "revoke", "adm_1"}, asked{http.MethodPost, "/admin/admin-tokens/adm_1/revoke", ""}},
		"cache_clear":         {`{"cleared":7}`, []string{"cache", "clear", "--route", "demo"}, asked{http.MethodDelete, "/admin/cache?route=demo", ""}},
		"conversations_list": {
			`{"data":[
			{"id":"conv_1","tenant":"acme","created_at":"` + local(8) + `","last_turn_at":"` + local(9) + `","items":4,"tokens":1200,"metadata":{"topic":"rain","by":"` + strings.Repeat("ann ", 20) + `"}},
			{"id":"thread_2","tenant":"search","created_at":"` + local(7) + `","last_turn_at":"` + local(7) + `","items":0,"tokens":0,"metadata":{}}],"has_more":true,"last_id":"thread_2"}`,
			[]string{"conversations", "list", "--tenant", "acme", "--threads", "--limit", "2", "--after", "conv_0"},
			asked{http.MethodGet, "/admin/conversations?after=conv_0&limit=2&tenant=acme&threads=true", ""},
		},
		"conversations_erase_user": {
			`{"object":"holdfast.erasure","user":"ann/7","conversations":1,"completions":12,"running":1}`,
			[]string{"conversations", "erase", "--user", "ann/7", "--tenant", "acme", "--yes"},
			asked{http.MethodDelete, "/admin/users?tenant=acme&user=ann%2F7", ""},
		},
		"conversations_erase": {
			`{"object":"holdfast.erasure","conversation":"conv_1","conversations":2,"completions":1,"running":0}`,
			[]string{"conversations", "erase", "conv_1", "--yes"},
			asked{http.MethodDelete, "/admin/conversations/conv_1?tenant=", ""},
		},
		"simulate_limit": {
			`{"limits":{"openai":{"requests_per_minute":60,"tokens_per_minute":0,"accepted":61,"refused":2},"mistral":{"requests_per_minute":0,"tokens_per_minute":9,"accepted":0,"refused":0},"cohere":{"requests_per_minute":0,"tokens_per_minute":0,"accepted":0,"refused":0}}}`,
			[]string{"simulate", "limit"},
			asked{http.MethodGet, "/admin/simulator/limits", ""},
		},
		"simulate_limit_set": {
			``,
			[]string{"simulate", "limit", "openai", "--rpm", "60", "--tpm", "1000"},
			asked{http.MethodPut, "/admin/simulator/limits/openai", `{"requests_per_minute":60,"tokens_per_minute":1000}`},
		},
		"simulate_limit_off": {
			``,
			[]string{"simulate", "limit", "openai", "--off"},
			asked{http.MethodPut, "/admin/simulator/limits/openai", `{"requests_per_minute":0,"tokens_per_minute":0}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			printed, got := run(t, c.answer, c.args...)
			require.Equal(t, c.asked, got)
			golden(t, name, printed)
		})
	}
}

func TestCommandsThatChangeAskForWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"providers", "open", "openai"},
		{"providers", "open", "--reason", "x"},
		{"route", "explain"},
		{"simulate", "limit", "openai", "--control", "http://127.0.0.1:1"},
		{"simulate", "limit", "openai", "--off", "--rpm", "1"},
		{"admin-tokens", "create", "ci"},
		{"admin-tokens", "create", "ci", "--scope", "keys:read", "--expires", "soon"},
		{"admin-tokens", "create", "ci", "--scope", "keys:read", "--expires", "-1d"},
	} {
		cmd := newRootCommand()
		cmd.SetOut(io.Discard)
		cmd.SetArgs(args)
		require.Error(t, cmd.ExecuteContext(t.Context()), args)
	}
}

func TestALimitIsSaidInWords(t *testing.T) {
	t.Parallel()
	for want, limit := range map[string]simulator.Limit{
		"all that comes": {}, "6 requests a minute": {RequestsPerMinute: 6}, "9 tokens a minute": {TokensPerMinute: 9},
		"6 requests and 9 tokens a minute": {RequestsPerMinute: 6, TokensPerMinute: 9},
	} {
		require.Equal(t, want, limitInWords(limit))
	}
}
