package anthropic

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// fromAnswer reads a successful answer. An error object under a status of success, as proxies send it, is an error.
func fromAnswer(answer wire.Answer, now time.Time) (llm.Response, *llm.Error) {
	var message anthropicsdk.Message
	if err := json.Unmarshal(answer.Body, &message); err != nil {
		return llm.Response{}, badOutput(answer, "", "the answer is not JSON of the expected form")
	}
	if len(message.Content) == 0 && message.StopReason == "" {
		if vendor := parse(answer.Body); vendor.Error.Type != "" {
			answer.Status = http.StatusBadGateway
			return llm.Response{}, classify(answer, now)
		}
	}
	native := wire.Code(string(message.StopReason))
	response := llm.Response{
		ID: message.ID, Model: message.Model,
		Message:            llm.Message{Role: llm.RoleAssistant},
		NativeFinishReason: native,
		Usage:              fromUsage(message.Usage),
	}
	refused := message.StopReason == anthropicsdk.StopReasonRefusal
	explanation := message.StopDetails.Explanation
	var ids render.IDs
	calls := false
	for i, block := range message.Content {
		switch block.Type {
		case "text":
			if block.Text == "" {
				continue
			}
			part := llm.Text(block.Text)
			if refused && explanation == "" {
				part.Type = llm.PartRefusal // the model's own words are the refusal
			}
			response.Message.Parts = append(response.Message.Parts, part)
		case "tool_use":
			if block.Name == "" {
				return llm.Response{}, badOutput(answer, native, "a tool call has no name")
			}
			input, _ := render.Arguments(string(block.Input))
			id := ids.Assign(block.ID, fmt.Sprintf("%s/%d", message.ID, i))
			response.Message.Parts = append(response.Message.Parts, llm.Call(id, block.Name, string(input)))
			calls = true
		default: // thinking, and results of server tools, have no canonical part
		}
	}
	if refused && explanation != "" {
		response.Message.Parts = append(response.Message.Parts, llm.Part{Type: llm.PartRefusal, Text: explanation})
	}
	response.FinishReason = fromStopReason(message.StopReason, calls)
	if failure := unusable(answer, message, response); failure != nil {
		return llm.Response{}, failure
	}
	return response, nil
}

// unusable is the error that an answer amounts to, nil for a good one.
func unusable(answer wire.Answer, message anthropicsdk.Message, response llm.Response) *llm.Error {
	failure := badOutput(answer, response.NativeFinishReason, "the answer is empty")
	switch message.StopReason {
	case anthropicsdk.StopReasonModelContextWindowExceeded:
		failure.Kind, failure.Detail = llm.KindContextLength, "the context window was full before the answer was complete"
		return failure
	case anthropicsdk.StopReasonPauseTurn:
		failure.Detail = "the turn was paused before the answer was complete"
		return failure
	case anthropicsdk.StopReasonRefusal:
		failure.Kind, failure.Detail = llm.KindRefusal, "the model declined without a word"
	case anthropicsdk.StopReasonMaxTokens:
		failure.Detail = "the output limit was reached before any output"
	default:
	}
	if len(response.Message.Parts) > 0 {
		return nil
	}
	return failure
}

// fromStopReason follows replay rule 17.
func fromStopReason(reason anthropicsdk.StopReason, calls bool) llm.FinishReason {
	switch {
	case reason == anthropicsdk.StopReasonMaxTokens:
		return llm.FinishLength
	case reason == anthropicsdk.StopReasonRefusal:
		return llm.FinishContentFilter
	case calls:
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

// fromUsage follows replay rule 13: Anthropic's input tokens exclude what was read from and written to the cache.
func fromUsage(usage anthropicsdk.Usage) llm.Usage {
	canonical := llm.Usage{
		OutputTokens:     max(usage.OutputTokens, 0),
		CacheReadTokens:  max(usage.CacheReadInputTokens, 0),
		CacheWriteTokens: max(usage.CacheCreationInputTokens, 0),
		ReasoningTokens:  max(usage.OutputTokensDetails.ThinkingTokens, 0),
	}
	canonical.InputTokens = max(usage.InputTokens, 0) + canonical.CacheReadTokens + canonical.CacheWriteTokens
	if raw := usage.RawJSON(); json.Valid([]byte(raw)) {
		canonical.Raw = json.RawMessage(raw)
	}
	return canonical
}

func badOutput(answer wire.Answer, code, detail string) *llm.Error {
	return &llm.Error{
		Kind: llm.KindBadOutput, Provider: name, Status: answer.Status, Code: code,
		RequestID: requestID(answer.Header, ""), Detail: detail,
	}
}
