package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// toolsOf declares tools that take a city, in the form of Messages.
func toolsOf(names ...string) []anthropicsdk.ToolUnionParam {
	tools := make([]anthropicsdk.ToolUnionParam, 0, len(names))
	for _, name := range names {
		tool := anthropicsdk.ToolUnionParamOfTool(anthropicsdk.ToolInputSchemaParam{
			Properties: map[string]any{"city": map[string]any{"type": "string"}}, Required: []string{"city"},
		}, name)
		tool.OfTool.Description = anthropicsdk.String("What there is in a city.")
		tools = append(tools, tool)
	}
	return tools
}

func userBlocks(blocks ...anthropicsdk.ContentBlockParamUnion) anthropicsdk.MessageParam {
	return anthropicsdk.NewUserMessage(blocks...)
}

// newMessage asks for a message, whole or streamed and put together by Anthropic's own SDK.
func newMessage(t testing.TB, sdk anthropicsdk.Client, params anthropicsdk.MessageNewParams, stream bool, opts ...anthropicoption.RequestOption) *anthropicsdk.Message {
	t.Helper()
	if !stream {
		message, err := sdk.Messages.New(within(t, late), params, opts...)
		require.NoError(t, err)
		return message
	}
	events := sdk.Messages.NewStreaming(within(t, late), params, opts...)
	var message anthropicsdk.Message
	var kinds []string
	open := int64(-1)
	for events.Next() {
		event := events.Current()
		require.NoError(t, message.Accumulate(event), "%s", event.RawJSON())
		kinds = append(kinds, event.Type)
		switch event.Type { // blocks come one after the other, numbered from 0
		case "content_block_start":
			require.EqualValues(t, len(message.Content)-1, event.Index)
			require.EqualValues(t, -1, open)
			open = event.Index
		case "content_block_delta":
			require.Equal(t, open, event.Index)
		case "content_block_stop":
			require.Equal(t, open, event.Index)
			open = -1
		}
	}
	require.NoError(t, events.Err())
	require.Equal(t, "message_start", kinds[0])
	require.Equal(t, []string{"message_delta", "message_stop"}, kinds[len(kinds)-2:])
	return &message
}

// eachWay runs a test for each vendor, with whole answers and with streamed ones.
func eachWay(t *testing.T, test func(t *testing.T, s spoken, stream bool)) {
	t.Helper()
	for _, s := range spokenVendors() {
		for _, stream := range []bool{false, true} {
			name := s.route
			if stream {
				name += ", streamed"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, s, stream)
			})
		}
	}
}

func TestAnthropicsOwnSDKSpeaksToEveryVendor(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.anthropic()
	eachWay(t, func(t *testing.T, s spoken, stream bool) {
		t.Helper()
		var raw *http.Response
		message := newMessage(t, sdk, anthropicsdk.MessageNewParams{
			Model: s.route, MaxTokens: 1000, Messages: []anthropicsdk.MessageParam{userBlocks(anthropicsdk.NewTextBlock("Hello from Messages"))},
			System: []anthropicsdk.TextBlockParam{
				{Text: "You are brief."}, {Text: strings.Repeat("Much to be kept. ", 40), CacheControl: anthropicsdk.NewCacheControlEphemeralParam()},
			},
			Metadata: anthropicsdk.MetadataParam{UserID: anthropicsdk.String("reader-1")}, StopSequences: []string{"never said"},
		}, stream, anthropicoption.WithResponseInto(&raw))
		require.Contains(t, messageText(message), "You said: Hello from Messages")
		require.Equal(t, anthropicsdk.StopReasonEndTurn, message.StopReason)
		require.EqualValues(t, "assistant", message.Role)
		require.EqualValues(t, "message", message.Type)
		require.True(t, strings.HasPrefix(message.ID, "msg_"), message.ID)
		require.Positive(t, message.Usage.InputTokens+message.Usage.CacheCreationInputTokens+message.Usage.CacheReadInputTokens)
		require.Positive(t, message.Usage.OutputTokens)
		found := holdfast.record(t, raw.Header.Get("X-Holdfast-Completion-Id"))
		require.Equal(t, "succeeded", found.State)
		require.Len(t, found.Attempts, 1, "%+v", found.Attempts)
	})
}

