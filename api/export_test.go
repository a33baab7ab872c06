package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/completions/store"
)

// lines reads JSON Lines.
func (b *bundle) lines(t *testing.T, path, tenant string) (*http.Response, []map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer token-of-"+tenant)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, jsonLines(t, content)
}

func jsonLines(t *testing.T, content []byte) []map[string]any {
	t.Helper()
	found := []map[string]any{}
	for line := range bytes.Lines(content) {
		var object map[string]any
		require.NoError(t, json.Unmarshal(line, &object), "%s", line)
		found = append(found, object)
	}
	return found
}

func types(lines []map[string]any) []any {
	found := []any{}
	for _, line := range lines {
		found = append(found, line["type"])
	}
	return found
}

func TestAConversationIsExportedLineByLine(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, made := b.do(t, http.MethodPost, "/v1/conversations", "a", `{"metadata":{"topic":"x"},"items":[{"type":"message","role":"user","content":"one"}]}`)
	id := made["id"].(string) //nolint:forcetypeassert // a test
	b.do(t, http.MethodPost, "/v1/chat/completions", "a", `{"model":"demo","conversation":"`+id+`","messages":[{"role":"user","content":"two"}]}`)

	response, lines := b.lines(t, "/v1/conversations/"+id+"/export", "a")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "application/x-ndjson", response.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="`+id+`.jsonl"`, response.Header.Get("Content-Disposition"))
	require.Equal(t, []any{"conversation", "item", "completion"}, types(lines))
	require.Equal(t, map[string]any{"topic": "x"}, lines[0]["conversation"].(map[string]any)["metadata"])
	require.Contains(t, lines[2]["completion"], "request")
	require.Contains(t, lines[2]["completion"], "answer")

	for tenant, path := range map[string]string{"b": id, "a": "conv_none"} {
		response, object := b.do(t, http.MethodGet, "/v1/conversations/"+path+"/export", tenant, "")
		require.Equal(t, http.StatusNotFound, response.StatusCode)
		require.Equal(t, "not_found", code(object))
	}
}

func TestWhateverAnEndUserIsCalledTheyAreExportedAndErased(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, user := range []string{"ann", "dept/7", "dept/7/export", "/", "a b?c#d%2F", "größer", "x/"} {
		body, err := json.Marshal(map[string]any{"model": "demo", "user": user, "messages": []any{map[string]any{"role": "user", "content": "hi"}}})
		require.NoError(t, err)
		b.do(t, http.MethodPost, "/v1/chat/completions", "a", string(body))
		path := "/v1/holdfast/users/" + url.PathEscape(user)

		response, lines := b.lines(t, path+"/export", "a")
		require.Equal(t, http.StatusOK, response.StatusCode, user)
		require.Equal(t, []any{"completion"}, types(lines), user)
		_, others := b.lines(t, path+"/export", "b")
		require.Empty(t, others, user)

		_, object := b.do(t, http.MethodDelete, path, "b", "")
		require.Zero(t, object["completions"], user)
		_, object = b.do(t, http.MethodDelete, path, "a", "")
		require.Equal(t, map[string]any{"object": "holdfast.erasure", "user": user, "conversations": 0.0, "completions": 1.0, "running": 0.0}, object)
		_, lines = b.lines(t, path+"/export", "a")
		require.Empty(t, lines, user)
	}
	for method, path := range map[string]string{http.MethodDelete: "/v1/holdfast/users/", http.MethodGet: "/v1/holdfast/users/ann"} {
		response, _ := b.do(t, method, path, "a", "")
		require.Equal(t, http.StatusNotFound, response.StatusCode, path)
	}
}

// torn is a record whose exports break off, or take their time.
type torn struct {
	api.Record
	wait time.Duration
	err  error
}

func (r torn) ExportUser(ctx context.Context, _, _ string, write func(store.ExportLine) error) error {
	for range 2 {
		if err := write(store.ExportLine{Type: "completion"}); err != nil {
			return err
		}
		timer := time.NewTimer(r.wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return r.err
}

func TestAnExportThatBreaksOffSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) { cfg.Record = torn{Record: cfg.Record, err: errors.New("secret cause")} })
	_, lines := b.lines(t, "/v1/holdfast/users/ann/export", "a")
	require.Equal(t, []any{"completion", "completion", "error"}, types(lines))
	failure, _ := lines[2]["error"].(map[string]any)
	require.Equal(t, []any{"internal_error", "The request could not be processed."}, []any{failure["code"], failure["message"]})
}

func TestAnExportMayTakeLongerThanAnAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) { cfg.Record = torn{Record: cfg.Record, wait: 600 * time.Millisecond} })
	server := httptest.NewUnstartedServer(b.server.Handler())
	server.Config.WriteTimeout = 200 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	b.url = server.URL
	_, lines := b.lines(t, "/v1/holdfast/users/ann/export", "a")
	require.Len(t, lines, 2)
}
