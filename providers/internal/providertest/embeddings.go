package providertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

// EmbedRequests renders every shared case of embeddings and compares what reaches the vendor with
// testdata/embed/<case>.golden.json. Answers gives a good answer to a request for n vectors. Several requests may be made
// where the vendor takes one text each; the golden file then holds all of them.
func EmbedRequests(t *testing.T, open Open, model, suffix string, answer func(n int) []byte) {
	t.Helper()
	for _, c := range llmtest.EmbedCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			vendor := NewVendor(t, JSON(answer(len(c.Request.Embed.Texts))))
			c.Request.Model = model
			embedder, ok := open(t, vendor.URL, nil).(llm.Embedder)
			require.True(t, ok)
			response, err := embedder.Embed(t.Context(), Key, c.Request)
			if err != nil {
				var e *llm.Error
				require.ErrorAs(t, err, &e)
				require.Empty(t, vendor.Received(), "the request was sent in spite of %v", err)
				Golden(t, filepath.Join("testdata", "embed", c.Name+suffix+".golden.json"), rendered{Error: e})
				return
			}
			require.Len(t, response.Vectors, len(c.Request.Embed.Texts))
			var sent []rendered
			for _, request := range vendor.Received() {
				sent = append(sent, rendered{Request: request.Method + " " + request.Path, Body: request.Body})
			}
			sent[0].Warnings = response.Warnings
			requireStrictEmbed(t, open, vendor.URL, c.Request, response.Warnings)
			require.Len(t, vendor.Received(), len(sent), "a strict request was sent in spite of its warnings")
			Golden(t, filepath.Join("testdata", "embed", c.Name+suffix+".golden.json"), sent)
		})
	}
}

// EmbedResponses reads every testdata/embed-response/*.json as the body of a successful answer to a request for two vectors
// and compares the outcome with the golden file beside it.
func EmbedResponses(t *testing.T, open Open, model string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "embed-response", "*.json"))
	require.NoError(t, err)
	count := 0
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.json") {
			continue
		}
		count++
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			embedder, ok := open(t, NewVendor(t, JSON(body)).URL, nil).(llm.Embedder)
			require.True(t, ok)
			response, err := embedder.Embed(t.Context(), Key, llm.Request{Model: model, Embed: &llm.Embed{Texts: []string{"one", "two"}}})
			var got outcome
			if err != nil {
				require.ErrorAs(t, err, &got.Error)
			} else {
				require.Len(t, response.Vectors, 2)
				got.Response = &response
			}
			Golden(t, strings.TrimSuffix(file, ".json")+".golden.json", got)
		})
	}
	require.NotZero(t, count)
}
