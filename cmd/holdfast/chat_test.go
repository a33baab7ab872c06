package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/chat"
)

func TestAPipeIsAnswered(t *testing.T) {
	t.Parallel()
	var tokens []string
	printed, err := runOn(t, func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		answers := map[string]string{
			"GET /v1/models": `{"data":[{"id":"demo"}]}`, "POST /v1/conversations": `{"id":"conv_1"}`,
			"POST /v1/chat/completions": "id: 2-a\ndata: {\"sequence_number\":2,\"choices\":[{\"delta\":{\"content\":\"Hello.\"}}]}\n\ndata: [DONE]\n\n",
		}
		_, _ = io.WriteString(w, answers[r.Method+" "+r.URL.Path])
	}, "chat")
	require.NoError(t, err)
	require.Equal(t, "Hello.\n", printed)
	require.Equal(t, "Bearer hf_x", tokens[0])
}

func TestTheTokenOfThisMachineStaysHere(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"": true, "http://127.0.0.1:8080": true, "http://localhost:8080/v1": true, "http://[::1]:8080": true,
		"https://holdfast.example.com": false, "http://127.0.0.1.example.com": false, "127.0.0.1:8080": false, "ftp://localhost": false,
	} {
		err := chatFlags{url: address}.check()
		require.Equal(t, ok, err == nil, address)
	}
	require.NoError(t, chatFlags{url: "https://holdfast.example.com", tokenFile: "token"}.check())
}

func TestTheAPIIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := chatFlags{data: dir}.locate()
	require.ErrorContains(t, err, "holdfast up")
	for name, text := range map[string]string{instanceFile: `{"api":"http://127.0.0.1:1"}`, tokenFile: "hf_x\n", "other": "hf_y\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	at, err := chatFlags{data: dir}.locate()
	require.NoError(t, err)
	require.Equal(t, chat.Endpoint{URL: "http://127.0.0.1:1", Token: "hf_x"}, at)
	at, err = chatFlags{data: dir, url: "https://example.com/v1/", tokenFile: filepath.Join(dir, "other")}.locate()
	require.NoError(t, err)
	require.Equal(t, chat.Endpoint{URL: "https://example.com", Token: "hf_y"}, at)
	_, err = chatFlags{data: dir, tokenFile: filepath.Join(dir, "none")}.locate()
	require.ErrorContains(t, err, "reading the token")
}
