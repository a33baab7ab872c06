package openai

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// ResponseView is what there is to show of a completion as a response.
type ResponseView struct {
	// ID is the completion's.
	ID string
	// Model is shown until the answer says which model gave it.
	Model       string
	CreatedAt   time.Time
	CompletedAt *time.Time
	// Status is OpenAI's word: queued, in_progress, completed, failed, cancelled. A completed one is shown as incomplete if its
	// answer was cut.
	Status string
	// Shown is what [DecodeResponse] kept of the request.
	Shown json.RawMessage
	// ConversationID is shown if the client gave one.
	ConversationID string
	// Metadata is shown in place of the request's, if it is not nil.
	Metadata map[string]string
	// Answer is what was said, all of it or as far as it has come; nil if nothing was.
	Answer  *llm.Response
	Failure *dialect.Failure
	// ServedFrom is "hit", "stale" or "degraded" for an answer that is not from a provider as wanted.
	ServedFrom string
}

// Response is the answer object (https://platform.openai.com/docs/api-reference/responses/object).
type Response struct {
	ID                   string             `json:"id"`
	Object               string             `json:"object"`
	CreatedAt            int64              `json:"created_at"`
	Status               string             `json:"status"`
	Background           bool               `json:"background"`
	CompletedAt          *int64             `json:"completed_at"`
	Conversation         *responseOwner     `json:"conversation"`
	Error                *responseError     `json:"error"`
	IncompleteDetails    *incompleteDetails `json:"incomplete_details"`
	Instructions         *string            `json:"instructions"`
	MaxOutputTokens      *int64             `json:"max_output_tokens"`
	MaxToolCalls         *int64             `json:"max_tool_calls"`
	Metadata             map[string]string  `json:"metadata"`
	Model                string             `json:"model"`
	Output               []Item             `json:"output"`
	ParallelToolCalls    bool               `json:"parallel_tool_calls"`
	PreviousResponseID   *string            `json:"previous_response_id"`
	PromptCacheKey       *string            `json:"prompt_cache_key"`
	PromptCacheRetention *string            `json:"prompt_cache_retention"`
	Reasoning            responseReasoning  `json:"reasoning"`
	SafetyIdentifier     *string            `json:"safety_identifier"`
	ServiceTier          string             `json:"service_tier"`
	Store                bool               `json:"store"`
	Temperature          float64            `json:"temperature"`
	Text                 textConfig         `json:"text"`
	ToolChoice           json.RawMessage    `json:"tool_choice"`
	Tools                []responseTool     `json:"tools"`
	TopLogprobs          int64              `json:"top_logprobs"`
	TopP                 float64            `json:"top_p"`
	Truncation           string             `json:"truncation"`
	Usage                *responseUsage     `json:"usage"`
	User                 *string            `json:"user"`
	// Warnings say what of the request the model's vendor could not honour. OpenAI has no such member; its SDKs pass over it, as
	// over the next one.
	Warnings []llm.Warning  `json:"warnings,omitempty"`
	Holdfast responseNotice `json:"holdfast"`
}

type responseOwner struct {
	ID string `json:"id"`
}

type responseError struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Param   *string `json:"param,omitempty"`
}

type incompleteDetails struct {
	Reason string `json:"reason"`
}

type responseReasoning struct {
	Effort  *string `json:"effort"`
	Summary *string `json:"summary"`
}

type responseTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description *string         `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      *bool           `json:"strict"`
}

type responseUsage struct {
	InputTokens   int64             `json:"input_tokens"`
	InputDetails  inputTokenDetails `json:"input_tokens_details"`
	OutputTokens  int64             `json:"output_tokens"`
	OutputDetails thoughtTokens     `json:"output_tokens_details"`
	TotalTokens   int64             `json:"total_tokens"`
}

type inputTokenDetails struct {
	CachedTokens     int64 `json:"cached_tokens"`
	CacheWriteTokens int64 `json:"cache_write_tokens"`
}

type thoughtTokens struct {
	ReasoningTokens int64 `json:"reasoning_tokens"`
}

// responseNotice is what Holdfast has to say of a response.
type responseNotice struct {
	CompletionID string `json:"completion_id"`
	ServedFrom   string `json:"served_from,omitempty"`
	// ErrorCode is Holdfast's own, where OpenAI's list of codes has none so exact.
	ErrorCode string `json:"error_code,omitempty"`
}

// EncodeResponse makes the answer object of a completion.
func EncodeResponse(v ResponseView) Response {
	shown := readShown(v.Shown)
	r := Response{
		ID: ResponseID(v.ID), Object: "response", CreatedAt: v.CreatedAt.Unix(), Status: v.Status, Model: v.Model, Output: []Item{},
		Holdfast: responseNotice{CompletionID: v.ID, ServedFrom: v.ServedFrom},
	}
	shown.show(&r)
	if v.Metadata != nil {
		r.Metadata = v.Metadata
	}
	if shown.InConversation && v.ConversationID != "" {
		r.Conversation = &responseOwner{ID: v.ConversationID}
	}
	if v.Answer != nil {
		v.answer(&r, shown.encrypted())
	}
	if v.CompletedAt != nil && r.Status == statusCompleted {
		at := v.CompletedAt.Unix()
		r.CompletedAt = &at
	}
	if v.Failure != nil {
		r.Error, r.Holdfast.ErrorCode = encodeResponseError(*v.Failure), v.Failure.Code
	}
	return r
}

// answer puts the answer into a response.
func (v ResponseView) answer(r *Response, encrypted bool) {
	r.Warnings = v.Answer.Warnings
	if v.Answer.Model != "" {
		r.Model = v.Answer.Model
	}
	if reason := cutBy(v.Answer.FinishReason); reason != "" && r.Status == statusCompleted {
		r.Status, r.IncompleteDetails = statusIncomplete, &incompleteDetails{Reason: reason}
	}
	r.Output = output(v.ID, *v.Answer, r.Status == statusCompleted, encrypted)
	if usage := v.Answer.Usage; r.Status == statusCompleted || r.Status == statusIncomplete || usage.InputTokens+usage.OutputTokens > 0 {
		r.Usage = &responseUsage{
			InputTokens: usage.InputTokens, OutputTokens: usage.OutputTokens, TotalTokens: usage.InputTokens + usage.OutputTokens,
			InputDetails:  inputTokenDetails{CachedTokens: usage.CacheReadTokens, CacheWriteTokens: usage.CacheWriteTokens},
			OutputDetails: thoughtTokens{ReasoningTokens: usage.ReasoningTokens},
		}
	}
}

// cutBy is why an answer is not whole, in OpenAI's words; empty if it is.
func cutBy(reason llm.FinishReason) string {
	switch reason {
	case llm.FinishLength:
		return "max_output_tokens"
	case llm.FinishContentFilter:
		return "content_filter"
	default:
		return ""
	}
}

// output lists the items of an answer. Of one that is not whole, the last item is not.
func output(completionID string, answer llm.Response, whole, encrypted bool) []Item {
	id := AnswerItems(completionID)
	items := []Item{}
	texts := 0
	for _, part := range answer.Message.Parts {
		if part.Type == llm.PartText {
			texts++
		}
	}
	tokens := answer.Logprobs
	for n, b := range bundles(answer.Message) {
		if b.kind == "" {
			continue
		}
		item := b.item(answer.Message, id(b.kind, n))
		for content, i := range b.parts {
			if part := answer.Message.Parts[i]; part.Type == llm.PartText {
				var own []llm.TokenLogprob
				own, tokens = share(tokens, part.Text, texts == 1)
				(*item.Content)[content].Logprobs = encodeTokens(own)
			}
		}
		if b.kind == prefixThought && encrypted {
			item.EncryptedContent = dialect.Seal(answer.Message.Parts[b.parts[0]].Opaque)
		}
		items = append(items, item)
	}
	if last := len(items) - 1; last >= 0 && !whole {
		items[last].Status = statusIncomplete
	}
	if encrypted {
		items = append(items, carriers(answer.Message, id)...)
	}
	return items
}

// share takes the tokens of a text from those of the whole answer, which are recorded together: all of them, if it has no other.
func share(tokens []llm.TokenLogprob, text string, all bool) (own, rest []llm.TokenLogprob) {
	n := len(tokens)
	if !all {
		n = 0
		for length := 0; n < len(tokens) && length < len(text); n++ {
			length += len(tokens[n].Token)
		}
	}
	return tokens[:n], tokens[n:]
}

// encodeResponseError names a failure by the codes that a response's error has; they are few.
func encodeResponseError(failure dialect.Failure) *responseError {
	e := &responseError{Code: "server_error", Message: failure.Message, Param: said(failure.Param)}
	switch {
	case failure.Status == http.StatusTooManyRequests:
		e.Code = "rate_limit_exceeded"
	case failure.Code == "cancelled": // it is nobody's fault
	case failure.Status >= http.StatusBadRequest && failure.Status < http.StatusInternalServerError:
		e.Code = "invalid_prompt"
	}
	return e
}
