package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

func invalid(param, code, format string, args ...any) *dialect.InvalidError {
	return dialect.Invalid(param, code, format, args...)
}

// chatRequest is the wire form. Fields that are not read here are unknown and refused.
type chatRequest struct {
	Model               string             `json:"model"`
	Messages            []message          `json:"messages"`
	Stream              *bool              `json:"stream"`
	StreamOptions       *streamOptions     `json:"stream_options"`
	Temperature         *float64           `json:"temperature"`
	TopP                *float64           `json:"top_p"`
	MaxTokens           *int64             `json:"max_tokens"`
	MaxCompletionTokens *int64             `json:"max_completion_tokens"`
	Stop                stopSequences      `json:"stop"`
	Seed                *int64             `json:"seed"`
	PresencePenalty     *float64           `json:"presence_penalty"`
	FrequencyPenalty    *float64           `json:"frequency_penalty"`
	User                string             `json:"user"`
	SafetyIdentifier    string             `json:"safety_identifier"`
	PromptCacheKey      string             `json:"prompt_cache_key"`
	ServiceTier         string             `json:"service_tier"`
	Store               *bool              `json:"store"`
	N                   *int64             `json:"n"`
	ResponseFormat      *responseFormat    `json:"response_format"`
	Tools               []tool             `json:"tools"`
	ToolChoice          *toolChoice        `json:"tool_choice"`
	ParallelToolCalls   *bool              `json:"parallel_tool_calls"`
	Conversation        *conversationRef   `json:"conversation"`
	Logprobs            *bool              `json:"logprobs"`
	TopLogprobs         *int64             `json:"top_logprobs"`
	LogitBias           map[string]float64 `json:"logit_bias"`
	Modalities          []string           `json:"modalities"`
	ReasoningEffort     llm.Effort         `json:"reasoning_effort"`
	Verbosity           string             `json:"verbosity"`

	// Extensions, as other gateways spell them.
	asks
	TopK            *int64                     `json:"top_k"`
	Reasoning       *reasoning                 `json:"reasoning"`        // OpenRouter's
	Thinking        *thinking                  `json:"thinking"`         // Anthropic's, as LiteLLM takes it
	ProviderOptions map[string]json.RawMessage `json:"provider_options"` // parameters of one provider each
	Holdfast        handling                   `json:"holdfast"`
}

// handling says how Holdfast is to treat the request: none of it reaches a provider.
type handling struct {
	OnStreamFailure string       `json:"on_stream_failure"`
	OnDisconnect    string       `json:"on_disconnect"`
	Overflow        llm.Overflow `json:"overflow"`
}

func (h handling) check() error {
	switch h.OnStreamFailure {
	case "", "continue", "restart", "fail":
	default:
		return invalid("holdfast.on_stream_failure", "invalid_value", "on_stream_failure must be continue, restart or fail.")
	}
	switch h.OnDisconnect {
	case "", "continue", "cancel":
	default:
		return invalid("holdfast.on_disconnect", "invalid_value", "on_disconnect must be continue or cancel.")
	}
	switch h.Overflow {
	case "", llm.OverflowRefuse, llm.OverflowDropOldest, llm.OverflowSummarise:
		return nil
	default:
		return invalid("holdfast.overflow", "invalid_value", "overflow must be refuse, drop_oldest or summarise.")
	}
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
	// IncludeObfuscation pads chunks at OpenAI; there is no padding here to be turned off.
	IncludeObfuscation *bool `json:"include_obfuscation"`
}

type stopSequences []string

func (s *stopSequences) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		if one != "" {
			*s = stopSequences{one}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// conversationRef is an id, or an object that holds one: OpenAI's Responses API takes both.
type conversationRef struct{ ID string }

func (c *conversationRef) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &c.ID) == nil {
		return nil
	}
	var object struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	c.ID = object.ID
	return nil
}

// DecodeChat reads a request body. An error is a *[dialect.InvalidError].
func DecodeChat(body []byte) (dialect.Request, error) {
	var wire chatRequest
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wire); err != nil {
		return dialect.Request{}, explainJSON(err)
	}
	if decoder.More() {
		return dialect.Request{}, invalid("", "invalid_json", "The body holds more than one JSON value.")
	}
	wire.Model = wire.askedModel(wire.Model)
	if err := wire.check(); err != nil {
		return dialect.Request{}, err
	}
	messages, err := decodeMessages(wire.Messages)
	if err != nil {
		return dialect.Request{}, err
	}
	tools, err := decodeTools(wire.Tools)
	if err != nil {
		return dialect.Request{}, err
	}
	request := dialect.Request{Request: llm.Request{
		Model: wire.Model, Messages: messages, Tools: tools, ParallelToolCalls: wire.ParallelToolCalls,
		Temperature: wire.Temperature, TopP: wire.TopP, Stop: wire.Stop, Seed: wire.Seed,
		PresencePenalty: wire.PresencePenalty, FrequencyPenalty: wire.FrequencyPenalty, User: wire.User, Metadata: wire.Metadata.texts,
		MaxOutputTokens: wire.MaxCompletionTokens, TopK: wire.TopK, N: wire.N, Logprobs: wire.logprobs(), LogitBias: wire.LogitBias,
		ResponseFormat: wire.ResponseFormat.decode(), Verbosity: wire.Verbosity, ServiceTier: plainTier(wire.ServiceTier),
		PromptCacheKey: wire.PromptCacheKey, Extras: wire.ProviderOptions, Strict: wire.Provider.strict(), Overflow: wire.Holdfast.Overflow,
	}}
	request.Stream = wire.Stream != nil && *wire.Stream
	request.Store = wire.Store
	request.OnStreamFailure, request.OnDisconnect = wire.Holdfast.OnStreamFailure, wire.Holdfast.OnDisconnect
	request.IncludeUsage = wire.StreamOptions != nil && wire.StreamOptions.IncludeUsage
	if request.User == "" {
		request.User = wire.SafetyIdentifier
	}
	if request.Reasoning, err = wire.thoughts(); err != nil {
		return dialect.Request{}, err
	}
	if request.Routing, err = wire.routing(wire.Model); err != nil {
		return dialect.Request{}, err
	}
	if request.MaxOutputTokens == nil {
		request.MaxOutputTokens = wire.MaxTokens
	}
	if wire.ToolChoice != nil {
		request.ToolChoice = &wire.ToolChoice.ToolChoice
	}
	if wire.Conversation != nil {
		request.ConversationID = wire.Conversation.ID
	}
	return request, nil
}

