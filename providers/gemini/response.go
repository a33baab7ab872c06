package gemini

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// generated is the GenerateContentResponse of https://ai.google.dev/api/generate-content, as far as it is used here.
type generated struct {
	ResponseID   string `json:"responseId"`
	ModelVersion string `json:"modelVersion"`
	Candidates   []struct {
		Content struct {
			Parts []struct {
				Text         string `json:"text"`
				Thought      bool   `json:"thought"`
				FunctionCall *struct {
					ID   string          `json:"id"`
					Name string          `json:"name"`
					Args json.RawMessage `json:"args"`
				} `json:"functionCall"`
			} `json:"parts"`
		} `json:"content"`
		FinishReason genaisdk.FinishReason `json:"finishReason"`
	} `json:"candidates"`
	PromptFeedback struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	UsageMetadata json.RawMessage `json:"usageMetadata"`
}

// fromAnswer reads a successful answer. The model is empty if the vendor does not say which one answered.
func fromAnswer(answer wire.Answer, now time.Time) (llm.Response, *llm.Error) {
	var body generated
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		return llm.Response{}, badOutput(answer, "", "the answer is not JSON of the expected form")
	}
	if len(body.Candidates) == 0 {
		if reason := body.PromptFeedback.BlockReason; reason != "" {
			failure := badOutput(answer, reason, "the prompt was blocked")
			failure.Kind = llm.KindContentPolicy
			return llm.Response{}, failure
		}
		if vendor := parse(answer.Body); vendor.Code >= http.StatusBadRequest {
			answer.Status = vendor.Code
			return llm.Response{}, classify(answer, now)
		}
		return llm.Response{}, badOutput(answer, "", "the answer has no candidates")
	}
	candidate := body.Candidates[0]
	response := llm.Response{
		ID: body.ResponseID, Model: body.ModelVersion,
		Message:            llm.Message{Role: llm.RoleAssistant},
		NativeFinishReason: wire.Code(string(candidate.FinishReason)),
		Usage:              fromUsage(body.UsageMetadata),
	}
	var ids render.IDs
	calls := false
	for i, p := range candidate.Content.Parts {
		switch {
		case p.FunctionCall != nil:
			if p.FunctionCall.Name == "" {
				return llm.Response{}, badOutput(answer, response.NativeFinishReason, "a tool call has no name")
			}
			args, _ := render.Arguments(string(p.FunctionCall.Args))
			id := ids.Assign(p.FunctionCall.ID, fmt.Sprintf("%s/%d/%s/%s", body.ResponseID, i, p.FunctionCall.Name, args))
			response.Message.Parts = append(response.Message.Parts, llm.Call(id, p.FunctionCall.Name, string(args)))
			calls = true
		case p.Thought || p.Text == "": // summaries of thoughts are no part of the answer
		default:
			response.Message.Parts = append(response.Message.Parts, llm.Text(p.Text))
		}
	}
	failure := badOutput(answer, response.NativeFinishReason, "")
	response.FinishReason, failure.Kind, failure.Detail = fromFinishReason(candidate.FinishReason, calls, len(response.Message.Parts) > 0)
	if failure.Kind != "" {
		return llm.Response{}, failure
	}
	return response, nil
}

// fromFinishReason follows replay rule 17. It gives either a reason or the kind of error that the answer amounts to.
func fromFinishReason(native genaisdk.FinishReason, calls, content bool) (llm.FinishReason, llm.Kind, string) {
	reason, empty, detail := llm.FinishStop, llm.KindBadOutput, "the answer is empty"
	switch native {
	case genaisdk.FinishReasonMalformedFunctionCall, genaisdk.FinishReasonUnexpectedToolCall, genaisdk.FinishReasonTooManyToolCalls,
		"MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE":
		return "", llm.KindBadOutput, "the model made a tool call that cannot be used"
	case genaisdk.FinishReasonContinuation:
		return "", llm.KindBadOutput, "the answer stopped before it was complete"
	case genaisdk.FinishReasonMaxTokens:
		reason, detail = llm.FinishLength, "the output limit was reached before any output"
	case genaisdk.FinishReasonSafety, genaisdk.FinishReasonRecitation, genaisdk.FinishReasonBlocklist, genaisdk.FinishReasonSPII,
		genaisdk.FinishReasonProhibitedContent, genaisdk.FinishReasonImageSafety, genaisdk.FinishReasonImageProhibitedContent,
		genaisdk.FinishReasonImageRecitation:
		reason, empty, detail = llm.FinishContentFilter, llm.KindContentPolicy, "the answer was filtered out"
	default:
		if calls {
			reason = llm.FinishToolCalls
		}
	}
	if !content {
		return "", empty, detail
	}
	return reason, "", ""
}

// fromUsage follows replay rule 13: Gemini's prompt tokens include the cached; thoughts are counted apart from the
// candidates, and the results of its own tools apart from the prompt.
func fromUsage(raw json.RawMessage) llm.Usage {
	var counts struct {
		Prompt        int64 `json:"promptTokenCount"`
		Cached        int64 `json:"cachedContentTokenCount"`
		Candidates    int64 `json:"candidatesTokenCount"`
		Thoughts      int64 `json:"thoughtsTokenCount"`
		ToolUsePrompt int64 `json:"toolUsePromptTokenCount"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &counts) != nil {
		return llm.Usage{}
	}
	return llm.Usage{
		InputTokens:     max(counts.Prompt, 0) + max(counts.ToolUsePrompt, 0),
		OutputTokens:    max(counts.Candidates, 0) + max(counts.Thoughts, 0),
		CacheReadTokens: max(counts.Cached, 0),
		ReasoningTokens: max(counts.Thoughts, 0),
		Raw:             raw,
	}
}

func badOutput(answer wire.Answer, code, detail string) *llm.Error {
	return &llm.Error{Kind: llm.KindBadOutput, Provider: name, Status: answer.Status, Code: wire.Code(code), Detail: detail}
}