// As an agent does: the whole history each time, three questions, each with two calls at once and their results.
func TestAnAgentsToolsGoRoundThroughMessages(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.anthropic()
	eachWay(t, func(t *testing.T, s spoken, stream bool) {
		t.Helper()
		var history []anthropicsdk.MessageParam
		ask := func(blocks ...anthropicsdk.ContentBlockParamUnion) *anthropicsdk.Message {
			history = append(history, userBlocks(blocks...))
			message := newMessage(t, sdk, anthropicsdk.MessageNewParams{Model: s.route, MaxTokens: 1000, Messages: history, Tools: toolsOf("weather", "traffic")}, stream)
			history = append(history, message.ToParam())
			return message
		}
		for turn := range 3 {
			asked := ask(anthropicsdk.NewTextBlock(fmt.Sprintf("Turn %d: please call the tools weather and traffic.", turn)))
			require.Equal(t, anthropicsdk.StopReasonToolUse, asked.StopReason)
			uses := toolUses(asked)
			require.Len(t, uses, 2)
			require.Equal(t, []string{"weather", "traffic"}, []string{uses[0].Name, uses[1].Name})
			require.NotEqual(t, uses[0].ID, uses[1].ID)
			var input struct{ City *string }
			require.NoError(t, json.Unmarshal(uses[1].Input, &input), "%s", uses[1].Input)
			require.NotNil(t, input.City)
			answered := ask(anthropicsdk.NewToolResultBlock(uses[0].ID, fmt.Sprintf("sunny %d", turn), false), anthropicsdk.NewToolResultBlock(uses[1].ID, "none: an accident", true))
			require.Contains(t, messageText(answered), fmt.Sprintf("sunny %d", turn))
			require.Contains(t, messageText(answered), "an accident")
			require.Equal(t, anthropicsdk.StopReasonEndTurn, answered.StopReason)
		}
		require.Contains(t, messageText(ask(anthropicsdk.NewTextBlock("Thank you."))), "You said: Thank you.")
		requireNoRefusal(t, providers, s.model)
	})
}

// The rounds of a coding agent: one question, and then a call upon each result, with prompt caching where it does it: on the system
// prompt, on the last tool, and on the last block. Everything it gets it sends back, thoughts among it.
func TestACodingAgentMakesTenRounds(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.anthropic(anthropicoption.WithAuthToken(holdfast.token))
	eachWay(t, func(t *testing.T, s spoken, stream bool) {
		t.Helper()
		tools := toolsOf("Read", "Grep", "Bash")
		tools[2].OfTool.CacheControl = anthropicsdk.NewCacheControlEphemeralParam()
		params := anthropicsdk.MessageNewParams{
			Model: s.route, MaxTokens: 16000, Tools: tools, Metadata: anthropicsdk.MetadataParam{UserID: anthropicsdk.String("user_agent")},
			System: []anthropicsdk.TextBlockParam{{Text: "You are an agent."}, {Text: "You work on code.", CacheControl: anthropicsdk.NewCacheControlEphemeralParam()}},
			Messages: []anthropicsdk.MessageParam{userBlocks(
				anthropicsdk.NewTextBlock("<system-reminder>Be careful.</system-reminder>"), anthropicsdk.NewTextBlock("Please call the tool Read."),
			)},
		}
		if s.thinks {
			params.Thinking = anthropicsdk.ThinkingConfigParamOfEnabled(1024)
		}
		betas := anthropicoption.WithHeader("anthropic-beta", "fine-grained-tool-streaming-2025-05-14,interleaved-thinking-2025-05-14")
		seen := map[string]bool{}
		called := []string{"Read", "Grep", "Bash"}
		for round := range 10 {
			answer := newMessage(t, sdk, params, stream, betas)
			require.Equal(t, anthropicsdk.StopReasonToolUse, answer.StopReason)
			uses := toolUses(answer)
			require.Len(t, uses, 1, "round %d: %s", round, answer.RawJSON())
			require.Equal(t, called[round%3], uses[0].Name)
			require.False(t, seen[uses[0].ID], "an id is used twice")
			seen[uses[0].ID] = true
			next := called[(round+1)%3]
			if round == 9 {
				next = "none"
			}
			result := anthropicsdk.NewToolResultBlock(uses[0].ID, fmt.Sprintf("result of round %d, next tool: %s;", round, next), round == 4)
			result.OfToolResult.CacheControl = anthropicsdk.NewCacheControlEphemeralParam()
			for _, message := range params.Messages { // only the last block is marked
				for _, block := range message.Content {
					if block.OfToolResult != nil {
						block.OfToolResult.CacheControl = anthropicsdk.CacheControlEphemeralParam{}
					}
				}
			}
			params.Messages = append(params.Messages, answer.ToParam(), userBlocks(result))
		}
		answer := newMessage(t, sdk, params, stream, betas)
		require.Contains(t, messageText(answer), "result of round 9")
		require.Equal(t, anthropicsdk.StopReasonEndTurn, answer.StopReason)
		requireNoRefusal(t, providers, s.model)
	})
}

