package openai

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/dialect"
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
	// Warnings say what of the request the model's vendor could not honour. OpenAI has no such member; its SDKs pass over it.
	Warnings []llm.Warning `json:"warnings,omitempty"`
	// Status is set for what is not a finished answer: in_progress, cancelled.
	Status string `json:"status,omitempty"`
}

// Choice is one of the answers.
type Choice struct {
	Index    int           `json:"index"`
	Message  AnswerMessage `json:"message"`
	Logprobs *logprobs     `json:"logprobs"`
	// FinishReason is null for an answer that did not come to its end.
	FinishReason *string `json:"finish_reason"`
	// NativeFinishReason is the vendor's own word, as OpenRouter gives it.
	NativeFinishReason string `json:"native_finish_reason,omitempty"`
}

type logprobs struct {
	Content []tokenLogprob `json:"content"`
	Refusal []tokenLogprob `json:"refusal"`
}

type tokenLogprob struct {
	Token   string         `json:"token"`
	Logprob float64        `json:"logprob"`
	Bytes   []int          `json:"bytes"`
	Top     []tokenLogprob `json:"top_logprobs,omitzero"`
}

func encodeLogprobs(tokens []llm.TokenLogprob) *logprobs {
	if len(tokens) == 0 {
		return nil
	}
	encoded := &logprobs{}
	for _, token := range tokens {
		entry := tokenLogprob{Token: token.Token, Logprob: token.Logprob, Bytes: token.Bytes, Top: []tokenLogprob{}}
		for _, top := range token.Top {
			entry.Top = append(entry.Top, tokenLogprob{Token: top.Token, Logprob: top.Logprob, Bytes: top.Bytes})
		}
		encoded.Content = append(encoded.Content, entry)
	}
	return encoded
}

// AnswerMessage is the assistant's message.
type AnswerMessage struct {
	Role        string       `json:"role"`
	Content     *string      `json:"content"`
	Refusal     *string      `json:"refusal"`
	ToolCalls   []toolCall   `json:"tool_calls,omitempty"`
	Annotations []annotation `json:"annotations"`
	// ReasoningContent are the thoughts shown, where most hosts of reasoning models put them.
	ReasoningContent string            `json:"reasoning_content,omitempty"`
	ReasoningDetails []reasoningDetail `json:"reasoning_details,omitempty"`
}

type annotation struct {
	Type        string      `json:"type"`
	URLCitation urlCitation `json:"url_citation"`
}

type urlCitation struct {
	URL        string `json:"url"`
	Title      string `json:"title"`
	StartIndex int    `json:"start_index"`
	EndIndex   int    `json:"end_index"`
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
	CachedTokens     int64 `json:"cached_tokens"`
	AudioTokens      int64 `json:"audio_tokens"`
	CacheWriteTokens int64 `json:"cache_write_tokens,omitempty"`
}

type completionDetails struct {
	ReasoningTokens          int64 `json:"reasoning_tokens"`
	AudioTokens              int64 `json:"audio_tokens"`
	AcceptedPredictionTokens int64 `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int64 `json:"rejected_prediction_tokens"`
}

// EncodeChat makes the answer object of a completion.
func EncodeChat(id string, created time.Time, answer llm.Response) ChatCompletion {
	encoded := ChatCompletion{
		ID: id, Object: "chat.completion", Created: created.Unix(), Model: answer.Model, Warnings: answer.Warnings,
		Usage: encodeUsage(answer.Usage),
	}
	choices := append([]llm.Choice{{
		Message: answer.Message, Logprobs: answer.Logprobs, FinishReason: answer.FinishReason, NativeFinishReason: answer.NativeFinishReason,
	}}, answer.Alternatives...)
	for i, choice := range choices {
		encoded.Choices = append(encoded.Choices, Choice{
			Index: i, Message: EncodeMessage(choice.Message), Logprobs: encodeLogprobs(choice.Logprobs),
			FinishReason: finishReason(choice.FinishReason), NativeFinishReason: choice.NativeFinishReason,
		})
	}
	return encoded
}

// finishReason is null where there is none: one is never made up.
func finishReason(reason llm.FinishReason) *string {
	if reason == "" {
		return nil
	}
	text := string(reason)
	return &text
}

// EncodeCancelled makes the object of a completion that was cancelled, with what was said of the answer by then; nil if
// nothing was.
func EncodeCancelled(id string, created time.Time, model string, said *llm.Response) ChatCompletion {
	encoded := ChatCompletion{ID: id, Object: "chat.completion", Created: created.Unix(), Model: model, Choices: []Choice{}}
	if said != nil {
		encoded = EncodeChat(id, created, *said)
	}
	encoded.Status = "cancelled"
	return encoded
}

func encodeUsage(usage llm.Usage) Usage {
	return Usage{
		PromptTokens: usage.InputTokens, CompletionTokens: usage.OutputTokens, TotalTokens: usage.InputTokens + usage.OutputTokens,
		PromptDetails: promptDetails{
			CachedTokens: usage.CacheReadTokens, CacheWriteTokens: usage.CacheWriteTokens, AudioTokens: usage.InputAudioTokens,
		},
		CompletionTokenInfo: completionDetails{ReasoningTokens: usage.ReasoningTokens, AudioTokens: usage.OutputAudioTokens},
	}
}

// noArguments are those of a call that was made without any.
const noArguments = "{}"

// EncodeMessage makes the assistant's message. Content is null when there are only tool calls or a refusal.
func EncodeMessage(m llm.Message) AnswerMessage {
	encoded := AnswerMessage{
		Role: "assistant", Annotations: annotations(m), ReasoningContent: m.Reasoning(), ReasoningDetails: encodeReasoning(m),
	}
	text, refusal := m.Text(), m.Refusal()
	if text != "" || (len(m.ToolCalls()) == 0 && refusal == "") {
		encoded.Content = &text
	}
	if refusal != "" {
		encoded.Refusal = &refusal
	}
	for _, part := range m.Parts {
		if part.ToolCall == nil {
			continue
		}
		call := toolCall{
			ID: part.ToolCall.ID, Type: "function", Function: calledMethod{Name: part.ToolCall.Name, Arguments: part.ToolCall.Arguments},
		}
		if call.Function.Arguments == "" {
			call.Function.Arguments = noArguments
		}
		if part.Opaque != nil {
			call.ExtraContent = &extraContent{Holdfast: dialect.Seal(part.Opaque)}
		}
		encoded.ToolCalls = append(encoded.ToolCalls, call)
	}
	return encoded
}

// annotations are the pages that the text rests on; other sources have no form in this dialect.
func annotations(m llm.Message) []annotation {
	list := []annotation{}
	for _, part := range m.Parts {
		for _, c := range part.Citations {
			if c.URL != "" {
				list = append(list, annotation{Type: "url_citation", URLCitation: urlCitation{URL: c.URL, Title: c.Title, StartIndex: c.Start, EndIndex: c.End}})
			}
		}
	}
	return list
}
