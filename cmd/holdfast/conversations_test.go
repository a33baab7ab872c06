package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func conversationHead(items int) string {
	return fmt.Sprintf(`{"id":"conv_1","tenant":"acme","created_at":%q,"last_turn_at":%q,"items":%d,"tokens":1200,"metadata":{"topic":"rain","by":"ann"},
		"active_completion":"chatcmpl-9","last_provider":"openai","last_model":"gpt-4.1","forks":["thread_a","thread_b"]}`, local(8), local(9), items)
}

// conversationItems are the items of a log, the newest first, as the admin API gives them.
func conversationItems() string {
	return `{"data":[
		{"seq":5,"provider":"openai","model":"gpt-4.1","created_at":"` + local(9) + `","message":{"role":"assistant","parts":[
			{"type":"text","text":"` + strings.Repeat("It rains over the hills. ", 8) + `\n\n\tindented\u001b[2J"},{"type":"refusal","text":"No more."},{"type":"erased"}]}},
		{"seq":4,"created_at":"` + local(9) + `","message":{"role":"tool","parts":[
			{"type":"tool_result","tool_result":{"call_id":"call_1","content":"rain,\n18 degrees","parts":[{"type":"image","media":{"mime":"image/png"}}]}},
			{"type":"tool_result","tool_result":{"call_id":"call_2","content":"gone","is_error":true}}]}},
		{"seq":3,"provider":"anthropic","model":"claude-sonnet-4-5","created_at":"` + local(8) + `","message":{"role":"assistant","parts":[
			{"type":"reasoning","text":"I should look outside."},{"type":"reasoning"},
			{"type":"tool_call","tool_call":{"id":"call_1","name":"get_weather","arguments":"{\"city\": \"` + strings.Repeat("Par", 40) + `is\"}"}}]}},
		{"seq":2,"created_at":"` + local(8) + `","message":{"role":"user","parts":[
			{"type":"image","media":{"url":"https://example.com/sky.png"}},{"type":"document","media":{"mime":"application/pdf","name":"report.pdf"}},
			{"type":"text","text":"What is the weather?"}]}}],"has_more":false}`
}

func TestAConversationIsShownAsItWasSaid(t *testing.T) {
	t.Parallel()
	var uris []string
	printed, err := runOn(t, func(w http.ResponseWriter, r *http.Request) {
		uris = append(uris, r.URL.RequestURI())
		if strings.HasSuffix(r.URL.Path, "/items") {
			_, _ = io.WriteString(w, conversationItems())
			return
		}
		_, _ = io.WriteString(w, conversationHead(6))
	}, "conversations", "show", "conv_1", "--last", "5", "--tenant", "acme")
	require.NoError(t, err)
	require.Equal(t, []string{"/admin/conversations/conv_1?tenant=acme", "/admin/conversations/conv_1/items?limit=5&tenant=acme"}, uris)
	golden(t, "conversations_show", printed)
}

func TestManyItemsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	var uris []string
	printed, err := runOn(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/items") {
			_, _ = io.WriteString(w, conversationHead(300))
			return
		}
		uris = append(uris, r.URL.RawQuery)
		next := 300 - 100*(len(uris)-1)
		items := []string{}
		for seq := next; seq > next-100 && (len(uris) < 2 || seq > next-50); seq-- {
			items = append(items, fmt.Sprintf(`{"seq":%d,"created_at":%q,"message":{"role":"user","parts":[]}}`, seq, local(8)))
		}
		_, _ = fmt.Fprintf(w, `{"data":[%s],"has_more":true,"last_id":"%d"}`, strings.Join(items, ","), next-len(items)+1)
	}, "conversations", "show", "conv_1", "--last", "150", "--json")
	require.NoError(t, err)
	require.Equal(t, []string{"limit=100&tenant=", "after=201&limit=50&tenant="}, uris)
	require.Equal(t, 150, strings.Count(printed, `"seq"`))
	require.Less(t, strings.Index(printed, `"seq":151`), strings.Index(printed, `"seq":300`), "the newest is last")
}

const exported = `{"type":"conversation","conversation":{}}
{"type":"item","item":{}}
`

func TestAnExportIsWholeOrAnError(t *testing.T) {
	t.Parallel()
	answers := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	printed, err := runOn(t, answers(exported), "conversations", "export", "conv_1")
	require.NoError(t, err)
	require.Equal(t, strings.Split(exported, "\n"), strings.Split(printed, "\n"))

	file := filepath.Join(t.TempDir(), "out.jsonl")
	args := []string{"conversations", "export", "--user", "ann/7", "--tenant", "acme", "-o", file}
	for broken, want := range map[string]string{
		exported + `{"type":"error","error":{"message":"PostgreSQL is away."}}` + "\n": "the export is not whole: PostgreSQL is away.",
		exported + `{"type":"it`: "the export is not whole",
	} {
		_, err = runOn(t, answers(broken), args...)
		require.ErrorContains(t, err, want)
		left, err := os.ReadDir(filepath.Dir(file))
		require.NoError(t, err)
		require.Empty(t, left)
	}
	var uri string
	_, err = runOn(t, func(w http.ResponseWriter, r *http.Request) {
		uri = r.URL.RequestURI()
		answers(exported)(w, r)
	}, args...)
	require.NoError(t, err)
	require.Equal(t, "/admin/users/export?tenant=acme&user=ann%2F7", uri)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Split(exported, "\n"), strings.Split(string(content), "\n"))
	at, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), at.Mode().Perm())
}

func TestNothingIsErasedUnasked(t *testing.T) {
	t.Parallel()
	var methods []string
	_, err := runOn(t, func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method)
		_, _ = io.WriteString(w, "{}")
	}, "conversations", "erase", "conv_1")
	require.ErrorContains(t, err, "--yes")
	require.Equal(t, []string{http.MethodGet}, methods)
}

func TestWhatIsMeantMustBeSaid(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"erase", "--yes"},
		{"erase", "conv_1", "--user", "ann", "--tenant", "acme", "--yes"},
		{"erase", "--user", "ann", "--yes"},
		{"export"},
		{"show", "conv_1", "--last", "0"},
		{"show", "conv_1", "--last", "5000"},
	} {
		asked := false
		_, err := runOn(t, func(http.ResponseWriter, *http.Request) { asked = true }, append([]string{"conversations"}, args...)...)
		require.ErrorIs(t, err, errUsage, args)
		require.False(t, asked, args)
	}
}

func TestLinesAreWrappedBetweenWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"":                {""},
		"short":           {"short"},
		"one two three":   {"one two", "three"},
		"größer und mehr": {"größer", "und mehr"},
		"abcdefghijklm":   {"abcdefgh", "ijklm"},
		"      abcdefgh":  {"      ab", "cdefgh"},
		"12345678 9":      {"12345678", "9"},
	} {
		require.Equal(t, want, wrapped(line, 8), line)
	}
}
