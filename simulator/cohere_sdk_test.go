package simulator_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	coheresdk "github.com/cohere-ai/cohere-go/v2"
	cohereclient "github.com/cohere-ai/cohere-go/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

func (s *stage) cohere() *cohereclient.Client {
	return cohereclient.NewClient(cohereclient.WithBaseURL(s.server.URL), cohereclient.WithToken(testKey),
		cohereclient.WithHTTPClient(s.server.Client()), cohereclient.WithMaxAttempts(1))
}

func asks(text string) *coheresdk.ChatMessageV2 {
	return &coheresdk.ChatMessageV2{Role: "user", User: &coheresdk.UserMessageV2{
		Content: &coheresdk.UserMessageV2Content{String: text},
	}}
}

func cohereTools() []*coheresdk.ToolV2 {
	var tools []*coheresdk.ToolV2
	for _, name := range []string{"weather", "clock"} {
		tools = append(tools, &coheresdk.ToolV2{Type: coheresdk.String("function"), Function: &coheresdk.ToolV2Function{
			Name: name, Parameters: map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
		}})
	}
	return tools
}

func TestCohereSDKRunsAToolLoop(t *testing.T) {
	t.Parallel()
	s := play(t, simulator.Cohere, simulator.Options{RequireKeys: []string{testKey}})
	request := &coheresdk.V2ChatRequest{
		Model: "command-a-03-2025", Tools: cohereTools(), StrictTools: coheresdk.Bool(true),
		Messages: coheresdk.ChatMessages{asks("call the tools weather and clock")},
	}
	first, err := s.cohere().V2.Chat(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, coheresdk.ChatFinishReasonToolCall, first.FinishReason)
	require.Equal(t, "I will use the weather tool.", *first.Message.ToolPlan)
	require.Len(t, first.Message.ToolCalls, 2)
	require.JSONEq(t, `{"city":"Paris"}`, *first.Message.ToolCalls[0].Function.Arguments)
	request.Messages = append(request.Messages, &coheresdk.ChatMessageV2{
		Role: "assistant", Assistant: &coheresdk.AssistantMessage{ToolCalls: first.Message.ToolCalls, ToolPlan: first.Message.ToolPlan},
	})
	for _, call := range first.Message.ToolCalls {
		request.Messages = append(request.Messages, &coheresdk.ChatMessageV2{Role: "tool", Tool: &coheresdk.ToolMessageV2{
			ToolCallId: *call.Id, Content: &coheresdk.ToolMessageV2Content{String: "sunny"},
		}})
	}
	second, err := s.cohere().V2.Chat(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, coheresdk.ChatFinishReasonComplete, second.FinishReason)
	require.Contains(t, second.Message.Content[0].Text.Text, "The tool answered: sunny; sunny")
	require.Len(t, second.Message.Citations, 1)
	require.Positive(t, *second.Usage.Tokens.InputTokens)
	require.Positive(t, *second.Usage.BilledUnits.OutputTokens)

	request.Messages = request.Messages[:2]
	_, err = s.cohere().V2.Chat(t.Context(), request)
	var bad *coheresdk.BadRequestError
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, "The following tool_call_ids did not have response messages: "+*first.Message.ToolCalls[0].Id)
}

// sung is a stream of Cohere's put together again.
type sung struct {
	text, thought, plan, tool, arguments, finish, problem string
	citations                                             int
	usage                                                 *coheresdk.Usage
	events                                                []string
	err                                                   error
}

func (s *stage) sing(t *testing.T, request *coheresdk.V2ChatStreamRequest) sung {
	t.Helper()
	stream, err := s.cohere().V2.ChatStream(t.Context(), request)
	require.NoError(t, err)
	defer func() { _ = stream.Close() }()
	var got sung
	for {
		event, err := stream.Recv()
		if _, ok := errors.AsType[*json.SyntaxError](err); ok {
			continue // the SDK (v2.15) takes the blank line behind an event for another one when it comes alone
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				got.err = err
			}
			return got
		}
		got.events = append(got.events, event.Type)
		switch event.Type {
		case "content-delta":
			content := event.ContentDelta.Delta.Message.Content
			if content.Text != nil {
				got.text += *content.Text
			}
			if content.Thinking != nil {
				got.thought += *content.Thinking
			}
		case "tool-plan-delta":
			got.plan += *event.ToolPlanDelta.Delta.Message.ToolPlan
		case "tool-call-start":
			got.tool += *event.ToolCallStart.Delta.Message.ToolCalls.Function.Name
		case "tool-call-delta":
			got.arguments += *event.ToolCallDelta.Delta.Message.ToolCalls.Function.Arguments
		case "citation-start":
			got.citations++
		case "message-end":
			delta := event.MessageEnd.Delta
			got.finish, got.usage = string(*delta.FinishReason), delta.Usage
			if delta.Error != nil {
				got.problem = *delta.Error
			}
		}
	}
}