func (r *chatRequest) check() error {
	switch {
	case r.Model == "":
		return invalid("model", "missing_required_parameter", "You must provide a model parameter.")
	case len(r.Messages) == 0:
		return invalid("messages", "missing_required_parameter", "You must provide at least one message.")
	case r.StreamOptions != nil && (r.Stream == nil || !*r.Stream):
		return invalid("stream_options", "invalid_value", "stream_options needs \"stream\": true.")
	case r.N != nil && (*r.N < 1 || *r.N > maxChoices):
		return invalid("n", "invalid_value", "n must be between 1 and %d.", maxChoices)
	case r.N != nil && *r.N > 1 && r.Conversation != nil:
		return invalid("n", "invalid_value", "A conversation goes on with one answer: n must be 1.")
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > 2):
		return invalid("temperature", "invalid_value", "temperature must be between 0 and 2.")
	case r.TopP != nil && (*r.TopP < 0 || *r.TopP > 1):
		return invalid("top_p", "invalid_value", "top_p must be between 0 and 1.")
	case r.PresencePenalty != nil && (*r.PresencePenalty < -2 || *r.PresencePenalty > 2):
		return invalid("presence_penalty", "invalid_value", "presence_penalty must be between -2 and 2.")
	case r.FrequencyPenalty != nil && (*r.FrequencyPenalty < -2 || *r.FrequencyPenalty > 2):
		return invalid("frequency_penalty", "invalid_value", "frequency_penalty must be between -2 and 2.")
	case r.MaxTokens != nil && *r.MaxTokens < 1:
		return invalid("max_tokens", "invalid_value", "max_tokens must be at least 1.")
	case r.MaxCompletionTokens != nil && *r.MaxCompletionTokens < 1:
		return invalid("max_completion_tokens", "invalid_value", "max_completion_tokens must be at least 1.")
	case len(r.Stop) > 4:
		return invalid("stop", "invalid_value", "At most 4 stop sequences are allowed.")
	case len(r.Metadata.texts) > 16:
		return invalid("metadata", "invalid_value", "At most 16 metadata entries are allowed.")
	case r.TopLogprobs != nil && (*r.TopLogprobs < 0 || *r.TopLogprobs > 20):
		return invalid("top_logprobs", "invalid_value", "top_logprobs must be between 0 and 20.")
	case r.TopLogprobs != nil && (r.Logprobs == nil || !*r.Logprobs):
		return invalid("top_logprobs", "invalid_value", "top_logprobs needs \"logprobs\": true.")
	case r.TopK != nil && *r.TopK < 1:
		return invalid("top_k", "invalid_value", "top_k must be at least 1.")
	case r.Verbosity != "" && r.Verbosity != "low" && r.Verbosity != "medium" && r.Verbosity != "high":
		return invalid("verbosity", "invalid_value", "verbosity must be low, medium or high.")
	case len(r.Modalities) > 1 || (len(r.Modalities) == 1 && r.Modalities[0] != "text"):
		return invalid("modalities", "unsupported_value", "Only the modality text is supported.")
	case r.Conversation != nil && r.Conversation.ID == "":
		return invalid("conversation", "invalid_value", "conversation must be a conversation id.")
	}
	if err := r.ResponseFormat.check(); err != nil {
		return err
	}
	return r.Holdfast.check()
}

// maxChoices bounds n: each answer beyond what a vendor gives by itself is a call of its own.
const maxChoices = 8

func (r *chatRequest) logprobs() *int64 {
	if r.Logprobs == nil || !*r.Logprobs {
		return nil
	}
	top := int64(0)
	if r.TopLogprobs != nil {
		top = *r.TopLogprobs
	}
	return &top
}

// plainTier is empty for those that mean nothing in particular.
func plainTier(tier string) string {
	if tier == "auto" || tier == "default" {
		return ""
	}
	return tier
}

// jsonName is what a value of a type is in JSON.
func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonName(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32,
		reflect.Uint64, reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "an object"
	}
}

// explainJSON says what is wrong with a body in its author's terms.
func explainJSON(err error) error {
	var wrongType *json.UnmarshalTypeError
	var own *dialect.InvalidError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &wrongType):
		field := strings.TrimPrefix(wrongType.Field, "asks.") // a part of the request in Go alone
		return invalid(field, "invalid_type", "Invalid type for '%s': expected %s, got %s.", field, jsonName(wrongType.Type), wrongType.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		field := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		if where := elsewhere(field); where != "" {
			return invalid(field, "unsupported_parameter", "Unsupported parameter: '%s'. %s", field, where)
		}
		return invalid(field, "unknown_parameter", "Unknown or unsupported parameter: '%s'.", field)
	default:
		return invalid("", "invalid_json", "The body is not valid JSON.")
	}
}
