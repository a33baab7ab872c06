package openai_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestAFullRequestIsDecoded(t *testing.T) {
	t.Parallel()
	request, err := openai.DecodeChat([]byte(`{
		"model": "demo", "temperature": 0.5, "top_p": 0.9, "max_completion_tokens": 50, "max_tokens": 10, "stop": "END", "seed": 7,
		"user": "u1", "metadata": {"k": "v"}, "n": 1, "stream": false, "response_format": {"type": "text"},
		"tools": [{"type": "function", "function": {"name": "weather", "description": "d", "parameters": {"type": "object"}, "strict": true}}],
		"tool_choice": {"type": "function", "function": {"name": "weather"}}, "parallel_tool_calls": false,
		"conversation": {"id": "conv_1"},
		"messages": [
			{"role": "developer", "content": "Be brief."},
			{"role": "user", "content": [{"type": "text", "text": "Weather "}, {"type": "text", "text": "in Bern?"}]},
			{"role": "assistant", "content": null, "refusal": null, "tool_calls": [
				{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Bern\"}"}}]},
			{"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
		]}`))
	require.NoError(t, err)
	require.Equal(t, "conv_1", request.ConversationID)
	require.Equal(t, int64(50), *request.MaxOutputTokens, "max_completion_tokens is the newer name")
	require.Equal(t, []string{"END"}, request.Stop)
	require.Equal(t, llm.ToolChoice{Mode: llm.ToolChoiceTool, Name: "weather"}, *request.ToolChoice)
	require.False(t, *request.ParallelToolCalls)
	require.True(t, *request.Tools[0].Strict)
	require.Equal(t, []llm.Message{
		{Role: llm.RoleSystem, Parts: []llm.Part{llm.Text("Be brief.")}},
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("Weather "), llm.Text("in Bern?")}},
		{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("call_1", "weather", `{"city":"Bern"}`)}},
		{Role: llm.RoleTool, Parts: []llm.Part{llm.Result("call_1", "sunny")}},
	}, request.Messages)
}

func TestBadRequestsAreExplained(t *testing.T) {
	t.Parallel()
	const user = `"messages": [{"role": "user", "content": "hi"}]`
	cases := map[string]struct{ body, param, code string }{
		"not JSON":                  {`{`, "", "invalid_json"},
		"two values":                {`{"model":"m",` + user + `} {}`, "", "invalid_json"},
		"no model":                  {`{` + user + `}`, "model", "missing_required_parameter"},
		"no messages":               {`{"model":"m"}`, "messages", "missing_required_parameter"},
		"unknown parameter":         {`{"model":"m","modle":1,` + user + `}`, "modle", "unknown_parameter"},
		"wrong type":                {`{"model":"m","temperature":"hot",` + user + `}`, "temperature", "invalid_type"},
		"options of no stream":      {`{"model":"m","stream_options":{"include_usage":true},` + user + `}`, "stream_options", "invalid_value"},
		"no choices":                {`{"model":"m","n":0,` + user + `}`, "n", "invalid_value"},
		"nine choices":              {`{"model":"m","n":9,` + user + `}`, "n", "invalid_value"},
		"choices in a conversation": {`{"model":"m","n":2,"conversation":"conv_1",` + user + `}`, "n", "invalid_value"},
		"unknown format":            {`{"model":"m","response_format":{"type":"xml"},` + user + `}`, "response_format.type", "invalid_value"},
		"no schema":                 {`{"model":"m","response_format":{"type":"json_schema"},` + user + `}`, "response_format.json_schema", "missing_required_parameter"},
		"unnamed schema":            {`{"model":"m","response_format":{"type":"json_schema","json_schema":{"schema":{}}},` + user + `}`, "response_format.json_schema.name", "missing_required_parameter"},
		"schema of another type":    {`{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":[]}},` + user + `}`, "response_format.json_schema.schema", "invalid_type"},
		"alternatives alone":        {`{"model":"m","top_logprobs":2,` + user + `}`, "top_logprobs", "invalid_value"},
		"too many alternatives":     {`{"model":"m","logprobs":true,"top_logprobs":21,` + user + `}`, "top_logprobs", "invalid_value"},
		"unknown effort":            {`{"model":"m","reasoning_effort":"heroic",` + user + `}`, "reasoning_effort", "invalid_value"},
		"thinking said twice":       {`{"model":"m","reasoning_effort":"low","reasoning":{"effort":"low"},` + user + `}`, "reasoning_effort", "invalid_value"},
		"effort and budget":         {`{"model":"m","reasoning":{"effort":"low","max_tokens":5},` + user + `}`, "reasoning", "invalid_value"},
		"unknown thinking":          {`{"model":"m","thinking":{"type":"enabled"},` + user + `}`, "thinking", "invalid_value"},
		"top_k":                     {`{"model":"m","top_k":0,` + user + `}`, "top_k", "invalid_value"},
		"verbosity":                 {`{"model":"m","verbosity":"chatty",` + user + `}`, "verbosity", "invalid_value"},
		"local file":                {`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}`, "messages", "invalid_value"},
		"no base64":                 {`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,!"}}]}]}`, "messages", "invalid_value"},
		"no image":                  {`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGVsbG8="}}]}]}`, "messages", "invalid_value"},
		"detail":                    {`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/","detail":"huge"}}]}]}`, "messages", "invalid_value"},
		"file by id":                {`{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]}`, "messages", "unsupported_value"},
		"empty file":                {`{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{}}]}]}`, "messages", "missing_required_parameter"},
		"image from the system":     {`{"model":"m","messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://x/"}}]}]}`, "messages[0].content", "unsupported_value"},
		"image from the assistant":  {`{"model":"m","messages":[{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"https://x/"}}]}]}`, "messages[0].content", "unsupported_value"},
		"video":                     {`{"model":"m","messages":[{"role":"user","content":[{"type":"video_url"}]}]}`, "messages", "unsupported_value"},
		"cache control":             {`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"eternal"}}]}]}`, "messages", "invalid_value"},
		"too hot":                   {`{"model":"m","temperature":2.1,` + user + `}`, "temperature", "invalid_value"},
		"no tokens":                 {`{"model":"m","max_tokens":0,` + user + `}`, "max_tokens", "invalid_value"},
		"too many stops":            {`{"model":"m","stop":["1","2","3","4","5"],` + user + `}`, "stop", "invalid_value"},
		"unknown role":              {`{"model":"m","messages":[{"role":"robot","content":"x"}]}`, "messages[0].role", "invalid_value"},
		"empty user message":        {`{"model":"m","messages":[{"role":"user"}]}`, "messages[0].content", "missing_required_parameter"},
		"empty assistant":           {`{"model":"m","messages":[{"role":"assistant","content":null}]}`, "messages[0].content", "missing_required_parameter"},
		"result without id":         {`{"model":"m","messages":[{"role":"tool","content":"x"}]}`, "messages[0].tool_call_id", "missing_required_parameter"},
		"unnamed tool":              {`{"model":"m","tools":[{"type":"function","function":{}}],` + user + `}`, "tools[0].function.name", "missing_required_parameter"},
		"hosted tool":               {`{"model":"m","tools":[{"type":"web_search"}],` + user + `}`, "tools[0].type", "unsupported_value"},
		"schema not an object":      {`{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":[]}}],` + user + `}`, "tools[0].function.parameters", "invalid_type"},
		"bad tool choice":           {`{"model":"m","tool_choice":"maybe",` + user + `}`, "tool_choice", "invalid_value"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := openai.DecodeChat([]byte(c.body))
			var invalid *dialect.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, c.param, invalid.Param)
			require.Equal(t, c.code, invalid.Code)
			require.NotEmpty(t, invalid.Message)
		})
	}
}

