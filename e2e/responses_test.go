package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// asInput is an item of an answer as it is sent back: as it came.
func asInput(item responses.ResponseOutputItemUnion) responses.ResponseInputItemUnionParam {
	return param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON()))
}

// callsOf are the function calls of a response.
func callsOf(response *responses.Response) []responses.ResponseFunctionToolCall {
	var calls []responses.ResponseFunctionToolCall
	for _, item := range response.Output {
		if item.Type == "function_call" {
			calls = append(calls, item.AsFunctionCall())
		}
	}
	return calls
}

// requireInvalid requires an error of OpenAI's with a status, a code and a parameter.
func requireInvalid(t testing.TB, err error, status int, code, parameter string) *openaisdk.Error {
	t.Helper()
	var failure *openaisdk.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, status, failure.StatusCode, failure.RawJSON())
	require.Equal(t, code, failure.Code, failure.RawJSON())
	require.Equal(t, parameter, failure.Param, failure.RawJSON())
	require.NotEmpty(t, failure.Message)
	return failure
}

func TestAResponseIsMadeReadAndListedByOpenAIsOwnSDK(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	for _, s := range spokenVendors() {
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			var raw *http.Response
			made, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: s.route, Input: said("Hello from Responses"), Instructions: openaisdk.String("Be brief."),
				Metadata: shared.Metadata{"purpose": "proof"}, MaxOutputTokens: openaisdk.Int(500),
			}, option.WithResponseInto(&raw))
			require.NoError(t, err)
			require.Contains(t, made.OutputText(), "You said: Hello from Responses")
			require.Equal(t, responses.ResponseStatusCompleted, made.Status)
			require.Equal(t, shared.Metadata{"purpose": "proof"}, made.Metadata)
			require.Equal(t, "Be brief.", made.Instructions.OfString)
			require.Positive(t, made.Usage.InputTokens)
			require.Positive(t, made.Usage.OutputTokens)
			require.Equal(t, made.Usage.InputTokens+made.Usage.OutputTokens, made.Usage.TotalTokens)
			found := holdfast.record(t, raw.Header.Get("X-Holdfast-Completion-Id"))
			require.Equal(t, "succeeded", found.State)
			require.Len(t, found.Attempts, 1, "%+v", found.Attempts)

			read, err := sdk.Responses.Get(t.Context(), made.ID, responses.ResponseGetParams{})
			require.NoError(t, err)
			require.JSONEq(t, made.RawJSON(), read.RawJSON())
			listed, err := sdk.Responses.InputItems.List(t.Context(), made.ID, responses.InputItemListParams{})
			require.NoError(t, err)
			require.Len(t, listed.Data, 1)
			require.Equal(t, "message Hello from Responses", describe(t, listed.Data[0].RawJSON()))
		})
	}
}

