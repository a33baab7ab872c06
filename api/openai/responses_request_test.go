package openai_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

// aCompletion has an id of the form that completions have.
const aCompletion = "chatcmpl-0123456789abcdefghijklmnop"

func decodeResponse(t *testing.T, body string) dialect.Request {
	t.Helper()
	request, err := openai.DecodeResponse([]byte(body), nil)
	require.NoError(t, err)
	return request
}

func TestAFullResponseRequestIsDecoded(t *testing.T) {
	t.Parallel()
	request := decodeResponse(t, `{
		"model": "demo", "instructions": "Be brief.", "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 50, "max_tool_calls": 3, "top_k": 4,
		"top_logprobs": 2, "include": ["reasoning.encrypted_content", "message.output_text.logprobs"], "user": "u1", "safety_identifier": "s1",
		"prompt_cache_key": "k", "prompt_cache_retention": "24h", "service_tier": "flex", "metadata": {"a": "b", "tags": ["eu"]},
		"tools": [{"type": "function", "name": "weather", "description": "d", "parameters": {"type": "object"}, "strict": true},
			{"type": "function", "name": "time", "parameters": null, "strict": null}],
		"tool_choice": {"type": "function", "name": "weather"}, "parallel_tool_calls": false, "stream": true, "stream_options": {"include_obfuscation": false},
		"reasoning": {"effort": "high", "generate_summary": "detailed"}, "store": true, "background": true, "truncation": "auto", "prompt": null,
		"text": {"format": {"type": "json_schema", "name": "p", "description": "d", "schema": {"type": "object"}, "strict": true}, "verbosity": "low"},
		"provider_options": {"openai": {"x": 1}}, "holdfast": {"on_disconnect": "cancel"}, "previous_response_id": "resp_0123456789abcdefghijklmnop",
		"input": [{"role": "user", "content": "Weather in Bern?"}]}`)
	yes, no, two, four, fifty := true, false, int64(2), int64(4), int64(50)
	half, most := 0.5, 0.9
	require.Equal(t, llm.Request{
		Model: "demo", Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("Weather in Bern?")}}},
		Instructions: []llm.Part{llm.Text("Be brief.")}, Temperature: &half, TopP: &most, MaxOutputTokens: &fifty, TopK: &four, Logprobs: &two,
		User: "u1", PromptCacheKey: "k", ServiceTier: "flex", Metadata: map[string]string{"a": "b"}, ParallelToolCalls: &no,
		Tools:          []llm.Tool{{Name: "weather", Description: "d", Parameters: json.RawMessage(`{"type": "object"}`), Strict: &yes}, {Name: "time"}},
		ToolChoice:     &llm.ToolChoice{Mode: llm.ToolChoiceTool, Name: "weather"},
		Reasoning:      &llm.Reasoning{Effort: llm.EffortHigh, Summary: "detailed"},
		ResponseFormat: &llm.ResponseFormat{Type: llm.FormatJSONSchema, Name: "p", Description: "d", Schema: json.RawMessage(`{"type": "object"}`), Strict: &yes},
		Verbosity:      "low", Overflow: llm.OverflowDropOldest, Extras: map[string]json.RawMessage{"openai": json.RawMessage(`{"x": 1}`)},
		Routing: &llm.Routing{Tags: []string{"eu"}},
	}, request.Request)
	require.True(t, request.Stream)
	require.True(t, request.Background)
	require.True(t, *request.Store)
	require.Equal(t, "cancel", request.OnDisconnect)
	require.Equal(t, aCompletion, request.PreviousID)
	require.NotEmpty(t, request.Shown)
}

func TestWhatAResponseRequestLeavesOut(t *testing.T) {
	t.Parallel()
	request := decodeResponse(t, `{"model":"m","input":"hi","previous_response_id":"","conversation":null,"tools":null,"tool_choice":null,"reasoning":{},"text":{},"include":null}`)
	require.Equal(t, llm.Request{Model: "m", Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hi")}}}}, request.Request)
	require.Nil(t, request.Store)
	require.Empty(t, request.PreviousID)
	require.Empty(t, decodeResponse(t, `{"model":"m","conversation":{"id":"conv_1"}}`).Messages, "the conversation may end with what is to be answered")
	require.Equal(t, "conv_1", decodeResponse(t, `{"model":"m","conversation":"conv_1","input":"hi"}`).ConversationID)
	for body, want := range map[string]llm.Overflow{
		`"truncation":"disabled"`:                                     llm.OverflowRefuse,
		`"truncation":"disabled","holdfast":{"overflow":"summarise"}`: llm.OverflowSummarise,
	} {
		require.Equal(t, want, decodeResponse(t, `{"model":"m","input":"hi",`+body+`}`).Overflow)
	}
	chat, err := openai.DecodeChat([]byte(`{"model":"m","holdfast":{"overflow":"drop_oldest"},"messages":[{"role":"user","content":"hi"}]}`))
	require.NoError(t, err)
	require.Equal(t, llm.OverflowDropOldest, chat.Overflow)
}

func TestInputItemsAreDecoded(t *testing.T) {
	t.Parallel()
	request := decodeResponse(t, `{"model":"m","input":[
		{"role":"developer","content":"Be brief."},
		{"type":"message","role":"user","status":"completed","content":[{"type":"input_text","text":"See:"},{"type":"input_image","image_url":"https://x/1.png","detail":"low"},
			{"type":"input_file","file_url":"https://x/a.pdf"}]},
		{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."},{"type":"summary_text","text":"So."}],"encrypted_content":"gAAAAfromopenai"},
		{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":null},
		{"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"Yes.","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"No."}]},
		{"type":"function_call","id":"fc_1","status":"completed","call_id":"c1","name":"f","arguments":"{}","parsed_arguments":{}},
		{"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
		{"type":"function_call_output","call_id":"c1","output":"one"},
		{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"},{"type":"input_image","image_url":"https://x/2.png","detail":"auto"}]},
		{"role":"assistant","content":"Well."}]}`)
	require.Equal(t, []llm.Message{
		{Role: llm.RoleSystem, Parts: []llm.Part{llm.Text("Be brief.")}},
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("See:"), llm.Image(llm.Media{URL: "https://x/1.png", Detail: "low"}), llm.Document(llm.Media{URL: "https://x/a.pdf"})}},
		{Role: llm.RoleAssistant, Parts: []llm.Part{
			{Type: llm.PartReasoning, Text: "Hm.\n\nSo."}, llm.Text("Yes."), {Type: llm.PartRefusal, Text: "No."}, llm.Call("c1", "f", "{}"), llm.Call("c2", "g", "{}"),
		}},
		{Role: llm.RoleTool, Parts: []llm.Part{llm.Result("c1", "one")}},
		{Role: llm.RoleTool, Parts: []llm.Part{{Type: llm.PartToolResult, ToolResult: &llm.ToolResult{
			CallID: "c2", Content: "two", Parts: []llm.Part{llm.Image(llm.Media{URL: "https://x/2.png"})},
		}}}},
		{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("Well.")}},
	}, request.Messages)
}

