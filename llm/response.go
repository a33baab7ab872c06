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
	// Logprobs are those of the message's text, token by token, if they were asked for.
	Logprobs []TokenLogprob `json:"logprobs,omitempty"`
	// Alternatives are the second and further answers, where several were asked for.
	Alternatives []Choice  `json:"alternatives,omitempty"`
	Usage        Usage     `json:"usage"`
	Warnings     []Warning `json:"warnings,omitempty"`
	// Rendering is the version of the rules by which the request was rendered for the vendor; 0 if the provider has none.
	Rendering int `json:"rendering,omitempty"`
	// RateLimit is what the vendor said of the account's limits; nil if it said nothing. It is of the moment, and not recorded.
	RateLimit *RateLimit `json:"-"`
	// Vectors are the answer to a request for embeddings, which has no Message.
	Vectors []Vector `json:"vectors,omitempty"`
}

// Choice is one of several answers to one request.
type Choice struct {
	Message            Message        `json:"message"`
	FinishReason       FinishReason   `json:"finish_reason"`
	NativeFinishReason string         `json:"native_finish_reason,omitempty"`
	Logprobs           []TokenLogprob `json:"logprobs,omitempty"`
}

// TokenLogprob is how probable a token was, as the natural logarithm.
type TokenLogprob struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Bytes   []int   `json:"bytes,omitempty"` // of the token in UTF-8; a token may hold a part of a character
	// Top are the most probable tokens in this place, without Top of their own.
	Top []TokenLogprob `json:"top,omitempty"`
}

// Usage counts tokens in one convention whatever the vendor's own: InputTokens includes what was read from and written
// to a prompt cache, OutputTokens includes reasoning.
type Usage struct {
	InputTokens      int64 `json:"input_tokens"`
	OutputTokens     int64 `json:"output_tokens"`
	CacheReadTokens  int64 `json:"cache_read_tokens,omitempty"`
	CacheWriteTokens int64 `json:"cache_write_tokens,omitempty"`
	// CacheWrite1hTokens are those of CacheWriteTokens that were written for an hour, not for five minutes.
	CacheWrite1hTokens int64 `json:"cache_write_1h_tokens,omitempty"`
	ReasoningTokens    int64 `json:"reasoning_tokens,omitempty"`
	// Tokens of images and sound are counted in InputTokens and OutputTokens; these say how many they are.
	InputImageTokens  int64 `json:"input_image_tokens,omitempty"`
	InputAudioTokens  int64 `json:"input_audio_tokens,omitempty"`
	OutputAudioTokens int64 `json:"output_audio_tokens,omitempty"`
	OutputImageTokens int64 `json:"output_image_tokens,omitempty"`
	// Estimated says that the vendor counted nothing: the tokens were estimated from the texts.
	Estimated bool `json:"estimated,omitempty"`
	// Raw is the vendor's usage object as it came.
	Raw json.RawMessage `json:"raw,omitempty"`
}

// Warning says that a part of the request was changed or left out for a target that cannot honour it.
type Warning struct {
	Param   string `json:"param"`
	Message string `json:"message"`
}
