package openai_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

const tinyPNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="

func decodeParts(t *testing.T, parts string) []llm.Part {
	t.Helper()
	request, err := openai.DecodeChat([]byte(`{"model":"m","messages":[{"role":"user","content":[` + parts + `]}]}`))
	require.NoError(t, err)
	return request.Messages[0].Parts
}

func TestPicturesSoundAndFilesAreDecoded(t *testing.T) {
	t.Parallel()
	png, err := base64.StdEncoding.DecodeString(tinyPNG)
	require.NoError(t, err)
	pdf, wav := []byte("%PDF-1.4\n"), []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		part string
		want llm.Part
	}{
		"address":        {`{"type":"image_url","image_url":{"url":"https://x/1.png","detail":"low"}}`, llm.Image(llm.Media{URL: "https://x/1.png", Detail: "low"})},
		"auto detail":    {`{"type":"image_url","image_url":{"url":"https://x/1.png","detail":"auto"}}`, llm.Image(llm.Media{URL: "https://x/1.png"})},
		"data URL":       {`{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,` + tinyPNG + `"}}`, llm.Image(llm.Media{MIME: "image/png", Data: png})},
		"Responses form": {`{"type":"input_image","image_url":"https://x/1.png","detail":"high"}`, llm.Image(llm.Media{URL: "https://x/1.png", Detail: "high"})},
		"sound":          {`{"type":"input_audio","input_audio":{"data":"` + b64(wav) + `","format":"wav"}}`, llm.Audio(llm.Media{MIME: "audio/wav", Data: wav})},
		"file":           {`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + b64(pdf) + `"}}`, llm.Document(llm.Media{MIME: "application/pdf", Data: pdf, Name: "a.pdf"})},
		"bare file":      {`{"type":"file","file":{"filename":"a.pdf","file_data":"` + b64(pdf) + `"}}`, llm.Document(llm.Media{MIME: "application/pdf", Data: pdf, Name: "a.pdf"})},
		"file's address": {`{"type":"input_file","file_url":"https://x/a.pdf"}`, llm.Document(llm.Media{URL: "https://x/a.pdf"})},
		"cached text":    {`{"type":"text","text":"long","cache_control":{"type":"ephemeral","ttl":"1h"}}`, llm.Part{Type: llm.PartText, Text: "long", Cache: &llm.CacheHint{TTL: "1h"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, []llm.Part{c.want}, decodeParts(t, c.part))
		})
	}
}

func TestAToolsResultMayHoldAPicture(t *testing.T) {
	t.Parallel()
	request, err := openai.DecodeChat([]byte(`{"model":"m","messages":[{"role":"tool","tool_call_id":"c1","content":[
		{"type":"text","text":"Here: "},{"type":"image_url","image_url":{"url":"https://x/1.png"}},{"type":"text","text":"there."}]}]}`))
	require.NoError(t, err)
	require.Equal(t, &llm.ToolResult{
		CallID: "c1", Content: "Here: ", Parts: []llm.Part{llm.Image(llm.Media{URL: "https://x/1.png"}), llm.Text("there.")},
	}, request.Messages[0].Parts[0].ToolResult)
}

func TestTheThreeWaysToAskForThinking(t *testing.T) {
	t.Parallel()
	budget, none := int64(2000), int64(0)
	for body, want := range map[string]*llm.Reasoning{
		`"n":1`:                        nil,
		`"reasoning_effort":"high"`:    {Effort: llm.EffortHigh},
		`"reasoning":{"effort":"low"}`: {Effort: llm.EffortLow, Summary: "auto"},
		`"reasoning":{"effort":"low","exclude":true}`:        {Effort: llm.EffortLow},
		`"reasoning":{"max_tokens":2000}`:                    {BudgetTokens: &budget, Summary: "auto"},
		`"reasoning":{"max_tokens":0}`:                       {BudgetTokens: &none},
		`"reasoning":{"enabled":true}`:                       {Effort: llm.EffortMedium, Summary: "auto"},
		`"reasoning":{"enabled":false}`:                      {Effort: llm.EffortNone},
		`"thinking":{"type":"enabled","budget_tokens":2000}`: {BudgetTokens: &budget, Summary: "auto"},
		`"thinking":{"type":"disabled"}`:                     {Effort: llm.EffortNone},
	} {
		request, err := openai.DecodeChat([]byte(`{"model":"m",` + body + `,"messages":[{"role":"user","content":"hi"}]}`))
		require.NoError(t, err, body)
		require.Equal(t, want, request.Reasoning, body)
	}
}

func TestTheOtherParametersAreDecoded(t *testing.T) {
	t.Parallel()
	request, err := openai.DecodeChat([]byte(`{"model":"m","n":2,"logprobs":true,"top_logprobs":3,"logit_bias":{"5":-100},"top_k":4,"verbosity":"low",
		"service_tier":"flex","prompt_cache_key":"k","safety_identifier":"u","provider_options":{"anthropic":{"x":1}},
		"response_format":{"type":"json_schema","json_schema":{"name":"p","description":"d","strict":true,"schema":{"type":"object"}}},
		"messages":[{"role":"user","content":"hi"}]}`))
	require.NoError(t, err)
	two, three, four, yes := int64(2), int64(3), int64(4), true
	require.Equal(t, llm.Request{
		Model: "m", Messages: request.Messages, N: &two, Logprobs: &three, LogitBias: map[string]float64{"5": -100}, TopK: &four,
		Verbosity: "low", ServiceTier: "flex", PromptCacheKey: "k", User: "u", Extras: map[string]json.RawMessage{"anthropic": json.RawMessage(`{"x":1}`)},
		ResponseFormat: &llm.ResponseFormat{Type: llm.FormatJSONSchema, Name: "p", Description: "d", Schema: json.RawMessage(`{"type":"object"}`), Strict: &yes},
	}, request.Request)
}

