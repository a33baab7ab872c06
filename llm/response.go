package llm

import "encoding/json"

// FinishReason says why the model stopped, in canonical form (replay rule 17 lists the vendors' words for each).
type FinishReason string

// The finish reasons; their values are those of OpenAI's chat completions.
const (
	FinishStop          FinishReason = "stop"
	FinishLength        FinishReason = "length"
	FinishToolCalls     FinishReason = "tool_calls"
	FinishContentFilter FinishReason = "content_filter"
)

// Response is a provider's complete answer in canonical form.
type Response struct {
	// ID is the vendor's own id for the answer, kept for support requests to the vendor.
	ID string `json:"id,omitempty"`
	// Model is the model that the vendor says answered.
	Model   string  `json:"model"`
	Message Message `json:"message"`
	// FinishReason is canonical; NativeFinishReason is the vendor's own word.
	FinishReason       FinishReason `json:"finish_reason"`
	NativeFinishReason string       `json:"native_finish_reason,omitempty"`
	Usage              Usage        `json:"usage"`
	Warnings           []Warning    `json:"warnings,omitempty"`
}

// Usage counts tokens in one convention whatever the vendor's own: InputTokens includes what was read from and written
// to a prompt cache, OutputTokens includes reasoning.
type Usage struct {
	InputTokens      int64 `json:"input_tokens"`
	OutputTokens     int64 `json:"output_tokens"`
	CacheReadTokens  int64 `json:"cache_read_tokens,omitempty"`
	CacheWriteTokens int64 `json:"cache_write_tokens,omitempty"`
	ReasoningTokens  int64 `json:"reasoning_tokens,omitempty"`
	// Raw is the vendor's usage object as it came.
	Raw json.RawMessage `json:"raw,omitempty"`
}

// Warning says that a part of the request was changed or left out for a target that cannot honour it.
type Warning struct {
	Param   string `json:"param"`
	Message string `json:"message"`
}