func TestCohereSDKStreams(t *testing.T) {
	t.Parallel()
	answers := make(chan simulator.Answer, 1)
	s := play(t, simulator.Cohere, simulator.Options{Answer: func(call simulator.Call) simulator.Answer {
		if call.Continues { // asked what it would have said: not this
			return simulator.Answer{}
		}
		return <-answers
	}})
	request := &coheresdk.V2ChatStreamRequest{
		Model: "command-a-reasoning-08-2025", Messages: coheresdk.ChatMessages{asks("hi")}, Tools: cohereTools(),
	}
	answers <- simulator.Answer{Reasoning: "let me think", Text: "yes and no", InputTokens: 9, OutputTokens: 4}
	got := s.sing(t, request)
	require.NoError(t, got.err)
	require.Equal(t, "let me think", got.thought)
	require.Equal(t, "yes and no", got.text)
	require.Equal(t, "COMPLETE", got.finish)
	require.InDelta(t, 9, *got.usage.Tokens.InputTokens, 0)
	require.Equal(t, []string{
		"message-start", "content-start", "content-delta", "content-end", "content-start", "content-delta", "content-end", "message-end",
	}, got.events)
	answers <- simulator.Answer{Reasoning: "hidden", Text: "I will look.", ToolCalls: []simulator.ToolCall{{Name: "weather", Arguments: `{"city":"Paris"}`}}}
	request.Thinking = &coheresdk.Thinking{Type: coheresdk.ThinkingTypeDisabled}
	got = s.sing(t, request)
	require.Equal(t, "I will look.", got.plan)
	require.Empty(t, got.thought)
	require.Equal(t, "weather", got.tool)
	require.JSONEq(t, `{"city":"Paris"}`, got.arguments)
	require.Equal(t, "TOOL_CALL", got.finish)
	answers <- simulator.Answer{Text: "it says so"}
	request.Documents = []*coheresdk.V2ChatStreamRequestDocumentsItem{{String: "a document"}}
	got = s.sing(t, request)
	require.Equal(t, 1, got.citations)
	answers <- simulator.Answer{Text: "late", Finish: "TIMEOUT"}
	raw := s.post(t, "/v2/chat", `{"model":"command-a-03-2025","stream":true,"messages":[{"role":"user","content":"hi"}]}`).data(t)
	require.Equal(t, "[DONE]", raw[len(raw)-1])
	require.Contains(t, raw[len(raw)-2], `"finish_reason":"TIMEOUT"`)
}