func TestPicturesAndDocumentsGoThroughMessages(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.anthropic()
	for _, s := range spokenVendors() {
		if !s.sees {
			continue
		}
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			blocks := []anthropicsdk.ContentBlockParamUnion{
				anthropicsdk.NewImageBlockBase64("image/png", tinyPNG),
				anthropicsdk.NewDocumentBlock(anthropicsdk.PlainTextSourceParam{Data: "A text that stands in a document."}),
			}
			if s.reads {
				blocks = append(blocks, anthropicsdk.NewDocumentBlock(anthropicsdk.Base64PDFSourceParam{Data: tinyPDF}))
			}
			text := "What are these, for " + s.route + "?"
			message := newMessage(t, sdk, anthropicsdk.MessageNewParams{
				Model: s.route, MaxTokens: 1000, Messages: []anthropicsdk.MessageParam{userBlocks(append(blocks, anthropicsdk.NewTextBlock(text))...)},
			}, false)
			require.Contains(t, messageText(message), "for "+s.route)
			var body string
			for _, call := range providers.Completions(s.vendor) {
				if strings.Contains(call.Text, text) {
					body = string(call.Body)
				}
			}
			require.Contains(t, body, tinyPNG)
			if s.reads {
				require.Contains(t, body, tinyPDF)
			}
		})
	}
}

// Thoughts come with what their vendor wants back, and go back to it with the result of a call.
func TestThoughtsGoRoundThroughMessages(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.anthropic()
	eachWay(t, func(t *testing.T, s spoken, stream bool) {
		t.Helper()
		if !s.thinks {
			return
		}
		marker := fmt.Sprintf("%s %v", s.route, stream)
		params := anthropicsdk.MessageNewParams{
			Model: s.route, MaxTokens: 8000, Thinking: anthropicsdk.ThinkingConfigParamOfEnabled(2048), Tools: toolsOf("weather"),
			Messages: []anthropicsdk.MessageParam{userBlocks(anthropicsdk.NewTextBlock("Please call the tool weather, for " + marker))},
		}
		asked := newMessage(t, sdk, params, stream)
		var thought string
		for _, block := range asked.Content {
			if block.Type == "thinking" {
				thought += block.Thinking
				require.NotEmpty(t, block.Signature, "a thought without a signature is refused by clients' vendors")
			}
		}
		require.NotEmpty(t, thought, "%s", asked.RawJSON())
		uses := toolUses(asked)
		require.Len(t, uses, 1)
		params.Messages = append(params.Messages, asked.ToParam(), userBlocks(anthropicsdk.NewToolResultBlock(uses[0].ID, "sunny for "+marker, false)))
		answered := newMessage(t, sdk, params, stream)
		require.Contains(t, messageText(answered), "sunny for "+marker)
		body := ""
		for _, call := range providers.Completions(s.vendor) {
			if strings.Contains(string(call.Body), "sunny for "+marker) {
				body = string(call.Body)
			}
		}
		opaque := map[simulator.Vendor]string{
			simulator.OpenAI: "encrypted_content", simulator.Anthropic: "signature", simulator.Gemini: "thoughtSignature",
			simulator.VertexAI: "thoughtSignature", simulator.Bedrock: "signature",
		}[s.vendor]
		require.Contains(t, body, opaque, "its own thoughts are brought back to it")
		requireNoRefusal(t, providers, s.model)
	})
}

func TestTokensOfAMessageAreCounted(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.anthropic()
	for _, s := range spokenVendors() {
		count := func(text string) int64 {
			params := anthropicsdk.MessageCountTokensParams{
				Model: s.route, Messages: []anthropicsdk.MessageParam{userBlocks(anthropicsdk.NewTextBlock(text))},
				System: anthropicsdk.MessageCountTokensParamsSystemUnion{OfString: anthropicsdk.String("Be brief.")},
			}
			counted, err := sdk.Messages.CountTokens(t.Context(), params)
			require.NoError(t, err, s.route)
			return counted.InputTokens
		}
		short := count("Hello")
		require.Positive(t, short, s.route)
		require.Greater(t, count(strings.Repeat("Hello, I have more to say. ", 50)), short+200, s.route)
		if s.vendor == simulator.Anthropic {
			require.True(t, slices.ContainsFunc(providers.Calls(s.vendor), func(call simulator.Call) bool {
				return call.Operation == simulator.OperationCountTokens && call.Model == s.model
			}), "its vendor was not asked")
		}
	}
}

