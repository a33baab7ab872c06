package anthropic_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/anthropic"
)

func TestTokensAreCountedByTheVendor(t *testing.T) {
	t.Parallel()
	answer := `{"input_tokens": 41}`
	var asked map[string]json.RawMessage
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = nil
		if r.URL.Path != "/v1/messages/count_tokens" || r.Header.Get("X-Api-Key") != "k" || json.Unmarshal(body, &asked) != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	client, err := anthropic.New(anthropic.Config{BaseURL: server.URL})
	require.NoError(t, err)
	temperature := 0.5
	request := llm.Request{
		Model: "claude-sonnet-4-5", Temperature: &temperature, Stop: []string{"x"}, User: "u", Tools: []llm.Tool{{Name: "f"}},
		Messages: []llm.Message{{Role: llm.RoleSystem, Parts: []llm.Part{llm.Text("be brief")}}, {Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hi")}}},
	}
	count, err := client.CountTokens(t.Context(), "k", request)
	require.NoError(t, err)
	require.EqualValues(t, 41, count)
	for name := range asked {
		require.Contains(t, []string{"model", "messages", "system", "tools"}, name)
	}
	require.Len(t, asked, 4)
	answer = `{}`
	_, err = client.CountTokens(t.Context(), "k", request)
	require.Equal(t, llm.KindBadOutput, kindOf(t, err))
	_, err = client.CountTokens(t.Context(), "wrong", request)
	require.Error(t, err)
}

func kindOf(t *testing.T, err error) llm.Kind {
	t.Helper()
	var failure *llm.Error
	require.ErrorAs(t, err, &failure)
	return failure.Kind
}