// A function is called and answered twice over: by an id, with all items sent back, and in a stream. Each vendor refuses pairs
// that are not whole.
func TestFunctionsGoRoundThroughResponses(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	for _, s := range spokenVendors() {
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			asked := responses.ResponseNewParams{
				Model: s.route, Tools: functions("weather", "traffic"), Input: items(userSaid("Please call the tools weather and traffic.")),
			}
			first, err := sdk.Responses.New(t.Context(), asked)
			require.NoError(t, err)
			calls := callsOf(first)
			require.Len(t, calls, 2)
			require.Equal(t, []string{"weather", "traffic"}, []string{calls[0].Name, calls[1].Name})
			require.NotEqual(t, calls[0].CallID, calls[1].CallID)
			require.Contains(t, calls[0].Arguments, "city")
			results := []responses.ResponseInputItemUnionParam{toolSaid(calls[0].CallID, "sunny"), toolSaid(calls[1].CallID, "dense")}

			followed, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: s.route, Tools: asked.Tools, PreviousResponseID: openaisdk.String(first.ID), Input: items(results...),
			})
			require.NoError(t, err)
			require.Contains(t, followed.OutputText(), "sunny")
			require.Contains(t, followed.OutputText(), "dense")

			whole := []responses.ResponseInputItemUnionParam{userSaid("Please call the tools weather and traffic.")}
			for _, item := range first.Output {
				whole = append(whole, asInput(item))
			}
			resent, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: s.route, Tools: asked.Tools, Input: items(append(whole, results...)...), Store: openaisdk.Bool(false),
			})
			require.NoError(t, err)
			require.Contains(t, resent.OutputText(), "sunny")

			// As @ai-sdk/openai does: what was stored is named by its id.
			named := []responses.ResponseInputItemUnionParam{userSaid("Please call the tools weather and traffic.")}
			for _, item := range first.Output {
				named = append(named, responses.ResponseInputItemParamOfItemReference(item.ID))
			}
			byName, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: s.route, Tools: asked.Tools, Input: items(append(named, results...)...),
			})
			require.NoError(t, err)
			require.Contains(t, byName.OutputText(), "sunny")

			streamed := newResponse(t, sdk, responses.ResponseNewParams{Model: s.route, Tools: asked.Tools, Input: said("Please call the tool weather.")})
			require.Len(t, callsOf(&streamed.final), 1)
			require.Equal(t, callsOf(&streamed.final)[0].Arguments, streamed.arguments)
			after := newResponse(t, sdk, responses.ResponseNewParams{
				Model: s.route, Tools: asked.Tools, PreviousResponseID: openaisdk.String(streamed.final.ID),
				Input: items(toolSaid(callsOf(&streamed.final)[0].CallID, "rainy")),
			})
			require.Contains(t, after.final.OutputText(), "rainy")
			requireNoRefusal(t, providers, s.model)
		})
	}
}

func TestAPictureAndAFileGoThroughResponses(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	for _, s := range spokenVendors() {
		if !s.sees {
			continue
		}
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			picture := responses.ResponseInputContentParamOfInputImage(responses.ResponseInputImageDetailLow)
			picture.OfInputImage.ImageURL = openaisdk.String("data:image/png;base64," + tinyPNG)
			content := responses.ResponseInputMessageContentListParam{responses.ResponseInputContentParamOfInputText("What is this?"), picture}
			if s.reads {
				content = append(content, responses.ResponseInputContentUnionParam{OfInputFile: &responses.ResponseInputFileParam{
					Filename: openaisdk.String("paper.pdf"), FileData: openaisdk.String("data:application/pdf;base64," + tinyPDF),
				}})
			}
			made, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: s.route, Input: items(responses.ResponseInputItemParamOfMessage(content, responses.EasyInputMessageRoleUser)),
			})
			require.NoError(t, err)
			require.Contains(t, made.OutputText(), "You said: What is this?")
			require.Contains(t, providers.lastBody(t, s.vendor, s.model), tinyPNG)

			next, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: s.route, PreviousResponseID: openaisdk.String(made.ID), Input: said("And now?"),
			})
			require.NoError(t, err)
			require.Contains(t, next.OutputText(), "And now?")
			listed, err := sdk.Responses.InputItems.List(t.Context(), made.ID, responses.InputItemListParams{})
			require.NoError(t, err)
			require.Contains(t, listed.Data[0].RawJSON(), tinyPNG)
		})
	}
}

// tinyPDF is a PDF of one empty page, as far as anybody here reads it.
const tinyPDF = "JVBERi0xLjEKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqIDIgMCBvYmo8PC9UeXBlL1BhZ2VzL0tpZHNbMyAwIFJdL0NvdW50IDE+PmVuZG9iaiAzIDAgb2JqPDwvVHlwZS9QYWdlL1BhcmVudCAyIDAgUj4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4KJSVFT0YK"

