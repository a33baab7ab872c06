package anthropic

import (
	"encoding/json"
	"strings"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// messagesRequest is the wire form. Members that are not named here are unknown and refused.
type messagesRequest struct {
	Model         string            `json:"model"`
	MaxTokens     *int64            `json:"max_tokens"`
	Messages      []json.RawMessage `json:"messages"`
	System        json.RawMessage   `json:"system"`
	Metadata      json.RawMessage   `json:"metadata"`
	StopSequences []string          `json:"stop_sequences"`
	Stream        *bool             `json:"stream"`
	Temperature   *float64          `json:"temperature"`
	TopK          *int64            `json:"top_k"`
	TopP          *float64          `json:"top_p"`
	Tools         []json.RawMessage `json:"tools"`
	ToolChoice    json.RawMessage   `json:"tool_choice"`
	Thinking      json.RawMessage   `json:"thinking"`
	OutputConfig  json.RawMessage   `json:"output_config"`
	OutputFormat  json.RawMessage   `json:"output_format"` // the older name of output_config.format
	ServiceTier   string            `json:"service_tier"`
	CacheControl  *cacheControl     `json:"cache_control"`

	// Taken, without effect.
	ContextManagement map[string]json.RawMessage `json:"context_management"`
	Diagnostics       map[string]json.RawMessage `json:"diagnostics"`

	// Extensions, spelled as in the other dialects.
	Conversation json.RawMessage `json:"conversation"`
	Holdfast     json.RawMessage `json:"holdfast"`
	Store        *bool           `json:"store"`

	elsewhere
}

// DecodeMessages reads the body of POST /v1/messages. An error is a *[dialect.InvalidError], whose Param is the path of what is
// wrong in Anthropic's spelling: messages.0.content.1.type.
func DecodeMessages(body []byte) (dialect.Request, error) {
	var wire messagesRequest
	if err := readBody(body, &wire); err != nil {
		return dialect.Request{}, err
	}
	switch {
	case wire.MaxTokens == nil:
		return dialect.Request{}, required("max_tokens")
	case *wire.MaxTokens == 0:
		return dialect.Request{}, invalid("max_tokens", codeUnsupported,
			"A request without an answer, to fill the prompt cache, is not supported: max_tokens must be at least 1.")
	case *wire.MaxTokens < 1:
		return dialect.Request{}, invalid("max_tokens", codeValue, "Input should be greater than or equal to 1.")
	}
	request, err := wire.decode()
	if err != nil {
		return dialect.Request{}, err
	}
	request.MaxOutputTokens = wire.MaxTokens
	request.Stream = wire.Stream != nil && *wire.Stream
	request.IncludeUsage = request.Stream
	return request, nil
}

// DecodeCount reads the body of POST /v1/messages/count_tokens: that of [DecodeMessages] without max_tokens and stream. Errors
// are as there.
func DecodeCount(body []byte) (dialect.Request, error) {
	var wire messagesRequest
	if err := readBody(body, &wire); err != nil {
		return dialect.Request{}, err
	}
	switch {
	case wire.MaxTokens != nil:
		return dialect.Request{}, invalid("max_tokens", codeUnknown, "Extra inputs are not permitted.")
	case wire.Stream != nil:
		return dialect.Request{}, invalid("stream", codeUnknown, "Extra inputs are not permitted.")
	}
	return wire.decode()
}

func (r *messagesRequest) decode() (dialect.Request, error) {
	if err := r.check(); err != nil {
		return dialect.Request{}, err
	}
	request := dialect.Request{Request: llm.Request{
		Model: r.Model, Stop: r.StopSequences, Temperature: r.Temperature, TopP: r.TopP, TopK: r.TopK,
	}, Store: r.Store}
	if r.TopK != nil && *r.TopK == 0 { // it chooses among all tokens, as no top_k does
		request.TopK = nil
	}
	var err error
	if request.Messages, err = decodeTurns(r.Messages); err != nil {
		return dialect.Request{}, err
	}
	if request.Instructions, err = systemTexts("system", r.System); err != nil {
		return dialect.Request{}, err
	}
	if request.Tools, err = decodeTools(r.Tools); err != nil {
		return dialect.Request{}, err
	}
	if err = r.decodeToolChoice(&request.Request); err != nil {
		return dialect.Request{}, err
	}
	if err = r.decodeOutput(&request.Request); err != nil {
		return dialect.Request{}, err
	}
	if request.User, err = userOf(r.Metadata); err != nil {
		return dialect.Request{}, err
	}
	hint, err := r.CacheControl.decode("cache_control")
	if err != nil {
		return dialect.Request{}, err
	}
	cacheLast(request.Messages, hint)
	if request.ConversationID, err = conversationOf(r.Conversation); err != nil {
		return dialect.Request{}, err
	}
	return request, r.handle(&request)
}

func (r *messagesRequest) check() error {
	switch {
	case r.Model == "":
		return required("model")
	case len(r.Messages) == 0:
		return invalid("messages", codeMissing, "At least one message is required.")
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > 1):
		return invalid("temperature", codeValue, "Input should be between 0 and 1.")
	case r.TopP != nil && (*r.TopP < 0 || *r.TopP > 1):
		return invalid("top_p", codeValue, "Input should be between 0 and 1.")
	case r.TopK != nil && *r.TopK < 0:
		return invalid("top_k", codeValue, "Input should be greater than or equal to 0.")
	case r.ServiceTier != "" && r.ServiceTier != "auto" && r.ServiceTier != "standard_only":
		return invalid("service_tier", codeValue, "Input should be 'auto' or 'standard_only'.")
	}
	for i, stop := range r.StopSequences {
		if strings.TrimSpace(stop) == "" {
			return invalid(item("stop_sequences", i), codeValue, "Each stop sequence must contain non-whitespace.")
		}
	}
	return r.elsewhere.check()
}

// userOf is metadata.user_id, the one thing that metadata holds.
func userOf(raw json.RawMessage) (string, error) {
	var metadata struct {
		UserID string `json:"user_id"`
	}
	if absent(raw) {
		return "", nil
	}
	err := read("metadata", raw, &metadata)
	return metadata.UserID, err
}
