package providertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

// rendered is the golden form of a request: what reached the vendor, and what the client is warned of.
type rendered struct {
	Request  string          `json:"request,omitempty"`
	Body     json.RawMessage `json:"body,omitempty"`
	Warnings []llm.Warning   `json:"warnings,omitempty"`
	Error    *llm.Error      `json:"error,omitempty"`
}

// Requests renders every shared case for model and compares what reaches the vendor with
// testdata/request/<case><suffix>.golden.json. The answer is any good one of the vendor's. A strict request is held to be sent
// as it is, or not at all.
func Requests(t *testing.T, open Open, model, suffix string, answer []byte) {
	t.Helper()
	for _, c := range llmtest.Cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			vendor := NewVendor(t, JSON(answer))
			c.Request.Model = model
			response, err := open(t, vendor.URL, nil).Complete(t.Context(), Key, c.Request)
			var got rendered
			if err != nil {
				require.ErrorAs(t, err, &got.Error)
				require.Empty(t, vendor.Received(), "the request was sent in spite of %v", err)
			} else {
				request := vendor.One(t)
				got = rendered{Request: request.Method + " " + request.Path, Body: request.Body, Warnings: response.Warnings}
				requireStrict(t, open, answer, c.Request, response.Warnings)
			}
			Golden(t, filepath.Join("testdata", "request", c.Name+suffix+".golden.json"), got)
		})
	}
}

// outcome is the golden form of an answer: a response or an error.
type outcome struct {
	Response *llm.Response `json:"response,omitempty"`
	Error    *llm.Error    `json:"error,omitempty"`
}

// Responses reads every testdata/response/*.json as the body of a successful answer and compares the outcome with the
// golden file beside it. Every example of [llmtest.Responses] must be there, but those that the vendor cannot send.
func Responses(t *testing.T, open Open, model string, without Without) {
	t.Helper()
	files := inputs(t, "response", ".json")
	shared := requireAll(t, llmtest.Responses(), files, without)
	requireNoOrphans(t, "response", ".json")
	for _, file := range files {
		t.Run(stem(file), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			got := compare(t, open, model, JSON(body), strings.TrimSuffix(file, ".json")+".golden.json")
			shared.check(t, file, got.Response, got.Error)
		})
	}
}

// Errors reads every testdata/errors/*.http, a raw HTTP response, and compares the error with the golden file beside it.
// Every example of [llmtest.Errors] must be there, but those that the vendor cannot send.
func Errors(t *testing.T, open Open, model string, without Without) {
	t.Helper()
	files := inputs(t, "errors", ".http")
	shared := requireAll(t, llmtest.Errors(), files, without)
	requireNoOrphans(t, "errors", ".http")
	for _, file := range files {
		t.Run(stem(file), func(t *testing.T) {
			t.Parallel()
			answer, err := os.ReadFile(file)
			require.NoError(t, err)
			got := compare(t, open, model, answer, strings.TrimSuffix(file, ".http")+".golden.json")
			shared.check(t, file, got.Response, got.Error)
		})
	}
}

// requireNoOrphans checks that each golden file still has its input, which ends so.
func requireNoOrphans(t *testing.T, folder, ending string) {
	t.Helper()
	goldens, err := filepath.Glob(filepath.Join("testdata", folder, "*.golden.json"))
	require.NoError(t, err)
	for _, golden := range goldens {
		require.FileExists(t, strings.TrimSuffix(golden, ".golden.json")+ending, "a golden file without its input")
	}
}

func compare(t *testing.T, open Open, model string, answer []byte, golden string) outcome {
	t.Helper()
	vendor := NewVendor(t, answer)
	response, err := open(t, vendor.URL, nil).Complete(t.Context(), Key, Hello(model))
	require.Len(t, vendor.Received(), 1, "an adapter never retries")
	var got outcome
	if err == nil {
		got.Response = &response
		requireUsable(t, response)
	} else {
		require.ErrorAs(t, err, &got.Error)
		requireSilent(t, got.Error, answer)
	}
	Golden(t, golden, got)
	return got
}

// requireUsable checks what the canonical model promises of every response.
func requireUsable(t *testing.T, response llm.Response) {
	t.Helper()
	require.NotEmpty(t, response.Message.Parts)
	require.NotEmpty(t, response.FinishReason)
	require.NotEmpty(t, response.Model)
	require.Equal(t, llm.RoleAssistant, response.Message.Role)
	seen := make(map[string]bool)
	for _, call := range response.Message.ToolCalls() {
		require.Regexp(t, `^[a-zA-Z0-9_-]{1,40}$`, call.ID)
		require.False(t, seen[call.ID], "tool-call ids must differ")
		seen[call.ID] = true
	}
}

// requireSilent checks that the error repeats nothing of what the vendor said in prose.
func requireSilent(t *testing.T, e *llm.Error, answer []byte) {
	t.Helper()
	_, body, _ := bytes.Cut(bytes.ReplaceAll(answer, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	var envelope struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	content, err := json.Marshal(e)
	require.NoError(t, err)
	text := string(content) + e.Error()
	if json.Unmarshal(body, &envelope) == nil && len(envelope.Error.Message) > 8 {
		require.NotContains(t, text, envelope.Error.Message)
	}
	require.NotContains(t, text, Key.Reveal())
	for cause := errors.Unwrap(e); cause != nil; cause = errors.Unwrap(cause) {
		require.NotContains(t, cause.Error(), Key.Reveal())
	}
}

// Hello is the simplest request.
func Hello(model string) llm.Request {
	return llm.Request{Model: model, Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("Hello")}}}}
}

// CannedClient is an HTTP client that gets body with status 200 for every request.
func CannedClient(body []byte) *http.Client {
	return &http.Client{Transport: Canned{Status: http.StatusOK, Body: body}}
}