func TestAnAnswerIsEncodedAsTheSDKsParseIt(t *testing.T) {
	t.Parallel()
	answer := llm.Response{
		Model: "gpt-4.1", FinishReason: llm.FinishToolCalls,
		Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("call_1", "weather", "{}")}},
		Usage:   llm.Usage{InputTokens: 10, OutputTokens: 5, CacheReadTokens: 4, ReasoningTokens: 2},
	}
	encoded, err := json.Marshal(openai.EncodeChat("chatcmpl-1", time.Unix(1700000000, 0), answer))
	require.NoError(t, err)
	require.JSONEq(t, `{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "gpt-4.1", "service_tier": null,
		"choices": [{"index": 0, "finish_reason": "tool_calls", "logprobs": null, "message": {
			"role": "assistant", "content": null, "refusal": null, "annotations": [],
			"tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]}}],
		"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
			"prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
			"completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}
	}`, string(encoded))
}

func TestAnAnswerSentBackIsUnderstood(t *testing.T) {
	t.Parallel()
	message := llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("Let me see."), llm.Call("call_1", "weather", `{"a":1}`)}}
	encoded, err := json.Marshal(openai.EncodeMessage(message))
	require.NoError(t, err)
	request, err := openai.DecodeChat([]byte(`{"model":"m","messages":[` + string(encoded) + `]}`))
	require.NoError(t, err)
	require.Equal(t, message, request.Messages[0])
}

func TestATypeThatIsWrongIsNamedAsInJSON(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`[]`:                               "expected an object, got array",
		`{"model":7}`:                      "expected a string, got number",
		`{"model":"m","stream":"yes"}`:     "expected a boolean, got string",
		`{"model":"m","max_tokens":"9"}`:   "expected a number, got string",
		`{"model":"m","messages":"hello"}`: "expected an array, got string",
		`{"model":"m","holdfast":[]}`:      "expected an object, got array",
	} {
		_, err := openai.DecodeChat([]byte(body))
		require.ErrorContains(t, err, want, body)
	}
}

func TestConversationItems(t *testing.T) {
	t.Parallel()
	conversation, err := openai.DecodeConversation([]byte(`{"metadata":{"topic":"x"},"items":[
		{"type":"message","role":"user","content":"hi"},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hello"}]},
		{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"c1","output":"done"}]}`))
	require.NoError(t, err)
	require.Len(t, conversation.Messages, 3, "what the assistant says in a row is one message")
	require.Equal(t, llm.Message{Role: llm.RoleTool, Parts: []llm.Part{llm.Result("c1", "done")}}, conversation.Messages[2])
	empty, err := openai.DecodeConversation(nil)
	require.NoError(t, err)
	require.Empty(t, empty.Messages)
	_, err = openai.DecodeConversation([]byte(`{"items":[{"type":"mystery"}]}`))
	require.Error(t, err)
}

func FuzzDecodeChat(f *testing.F) {
	f.Add(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`)
	f.Add(`{"model":"m","stop":[],"tool_choice":{},"messages":[{"role":"assistant","tool_calls":[{}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		request, err := openai.DecodeChat([]byte(body))
		if err != nil {
			var invalid *dialect.InvalidError
			require.ErrorAs(t, err, &invalid)
			return
		}
		require.NotEmpty(t, strings.TrimSpace(string(request.Messages[0].Role)))
	})
}
