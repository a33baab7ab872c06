package simulator_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

const (
	claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	nova   = "amazon.nova-pro-v1:0"
)

func (s *stage) bedrock(options ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.server.URL), HTTPClient: s.server.Client(), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}, options...)
}

func withToken(token string) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) {
		o.Credentials = nil
		o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: token}}
		o.AuthSchemePreference = []string{"httpBearerAuth"}
	}
}

func user(text string) types.Message {
	return types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
		&types.ContentBlockMemberText{Value: text},
	}}
}

func tools(names ...string) *types.ToolConfiguration {
	config := &types.ToolConfiguration{}
	for _, name := range names {
		config.Tools = append(config.Tools, &types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String(name), Description: aws.String("a tool"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{
				"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"},
			})},
		}})
	}
	return config
}

func thinking() document.Interface {
	return document.NewLazyDocument(map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": 2000}})
}

func TestBedrockSDKConversesSigned(t *testing.T) {
	t.Parallel()
	s := play(t, simulator.Bedrock, simulator.Options{RequireKeys: []string{"AKIATEST", "bedrock-api-key"}})
	for _, model := range []string{claude, "arn:aws:bedrock:us-east-1:123456789012:inference-profile/" + claude} {
		got, err := s.bedrock().Converse(t.Context(), &bedrockruntime.ConverseInput{
			ModelId: aws.String(model), Messages: []types.Message{user("hello")},
			System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "be kind"}},
		})
		require.NoError(t, err)
		message := got.Output.(*types.ConverseOutputMemberMessage).Value
		require.Equal(t, "[bedrock/"+model+"] You said: hello", message.Content[0].(*types.ContentBlockMemberText).Value)
		require.Equal(t, types.StopReasonEndTurn, got.StopReason)
		require.Positive(t, *got.Usage.InputTokens)
		require.Equal(t, *got.Usage.InputTokens+*got.Usage.OutputTokens, *got.Usage.TotalTokens)
	}
	_, err := s.bedrock(withToken("bedrock-api-key")).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String(nova), Messages: []types.Message{user("hello")},
	})
	require.NoError(t, err)
	_, err = s.bedrock(withToken("wrong")).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String(nova), Messages: []types.Message{user("hello")},
	})
	var denied *types.AccessDeniedException
	require.ErrorAs(t, err, &denied)
	calls := s.sim.Calls(simulator.Bedrock)
	require.Equal(t, simulator.Fingerprint("AKIATEST"), calls[0].Key)
	require.Equal(t, "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"+claude, calls[1].Model)
	require.Equal(t, simulator.Fingerprint("bedrock-api-key"), calls[2].Key)
}

// TestBedrockSDKRunsAToolLoop replays what the model said, its signed thought included.
func TestBedrockSDKRunsAToolLoop(t *testing.T) {
	t.Parallel()
	s := play(t, simulator.Bedrock, simulator.Options{})
	input := &bedrockruntime.ConverseInput{
		ModelId: aws.String(claude), ToolConfig: tools("weather", "clock"), AdditionalModelRequestFields: thinking(),
		Messages: []types.Message{user("call the tools weather and clock")},
	}
	first, err := s.bedrock().Converse(t.Context(), input)
	require.NoError(t, err)
	require.Equal(t, types.StopReasonToolUse, first.StopReason)
	said := first.Output.(*types.ConverseOutputMemberMessage).Value
	require.Len(t, said.Content, 3)
	thought := said.Content[0].(*types.ContentBlockMemberReasoningContent).Value.(*types.ReasoningContentBlockMemberReasoningText)
	require.NotEmpty(t, *thought.Value.Signature)
	results := types.Message{Role: types.ConversationRoleUser}
	for _, block := range said.Content[1:] {
		use := block.(*types.ContentBlockMemberToolUse).Value
		var arguments map[string]any
		require.NoError(t, use.Input.UnmarshalSmithyDocument(&arguments))
		require.Equal(t, "Paris", arguments["city"])
		results.Content = append(results.Content, &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
			ToolUseId: use.ToolUseId, Status: types.ToolResultStatusSuccess,
			Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "sunny"}},
		}})
	}
	input.Messages = append(input.Messages, said, results)
	second, err := s.bedrock().Converse(t.Context(), input)
	require.NoError(t, err)
	last := second.Output.(*types.ConverseOutputMemberMessage).Value
	text := last.Content[len(last.Content)-1].(*types.ContentBlockMemberText).Value
	require.Contains(t, text, "The tool answered: sunny; sunny")

	thought.Value.Text = aws.String("something else")
	_, err = s.bedrock().Converse(t.Context(), input)
	var invalid *types.ValidationException
	require.ErrorAs(t, err, &invalid)
	require.Contains(t, *invalid.Message, "messages.1.content.0: Invalid `signature` in `thinking` block")

	input.Messages[1].Content = said.Content[1:]
	_, err = s.bedrock().Converse(t.Context(), input)
	require.ErrorAs(t, err, &invalid)
	require.Contains(t, *invalid.Message, "Expected `thinking` or `redacted_thinking`, but found `tool_use`")
}

