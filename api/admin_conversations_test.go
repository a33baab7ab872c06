package api_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/llm"
)

// log keeps what is logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// archive is the admin API on a real database, in which there is a conversation of a tenant.
type archive struct {
	*operators
	log   *log
	store *conversations.Store
	id    string
}

func archived(t *testing.T) *archive {
	t.Helper()
	pool := pgtest.New(t)
	token, err := access.LoadAdminToken(filepath.Join(t.TempDir(), "admin.token"))
	require.NoError(t, err)
	a := &archive{operators: &operators{token: token.Secret().Reveal()}, log: &log{}, store: conversations.NewStore(pool)}
	a.handler = api.NewAdmin(api.AdminConfig{
		Token: token, Record: store.New(pool), Conversations: a.store, Logger: slog.New(slog.NewJSONHandler(a.log, nil)),
	})
	items := []conversations.Item{
		{Message: llm.Message{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("a whispered question")}}},
		{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("a whispered answer")}}, Provider: "openai", Model: "gpt-4.1"},
		{Message: llm.Message{Role: llm.RoleUser, Parts: []llm.Part{llm.Image(llm.Media{MIME: "image/png", Data: []byte("whispered")})}}},
	}
	made, err := a.store.Create(t.Context(), "acme", map[string]string{"topic": "whispered"}, items)
	require.NoError(t, err)
	a.id = made.ID
	return a
}

func (a *archive) raw(t *testing.T, path string) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	request.Header.Set("Authorization", "Bearer "+a.token)
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request)
	return recorder, jsonLines(t, recorder.Body.Bytes())
}

func TestOperatorsReadWhatWasSaid(t *testing.T) {
	t.Parallel()
	a := archived(t)
	_, list := a.do(t, http.MethodGet, "/admin/conversations?tenant=acme", "")
	require.Len(t, list["data"], 1)
	_, list = a.do(t, http.MethodGet, "/admin/conversations?tenant=other", "")
	require.Empty(t, list["data"])
	_, list = a.do(t, http.MethodGet, "/admin/conversations?limit=1&after="+a.id, "")
	require.Empty(t, list["data"])

	status, head := a.do(t, http.MethodGet, "/admin/conversations/"+a.id, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []any{"acme", 3.0, "openai", "gpt-4.1"}, []any{head["tenant"], head["items"], head["last_provider"], head["last_model"]})
	require.Positive(t, head["tokens"])

	_, page := a.do(t, http.MethodGet, "/admin/conversations/"+a.id+"/items?limit=2", "")
	require.Equal(t, []any{true, "2"}, []any{page["has_more"], page["last_id"]})
	_, page = a.do(t, http.MethodGet, "/admin/conversations/"+a.id+"/items?limit=2&after=2", "")
	require.Equal(t, []any{false, "1", "1"}, []any{page["has_more"], page["first_id"], page["last_id"]})
	_, page = a.do(t, http.MethodGet, "/admin/conversations/"+a.id+"/items?order=asc&after=1", "")
	require.Equal(t, []any{"2", "3"}, []any{page["first_id"], page["last_id"]})
	listed, err := json.Marshal(page)
	require.NoError(t, err)
	require.Contains(t, string(listed), `"media":{"mime":"image/png"}`, "a list names files, and does not hold them")

	recorder, lines := a.raw(t, "/admin/conversations/"+a.id+"/export")
	require.Equal(t, "application/x-ndjson", recorder.Header().Get("Content-Type"))
	require.Equal(t, []any{"conversation", "item", "item", "item"}, types(lines))
	require.Contains(t, recorder.Body.String(), `"data":"d2hpc3BlcmVk"`)
}

func TestOperatorsEraseWhatWasSaid(t *testing.T) {
	t.Parallel()
	a := archived(t)
	status, _ := a.do(t, http.MethodDelete, "/admin/conversations/"+a.id+"?tenant=other", "")
	require.Equal(t, http.StatusNotFound, status)
	status, object := a.do(t, http.MethodDelete, "/admin/conversations/"+a.id, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]any{"object": "holdfast.erasure", "conversation": a.id, "conversations": 1.0, "completions": 0.0, "running": 0.0}, object)
	status, _ = a.do(t, http.MethodGet, "/admin/conversations/"+a.id, "")
	require.Equal(t, http.StatusNotFound, status)

	_, lines := a.raw(t, "/admin/users/export?tenant=acme&user=ann")
	require.Empty(t, lines)
	status, object = a.do(t, http.MethodDelete, "/admin/users?tenant=acme&user=ann%2F1", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "ann/1", object["user"])
}

func TestAnOperatorsReadingIsLoggedAndNotWhatIsRead(t *testing.T) {
	t.Parallel()
	a := archived(t)
	for _, path := range []string{
		"", "/" + a.id, "/" + a.id + "/items", "/" + a.id + "/export",
	} {
		before := strings.Count(a.log.String(), "\n")
		recorder, _ := a.raw(t, "/admin/conversations"+path)
		require.Equal(t, http.StatusOK, recorder.Code, path)
		require.Equal(t, before+1, strings.Count(a.log.String(), "\n"), path)
		require.Equal(t, path != "", strings.Contains(lastLine(a.log.String()), a.id))
		require.Contains(t, lastLine(a.log.String()), `"who":"root"`)
	}
	a.do(t, http.MethodDelete, "/admin/users?tenant=acme&user="+url.QueryEscape("a whispered name"), "")
	require.Contains(t, lastLine(a.log.String()), `"user_sha256":"`)
	a.do(t, http.MethodDelete, "/admin/conversations/"+a.id, "")
	require.Contains(t, lastLine(a.log.String()), `"what":"erase a conversation"`)
	require.NotContains(t, a.log.String(), "whispered")
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestWhatOperatorsAskForMustMakeSense(t *testing.T) {
	t.Parallel()
	a := archived(t)
	for path, want := range map[string]int{
		"GET /admin/conversations/conv_none":                   404,
		"GET /admin/conversations/x%00":                        404,
		"GET /admin/conversations?limit=0":                     400,
		"GET /admin/conversations/" + a.id + "/items?after=x":  400,
		"GET /admin/conversations/" + a.id + "/items?order=up": 400,
		"GET /admin/users/export?user=ann":                     400,
		"DELETE /admin/users?tenant=acme":                      400,
		"DELETE /admin/users?user=ann":                         400,
	} {
		method, path, _ := strings.Cut(path, " ")
		status, _ := a.do(t, method, path, "")
		require.Equal(t, want, status, path)
	}
	a.token = "wrong"
	status, _ := a.do(t, http.MethodGet, "/admin/conversations", "")
	require.Equal(t, http.StatusUnauthorized, status)
}