func TestRoutesAreModelsToAnthropicsOwnSDK(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.anthropic()
	for _, limit := range []int64{3, 1000} {
		var names []string
		pager := sdk.Models.ListAutoPaging(t.Context(), anthropicsdk.ModelListParams{Limit: anthropicsdk.Int(limit)})
		for pager.Next() {
			names = append(names, pager.Current().ID)
		}
		require.NoError(t, pager.Err())
		require.Subset(t, names, []string{"spoken-claude", "spoken-openai", "spoken-cohere"})
		sorted := slices.Clone(names)
		slices.Sort(sorted)
		require.Len(t, slices.Compact(sorted), len(names), "pages of %d list a route twice", limit)
	}
	one, err := sdk.Models.Get(t.Context(), "spoken-claude", anthropicsdk.ModelGetParams{})
	require.NoError(t, err)
	require.Equal(t, "spoken-claude", one.ID)
}

func TestAnthropicsOwnSDKReadsOurErrors(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-message-failing"}, Status: http.StatusForbidden})
	hello := []anthropicsdk.MessageParam{userBlocks(anthropicsdk.NewTextBlock("Hello"))}
	for name, test := range map[string]struct {
		opts   []anthropicoption.RequestOption
		params anthropicsdk.MessageNewParams
		status int
		kind   anthropicsdk.ErrorType
		says   string
	}{
		"no tokens":         {params: anthropicsdk.MessageNewParams{Model: "spoken-claude", Messages: hello}, status: http.StatusBadRequest, kind: anthropicsdk.ErrorTypeInvalidRequestError, says: "max_tokens"},
		"a temperature":     {params: anthropicsdk.MessageNewParams{Model: "spoken-claude", Messages: hello, MaxTokens: 10, Temperature: anthropicsdk.Float(3)}, status: http.StatusBadRequest, kind: anthropicsdk.ErrorTypeInvalidRequestError, says: "temperature"},
		"nothing said":      {params: anthropicsdk.MessageNewParams{Model: "spoken-claude", MaxTokens: 10}, status: http.StatusBadRequest, kind: anthropicsdk.ErrorTypeInvalidRequestError, says: "messages"},
		"an unknown model":  {params: anthropicsdk.MessageNewParams{Model: "no-such", Messages: hello, MaxTokens: 10}, status: http.StatusNotFound, kind: anthropicsdk.ErrorTypeNotFoundError, says: "no-such"},
		"a wrong key":       {opts: []anthropicoption.RequestOption{anthropicoption.WithAPIKey("hf_wrong")}, params: anthropicsdk.MessageNewParams{Model: "spoken-claude", Messages: hello, MaxTokens: 10}, status: http.StatusUnauthorized, kind: anthropicsdk.ErrorTypeAuthenticationError},
		"a wrong token":     {opts: []anthropicoption.RequestOption{anthropicoption.WithAuthToken("hf_wrong")}, params: anthropicsdk.MessageNewParams{Model: "spoken-claude", Messages: hello, MaxTokens: 10}, status: http.StatusUnauthorized, kind: anthropicsdk.ErrorTypeAuthenticationError},
		"nobody who serves": {params: anthropicsdk.MessageNewParams{Model: "message-failing", Messages: hello, MaxTokens: 10}, status: http.StatusServiceUnavailable, kind: anthropicsdk.ErrorTypeOverloadedError},
		"a search": {
			params: anthropicsdk.MessageNewParams{Model: "spoken-openai", Messages: hello, MaxTokens: 10, Tools: []anthropicsdk.ToolUnionParam{{OfWebSearchTool20250305: &anthropicsdk.WebSearchTool20250305Param{}}}},
			status: http.StatusBadRequest, kind: anthropicsdk.ErrorTypeInvalidRequestError, says: "web_search",
		},
		"a result of no call": {
			params: anthropicsdk.MessageNewParams{Model: "spoken-claude", MaxTokens: 10, Messages: []anthropicsdk.MessageParam{userBlocks(anthropicsdk.NewToolResultBlock("toolu_none", "x", false))}},
			status: http.StatusBadRequest, kind: anthropicsdk.ErrorTypeInvalidRequestError,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sdk := holdfast.anthropic(test.opts...)
			requireError := func(err error) {
				var failure *anthropicsdk.Error
				require.ErrorAs(t, err, &failure)
				require.Equal(t, test.status, failure.StatusCode, failure.RawJSON())
				require.Equal(t, test.kind, failure.Type(), failure.RawJSON())
				require.Contains(t, failure.RawJSON(), test.says)
			}
			_, err := sdk.Messages.New(t.Context(), test.params)
			requireError(err)
			stream := sdk.Messages.NewStreaming(t.Context(), test.params)
			require.False(t, stream.Next())
			requireError(stream.Err())
		})
	}
	sdk := holdfast.anthropic()
	_, err := sdk.Models.Get(t.Context(), "no-such", anthropicsdk.ModelGetParams{})
	var failure *anthropicsdk.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, http.StatusNotFound, failure.StatusCode)
	require.Equal(t, anthropicsdk.ErrorTypeNotFoundError, failure.Type())
}