func TestAResponseByASchema(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	schema := citySchema()
	schema["additionalProperties"] = false
	for _, s := range spokenVendors() {
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			params := responses.ResponseNewParams{
				Model: s.route, Input: said("A city."),
				Text: responses.ResponseTextConfigParam{Format: responses.ResponseFormatTextConfigUnionParam{
					OfJSONSchema: &responses.ResponseFormatTextJSONSchemaConfigParam{Name: "place", Schema: schema, Strict: openaisdk.Bool(true)},
				}},
			}
			made, err := sdk.Responses.New(t.Context(), params)
			require.NoError(t, err)
			var place struct{ City *string }
			require.NoError(t, json.Unmarshal([]byte(made.OutputText()), &place), made.OutputText())
			require.NotNil(t, place.City)
			require.Equal(t, "place", made.Text.Format.Name)
			require.JSONEq(t, made.OutputText(), newResponse(t, sdk, params).text)
		})
	}
}

// What a model thought comes back to it through a client that keeps everything itself: encrypted, and only for its own vendor.
func TestThoughtsGoThroughAClientThatStoresNothing(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	for _, s := range spokenVendors() {
		if !s.thinks {
			continue
		}
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			params := responses.ResponseNewParams{
				Model: s.route, Store: openaisdk.Bool(false), Tools: functions("weather"),
				Include:   []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent},
				Reasoning: shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto},
			}
			for _, stream := range []bool{false, true} {
				history := []responses.ResponseInputItemUnionParam{userSaid("Please call the tool weather.")}
				ask := func() responses.Response {
					params.Input = items(history...)
					if stream {
						return newResponse(t, sdk, params).final
					}
					made, err := sdk.Responses.New(t.Context(), params)
					require.NoError(t, err)
					return *made
				}
				asked := ask()
				calls := callsOf(&asked)
				require.Len(t, calls, 1)
				var sealed, shown int
				for _, item := range asked.Output {
					if item.Type == "reasoning" {
						if item.EncryptedContent != "" {
							sealed++
						}
						shown += len(item.Summary)
					}
					history = append(history, asInput(item))
				}
				require.Positive(t, sealed, "nothing to take along: %s", asked.RawJSON())
				require.Positive(t, shown, "no thought is shown")
				history = append(history, toolSaid(calls[0].CallID, "sunny"))
				answered := ask()
				require.Contains(t, answered.OutputText(), "sunny")
				opaque := map[simulator.Vendor]string{
					simulator.OpenAI: "encrypted_content", simulator.Anthropic: "signature", simulator.Gemini: "thoughtSignature", simulator.VertexAI: "thoughtSignature",
					simulator.Bedrock: "signature",
				}[s.vendor]
				require.Contains(t, providers.lastBody(t, s.vendor, s.model), opaque, "its own thoughts are brought back to it")
			}
		})
	}
}

func TestAResponseInTheBackground(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-response-background"}, Latency: 2 * time.Second})
	made, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "response-background", Input: said("Take your time"), Background: openaisdk.Bool(true)})
	require.NoError(t, err)
	require.Contains(t, []responses.ResponseStatus{responses.ResponseStatusQueued, responses.ResponseStatusInProgress}, made.Status)
	require.True(t, made.Background)
	require.Empty(t, made.Output)
	var read *responses.Response
	require.Eventually(t, func() bool {
		read, err = sdk.Responses.Get(t.Context(), made.ID, responses.ResponseGetParams{})
		require.NoError(t, err)
		return read.Status == responses.ResponseStatusCompleted
	}, soon, tick)
	require.Equal(t, "[openai/gpt-response-background] You said: Take your time", read.OutputText())
	require.True(t, read.Background)
	next, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "spoken-gemini", PreviousResponseID: openaisdk.String(made.ID), Input: said("Go on")})
	require.NoError(t, err)
	require.Contains(t, next.OutputText(), "You said: Go on")
}

