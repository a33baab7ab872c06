package simulator_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

func anthropicTool(name string) anthropicsdk.ToolUnionParam {
	return anthropicsdk.ToolUnionParam{OfTool: &anthropicsdk.ToolParam{
		Name: name,
		InputSchema: anthropicsdk.ToolInputSchemaParam{
			Properties: weatherSchema["properties"], Required: []string{"city", "days"},
		},
	}}
}

func TestAnthropicSDKReadsATextAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	var raw *http.Response
	message, err := w.anthropic.Messages.New(t.Context(), anthropicsdk.MessageNewParams{
		Model: "claude-sonnet-5", MaxTokens: 1024,
		System:   []anthropicsdk.TextBlockParam{{Text: "Be brief."}},
		Messages: []anthropicsdk.MessageParam{anthropicsdk.NewUserMessage(anthropicsdk.NewTextBlock("hello there"))},
	}, anthropicoption.WithResponseInto(&raw))
	require.NoError(t, err)
	require.Regexp(t, `^msg_01[0-9A-Za-z]{22}$`, message.ID)
	require.Equal(t, anthropicsdk.Model("claude-sonnet-5"), message.Model)
	require.Len(t, message.Content, 1)
	require.Equal(t, "[anthropic/claude-sonnet-5] You said: hello there", message.Content[0].Text)
	require.Equal(t, anthropicsdk.StopReasonEndTurn, message.StopReason)
	require.Positive(t, message.Usage.InputTokens)
	require.Positive(t, message.Usage.OutputTokens)
	require.Regexp(t, `^req_011C[0-9A-Za-z]{20}$`, raw.Header.Get("request-id"))
	for _, kind := range []string{"requests", "tokens", "input-tokens", "output-tokens"} {
		for _, name := range []string{"limit", "remaining", "reset"} {
			require.NotEmpty(t, raw.Header.Get("anthropic-ratelimit-"+kind+"-"+name))
		}
	}
}

func TestAnthropicSDKToolRoundTrip(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	params := anthropicsdk.MessageNewParams{
		Model: "claude-sonnet-5", MaxTokens: 1024,
		Messages: []anthropicsdk.MessageParam{
			anthropicsdk.NewUserMessage(anthropicsdk.NewTextBlock("Please call the tool get_weather in parallel.")),
		},
		Tools: []anthropicsdk.ToolUnionParam{anthropicTool("get_weather")},
	}
	first, err := w.anthropic.Messages.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, anthropicsdk.StopReasonToolUse, first.StopReason)
	require.Len(t, first.Content, 2)
	require.Regexp(t, `^toolu_01[0-9A-Za-z]{22}$`, first.Content[0].ID)
	require.Equal(t, "get_weather", first.Content[0].Name)
	require.JSONEq(t, `{"city":"Paris","days":1}`, string(first.Content[0].Input))

	params.Messages = append(params.Messages, first.ToParam(), anthropicsdk.NewUserMessage(
		anthropicsdk.NewToolResultBlock(first.Content[0].ID, "sunny", false),
		anthropicsdk.NewToolResultBlock(first.Content[1].ID, "rain", true),
	))
	second, err := w.anthropic.Messages.New(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, "[anthropic/claude-sonnet-5] The tool answered: sunny; rain", second.Content[0].Text)
}

func TestAnthropicToolChoiceAndLimits(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	ask := func(change func(*anthropicsdk.MessageNewParams)) *anthropicsdk.Message {
		params := anthropicsdk.MessageNewParams{
			Model: "claude-sonnet-5", MaxTokens: 1024,
			Messages: []anthropicsdk.MessageParam{
				anthropicsdk.NewUserMessage(anthropicsdk.NewTextBlock("one two three four five six")),
			},
			Tools: []anthropicsdk.ToolUnionParam{anthropicTool("a"), anthropicTool("b")},
		}
		change(&params)
		message, err := w.anthropic.Messages.New(t.Context(), params)
		require.NoError(t, err)
		return message
	}
	forced := ask(func(p *anthropicsdk.MessageNewParams) { p.ToolChoice = anthropicsdk.ToolChoiceParamOfTool("b") })
	require.Equal(t, "b", forced.Content[0].Name)

	cut := ask(func(p *anthropicsdk.MessageNewParams) { p.MaxTokens = 3 })
	require.Equal(t, anthropicsdk.StopReasonMaxTokens, cut.StopReason)
	require.Equal(t, int64(3), cut.Usage.OutputTokens)

	stopped := ask(func(p *anthropicsdk.MessageNewParams) { p.StopSequences = []string{" three"} })
	require.Equal(t, anthropicsdk.StopReasonStopSequence, stopped.StopReason)
	require.Equal(t, " three", stopped.StopSequence)
	require.Equal(t, "[anthropic/claude-sonnet-5] You said: one two", stopped.Content[0].Text)
}

