package simulator_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

var weatherSchema = map[string]any{
	"type":       "object",
	"properties": map[string]any{"city": map[string]any{"type": "string"}, "days": map[string]any{"type": "integer"}},
	"required":   []string{"city", "days"},
}

func openAITool(name string) openaisdk.ChatCompletionToolUnionParam {
	return openaisdk.ChatCompletionFunctionTool(openaisdk.FunctionDefinitionParam{Name: name, Parameters: weatherSchema})
}

func TestOpenAISDKReadsATextAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	var raw *http.Response
	completion, err := w.openai.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
		Model: "gpt-4.1",
		Messages: []openaisdk.ChatCompletionMessageParamUnion{
			openaisdk.SystemMessage("Be brief."), openaisdk.UserMessage("hello there"),
		},
	}, openaioption.WithResponseInto(&raw))
	require.NoError(t, err)
	require.Regexp(t, `^chatcmpl-[0-9A-Za-z]{29}$`, completion.ID)
	require.Equal(t, "gpt-4.1", completion.Model)
	require.Equal(t, "[openai/gpt-4.1] You said: hello there", completion.Choices[0].Message.Content)
	require.Equal(t, "stop", completion.Choices[0].FinishReason)
	require.Equal(t, "null", completion.Choices[0].JSON.Logprobs.Raw())
	require.InDelta(t, time.Now().Unix(), completion.Created, 60)
	require.Positive(t, completion.Usage.PromptTokens)
	require.Positive(t, completion.Usage.CompletionTokens)
	require.Equal(t, completion.Usage.PromptTokens+completion.Usage.CompletionTokens, completion.Usage.TotalTokens)
	require.Regexp(t, `^req_[0-9a-f]{32}$`, raw.Header.Get("x-request-id"))
	require.NotEmpty(t, raw.Header.Get("openai-processing-ms"))
	for _, name := range []string{"limit", "remaining", "reset"} {
		require.NotEmpty(t, raw.Header.Get("x-ratelimit-"+name+"-requests"))
		require.NotEmpty(t, raw.Header.Get("x-ratelimit-"+name+"-tokens"))
	}
}

func TestOpenAISDKToolRoundTrip(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	params := openaisdk.ChatCompletionNewParams{
		Model:    "gpt-4.1",
		Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("Call the tools get_weather and get_time!")},
		Tools:    []openaisdk.ChatCompletionToolUnionParam{openAITool("get_time"), openAITool("get_weather")},
	}
	first, err := w.openai.Chat.Completions.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, "tool_calls", first.Choices[0].FinishReason)
	calls := first.Choices[0].Message.ToolCalls
	require.Len(t, calls, 2)
	require.Equal(t, "get_weather", calls[0].Function.Name)
	require.Equal(t, "get_time", calls[1].Function.Name)
	require.Regexp(t, `^call_[0-9A-Za-z]{24}$`, calls[0].ID)
	require.NotEqual(t, calls[0].ID, calls[1].ID)
	require.JSONEq(t, `{"city":"Paris","days":1}`, calls[0].Function.Arguments)

	params.Messages = append(params.Messages, first.Choices[0].Message.ToParam(),
		openaisdk.ToolMessage("sunny", calls[0].ID), openaisdk.ToolMessage("noon", calls[1].ID))
	second, err := w.openai.Chat.Completions.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, "[openai/gpt-4.1] The tool answered: sunny; noon", second.Choices[0].Message.Content)
}

