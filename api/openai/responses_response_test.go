package openai_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

const encryptedToo = `"include":["reasoning.encrypted_content"],`

// viewOf is a completed response to a request with the members.
func viewOf(t *testing.T, members string, answer llm.Response) openai.ResponseView {
	t.Helper()
	request := decodeResponse(t, `{"model":"route",`+members+`"input":"hi"}`)
	return openai.ResponseView{
		ID: aCompletion, Model: "route", CreatedAt: time.Unix(1700000000, 0), Status: "completed", Shown: request.Shown, Answer: &answer,
	}
}

// spoken is an answer in which everything is that the dialect can show.
func spoken() llm.Response {
	answer := everything()
	answer.Alternatives = nil
	answer.Message.Parts[2].Opaque = answer.Message.Parts[0].Opaque
	answer.Usage = llm.Usage{InputTokens: 10, OutputTokens: 5, CacheReadTokens: 4, CacheWriteTokens: 1, ReasoningTokens: 2}
	return answer
}

func requireGolden(t *testing.T, name string, got any) {
	t.Helper()
	content, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, append(content, '\n'), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(content)+"\n")
}

func TestAResponseIsEncoded(t *testing.T) {
	t.Parallel()
	full := viewOf(t, `"instructions":"Be brief.","temperature":0.5,"top_p":0.9,"max_output_tokens":50,"max_tool_calls":3,"top_logprobs":2,"user":"u1",
		"safety_identifier":"s1","prompt_cache_key":"k","prompt_cache_retention":"24h","service_tier":"flex","metadata":{"a":"b"},"parallel_tool_calls":false,
		"tools":[{"type":"function","name":"weather","description":"d","parameters":{"type":"object"},"strict":true},{"type":"function","name":"time"}],
		"tool_choice":{"type":"function","name":"weather"},"reasoning":{"effort":"high","summary":"auto"},"store":false,"truncation":"auto",
		"text":{"format":{"type":"json_object"},"verbosity":"low"},"conversation":"conv_1",`+encryptedToo, spoken())
	full.ConversationID, full.ServedFrom = "conv_1", "hit"
	done := time.Unix(1700000005, 0)
	full.CompletedAt = &done
	requireGolden(t, "response.golden.json", openai.EncodeResponse(full))
	plain := viewOf(t, "", llm.Response{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("Hello.")}}, FinishReason: llm.FinishStop})
	plain.ConversationID = "conv_1" // which the client did not ask for
	requireGolden(t, "response_plain.golden.json", openai.EncodeResponse(plain))
}

func TestTheSDKParsesAResponse(t *testing.T) {
	t.Parallel()
	view := viewOf(t, `"instructions":"Be brief.","tools":[{"type":"function","name":"weather","parameters":{"type":"object"}}],"tool_choice":"required",`+encryptedToo, spoken())
	response := throughSDK(t, openai.EncodeResponse(view))
	require.Equal(t, "resp_0123456789abcdefghijklmnop", response.ID)
	require.Equal(t, responses.ResponseStatusCompleted, response.Status)
	require.EqualValues(t, 1700000000, response.CreatedAt)
	require.Equal(t, "Be brief.", response.Instructions.OfString)
	require.Equal(t, responses.ToolChoiceOptionsRequired, response.ToolChoice.OfToolChoiceMode)
	require.Equal(t, "weather", response.Tools[0].AsFunction().Name)
	require.Equal(t, "text", response.Text.Format.Type)
	require.Equal(t, "[web_search]It rains.", response.OutputText())
	require.EqualValues(t, 15, response.Usage.TotalTokens)
	require.EqualValues(t, 4, response.Usage.InputTokensDetails.CachedTokens)
	require.EqualValues(t, 2, response.Usage.OutputTokensDetails.ReasoningTokens)

	require.Equal(t, "Hm.", response.Output[0].AsAny().(responses.ResponseReasoningItem).Summary[0].Text)
	message := response.Output[1].AsAny().(responses.ResponseOutputMessage)
	require.Len(t, message.Content, 3)
	text := message.Content[1].AsAny().(responses.ResponseOutputText)
	require.Equal(t, "https://x", text.Annotations[0].AsAny().(responses.ResponseOutputTextAnnotationURLCitation).URL)
	require.Equal(t, "It rains.", text.Logprobs[0].Token)
	require.Equal(t, "No.", message.Content[2].AsAny().(responses.ResponseOutputRefusal).Refusal)
	call := response.Output[2].AsAny().(responses.ResponseFunctionToolCall)
	require.Equal(t, "call_1", call.CallID)
	require.JSONEq(t, `{"city":"Bern"}`, call.Arguments)
	require.JSONEq(t, `{}`, response.Output[3].AsFunctionCall().Arguments, "clients parse it")
	require.Len(t, response.Output, 6, "two carriers")
	for _, carrier := range response.Output[4:] {
		require.Empty(t, carrier.AsAny().(responses.ResponseReasoningItem).Summary)
	}
}

func throughSDK(t *testing.T, response openai.Response) responses.Response {
	t.Helper()
	content, err := json.Marshal(response)
	require.NoError(t, err)
	var parsed responses.Response
	require.NoError(t, json.Unmarshal(content, &parsed))
	return parsed
}