func TestASlowResponseIsCancelled(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-response-slow"}, Hang: true})
	made, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "response-slow", Input: said("cancel this response"), Background: openaisdk.Bool(true)})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return providers.asked("cancel this response") }, soon, tick)
	cancelled, err := sdk.Responses.Cancel(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, made.ID, cancelled.ID)
	require.Equal(t, responses.ResponseStatusCancelled, cancelled.Status)
	require.Eventually(t, func() bool { return providers.lastDone(simulator.OpenAI, "gpt-response-slow") }, 2*time.Second, 10*time.Millisecond)
	read, err := sdk.Responses.Get(t.Context(), made.ID, responses.ResponseGetParams{})
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusCancelled, read.Status)
	again, err := sdk.Responses.Cancel(t.Context(), made.ID)
	require.NoError(t, err, "cancelling twice is cancelling")
	require.Equal(t, responses.ResponseStatusCancelled, again.Status)
}

func TestInputTokensAreCounted(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	count := func(route, text, previous string) int64 {
		params := responses.InputTokenCountParams{Model: openaisdk.String(route), Input: responses.InputTokenCountParamsInputUnion{OfString: openaisdk.String(text)}}
		if previous != "" {
			params.PreviousResponseID = openaisdk.String(previous)
		}
		counted, err := sdk.Responses.InputTokens.Count(t.Context(), params)
		require.NoError(t, err, route)
		return counted.InputTokens
	}
	for _, s := range spokenVendors() {
		short, longer := count(s.route, "Hello", ""), count(s.route, strings.Repeat("Hello, I have more to say. ", 50), "")
		require.Positive(t, short, s.route)
		require.Greater(t, longer, short+200, s.route)
	}
	made, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "spoken-openai", Input: said(strings.Repeat("What was said counts too. ", 50))})
	require.NoError(t, err)
	require.Greater(t, count("spoken-openai", "Hello", made.ID), int64(200))
	conversation := holdfast.newConversation(t)
	_, err = sdk.Responses.New(t.Context(), responses.ResponseNewParams{
		Model: "spoken-openai", Input: said(strings.Repeat("So does a conversation. ", 50)), Conversation: responses.ResponseNewParamsConversationUnion{OfString: openaisdk.String(conversation)},
	})
	require.NoError(t, err)
	counted, err := sdk.Responses.InputTokens.Count(t.Context(), responses.InputTokenCountParams{
		Model: openaisdk.String("spoken-openai"), Input: responses.InputTokenCountParamsInputUnion{OfString: openaisdk.String("Hello")},
		Conversation: responses.InputTokenCountParamsConversationUnion{OfString: openaisdk.String(conversation)},
	})
	require.NoError(t, err)
	require.Greater(t, counted.InputTokens, int64(200))
	_, err = sdk.Responses.InputTokens.Count(t.Context(), responses.InputTokenCountParams{
		Model: openaisdk.String("spoken-openai"), PreviousResponseID: openaisdk.String("resp_0123456789abcdef"), Input: responses.InputTokenCountParamsInputUnion{OfString: openaisdk.String("Hello")},
	})
	requireInvalid(t, err, http.StatusBadRequest, "previous_response_not_found", "previous_response_id")
}

