package anthropic_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// body is a request with these further members.
func body(members string) []byte {
	return []byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]` + members + `}`)
}

// turns is a request with these messages.
func turns(messages string) []byte {
	return []byte(`{"model":"m","max_tokens":9,"messages":[` + messages + `]}`)
}

func TestAFullRequestIsDecoded(t *testing.T) {
	t.Parallel()
	request, err := anthropic.DecodeMessages([]byte(`{
		"model": "demo", "max_tokens": 50, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop_sequences": ["END"], "stream": true,
		"system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "global"}}],
		"metadata": {"user_id": "u1"}, "service_tier": "auto",
		"tools": [{"type": "custom", "name": "weather", "description": "d", "input_schema": {"type": "object"}, "strict": true,
			"cache_control": {"type": "ephemeral"}, "defer_loading": false, "eager_input_streaming": true, "allowed_callers": ["direct"], "input_examples": [{}]}],
		"tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": true},
		"thinking": {"type": "enabled", "budget_tokens": 2000},
		"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
		"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}, "diagnostics": {"previous_message_id": null},
		"conversation": {"id": "conv_1"}, "store": false,
		"holdfast": {"on_stream_failure": "fail", "on_disconnect": "cancel", "overflow": "summarise"},
		"messages": [{"role": "user", "content": "Weather in Bern?"}]}`))
	require.NoError(t, err)
	budget, most, k, hot, p, yes, no := int64(2000), int64(50), int64(4), 0.5, 0.9, true, false
	require.Equal(t, dialect.Request{
		Request: llm.Request{
			Model: "demo", MaxOutputTokens: &most, Temperature: &hot, TopP: &p, TopK: &k, Stop: []string{"END"}, User: "u1",
			Messages:     []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("Weather in Bern?")}}},
			Instructions: []llm.Part{llm.Text("Be brief."), {Type: llm.PartText, Text: "Be kind.", Cache: &llm.CacheHint{TTL: "1h"}}},
			Tools: []llm.Tool{{
				Name: "weather", Description: "d", Parameters: json.RawMessage(`{"type": "object"}`), Strict: &yes, Cache: &llm.CacheHint{},
			}},
			ToolChoice: &llm.ToolChoice{Mode: llm.ToolChoiceTool, Name: "weather"}, ParallelToolCalls: &no,
			Reasoning:      &llm.Reasoning{BudgetTokens: &budget, Summary: "auto"},
			ResponseFormat: &llm.ResponseFormat{Type: llm.FormatJSONSchema, Name: "response", Schema: json.RawMessage(`{"type": "object"}`), Strict: &yes},
			Overflow:       llm.OverflowSummarise,
		},
		ConversationID: "conv_1", Stream: true, IncludeUsage: true, Store: &no, OnStreamFailure: "fail", OnDisconnect: "cancel",
	}, request)
}

func TestWhatAsksForNothingIsNotRefused(t *testing.T) {
	t.Parallel()
	for _, members := range []string{
		`,"container":null`, `,"mcp_servers":[ ]`, `,"speed":"standard"`, `,"inference_geo":"global"`, `,"betas":[]`, `,"top_k":0`,
		`,"system":null`, `,"system":""`, `,"tools":[]`, `,"tool_choice":null`, `,"thinking":null`, `,"output_config":{}`, `,"metadata":{"user_id":null}`,
		`,"service_tier":"standard_only"`, `,"conversation":null`, `,"holdfast":{}`, `,"cache_control":null`, `,"stream":false`, `,"context_management":null`,
	} {
		request, err := anthropic.DecodeMessages(body(members))
		require.NoError(t, err, members)
		most := int64(9)
		require.Equal(t, llm.Request{Model: "m", MaxOutputTokens: &most, Messages: request.Messages, Stop: request.Stop}, request.Request, members)
	}
}

func TestTokensAreCountedWithoutALimit(t *testing.T) {
	t.Parallel()
	request, err := anthropic.DecodeCount([]byte(`{"model":"m","system":"s","tools":[{"name":"f","input_schema":{}}],"messages":[{"role":"user","content":"hi"}]}`))
	require.NoError(t, err)
	require.Len(t, request.Tools, 1)
	require.Equal(t, []llm.Part{llm.Text("s")}, request.Instructions)
	for member, param := range map[string]string{`"max_tokens":1`: "max_tokens", `"stream":true`: "stream", `"modle":1`: "modle", `"messages":[]`: "messages"} {
		_, err := anthropic.DecodeCount([]byte(`{"model":"m","messages":[{"role":"user","content":"hi"}],` + member + `}`))
		var invalid *dialect.InvalidError
		require.ErrorAs(t, err, &invalid, member)
		require.Equal(t, param, invalid.Param)
	}
}

func TestToolChoices(t *testing.T) {
	t.Parallel()
	for choice, want := range map[string]llm.ToolChoice{
		`{"type":"auto"}`: {Mode: llm.ToolChoiceAuto}, `{"type":"any"}`: {Mode: llm.ToolChoiceRequired}, `{"type":"none"}`: {Mode: llm.ToolChoiceNone},
		`{"type":"tool","name":"f","disable_parallel_tool_use":false}`: {Mode: llm.ToolChoiceTool, Name: "f"},
	} {
		request, err := anthropic.DecodeMessages(body(`,"tool_choice":` + choice))
		require.NoError(t, err, choice)
		require.Equal(t, &want, request.ToolChoice, choice)
		require.Nil(t, request.ParallelToolCalls, choice)
	}
}

func TestThinkingAndEffort(t *testing.T) {
	t.Parallel()
	budget := int64(2000)
	for members, want := range map[string]*llm.Reasoning{
		`,"stream":false`: nil,
		`,"thinking":{"type":"enabled","budget_tokens":2000}`:                                             {BudgetTokens: &budget, Summary: "auto"},
		`,"thinking":{"type":"enabled","budget_tokens":2000},"output_config":{"effort":"low"}`:            {BudgetTokens: &budget, Summary: "auto"},
		`,"thinking":{"type":"adaptive"}`:                                                                 {Effort: llm.EffortHigh, Summary: "auto"},
		`,"thinking":{"type":"adaptive","display":"omitted"}`:                                             {Effort: llm.EffortHigh},
		`,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"max"}`:         {Effort: llm.EffortMax, Summary: "auto"},
		`,"thinking":{"type":"disabled"},"output_config":{"effort":"high"}`:                               {Effort: llm.EffortNone},
		`,"thinking":{"type":"between_tools"}`:                                                            {Effort: llm.EffortNone},
		`,"output_config":{"effort":"xhigh"}`:                                                             {Effort: llm.EffortXHigh},
		`,"output_format":{"type":"json_schema","schema":{}},"output_config":{"effort":"low"}`:            {Effort: llm.EffortLow},
		`,"thinking":{"type":"adaptive","display":"updates","block_binding":{}},"temperature":1`:          {Effort: llm.EffortHigh, Summary: "auto"},
		`,"thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},"context_management":{}`: {BudgetTokens: &budget},
	} {
		request, err := anthropic.DecodeMessages(body(members))
		require.NoError(t, err, members)
		require.Equal(t, want, request.Reasoning, members)
	}
}

