package openai_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

var update = flag.Bool("update", false, "rewrite golden files")

func everything() llm.Response {
	opaque := &llm.Opaque{Origin: llm.Origin{Provider: "anthropic", Model: "claude"}, Data: json.RawMessage(`{"signature":"s"}`)}
	call := llm.Call("call_1", "weather", `{"city":"Bern"}`)
	call.Opaque = opaque
	return llm.Response{
		ID: "vendor-id", Model: "claude", FinishReason: llm.FinishToolCalls, NativeFinishReason: "tool_use",
		Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{
			{Type: llm.PartReasoning, Text: "Hm.", Opaque: opaque},
			{Type: llm.PartServerTool, Text: "[web_search]", Opaque: opaque},
			{Type: llm.PartText, Text: "It rains.", Citations: []llm.Citation{{URL: "https://x", Title: "X", End: 9}}},
			{Type: llm.PartRefusal, Text: "No."},
			call, llm.Call("call_2", "time", ""),
		}},
		Logprobs:     []llm.TokenLogprob{{Token: "It rains.", Logprob: -0.1}},
		Alternatives: []llm.Choice{{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("Sun.")}}, FinishReason: llm.FinishStop}},
		Usage:        llm.Usage{InputTokens: 3, OutputTokens: 4},
		Warnings:     []llm.Warning{{Param: "seed", Message: "left out"}},
	}
}

func chunks(answer llm.Response, usage bool) []openai.Chunk {
	encoder := openai.NewChunkEncoder("chatcmpl-1", time.Unix(1, 0), "route", usage)
	var all []openai.Chunk
	add := func(frames []dialect.Frame) {
		for _, frame := range frames {
			if chunk, ok := frame.Data.(openai.Chunk); ok {
				all = append(all, chunk)
			}
		}
	}
	for _, event := range llm.EventsOf(answer) {
		add(encoder.Encode(event, 0))
	}
	add(encoder.End(answer, 0))
	return all
}

func TestAStreamIsEncoded(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	for _, chunk := range chunks(everything(), true) {
		line, err := json.Marshal(chunk)
		require.NoError(t, err)
		lines.Write(append(line, '\n'))
	}
	path := filepath.Join("testdata", "stream.golden.jsonl")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(lines.String()), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), lines.String())
}

func TestTheSDKPutsAStreamTogether(t *testing.T) {
	t.Parallel()
	var whole openaisdk.ChatCompletionAccumulator
	for _, chunk := range chunks(everything(), true) {
		line, err := json.Marshal(chunk)
		require.NoError(t, err)
		var parsed openaisdk.ChatCompletionChunk
		require.NoError(t, json.Unmarshal(line, &parsed))
		require.True(t, whole.AddChunk(parsed), "%s", line)
	}
	require.Len(t, whole.Choices, 2)
	first := whole.Choices[0]
	require.Equal(t, "It rains.", first.Message.Content)
	require.Equal(t, "No.", first.Message.Refusal)
	require.Equal(t, "tool_calls", first.FinishReason)
	require.Len(t, first.Message.ToolCalls, 2)
	require.JSONEq(t, `{"city":"Bern"}`, first.Message.ToolCalls[0].Function.Arguments)
	require.Equal(t, "time", first.Message.ToolCalls[1].Function.Name)
	require.JSONEq(t, `{}`, first.Message.ToolCalls[1].Function.Arguments, "clients parse it")
	require.Equal(t, "Sun.", whole.Choices[1].Message.Content)
	require.EqualValues(t, 7, whole.Usage.TotalTokens)
}

func TestUsageComesOnRequestOnly(t *testing.T) {
	t.Parallel()
	for _, chunk := range chunks(everything(), false) {
		line, err := json.Marshal(chunk)
		require.NoError(t, err)
		require.NotContains(t, string(line), "usage")
		require.NotEmpty(t, chunk.Choices)
	}
}