func TestCohereFaults(t *testing.T) {
	t.Parallel()
	s := play(t, simulator.Cohere, simulator.Options{})
	ask := func(fault simulator.Fault) error {
		fault.Count = 1
		s.sim.SetFault(simulator.Cohere, fault)
		_, err := s.cohere().V2.Chat(t.Context(), &coheresdk.V2ChatRequest{
			Model: "command-a-03-2025", Messages: coheresdk.ChatMessages{asks("hi")},
		})
		return err
	}
	for status, want := range map[int]any{
		400: new(*coheresdk.BadRequestError), 401: new(*coheresdk.UnauthorizedError), 403: new(*coheresdk.ForbiddenError),
		404: new(*coheresdk.NotFoundError), 422: new(*coheresdk.UnprocessableEntityError),
		429: new(*coheresdk.TooManyRequestsError), 498: new(*coheresdk.InvalidTokenError),
		499: new(*coheresdk.ClientClosedRequestError), 500: new(*coheresdk.InternalServerError),
		503: new(*coheresdk.ServiceUnavailableError), 504: new(*coheresdk.GatewayTimeoutError),
	} {
		require.ErrorAs(t, ask(simulator.Fault{Status: status}), want, "%d", status)
	}
	require.ErrorContains(t, ask(simulator.Fault{Code: "insufficient_quota"}), "402")
	require.ErrorContains(t, ask(simulator.Fault{Code: "context_length_exceeded"}), "too many tokens")

	stream := func(kind simulator.StreamFaultKind, after, status int) sung {
		s.sim.SetFault(simulator.Cohere, simulator.Fault{
			Status: status, Count: 1, Stream: &simulator.StreamFault{After: after, Kind: kind},
		})
		return s.sing(t, &coheresdk.V2ChatStreamRequest{
			Model: "command-a-03-2025", Messages: coheresdk.ChatMessages{asks("say many words, more than just a few of them")},
		})
	}
	got := stream(simulator.StreamError, 1, 500)
	require.Equal(t, "ERROR", got.finish)
	require.Contains(t, got.problem, "internal server error")
	require.NotEmpty(t, got.text)
	got = stream(simulator.StreamNoTerminal, 99, 0)
	require.NotEmpty(t, got.text)
	require.Empty(t, got.finish)
	require.Error(t, stream(simulator.StreamCut, 1, 0).err)
	require.Empty(t, stream(simulator.StreamEmpty, 0, 0).events)
}

func TestCohereSDKEmbedsAndLists(t *testing.T) {
	t.Parallel()
	s := play(t, simulator.Cohere, simulator.Options{})
	got, err := s.cohere().V2.Embed(t.Context(), &coheresdk.V2EmbedRequest{
		Model: "embed-v4.0", Texts: []string{"a", "b"}, InputType: coheresdk.EmbedInputTypeSearchQuery,
		EmbeddingTypes:  []coheresdk.EmbeddingType{coheresdk.EmbeddingTypeFloat, coheresdk.EmbeddingTypeBase64},
		OutputDimension: coheresdk.Int(256),
	})
	require.NoError(t, err)
	require.Len(t, got.Embeddings.Float, 2)
	require.Len(t, got.Embeddings.Float[0], 256)
	require.Len(t, got.Embeddings.Base64, 2)
	require.InDelta(t, 2, *got.Meta.BilledUnits.InputTokens, 0)
	models, err := s.cohere().Models.List(t.Context(), &coheresdk.ModelsListRequest{})
	require.NoError(t, err)
	require.Equal(t, "command-a-03-2025", *models.Models[0].Name)
	refuses(t, simulator.Cohere, "/v2/embed", 400, []refusal{
		{"no input_type", `{"model":"embed-v4.0","texts":["a"]}`, "valid input_type must be provided with the provided model"},
		{"too many texts", `{"model":"embed-v4.0","input_type":"search_query","texts":["` + strings.Repeat(`a","`, 96) + `a"]}`, "at most 96 - received 97"},
		{"dimension", `{"model":"embed-v4.0","input_type":"search_query","texts":["a"],"output_dimension":300}`, "output_dimension must be one of"},
		{"dimension of an old model", `{"model":"embed-english-v3.0","input_type":"search_query","texts":["a"],"output_dimension":256}`, "not supported"},
	})
	refuses(t, simulator.Cohere, "/v2/embed", 422, []refusal{
		{"dimensions", `{"model":"embed-v4.0","input_type":"search_query","texts":["a"],"dimensions":256}`, "'dimensions' is not a valid field"},
	})
}