// heard is a stream put together again.
type heard struct {
	text, thought, signature, arguments, stop string
	redacted                                  []byte
	tool                                      string
	usage                                     *types.TokenUsage
	events                                    int
	err                                       error
}

func listen(t *testing.T, s *stage, input *bedrockruntime.ConverseStreamInput) heard {
	t.Helper()
	response, err := s.bedrock().ConverseStream(t.Context(), input)
	require.NoError(t, err)
	stream := response.GetStream()
	var got heard
	for event := range stream.Events() {
		got.events++
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockStart:
			got.tool = *event.Value.Start.(*types.ContentBlockStartMemberToolUse).Value.Name
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch delta := event.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				got.text += delta.Value
			case *types.ContentBlockDeltaMemberToolUse:
				got.arguments += *delta.Value.Input
			case *types.ContentBlockDeltaMemberReasoningContent:
				switch part := delta.Value.(type) {
				case *types.ReasoningContentBlockDeltaMemberText:
					got.thought += part.Value
				case *types.ReasoningContentBlockDeltaMemberSignature:
					got.signature += part.Value
				case *types.ReasoningContentBlockDeltaMemberRedactedContent:
					got.redacted = part.Value
				}
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			got.stop = string(event.Value.StopReason)
		case *types.ConverseStreamOutputMemberMetadata:
			got.usage = event.Value.Usage
		}
	}
	got.err = stream.Err()
	_ = stream.Close() // the same error again
	return got
}

func TestBedrockSDKStreams(t *testing.T) {
	t.Parallel()
	answers := make(chan simulator.Answer, 1)
	s := play(t, simulator.Bedrock, simulator.Options{Answer: func(call simulator.Call) simulator.Answer {
		if call.Continues { // asked what it would have said: not this
			return simulator.Answer{}
		}
		return <-answers
	}})
	input := &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String(claude), Messages: []types.Message{user("hello")}, AdditionalModelRequestFields: thinking(),
		ToolConfig: tools("weather"),
	}
	answers <- simulator.Answer{
		Reasoning: "let me think about the weather", Text: "I will look it up for you.", InputTokens: 100, CachedTokens: 60,
		OutputTokens: 9, ToolCalls: []simulator.ToolCall{{Name: "weather", Arguments: `{"city":"Zürich"}`}},
	}
	got := listen(t, s, input)
	require.NoError(t, got.err)
	require.Equal(t, "let me think about the weather", got.thought)
	require.NotEmpty(t, got.signature)
	require.Equal(t, "I will look it up for you.", got.text)
	require.Equal(t, "weather", got.tool)
	require.JSONEq(t, `{"city":"Zürich"}`, got.arguments)
	require.Equal(t, "tool_use", got.stop)
	require.EqualValues(t, 40, *got.usage.InputTokens)
	require.EqualValues(t, 60, *got.usage.CacheReadInputTokens)
	require.EqualValues(t, 109, *got.usage.TotalTokens)

	answers <- simulator.Answer{Reasoning: "secret", RedactReasoning: true, Text: "done"}
	got = listen(t, s, input)
	require.Empty(t, got.thought)
	require.NotEmpty(t, got.redacted)
	answers <- simulator.Answer{Text: "again"}
	_, err := s.bedrock().Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String(claude), Messages: []types.Message{user("hello"), {
			Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{
				&types.ContentBlockMemberReasoningContent{
					Value: &types.ReasoningContentBlockMemberRedactedContent{Value: got.redacted},
				}, &types.ContentBlockMemberText{Value: "done"},
			},
		}, user("more")},
	})
	require.NoError(t, err)
}