func TestAnthropicSDKListsModels(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{Models: map[simulator.Vendor][]string{simulator.Anthropic: {"claude-x"}}})
	page, err := w.anthropic.Models.List(t.Context(), anthropicsdk.ModelListParams{})
	require.NoError(t, err)
	require.Len(t, page.Data, 1)
	require.Equal(t, "claude-x", page.Data[0].ID)
	require.False(t, page.HasMore)
}

func TestAnthropicSDKReadsEachError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		fault   simulator.Fault
		status  int
		kind    string
		message string
	}{
		{"bad request", simulator.Fault{Status: 400}, 400, "invalid_request_error", ""},
		{"bad key", simulator.Fault{Code: "invalid_api_key"}, 401, "authentication_error", "invalid x-api-key"},
		{"billing", simulator.Fault{Status: 402}, 402, "billing_error", ""},
		{"permission", simulator.Fault{Status: 403}, 403, "permission_error", ""},
		{"no model", simulator.Fault{Status: 404}, 404, "not_found_error", "model: claude-sonnet-5"},
		{"too large", simulator.Fault{Status: 413}, 413, "request_too_large", ""},
		{"rate limit", simulator.Fault{Status: 429, RetryAfter: 20 * time.Second}, 429, "rate_limit_error", ""},
		{"spend", simulator.Fault{Status: 429, Code: "enforced_spend_limit_reached"}, 429, "rate_limit_error", "enforced_spend"},
		{"no quota", simulator.Fault{Code: "insufficient_quota"}, 400, "invalid_request_error", "credit balance is too low"},
		{"context", simulator.Fault{Code: "context_length_exceeded"}, 400, "invalid_request_error", "prompt is too long"},
		{"content", simulator.Fault{Code: "content_policy_violation"}, 400, "invalid_request_error", "content filtering policy"},
		{"own words", simulator.Fault{Status: 400, Message: "no such luck"}, 400, "invalid_request_error", "no such luck"},
		{"server error", simulator.Fault{Status: 500}, 500, "api_error", ""},
		{"timeout", simulator.Fault{Status: 504}, 504, "timeout_error", ""},
		{"overloaded", simulator.Fault{Code: "overloaded"}, 529, "overloaded_error", "Overloaded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, simulator.Options{})
			w.sim.SetFault(simulator.Anthropic, test.fault)
			_, err := w.anthropic.Messages.New(t.Context(), anthropicsdk.MessageNewParams{
				Model: "claude-sonnet-5", MaxTokens: 10,
				Messages: []anthropicsdk.MessageParam{anthropicsdk.NewUserMessage(anthropicsdk.NewTextBlock("hi"))},
			})
			var apiError *anthropicsdk.Error
			require.True(t, errors.As(err, &apiError), "%v", err)
			require.Equal(t, test.status, apiError.StatusCode)
			require.Equal(t, test.kind, string(apiError.Type()))
			require.Contains(t, apiError.RawJSON(), test.message)
			require.NotEmpty(t, apiError.RequestID)
			require.Contains(t, apiError.RawJSON(), apiError.RequestID)
			if test.fault.RetryAfter > 0 {
				require.Equal(t, "20", apiError.Response.Header.Get("Retry-After"))
				require.Equal(t, "0", apiError.Response.Header.Get("anthropic-ratelimit-requests-remaining"))
			} else {
				require.Empty(t, apiError.Response.Header.Get("Retry-After"))
			}
		})
	}
}
