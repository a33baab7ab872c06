package responses

import (
	"encoding/json"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// envelope is an answer, as it comes whole and as it comes with the events that begin and end a stream.
type envelope struct {
	ID                string            `json:"id"`
	Model             string            `json:"model"`
	Status            string            `json:"status"`
	Error             json.RawMessage   `json:"error"`
	IncompleteDetails incomplete        `json:"incomplete_details"`
	Output            []json.RawMessage `json:"output"`
	Usage             json.RawMessage   `json:"usage"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

// Read reads the body of a successful answer. The model is empty if the host does not say which one answered. The failure
// is set if there is no usable answer in it.
func Read(body []byte, origin llm.Origin) (llm.Response, *Failure) {
	var answer envelope
	if err := json.Unmarshal(body, &answer); err != nil {
		return llm.Response{}, bad("the answer is not JSON of the expected form")
	}
	if failure := answer.failure(); failure != nil {
		return llm.Response{}, failure
	}
	response := llm.Response{
		ID: answer.ID, Model: answer.Model, Message: llm.Message{Role: llm.RoleAssistant}, Usage: usageOf(answer.Usage),
	}
	r := reader{origin: origin}
	for _, rawItem := range answer.Output {
		item, err := itemOf(rawItem)
		if err != nil {
			return llm.Response{}, bad("the answer holds an item of unexpected form")
		}
		if item.Type == "function_call" && item.Name == "" {
			return llm.Response{}, bad("a tool call has no name")
		}
		response.Message.Parts = append(response.Message.Parts, r.parts(answer.ID, item)...)
		if item.Type == "message" {
			for _, content := range item.Content {
				response.Logprobs = append(response.Logprobs, logprobs(content.Logprobs)...)
			}
		}
	}
	response.FinishReason, response.NativeFinishReason = answer.finish(r.calls > 0)
	if !slices.ContainsFunc(response.Message.Parts, isAnswer) {
		return llm.Response{}, answer.empty()
	}
	return response, nil
}

// failure is the error that the vendor reports in place of an answer, nil if it reports none.
func (e envelope) failure() *Failure {
	if failure, ok := vendorFailure(e.Error); ok {
		return &failure
	}
	switch e.Status {
	case "failed":
		return &Failure{Kind: llm.KindTransient, Detail: "the model failed while answering"}
	case "cancelled":
		return &Failure{Kind: llm.KindTransient, Detail: "the vendor cancelled the answer"}
	case "queued", "in_progress":
		return bad("the answer is not complete")
	}
	return nil
}

// finish is why the answer ended, in canonical form and in the vendor's word.
func (e envelope) finish(calls bool) (llm.FinishReason, string) {
	if e.Status == "incomplete" {
		native := wire.Code(e.IncompleteDetails.Reason)
		if native == "content_filter" {
			return llm.FinishContentFilter, native
		}
		return llm.FinishLength, native // max_output_tokens; whatever else there may be, the answer was cut
	}
	native := wire.Code(e.Status)
	if calls {
		return llm.FinishToolCalls, native
	}
	return llm.FinishStop, native
}

// empty is why an answer holds nothing.
func (e envelope) empty() *Failure {
	failure := bad(llm.EmptyAnswer)
	reason, native := e.finish(false)
	failure.Code = native
	switch reason {
	case llm.FinishContentFilter:
		failure.Kind, failure.Detail = llm.KindContentPolicy, "the answer was filtered out"
	case llm.FinishLength:
		failure.Detail = "the output limit was reached before any output"
	default:
	}
	return failure
}

// isAnswer reports whether a part is something to be shown or done: thoughts alone are no answer.
func isAnswer(part llm.Part) bool {
	return part.Type != llm.PartReasoning && (part.Text != "" || part.ToolCall != nil)
}

// usageOf follows replay rule 13: input tokens already include the cached, output tokens the reasoning.
func usageOf(raw json.RawMessage) llm.Usage {
	var usage struct {
		InputTokens  int64 `json:"input_tokens"`
		InputDetails struct {
			CachedTokens     int64 `json:"cached_tokens"`
			CacheWriteTokens int64 `json:"cache_write_tokens"`
		} `json:"input_tokens_details"`
		OutputTokens  int64 `json:"output_tokens"`
		OutputDetails struct {
			ReasoningTokens int64 `json:"reasoning_tokens"`
		} `json:"output_tokens_details"`
	}
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &usage) != nil {
		return llm.Usage{}
	}
	return llm.Usage{
		InputTokens:      max(usage.InputTokens, 0),
		OutputTokens:     max(usage.OutputTokens, 0),
		CacheReadTokens:  max(usage.InputDetails.CachedTokens, 0),
		CacheWriteTokens: max(usage.InputDetails.CacheWriteTokens, 0),
		ReasoningTokens:  max(usage.OutputDetails.ReasoningTokens, 0),
		Raw:              raw,
	}
}