func TestAResponsesErrorsAreRead(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	hello := said("Hello")
	for name, test := range map[string]struct {
		params      responses.ResponseNewParams
		status      int
		code, param string
		says        string
	}{
		"an unknown model":     {responses.ResponseNewParams{Model: "no-such", Input: hello}, http.StatusNotFound, "model_not_found", "model", "no-such"},
		"an unknown response":  {responses.ResponseNewParams{Model: "spoken-openai", Input: hello, PreviousResponseID: openaisdk.String("resp_0123456789abcdef")}, http.StatusBadRequest, "previous_response_not_found", "previous_response_id", "resp_0123456789abcdef"},
		"no response's id":     {responses.ResponseNewParams{Model: "spoken-openai", Input: hello, PreviousResponseID: openaisdk.String("hello")}, http.StatusBadRequest, "previous_response_not_found", "previous_response_id", "hello"},
		"an unknown item":      {responses.ResponseNewParams{Model: "spoken-openai", Input: items(responses.ResponseInputItemParamOfItemReference("msg_0123"))}, http.StatusBadRequest, "item_not_found", "input", "msg_0123"},
		"a temperature":        {responses.ResponseNewParams{Model: "spoken-openai", Input: hello, Temperature: openaisdk.Float(3)}, http.StatusBadRequest, "invalid_value", "temperature", "temperature"},
		"both ways to go on":   {responses.ResponseNewParams{Model: "spoken-openai", Input: hello, PreviousResponseID: openaisdk.String("resp_1"), Conversation: responses.ResponseNewParamsConversationUnion{OfString: openaisdk.String("conv_1")}}, http.StatusBadRequest, "mutually_exclusive_parameters", "conversation", "conversation"},
		"a search":             {responses.ResponseNewParams{Model: "spoken-openai", Input: hello, Tools: []responses.ToolUnionParam{responses.ToolParamOfWebSearch(responses.WebSearchToolTypeWebSearch)}}, http.StatusBadRequest, "unsupported_value", "tools[0].type", "web_search"},
		"files":                {responses.ResponseNewParams{Model: "spoken-openai", Input: hello, Tools: []responses.ToolUnionParam{responses.ToolParamOfFileSearch([]string{"vs_1"})}}, http.StatusBadRequest, "unsupported_value", "tools[0].type", "file_search"},
		"background, not kept": {responses.ResponseNewParams{Model: "spoken-openai", Input: hello, Background: openaisdk.Bool(true), Store: openaisdk.Bool(false)}, http.StatusBadRequest, "invalid_value", "background", "store"},
		"nothing said":         {responses.ResponseNewParams{Model: "spoken-openai"}, http.StatusBadRequest, "missing_required_parameter", "input", "input"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sdk.Responses.New(t.Context(), test.params)
			failure := requireInvalid(t, err, test.status, test.code, test.param)
			require.Contains(t, failure.Message, test.says)
			require.Equal(t, "invalid_request_error", failure.Type)
			stream := sdk.Responses.NewStreaming(t.Context(), test.params)
			require.False(t, stream.Next(), "an error before anything was said has its own status")
			requireInvalid(t, stream.Err(), test.status, test.code, test.param)
		})
	}
	for name, id := range map[string]string{"unknown": "resp_0123456789abcdef", "no id": "hello"} {
		_, err := sdk.Responses.Get(t.Context(), id, responses.ResponseGetParams{})
		require.Equal(t, http.StatusNotFound, statusOf(t, err), name)
		_, err = sdk.Responses.Cancel(t.Context(), id)
		require.Equal(t, http.StatusNotFound, statusOf(t, err), name)
	}
}

func TestAKeyGivesTheSameResponseAgain(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	params := responses.ResponseNewParams{Model: "response-once", Input: said("once")}
	first, err := sdk.Responses.New(t.Context(), params, option.WithHeader("Idempotency-Key", "response-once"))
	require.NoError(t, err)
	again, err := sdk.Responses.New(t.Context(), params, option.WithHeader("Idempotency-Key", "response-once"))
	require.NoError(t, err)
	require.JSONEq(t, first.RawJSON(), again.RawJSON())
	streamed := newResponse(t, sdk, responses.ResponseNewParams{Model: "response-once", Input: said("streamed once")}, option.WithHeader("Idempotency-Key", "response-twice"))
	repeated := newResponse(t, sdk, responses.ResponseNewParams{Model: "response-once", Input: said("streamed once")}, option.WithHeader("Idempotency-Key", "response-twice"))
	require.JSONEq(t, streamed.final.RawJSON(), repeated.final.RawJSON())
	require.Equal(t, 2, providers.ofModel(simulator.OpenAI, "gpt-response-once"), "the key did not keep the call from being repeated")
	params.Input = said("something else")
	_, err = sdk.Responses.New(t.Context(), params, option.WithHeader("Idempotency-Key", "response-once"))
	require.Error(t, err, "a key belongs to one request")
}