func TestItemReferencesAreResolved(t *testing.T) {
	t.Parallel()
	call := openai.AnswerItems(aCompletion)("fc", 0)
	kept := map[string]llm.Message{
		"msg_1":                                  {Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hi")}},
		call:                                     {Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("c1", "f", "{}")}},
		openai.AnswerItems(aCompletion)("rs", 0): {Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("c1", "f", "{}")}}, // a carrier's
		"gone":                                   {Role: llm.RoleUser},
	}
	broken := errors.New("the database is away")
	find := func(id string) (llm.Message, error) {
		if id == "broken" {
			return llm.Message{}, broken
		}
		message, ok := kept[id]
		if !ok {
			return llm.Message{}, openai.ErrNoItem
		}
		return message, nil
	}
	request, err := openai.DecodeResponse([]byte(`{"model":"m","input":[{"id":"msg_1"},{"type":"item_reference","id":"`+call+`"},
		{"type":"item_reference","id":"`+openai.AnswerItems(aCompletion)("rs", 0)+`"},{"type":"function_call_output","call_id":"c1","output":""}]}`), find)
	require.NoError(t, err)
	require.Equal(t, []llm.Message{kept["msg_1"], kept[call], {Role: llm.RoleTool, Parts: []llm.Part{llm.Result("c1", "")}}}, request.Messages)

	for id, finder := range map[string]openai.ItemFinder{"msg_2": find, "gone": find, "msg_1": nil} {
		_, err = openai.DecodeResponse([]byte(`{"model":"m","input":[{"type":"item_reference","id":"`+id+`"}]}`), finder)
		var invalid *dialect.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, "input", invalid.Param)
		require.Contains(t, invalid.Message, id)
	}
	_, err = openai.DecodeResponse([]byte(`{"model":"m","input":[{"type":"item_reference","id":"broken"}]}`), find)
	require.ErrorIs(t, err, broken)
}

func TestAllowedToolsAreThoseThatAreTold(t *testing.T) {
	t.Parallel()
	request := decodeResponse(t, `{"model":"m","input":"hi","tools":[{"type":"function","name":"a"},{"type":"function","name":"b"},{"type":"function","name":"c"}],
		"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"c"},{"type":"function","name":"a"}]}}`)
	require.Equal(t, []llm.Tool{{Name: "a"}, {Name: "c"}}, request.Tools)
	require.Equal(t, &llm.ToolChoice{Mode: llm.ToolChoiceRequired}, request.ToolChoice)
}

func TestInputTokens(t *testing.T) {
	t.Parallel()
	request, err := openai.DecodeInputTokens([]byte(`{"model":"m","input":"hi","instructions":"Be brief."}`), nil)
	require.NoError(t, err)
	require.Equal(t, []llm.Part{llm.Text("Be brief.")}, request.Instructions)
	_, err = openai.DecodeInputTokens([]byte(`{"model":"m","input":"hi","temperature":1}`), nil)
	var invalid *dialect.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "temperature", invalid.Param)
	encoded, err := json.Marshal(openai.EncodeInputTokens(7))
	require.NoError(t, err)
	require.JSONEq(t, `{"object":"response.input_tokens","input_tokens":7}`, string(encoded))
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add(`{"model":"m","input":"hi"}`)
	f.Add(`{"model":"m","input":[{"role":"user","content":[{"type":"input_text"}]},{"type":"function_call","call_id":"c","name":"f"},{"type":"reasoning","summary":[]}]}`)
	f.Add(`{"model":"m","conversation":"c","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}}`)
	f.Add(`{"model":"m","input":[{"type":"reasoning","encrypted_content":"` + strings.Repeat("A", 8) + `"},{"id":"x"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		request, err := openai.DecodeResponse([]byte(body), nil)
		if err != nil {
			var invalid *dialect.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.NotEmpty(t, invalid.Message)
			return
		}
		for _, message := range request.Messages {
			require.NotEmpty(t, message.Role)
			openai.Items(message, openai.RequestItems(aCompletion, 0))
		}
		_, err = json.Marshal(openai.EncodeResponse(openai.ResponseView{ID: aCompletion, Shown: request.Shown}))
		require.NoError(t, err)
	})
}