func TestOpenAIToolChoiceAndLimits(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	ask := func(change func(*openaisdk.ChatCompletionNewParams)) *openaisdk.ChatCompletion {
		params := openaisdk.ChatCompletionNewParams{
			Model:    "gpt-4.1",
			Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("one two three four five six seven")},
			Tools:    []openaisdk.ChatCompletionToolUnionParam{openAITool("a"), openAITool("b")},
		}
		change(&params)
		completion, err := w.openai.Chat.Completions.New(t.Context(), params)
		require.NoError(t, err)
		return completion
	}
	forced := ask(func(p *openaisdk.ChatCompletionNewParams) {
		p.ToolChoice = openaisdk.ToolChoiceOptionFunctionToolChoice(openaisdk.ChatCompletionNamedToolChoiceFunctionParam{Name: "b"})
	})
	require.Equal(t, "b", forced.Choices[0].Message.ToolCalls[0].Function.Name)

	cut := ask(func(p *openaisdk.ChatCompletionNewParams) { p.MaxCompletionTokens = openaisdk.Int(3) })
	require.Equal(t, "length", cut.Choices[0].FinishReason)
	require.Equal(t, int64(3), cut.Usage.CompletionTokens)
	require.Len(t, cut.Choices[0].Message.Content, 12)

	stopped := ask(func(p *openaisdk.ChatCompletionNewParams) {
		p.Stop = openaisdk.ChatCompletionNewParamsStopUnion{OfStringArray: []string{" four"}}
	})
	require.Equal(t, "stop", stopped.Choices[0].FinishReason)
	require.Equal(t, "[openai/gpt-4.1] You said: one two three", stopped.Choices[0].Message.Content)

	single := ask(func(p *openaisdk.ChatCompletionNewParams) {
		p.Messages = []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("call the tool a in parallel")}
		p.ParallelToolCalls = openaisdk.Bool(false)
	})
	require.Len(t, single.Choices[0].Message.ToolCalls, 1)
}

func TestOpenAISDKListsModels(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{Models: map[simulator.Vendor][]string{simulator.OpenAI: {"gpt-x", "gpt-y"}}})
	page, err := w.openai.Models.List(t.Context())
	require.NoError(t, err)
	require.Len(t, page.Data, 2)
	require.Equal(t, "gpt-x", page.Data[0].ID)
	require.Equal(t, simulator.OperationListModels, w.sim.Calls(simulator.OpenAI)[0].Operation)
	require.Empty(t, w.sim.Completions(simulator.OpenAI))
}

func TestOpenAISDKReadsEachError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		fault      simulator.Fault
		status     int
		kind, code string
	}{
		{"bad request", simulator.Fault{Status: 400}, 400, "invalid_request_error", ""},
		{"bad key", simulator.Fault{Status: 401}, 401, "invalid_request_error", "invalid_api_key"},
		{"region", simulator.Fault{Status: 403}, 403, "request_forbidden", "unsupported_country_region_territory"},
		{"no model", simulator.Fault{Status: 404}, 404, "invalid_request_error", "model_not_found"},
		{"rate limit", simulator.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}, 429, "requests", "rate_limit_exceeded"},
		{"no quota", simulator.Fault{Code: "insufficient_quota"}, 429, "insufficient_quota", "insufficient_quota"},
		{"context", simulator.Fault{Code: "context_length_exceeded"}, 400, "invalid_request_error", "context_length_exceeded"},
		{"own code", simulator.Fault{Status: 429, Code: "slow_down"}, 429, "requests", "slow_down"},
		{"own type", simulator.Fault{Status: 418, Type: "teapot", Code: "tea"}, 418, "teapot", "tea"},
		{"server error", simulator.Fault{Status: 500}, 500, "server_error", ""},
		{"bad gateway", simulator.Fault{Status: 502}, 502, "cf_bad_gateway", "502"},
		{"overloaded", simulator.Fault{Code: "overloaded"}, 503, "service_unavailable_error", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, simulator.Options{})
			w.sim.SetFault(simulator.OpenAI, test.fault)
			_, err := w.openai.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
				Model: "gpt-4.1", Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("hi")},
			})
			var apiError *openaisdk.Error
			require.True(t, errors.As(err, &apiError), "%v", err)
			require.Equal(t, test.status, apiError.StatusCode)
			require.Equal(t, test.kind, apiError.Type)
			require.Equal(t, test.code, apiError.Code)
			require.NotEmpty(t, apiError.Message)
			require.NotEmpty(t, apiError.Response.Header.Get("x-request-id"))
			if test.fault.RetryAfter > 0 {
				require.Equal(t, "2", apiError.Response.Header.Get("Retry-After"))
				require.Equal(t, "1500", apiError.Response.Header.Get("Retry-After-Ms"))
				require.Equal(t, "0", apiError.Response.Header.Get("x-ratelimit-remaining-requests"))
			} else {
				require.Empty(t, apiError.Response.Header.Get("Retry-After"))
			}
			var body map[string]map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte("{\"error\":"+apiError.RawJSON()+"}"), &body))
			require.Contains(t, body["error"], "param")
		})
	}
}