func TestAHintForTheWholeRequestStandsOnItsLastPart(t *testing.T) {
	t.Parallel()
	hint := &llm.CacheHint{TTL: "1h"}
	const asked = `,"cache_control":{"type":"ephemeral","ttl":"1h"}`
	for messages, want := range map[string][]*llm.CacheHint{
		`{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`:                                            {nil, hint},
		`{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]}`:       {nil, {}},
		`{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"b"},{"type":"thinking","thinking":"c"}]}`: {nil, hint, nil},
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"a"}]}`:                                           {hint},
	} {
		request, err := anthropic.DecodeMessages([]byte(`{"model":"m","max_tokens":9,"messages":[` + messages + `]` + asked + `}`))
		require.NoError(t, err, messages)
		var got []*llm.CacheHint
		for _, message := range request.Messages {
			for _, part := range message.Parts {
				got = append(got, part.Cache)
			}
		}
		require.Equal(t, want, got, messages)
	}
}

func FuzzDecodeMessages(f *testing.F) {
	f.Add(string(body(``)))
	f.Add(string(turns(`{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}},{"type":"redacted_thinking","data":"e30="}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"x"}]},{"type":"document","source":{"type":"text","data":"x"}}]}`)))
	f.Add(string(turns(`{"role":"assistant","content":[{"type":"server_tool_use","name":"s"},{"type":"web_search_tool_result","content":[{"url":"u"}]}]}`)))
	f.Add(string(body(`,"tool_choice":{},"thinking":{"type":"adaptive"},"output_config":{"format":{}},"tools":[{}]`)))
	f.Fuzz(func(t *testing.T, text string) {
		request, err := anthropic.DecodeMessages([]byte(text))
		if err != nil {
			var invalid *dialect.InvalidError
			require.ErrorAs(t, err, &invalid)
			return
		}
		_, err = json.Marshal(request)
		require.NoError(t, err)
		require.NotEmpty(t, request.Messages)
		for _, message := range request.Messages {
			require.NotEmpty(t, message.Parts)
			_, err = json.Marshal(anthropic.EncodeMessage("msg_1", "m", llm.Response{Message: message}))
			require.NoError(t, err)
		}
	})
}