func TestCohereRefusesWhatTheVendorRefuses(t *testing.T) {
	t.Parallel()
	const (
		hi     = `{"role":"user","content":"hi"}`
		call   = `{"role":"assistant","tool_plan":"x","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		result = `{"role":"tool","tool_call_id":"a","content":"1"}`
		tools  = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
	)
	chat := func(messages ...string) string {
		return `{"model":"command-a-03-2025","messages":[` + strings.Join(messages, ",") + `]}`
	}
	with := func(member string) string {
		return `{"model":"command-a-03-2025","messages":[` + hi + `],` + member + `}`
	}
	const path = "/v2/chat"
	refuses(t, simulator.Cohere, path, 400, []refusal{
		{"minimal", chat(hi), ""},
		{"broken json", `{"model"`, "failed to decode"},
		{"no model", `{"messages":[` + hi + `]}`, "model is required"},
		{"no messages", chat(), "messages must not be empty"},
		{"role", chat(`{"role":"developer","content":"x"}`), "assistant, system, tool, user"},
		{"empty user", chat(`{"role":"user","content":""}`), "message must be at least 1 token long"},
		{"empty assistant", chat(hi, `{"role":"assistant","content":""}`, hi), "all elements in history must have a message"},
		{"late system", chat(hi, `{"role":"assistant","content":"x"}`, `{"role":"system","content":"x"}`, hi), "system turn must be the first in the list"},
		{"ends with the assistant", chat(hi, `{"role":"assistant","content":"x"}`), "'user' or 'tool'"},
		{"tool loop", chat(hi, call, result), ""},
		{"result as documents", chat(hi, call, `{"role":"tool","tool_call_id":"a","content":[{"type":"document","document":{"data":{"x":1}}}]}`), ""},
		{"unanswered", chat(hi, call, hi), "did not have response messages: a"},
		{"result without a call", chat(hi, result), "'a' does not match"},
		{"result without an id", chat(hi, call, `{"role":"tool","content":"1"}`), "tool_call_id must be specified"},
		{"arguments as an object", chat(hi, strings.Replace(call, `"{}"`, `{}`, 1), result), "function.arguments must be a string"},
		{"arguments that are no object", chat(hi, strings.Replace(call, `"{}"`, `"1"`, 1), result), "must be a JSON object"},
		{"image", `{"model":"command-a-vision-07-2025","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,eA=="}}]}]}`, ""},
		{"image as a string", `{"model":"command-a-vision-07-2025","messages":[{"role":"user","content":[{"type":"image_url","image_url":"https://x/y"}]}]}`, "image_url.url must be specified"},
		{"image for a model of texts", chat(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y"}}]}`), "does not support image inputs"},
		{"thinking in history", chat(hi, `{"role":"assistant","content":[{"type":"thinking","thinking":"x"},{"type":"text","text":"y"}]}`, hi), ""},
		{"thinking", with(`"thinking":{"type":"enabled"}`), "does not support thinking"},
		{"temperature", with(`"temperature":1.2`), "temperature must be between 0 and 1 inclusive"},
		{"p", with(`"p":1`), "p must be between"},
		{"k", with(`"k":501`), "k must be between"},
		{"both penalties", with(`"frequency_penalty":0.1,"presence_penalty":0.1`), "cannot specify both"},
		{"stop sequences", with(`"stop_sequences":["1","2","3","4","5","6"]`), "maximum of 5"},
		{"safety mode", with(`"safety_mode":"LAX"`), "safety_mode must be one of"},
		{"tool choice of OpenAI", with(tools + `,"tool_choice":"auto"`), "tool_choice must be one of: REQUIRED, NONE"},
		{"tool choice", with(tools + `,"tool_choice":"REQUIRED"`), ""},
		{"tool choice without tools", with(`"tool_choice":"REQUIRED"`), "only be specified with tools"},
		{"tool without parameters", with(`"tools":[{"type":"function","function":{"name":"f"}}]`), "must have parameters"},
		{"schema", with(`"response_format":{"type":"json_object","schema":{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}}`), ""},
		{"schema without required", with(`"response_format":{"type":"json_object","json_schema":{"type":"object"}}`), "at least one required field"},
		{"json_schema as a type", with(`"response_format":{"type":"json_schema"}`), "response_format.type must be one of"},
		{"schema with documents", with(`"documents":["x"],"response_format":{"type":"json_object"}`), "not supported with RAG"},
		{"no documents", with(`"documents":[]`), "list of documents must not be empty"},
	})
	refuses(t, simulator.Cohere, path, 422, []refusal{
		{"top_p", with(`"top_p":1`), "unknown field: parameter 'top_p' is not a valid field."},
		{"strict in a tool", with(strings.Replace(tools, `"name":"f"`, `"name":"f","strict":true`, 1)), "parameter 'strict'"},
		{"name of a result", chat(hi, call, strings.Replace(result, `"content"`, `"name":"f","content"`, 1)), "parameter 'name'"},
	})
}
