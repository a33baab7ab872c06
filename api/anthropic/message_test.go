package anthropic_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/llm"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func opaque(word string) *llm.Opaque {
	return &llm.Opaque{Origin: llm.Origin{Provider: "gemini", Model: "pro"}, Data: json.RawMessage(`{"signature":"` + word + `"}`)}
}

// everything is an answer with all that this dialect can say.
func everything() llm.Response {
	call := llm.Call("call_1", "weather", `{"city": "Bern"}`)
	call.Opaque = opaque("of the call")
	return llm.Response{
		ID: "vendor-id", Model: "claude", FinishReason: llm.FinishToolCalls, NativeFinishReason: "tool_use",
		Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{
			{Type: llm.PartReasoning, Text: "Hm.", Opaque: opaque("of the thought")},
			{Type: llm.PartReasoning, Opaque: opaque("without a thought")},
			{Type: llm.PartServerTool, Text: "[web_search]", Opaque: opaque("of the search")},
			{Type: llm.PartText, Text: "It rains.", Citations: []llm.Citation{{URL: "https://x", Title: "X", Text: "rain"}, {Title: "no page"}}},
			{Type: llm.PartText, Text: "A lot.", Opaque: opaque("of the text")},
			{Type: llm.PartText, Opaque: opaque("of no text")},
			call, llm.Call("call_2", "time", ""),
		}},
		Alternatives: []llm.Choice{{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("Sun.")}}, FinishReason: llm.FinishStop}},
		Usage:        llm.Usage{InputTokens: 30, OutputTokens: 4, CacheReadTokens: 10, CacheWriteTokens: 7, CacheWrite1hTokens: 5, ReasoningTokens: 2},
		Warnings:     []llm.Warning{{Param: "seed", Message: "left out"}},
	}
}

func encoded(t *testing.T, answer llm.Response) []byte {
	t.Helper()
	raw, err := json.Marshal(anthropic.EncodeMessage("msg_1", "route", answer))
	require.NoError(t, err)
	return raw
}

func TestAnAnswerIsEncoded(t *testing.T) {
	t.Parallel()
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, encoded(t, everything()), "", "  "))
	golden(t, "message.golden.json", indented.String()+"\n")
}

func TestTheSDKParsesAnAnswer(t *testing.T) {
	t.Parallel()
	var message anthropicsdk.Message
	require.NoError(t, json.Unmarshal(encoded(t, everything()), &message))
	require.Equal(t, "msg_1", message.ID)
	require.Equal(t, "claude", message.Model)
	require.Equal(t, anthropicsdk.StopReasonToolUse, message.StopReason)
	require.EqualValues(t, 13, message.Usage.InputTokens)
	require.EqualValues(t, 10, message.Usage.CacheReadInputTokens)
	require.EqualValues(t, 7, message.Usage.CacheCreationInputTokens)
	require.EqualValues(t, 2, message.Usage.CacheCreation.Ephemeral5mInputTokens)
	require.EqualValues(t, 5, message.Usage.CacheCreation.Ephemeral1hInputTokens)
	require.EqualValues(t, 4, message.Usage.OutputTokens)
	var types []string
	for _, block := range message.Content {
		types = append(types, block.Type)
		require.NotNil(t, block.AsAny(), block.Type)
	}
	require.Equal(t, []string{
		"thinking", "redacted_thinking", "redacted_thinking", "text", "text", "redacted_thinking", "redacted_thinking",
		"tool_use", "redacted_thinking", "tool_use",
	}, types)
	require.Equal(t, "https://x", message.Content[3].Citations[0].AsWebSearchResultLocation().URL)
	require.JSONEq(t, `{}`, string(message.Content[9].Input))
}

func TestStopReasons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer llm.Response
		want   string
	}{
		"unfinished":       {llm.Response{}, `null,"stop_sequence":null,"stop_details":null`},
		"stop":             {llm.Response{FinishReason: llm.FinishStop, NativeFinishReason: "STOP"}, `"end_turn","stop_sequence":null,"stop_details":null`},
		"stop sequence":    {llm.Response{FinishReason: llm.FinishStop, NativeFinishReason: "stop_sequence"}, `"stop_sequence","stop_sequence":null,"stop_details":null`},
		"length":           {llm.Response{FinishReason: llm.FinishLength, NativeFinishReason: "MAX_TOKENS"}, `"max_tokens","stop_sequence":null,"stop_details":null`},
		"paused":           {llm.Response{FinishReason: llm.FinishLength, NativeFinishReason: "pause_turn"}, `"pause_turn","stop_sequence":null,"stop_details":null`},
		"calls":            {llm.Response{FinishReason: llm.FinishToolCalls}, `"tool_use","stop_sequence":null,"stop_details":null`},
		"filtered":         {llm.Response{FinishReason: llm.FinishContentFilter}, `"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":null}`},
		"declined":         {llm.Response{FinishReason: llm.FinishStop, Message: llm.Message{Parts: []llm.Part{{Type: llm.PartRefusal, Text: "No."}}}}, `"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":"No."}`},
		"declined and cut": {llm.Response{FinishReason: llm.FinishLength, Message: llm.Message{Parts: []llm.Part{{Type: llm.PartRefusal, Text: "No"}}}}, `"max_tokens","stop_sequence":null,"stop_details":null`},
	} {
		require.Contains(t, string(encoded(t, c.answer)), `"stop_reason":`+c.want, name)
		require.Contains(t, sse(streamed(c.answer)), `"delta":{"stop_reason":`+c.want, name)
	}
}

func TestARefusalIsText(t *testing.T) {
	t.Parallel()
	require.Contains(t, string(encoded(t, llm.Response{Message: llm.Message{Parts: []llm.Part{{Type: llm.PartRefusal, Text: "No."}}}})),
		`"model":"route","content":[{"type":"text","text":"No."}]`)
}

func TestArgumentsThatAreNoObjectAreWrapped(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		`{"city": "Ber`: `{"malformed_arguments":"{\"city\": \"Ber"}`, `[1]`: `{"malformed_arguments":"[1]"}`, `{} {}`: `{"malformed_arguments":"{} {}"}`,
		" \n": `{}`, ` {"a": 1} `: `{"a":1}`,
	} {
		answer := llm.Response{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("c", "f", arguments)}}}
		require.Contains(t, string(encoded(t, answer)), `"input":`+want+`}`)
		if strings.Contains(want, "malformed") {
			require.Equal(t, answer.Message, returned(t, encoded(t, answer)), "it comes back as the model wrote it")
		}
	}
}