func TestThoughtsSurviveTheirWayThroughAClient(t *testing.T) {
	t.Parallel()
	opaque := &llm.Opaque{Origin: llm.Origin{Provider: "anthropic", Model: "claude"}, Data: json.RawMessage(`{"signature":"s"}`)}
	call := llm.Call("call_1", "weather", "{}")
	call.Opaque = opaque
	message := llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{
		{Type: llm.PartReasoning, Text: "Hm.", Opaque: opaque}, {Type: llm.PartReasoning, Opaque: opaque}, llm.Text("Let me see."), call,
	}}
	encoded, err := json.Marshal(openai.EncodeMessage(message))
	require.NoError(t, err)
	request, err := openai.DecodeChat([]byte(`{"model":"m","messages":[` + string(encoded) + `]}`))
	require.NoError(t, err)
	require.Equal(t, message, request.Messages[0])

	request, err = openai.DecodeChat([]byte(`{"model":"m","messages":[{"role":"assistant","content":"x","reasoning_content":"y",
		"reasoning_details":[{"type":"reasoning.text","text":"z","format":"anthropic-claude-v1","signature":"q"},{"type":"reasoning.encrypted","format":"holdfast-v1","data":"!"}]}]}`))
	require.NoError(t, err, "what other gateways wrote is passed over")
	require.Equal(t, []llm.Part{llm.Text("x")}, request.Messages[0].Parts)
}

func TestEverythingAnAnswerHoldsIsEncoded(t *testing.T) {
	t.Parallel()
	answer := llm.Response{
		Model: "m", FinishReason: llm.FinishStop, NativeFinishReason: "end_turn",
		Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{
			{Type: llm.PartReasoning, Text: "Hm."},
			{Type: llm.PartText, Text: "Yes.", Citations: []llm.Citation{{URL: "https://x", Title: "X", Start: 0, End: 4}, {Title: "no page"}}},
		}},
		Logprobs:     []llm.TokenLogprob{{Token: "Yes", Logprob: -0.1, Bytes: []int{89}, Top: []llm.TokenLogprob{{Token: "No", Logprob: -2}}}},
		Alternatives: []llm.Choice{{Message: llm.Message{Parts: []llm.Part{llm.Text("No.")}}, FinishReason: llm.FinishLength}},
		Warnings:     []llm.Warning{{Param: "seed", Message: "left out"}},
	}
	encoded, err := json.Marshal(openai.EncodeChat("id", time.Unix(1, 0), answer))
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"id","object":"chat.completion","created":1,"model":"m","service_tier":null,
		"choices":[
			{"index":0,"finish_reason":"stop","native_finish_reason":"end_turn",
				"logprobs":{"content":[{"token":"Yes","logprob":-0.1,"bytes":[89],"top_logprobs":[{"token":"No","logprob":-2,"bytes":null}]}],"refusal":null},
				"message":{"role":"assistant","content":"Yes.","refusal":null,"reasoning_content":"Hm.",
					"reasoning_details":[{"type":"reasoning.text","text":"Hm.","format":"holdfast-v1","index":0}],
					"annotations":[{"type":"url_citation","url_citation":{"url":"https://x","title":"X","start_index":0,"end_index":4}}]}},
			{"index":1,"finish_reason":"length","logprobs":null,"message":{"role":"assistant","content":"No.","refusal":null,"annotations":[]}}],
		"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
			"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},
		"warnings":[{"param":"seed","message":"left out"}]}`, string(encoded))
}

func TestEmbeddings(t *testing.T) {
	t.Parallel()
	for input, want := range map[string][]string{`"one"`: {"one"}, `["one","two"]`: {"one", "two"}} {
		request, err := openai.DecodeEmbeddings([]byte(`{"model":"m","input":` + input + `,"dimensions":64,"user":"u","encoding_format":"base64","input_type":"search_query"}`))
		require.NoError(t, err)
		dimensions := int64(64)
		require.Equal(t, &llm.Embed{Texts: want, Dimensions: &dimensions, Purpose: "search_query"}, request.Embed)
		require.True(t, request.Base64)
		require.Equal(t, "u", request.User)
	}
	for body, param := range map[string]string{
		`{"input":"x"}`: "model", `{"model":"m"}`: "input", `{"model":"m","input":[]}`: "input", `{"model":"m","input":[1,2]}`: "input",
		`{"model":"m","input":[[1,2]]}`: "input", `{"model":"m","input":["a",""]}`: "input", `{"model":"m","input":"x","encoding_format":"hex"}`: "encoding_format",
		`{"model":"m","input":"x","dimensions":0}`: "dimensions", `{"model":"m","input":"x","input_type":"joke"}`: "input_type", `{"model":"m","input":"x","z":1}`: "z",
	} {
		_, err := openai.DecodeEmbeddings([]byte(body))
		var invalid *dialect.InvalidError
		require.ErrorAs(t, err, &invalid, body)
		require.Equal(t, param, invalid.Param, body)
	}
	answer := llm.Response{Model: "m", Vectors: []llm.Vector{{1, -0.5}}, Usage: llm.Usage{InputTokens: 3}}
	for base64, vector := range map[bool]string{false: `[1,-0.5]`, true: `"AACAPwAAAL8="`} {
		encoded, err := json.Marshal(openai.EncodeEmbeddings(answer, base64))
		require.NoError(t, err)
		require.JSONEq(t, `{"object":"list","model":"m","usage":{"prompt_tokens":3,"total_tokens":3},"data":[{"object":"embedding","index":0,"embedding":`+vector+`}]}`, string(encoded))
	}
}
