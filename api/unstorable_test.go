package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What PostgreSQL cannot keep is the client's to mend, and no failure of ours.
func TestTextsThatCannotBeKeptAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, c := range []struct{ method, path, body string }{
		{http.MethodPost, "/v1/chat/completions", `{"model":"demo","user":"a\u0000b","messages":[{"role":"user","content":"hi"}]}`},
		{http.MethodPost, "/v1/responses", `{"model":"demo","metadata":{"a":"b\u0000"},"input":"hi"}`},
		{http.MethodPost, "/v1/conversations", `{"metadata":{"a":"b\u0000"}}`},
		{http.MethodGet, "/v1/chat/completions?model=%00", ""},
		{http.MethodGet, "/v1/chat/completions?model=%ff", ""},
		{http.MethodDelete, "/v1/holdfast/users/%00", ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, b.url+c.path, strings.NewReader(c.body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer token-of-a")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		_ = response.Body.Close()
		require.Equal(t, http.StatusBadRequest, response.StatusCode, "%s %s", c.method, c.path)
	}
}
