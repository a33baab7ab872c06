package e2e_test

import (
	"net/http"
	"testing"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// streamed is a stream as OpenAI's own SDK put it together.
type streamed struct {
	whole openaisdk.ChatCompletionAccumulator
	// first and last are when content came.
	first, last time.Time
	id          string
	err         error
}

// stream asks for a streamed answer through OpenAI's own SDK.
func (c client) stream(t testing.TB, route, prompt string, change func(*openaisdk.ChatCompletionNewParams)) streamed {
	t.Helper()
	sdk := openaisdk.NewClient(option.WithBaseURL(c.base+"/v1"), option.WithAPIKey(c.token), option.WithMaxRetries(0))
	params := openaisdk.ChatCompletionNewParams{
		Model: route, Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage(prompt)},
		StreamOptions: openaisdk.ChatCompletionStreamOptionsParam{IncludeUsage: openaisdk.Bool(true)},
	}
	if change != nil {
		change(&params)
	}
	var raw *http.Response
	stream := sdk.Chat.Completions.NewStreaming(within(t, late), params, option.WithResponseInto(&raw))
	var got streamed
	for stream.Next() {
		chunk := stream.Current()
		require.True(t, got.whole.AddChunk(chunk))
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			if got.first.IsZero() {
				got.first = time.Now()
			}
			got.last = time.Now()
		}
	}
	got.err = stream.Err()
	require.NoError(t, stream.Close())
	if raw != nil {
		got.id = raw.Header.Get("X-Holdfast-Completion-Id")
	}
	return got
}

func TestEveryVendorsStreamIsOneDialect(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	for route, vendor := range map[string]simulator.Vendor{"stream": simulator.OpenAI, "stream-claude": simulator.Anthropic, "stream-gemini": simulator.Gemini} {
		got := holdfast.stream(t, route, "Tell me something about rain, in several words.", nil)
		require.NoError(t, got.err, route)
		require.Contains(t, got.whole.Choices[0].Message.Content, "You said: Tell me something about rain, in several words.", route)
		require.Equal(t, "stop", got.whole.Choices[0].FinishReason)
		require.Positive(t, got.whole.Usage.TotalTokens, route)
		require.Equal(t, got.id, got.whole.ID)
		calls := providers.Completions(vendor)
		require.True(t, calls[len(calls)-1].Stream, "%s was not asked for a stream", vendor)

		got = holdfast.stream(t, route, "Call the tool get_weather.", func(params *openaisdk.ChatCompletionNewParams) {
			params.Tools = []openaisdk.ChatCompletionToolUnionParam{openaisdk.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
				Name: "get_weather", Parameters: shared.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}},
			})}
		})
		require.NoError(t, got.err, route)
		require.Equal(t, "tool_calls", got.whole.Choices[0].FinishReason)
		require.Len(t, got.whole.Choices[0].Message.ToolCalls, 1)
		require.JSONEq(t, `{"city":"Paris"}`, got.whole.Choices[0].Message.ToolCalls[0].Function.Arguments)
	}
}

func TestAStreamFailsOverUnseenBeforeItsFirstWord(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	for name, fault := range map[string]simulator.Fault{
		"status":        {Status: http.StatusServiceUnavailable},
		"in band":       {Status: http.StatusServiceUnavailable, Stream: &simulator.StreamFault{Kind: simulator.StreamError}},
		"quota in band": {Code: "insufficient_quota", Stream: &simulator.StreamFault{Kind: simulator.StreamError}},
		"empty stream":  {Stream: &simulator.StreamFault{Kind: simulator.StreamEmpty}},
		"cut at once":   {Stream: &simulator.StreamFault{Kind: simulator.StreamCut}},
		"reset at once": {Stream: &simulator.StreamFault{Kind: simulator.StreamReset}},
		"end at once":   {Stream: &simulator.StreamFault{Kind: simulator.StreamNoTerminal}},
		"silence":       {Stream: &simulator.StreamFault{Kind: simulator.StreamHang}},
	} {
		fault.Match, fault.Count = simulator.Match{Model: "gpt-stream"}, 1
		providers.SetFault(simulator.OpenAI, fault)
		got := holdfast.stream(t, "stream", "Hello "+name, nil)
		require.NoError(t, got.err, name)
		require.Equal(t, "[anthropic/claude-stream] You said: Hello "+name, got.whole.Choices[0].Message.Content, name)
		found := holdfast.record(t, got.id)
		require.Len(t, found.Attempts, 2, name)
		require.Equal(t, "failed", found.Attempts[0].State)
		require.Equal(t, "succeeded", found.State)
	}
}

func TestAStreamComesAsItIsSaid(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetBehaviour(simulator.Gemini, simulator.Behaviour{EventDelay: 200 * time.Millisecond})
	defer providers.SetBehaviour(simulator.Gemini, simulator.Behaviour{})
	got := holdfast.stream(t, "stream-gemini", "Tell me something about rain, in a good many words, so that it takes its time.", nil)
	require.NoError(t, got.err)
	require.Greater(t, got.last.Sub(got.first), 200*time.Millisecond, "the answer was kept back until it was whole")
}

func TestAStreamedTurnIsKeptInItsConversation(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := standing.use(t)
	conversation := holdfast.newConversation(t)
	got := holdfast.stream(t, "stream-claude", "My name is Ada.", func(params *openaisdk.ChatCompletionNewParams) {
		params.SetExtraFields(map[string]any{"conversation": conversation})
	})
	require.NoError(t, got.err)
	require.Len(t, holdfast.turns(t, conversation), 2)
}
