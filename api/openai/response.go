package openai

import (
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// ChatCompletion is the answer object.
type ChatCompletion struct {
	ID          string            `json:"id"`
	Object      string            `json:"object"`
	Created     int64             `json:"created"`
	Model       string            `json:"model"`
	Choices     []Choice          `json:"choices"`
	Usage       Usage             `json:"usage"`
	ServiceTier *string           `json:"service_tier"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

// Choice is the only choice of an answer.
type Choice struct {
	Index        int           `json:"index"`
	Message      AnswerMessage `json:"message"`
	Logprobs     *struct{}     `json:"logprobs"`
	FinishReason string        `json:"finish_reason"`
}

// AnswerMessage is the assistant's message.
type AnswerMessage struct {
	Role        string     `json:"role"`
	Content     *string    `json:"content"`
	Refusal     *string    `json:"refusal"`
	ToolCalls   []toolCall `json:"tool_calls,omitempty"`
	Annotations []struct{} `json:"annotations"`
}

// Usage counts tokens as OpenAI does: cached ones inside prompt_tokens, reasoning inside completion_tokens.
type Usage struct {
	PromptTokens        int64             `json:"prompt_tokens"`
	CompletionTokens    int64             `json:"completion_tokens"`
	TotalTokens         int64             `json:"total_tokens"`
	PromptDetails       promptDetails     `json:"prompt_tokens_details"`
	CompletionTokenInfo completionDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	CachedTokens int64 `json:"cached_tokens"`
	AudioTokens  int64 `json:"audio_tokens"`
}

type completionDetails struct {
	ReasoningTokens          int64 `json:"reasoning_tokens"`
	AudioTokens              int64 `json:"audio_tokens"`
	AcceptedPredictionTokens int64 `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int64 `json:"rejected_prediction_tokens"`
}

// EncodeChat makes the answer object of a completion.
func EncodeChat(id string, created time.Time, answer llm.Response) ChatCompletion {
	return ChatCompletion{
		ID: id, Object: "chat.completion", Created: created.Unix(), Model: answer.Model,
		Choices: []Choice{{Message: EncodeMessage(answer.Message), FinishReason: string(answer.FinishReason)}},
		Usage: Usage{
			PromptTokens: answer.Usage.InputTokens, CompletionTokens: answer.Usage.OutputTokens,
			TotalTokens:         answer.Usage.InputTokens + answer.Usage.OutputTokens,
			PromptDetails:       promptDetails{CachedTokens: answer.Usage.CacheReadTokens},
			CompletionTokenInfo: completionDetails{ReasoningTokens: answer.Usage.ReasoningTokens},
		},
	}
}

// EncodeMessage makes the assistant's message. Content is null when there are only tool calls or a refusal.
func EncodeMessage(m llm.Message) AnswerMessage {
	encoded := AnswerMessage{Role: "assistant", Annotations: []struct{}{}}
	text, refusal, calls := m.Text(), m.Refusal(), m.ToolCalls()
	if text != "" || (len(calls) == 0 && refusal == "") {
		encoded.Content = &text
	}
	if refusal != "" {
		encoded.Refusal = &refusal
	}
	for _, call := range calls {
		encoded.ToolCalls = append(encoded.ToolCalls, toolCall{
			ID: call.ID, Type: "function", Function: calledMethod{Name: call.Name, Arguments: call.Arguments},
		})
	}
	return encoded
}
