package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	openaisdk "github.com/openai/openai-go/v3"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// fromAnswer reads a successful answer. The model is empty if the host does not say which one answered. Aggregators also send errors with status 200; those are classified as such.
func fromAnswer(answer wire.Answer, now time.Time) (llm.Response, *llm.Error) {
	var completion openaisdk.ChatCompletion
	if err := json.Unmarshal(answer.Body, &completion); err != nil {
		return llm.Response{}, badOutput(answer, "", "the answer is not JSON of the expected form")
	}
	if len(completion.Choices) == 0 {
		if inBand, ok := inBandError(answer); ok {
			return llm.Response{}, classify(inBand, now)
		}
		return llm.Response{}, badOutput(answer, "", "the answer has no choices")
	}
	choice := completion.Choices[0]
	response := llm.Response{
		ID:                 completion.ID,
		Model:              completion.Model,
		Message:            llm.Message{Role: llm.RoleAssistant},
		NativeFinishReason: wire.Code(choice.FinishReason),
		Usage:              fromUsage(completion.Usage),
	}
	if text := content(choice.Message); text != "" {
		response.Message.Parts = append(response.Message.Parts, llm.Text(text))
	}
	if choice.Message.Refusal != "" {
		response.Message.Parts = append(response.Message.Parts, llm.Part{Type: llm.PartRefusal, Text: choice.Message.Refusal})
	}
	var ids render.IDs
	for i, call := range choice.Message.ToolCalls {
		if call.Function.Name == "" {
			return llm.Response{}, badOutput(answer, response.NativeFinishReason, "a tool call has no name")
		}
		id := ids.Assign(call.ID, fmt.Sprintf("%s/%d", completion.ID, i))
		response.Message.Parts = append(response.Message.Parts, llm.Call(id, call.Function.Name, call.Function.Arguments))
	}
	response.FinishReason = fromFinishReason(choice.FinishReason, len(choice.Message.ToolCalls) > 0)
	if len(response.Message.Parts) > 0 && choice.FinishReason != "error" {
		return response, nil
	}
	failure := badOutput(answer, response.NativeFinishReason, "the answer is empty")
	switch {
	case response.FinishReason == llm.FinishContentFilter:
		failure.Kind, failure.Detail = llm.KindContentPolicy, "the answer was filtered out"
	case response.FinishReason == llm.FinishLength:
		failure.Detail = "the output limit was reached before any output"
	case choice.FinishReason == "error":
		failure.Detail = "the model failed while answering"
	}
	return llm.Response{}, failure
}

// content is the message's text. Some hosts send a list of parts in place of a string; its thinking parts are not text.
func content(message openaisdk.ChatCompletionMessage) string {
	raw := message.JSON.Content.Raw()
	if !strings.HasPrefix(raw, "[") {
		return message.Content
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(raw), &parts); err != nil {
		return ""
	}
	var text strings.Builder
	for _, part := range parts {
		if part.Type == "text" {
			text.WriteString(part.Text)
		}
	}
	return text.String()
}

// fromFinishReason follows replay rule 17. Hosts that say stop beside tool calls mean tool_calls.
func fromFinishReason(reason string, calls bool) llm.FinishReason {
	switch {
	case reason == "length", reason == "max_tokens":
		return llm.FinishLength
	case reason == "content_filter":
		return llm.FinishContentFilter
	case calls:
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

// fromUsage follows replay rule 13: OpenAI's prompt tokens already include the cached, its completion tokens the
// reasoning.
func fromUsage(usage openaisdk.CompletionUsage) llm.Usage {
	canonical := llm.Usage{
		InputTokens:      max(usage.PromptTokens, 0),
		OutputTokens:     max(usage.CompletionTokens, 0),
		CacheReadTokens:  max(usage.PromptTokensDetails.CachedTokens, 0),
		CacheWriteTokens: max(usage.PromptTokensDetails.CacheWriteTokens, 0),
		ReasoningTokens:  max(usage.CompletionTokensDetails.ReasoningTokens, 0),
	}
	if raw := usage.RawJSON(); json.Valid([]byte(raw)) {
		canonical.Raw = json.RawMessage(raw)
	}
	return canonical
}

func badOutput(answer wire.Answer, code, detail string) *llm.Error {
	return &llm.Error{
		Kind: llm.KindBadOutput, Provider: name, Status: answer.Status, Code: code,
		RequestID: requestID(answer.Header), Detail: detail,
	}
}

func requestID(header http.Header) string { return wire.Code(header.Get("X-Request-Id")) }
