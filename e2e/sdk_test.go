package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

func TestOpenAIsOwnSDKWorks(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	sdk := openaisdk.NewClient(option.WithBaseURL(holdfast.at.API+"/v1"), option.WithAPIKey(holdfast.token), option.WithMaxRetries(0))

	var raw *http.Response
	params := openaisdk.ChatCompletionNewParams{
		Model: "sdk", Messages: []openaisdk.ChatCompletionMessageParamUnion{
			openaisdk.SystemMessage("Be brief."), openaisdk.UserMessage("Hello from the SDK"),
		},
	}
	once := option.WithHeader("Idempotency-Key", "sdk-1")
	answer, err := sdk.Chat.Completions.New(t.Context(), params, once, option.WithResponseInto(&raw))
	require.NoError(t, err)
	require.Len(t, answer.Choices, 1)
	require.Equal(t, "[openai/gpt-sdk] You said: Hello from the SDK", answer.Choices[0].Message.Content)
	require.Equal(t, "stop", answer.Choices[0].FinishReason)
	require.Equal(t, raw.Header.Get("X-Holdfast-Completion-Id"), answer.ID)
	require.Positive(t, answer.Usage.TotalTokens)

	again, err := sdk.Chat.Completions.New(t.Context(), params, once)
	require.NoError(t, err)
	require.Equal(t, answer.RawJSON(), again.RawJSON())
	require.Equal(t, 1, providers.ofModel(simulator.OpenAI, "gpt-sdk"), "the key did not keep the call from being repeated")

	models, err := sdk.Models.List(t.Context())
	require.NoError(t, err)
	var names []string
	for _, model := range models.Data {
		names = append(names, model.ID)
	}
	require.Subset(t, names, []string{"sdk", "sdk-claude", "failing"})
	one, err := sdk.Models.Get(t.Context(), "sdk")
	require.NoError(t, err)
	require.Equal(t, "sdk", one.ID)
}

func TestOpenAIsOwnSDKReadsOurErrors(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := standing.use(t)
	hello := []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("Hello")}
	for name, test := range map[string]struct {
		token  string
		params openaisdk.ChatCompletionNewParams
		status int
		code   string
		param  string
	}{
		"bad request":   {params: openaisdk.ChatCompletionNewParams{Model: "sdk", Messages: hello, Temperature: openaisdk.Float(9)}, status: http.StatusBadRequest, param: "temperature"},
		"unknown model": {params: openaisdk.ChatCompletionNewParams{Model: "no-such", Messages: hello}, status: http.StatusNotFound, code: "model_not_found", param: "model"},
		"wrong token":   {token: "hf_wrong", params: openaisdk.ChatCompletionNewParams{Model: "sdk", Messages: hello}, status: http.StatusUnauthorized, code: "invalid_api_key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := test.token
			if token == "" {
				token = holdfast.token
			}
			sdk := openaisdk.NewClient(option.WithBaseURL(holdfast.at.API+"/v1"), option.WithAPIKey(token), option.WithMaxRetries(0))
			_, err := sdk.Chat.Completions.New(t.Context(), test.params)
			var failure *openaisdk.Error
			require.ErrorAs(t, err, &failure)
			require.Equal(t, test.status, failure.StatusCode)
			require.Equal(t, "invalid_request_error", failure.Type)
			require.Equal(t, test.param, failure.Param)
			require.NotEmpty(t, failure.Message)
			require.NotEmpty(t, failure.Code)
			if test.code != "" {
				require.Equal(t, test.code, failure.Code)
			}
		})
	}
}

func TestToolsGoRoundThroughOpenAIsOwnSDK(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := standing.use(t)
	sdk := openaisdk.NewClient(option.WithBaseURL(holdfast.at.API+"/v1"), option.WithAPIKey(holdfast.token), option.WithMaxRetries(0))
	for _, route := range []string{"sdk", "sdk-claude"} {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			params := openaisdk.ChatCompletionNewParams{
				Model:    route,
				Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("Please call the tool weather.")},
				Tools: []openaisdk.ChatCompletionToolUnionParam{openaisdk.ChatCompletionFunctionTool(openaisdk.FunctionDefinitionParam{
					Name: "weather", Description: openaisdk.String("The weather of a city."),
					Parameters: openaisdk.FunctionParameters{
						"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"},
					},
				})},
			}
			asked, err := sdk.Chat.Completions.New(t.Context(), params)
			require.NoError(t, err)
			require.Equal(t, "tool_calls", asked.Choices[0].FinishReason)
			require.Len(t, asked.Choices[0].Message.ToolCalls, 1)
			call := asked.Choices[0].Message.ToolCalls[0]
			require.Equal(t, "weather", call.Function.Name)
			var arguments struct{ City *string }
			require.NoError(t, json.Unmarshal([]byte(call.Function.Arguments), &arguments))
			require.NotNil(t, arguments.City)

			params.Messages = append(params.Messages, asked.Choices[0].Message.ToParam(), openaisdk.ToolMessage("sunny", call.ID))
			answered, err := sdk.Chat.Completions.New(t.Context(), params)
			require.NoError(t, err)
			require.Equal(t, "stop", answered.Choices[0].FinishReason)
			require.Contains(t, answered.Choices[0].Message.Content, "The tool answered: sunny")
		})
	}
}

// TestAConversationKeepsItsToolCallsAcrossProviders asks for a tool on one provider and brings the result to another, which
// refuses what its vendor would refuse: the client sends the new messages only.
func TestAConversationKeepsItsToolCallsAcrossProviders(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := standing.use(t)
	sdk := openaisdk.NewClient(option.WithBaseURL(holdfast.at.API+"/v1"), option.WithAPIKey(holdfast.token), option.WithMaxRetries(0))
	tools := []openaisdk.ChatCompletionToolUnionParam{openaisdk.ChatCompletionFunctionTool(openaisdk.FunctionDefinitionParam{
		Name: "weather", Parameters: openaisdk.FunctionParameters{
			"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"},
		},
	})}
	routes := []string{"sdk", "sdk-claude", "sdk-gemini"}
	for _, from := range routes {
		for _, to := range routes {
			if from == to {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				conversation := holdfast.newConversation(t)
				turn := func(route string, message openaisdk.ChatCompletionMessageParamUnion) openaisdk.ChatCompletionMessage {
					answer, err := sdk.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
						Model: route, Tools: tools, Messages: []openaisdk.ChatCompletionMessageParamUnion{message},
					}, option.WithJSONSet("conversation", conversation))
					require.NoError(t, err)
					return answer.Choices[0].Message
				}
				asked := turn(from, openaisdk.UserMessage("Please call the tool weather."))
				require.Len(t, asked.ToolCalls, 1)
				answered := turn(to, openaisdk.ToolMessage("sunny", asked.ToolCalls[0].ID))
				require.Contains(t, answered.Content, "sunny")
				require.Contains(t, turn(from, openaisdk.UserMessage("Thank you.")).Content, "You said: Thank you.")
			})
		}
	}
}