func TestHowAResponseEnds(t *testing.T) {
	t.Parallel()
	for reason, want := range map[llm.FinishReason][3]string{
		llm.FinishStop:          {"completed", "", "completed"},
		llm.FinishToolCalls:     {"completed", "", "completed"},
		llm.FinishLength:        {"incomplete", "max_output_tokens", "incomplete"},
		llm.FinishContentFilter: {"incomplete", "content_filter", "incomplete"},
	} {
		response := throughSDK(t, openai.EncodeResponse(viewOf(t, "", llm.Response{FinishReason: reason, Message: llm.Message{Parts: []llm.Part{llm.Text("x")}}})))
		require.Equal(t, want, [3]string{string(response.Status), response.IncompleteDetails.Reason, response.Output[0].Status})
	}
	view := viewOf(t, "", llm.Response{Message: llm.Message{Parts: []llm.Part{llm.Text("x")}}})
	view.Status = "cancelled"
	cancelled := throughSDK(t, openai.EncodeResponse(view))
	require.Equal(t, responses.ResponseStatusCancelled, cancelled.Status)
	require.Equal(t, "incomplete", cancelled.Output[0].Status)
	require.False(t, cancelled.JSON.Usage.Valid())
	for status, code := range map[int]string{http.StatusTooManyRequests: "rate_limit_exceeded", http.StatusBadRequest: "invalid_prompt", http.StatusBadGateway: "server_error"} {
		view = openai.ResponseView{ID: aCompletion, Status: "failed", Failure: &dialect.Failure{Status: status, Code: "own", Message: "m"}}
		failed := openai.EncodeResponse(view)
		require.Equal(t, "own", failed.Holdfast.ErrorCode)
		parsed := throughSDK(t, failed)
		require.Equal(t, responses.ResponseStatusFailed, parsed.Status)
		require.Equal(t, code, string(parsed.Error.Code))
		require.Equal(t, "m", parsed.Error.Message)
		require.Empty(t, parsed.Output)
	}
	view = viewOf(t, `"metadata":{"a":"b"},`, llm.Response{})
	view.Metadata = map[string]string{"c": "d"}
	require.Equal(t, map[string]string{"c": "d"}, openai.EncodeResponse(view).Metadata)
}

func TestTokensOfSeveralTextsAreShared(t *testing.T) {
	t.Parallel()
	tokens := []llm.TokenLogprob{{Token: "He"}, {Token: "y"}, {Token: "you"}}
	response := throughSDK(t, openai.EncodeResponse(viewOf(t, "", llm.Response{
		Logprobs: tokens, Message: llm.Message{Parts: []llm.Part{llm.Text("Hey"), {Type: llm.PartReasoning, Text: "Hm."}, llm.Text("you")}},
	})))
	require.Len(t, response.Output[0].Content[0].Logprobs, 2)
	require.Equal(t, "you", response.Output[2].Content[0].Logprobs[0].Token)
}

// requireBack sends a response's output back as input, as JSON.
func requireBack(t *testing.T, want []llm.Part, output []byte) {
	t.Helper()
	request := decodeResponse(t, `{"model":"m","input":`+string(output)+`}`)
	require.Len(t, request.Messages, 1)
	require.Equal(t, llm.RoleAssistant, request.Messages[0].Role)
	require.Equal(t, want, request.Messages[0].Parts)
}

func TestAnAnswerSurvivesItsWayThroughAClient(t *testing.T) {
	t.Parallel()
	answer := spoken()
	response := openai.EncodeResponse(viewOf(t, encryptedToo, answer))
	want := answer.Message.Parts
	want[2].Citations = nil // they are the client's to read
	want[5].ToolCall.Arguments = "{}"

	raw, err := json.Marshal(response.Output)
	require.NoError(t, err)
	requireBack(t, want, raw)

	var params []responses.ResponseInputItemUnionParam
	for _, item := range throughSDK(t, response).Output {
		switch item := item.AsAny().(type) {
		case responses.ResponseReasoningItem:
			param := item.ToParam()
			params = append(params, responses.ResponseInputItemUnionParam{OfReasoning: &param})
		case responses.ResponseOutputMessage:
			param := item.ToParam()
			params = append(params, responses.ResponseInputItemUnionParam{OfOutputMessage: &param})
		case responses.ResponseFunctionToolCall:
			param := item.ToParam()
			params = append(params, responses.ResponseInputItemUnionParam{OfFunctionCall: &param})
		}
	}
	raw, err = json.Marshal(params)
	require.NoError(t, err)
	requireBack(t, want, raw)

	carriersFirst := append(append([]openai.Item{}, response.Output[4:]...), response.Output[:4]...)
	raw, err = json.Marshal(carriersFirst)
	require.NoError(t, err)
	requireBack(t, want, raw)
}

func TestWhatIsOpaqueStaysHereUnlessItIsAskedFor(t *testing.T) {
	t.Parallel()
	content, err := json.Marshal(openai.EncodeResponse(viewOf(t, "", spoken())))
	require.NoError(t, err)
	require.NotContains(t, string(content), "encrypted_content")
}

func TestACarrierOfAnIDThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	var input []openai.Item
	var want []llm.Part
	for _, data := range []string{`"first"`, `"second"`} { // there are vendors that count calls anew in each answer
		part := llm.Call("call_0", "f", "{}")
		part.Opaque = &llm.Opaque{Origin: llm.Origin{Provider: "gemini"}, Data: json.RawMessage(data)}
		want = append(want, part)
		input = append(input, openai.EncodeResponse(viewOf(t, encryptedToo, llm.Response{Message: llm.Message{Parts: []llm.Part{part}}})).Output...)
	}
	raw, err := json.Marshal(input)
	require.NoError(t, err)
	requireBack(t, want, raw)
}
