package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// responseRequest is the wire form (https://platform.openai.com/docs/api-reference/responses/create). Fields that are not read
// here are unknown and refused.
type responseRequest struct {
	Model                string            `json:"model"`
	Input                json.RawMessage   `json:"input"`
	Instructions         *string           `json:"instructions"`
	Tools                []json.RawMessage `json:"tools"`
	ToolChoice           json.RawMessage   `json:"tool_choice"`
	ParallelToolCalls    *bool             `json:"parallel_tool_calls"`
	Temperature          *float64          `json:"temperature"`
	TopP                 *float64          `json:"top_p"`
	MaxOutputTokens      *int64            `json:"max_output_tokens"`
	MaxToolCalls         *int64            `json:"max_tool_calls"` // of hosted tools, of which there are none
	TopLogprobs          *int64            `json:"top_logprobs"`
	Include              []string          `json:"include"`
	Reasoning            *reasoningConfig  `json:"reasoning"`
	Text                 *textConfig       `json:"text"`
	Truncation           string            `json:"truncation"`
	Store                *bool             `json:"store"`
	Stream               *bool             `json:"stream"`
	StreamOptions        *responseOptions  `json:"stream_options"`
	Background           *bool             `json:"background"`
	PreviousResponseID   *string           `json:"previous_response_id"`
	Conversation         *conversationRef  `json:"conversation"`
	User                 string            `json:"user"`
	SafetyIdentifier     string            `json:"safety_identifier"`
	PromptCacheKey       string            `json:"prompt_cache_key"`
	PromptCacheRetention string            `json:"prompt_cache_retention"` // a vendor's caches are its own affair
	ServiceTier          string            `json:"service_tier"`
	Prompt               *json.RawMessage  `json:"prompt"` // kept at OpenAI: refused

	// Extensions, as in a chat completion.
	asks
	TopK            *int64                     `json:"top_k"`
	ProviderOptions map[string]json.RawMessage `json:"provider_options"`
	Holdfast        handling                   `json:"holdfast"`
}

type responseOptions struct {
	// IncludeObfuscation pads events at OpenAI; there is no padding here to be turned off.
	IncludeObfuscation *bool `json:"include_obfuscation"`
}

const (
	includeEncrypted = "reasoning.encrypted_content"
	includeLogprobs  = "message.output_text.logprobs"
)

// DecodeResponse reads the body of POST /v1/responses. Find gives what item references name; it may be nil, and then they name
// nothing. An error is a *[dialect.InvalidError], or what find failed with.
//
// The request's messages may be none where it goes on from a conversation or from another response.
func DecodeResponse(body []byte, find ItemFinder) (dialect.Request, error) {
	var wire responseRequest
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wire); err != nil {
		return dialect.Request{}, explainResponse(err)
	}
	if decoder.More() {
		return dialect.Request{}, invalid("", "invalid_json", "The body holds more than one JSON value.")
	}
	wire.Model = wire.askedModel(wire.Model)
	if wire.PreviousResponseID != nil && *wire.PreviousResponseID == "" { // as clients send it that begin with none
		wire.PreviousResponseID = nil
	}
	if err := wire.check(); err != nil {
		return dialect.Request{}, err
	}
	return wire.decode(find)
}

func (r *responseRequest) decode(find ItemFinder) (dialect.Request, error) {
	request := dialect.Request{Request: llm.Request{
		Model: r.Model, ParallelToolCalls: r.ParallelToolCalls, Temperature: r.Temperature, TopP: r.TopP, MaxOutputTokens: r.MaxOutputTokens,
		User: r.User, Metadata: r.Metadata.texts, TopK: r.TopK, Logprobs: r.logprobs(), ServiceTier: plainTier(r.ServiceTier),
		PromptCacheKey: r.PromptCacheKey, Extras: r.ProviderOptions, Strict: r.Provider.strict(), Overflow: r.overflow(),
	}}
	if request.User == "" {
		request.User = r.SafetyIdentifier
	}
	if r.Instructions != nil && *r.Instructions != "" {
		request.Instructions = []llm.Part{llm.Text(*r.Instructions)}
	}
	request.Stream = r.Stream != nil && *r.Stream
	request.Background = r.Background != nil && *r.Background
	request.Store = r.Store
	request.OnStreamFailure, request.OnDisconnect = r.Holdfast.OnStreamFailure, r.Holdfast.OnDisconnect
	if r.Conversation != nil {
		request.ConversationID = r.Conversation.ID
	}
	var err error
	if request.PreviousID, err = r.previous(); err != nil {
		return dialect.Request{}, err
	}
	if request.Messages, err = r.messages(find); err != nil {
		return dialect.Request{}, err
	}
	if request.Tools, err = decodeFunctions(r.Tools); err != nil {
		return dialect.Request{}, err
	}
	if request.ToolChoice, request.Tools, err = chooseTools(r.ToolChoice, request.Tools); err != nil {
		return dialect.Request{}, err
	}
	if request.Reasoning, err = r.Reasoning.decode(); err != nil {
		return dialect.Request{}, err
	}
	if request.ResponseFormat, request.Verbosity, err = r.Text.decode(); err != nil {
		return dialect.Request{}, err
	}
	if request.Routing, err = r.routing(r.Model); err != nil {
		return dialect.Request{}, err
	}
	request.Shown = r.shown()
	return request, nil
}

// messages reads the input: a text, which the user says, or items.
func (r *responseRequest) messages(find ItemFinder) ([]llm.Message, error) {
	if len(r.Input) == 0 || string(r.Input) == "null" {
		return nil, r.nothing()
	}
	var text string
	if json.Unmarshal(r.Input, &text) == nil {
		return []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(text)}}}, nil
	}
	var items []json.RawMessage
	if json.Unmarshal(r.Input, &items) != nil {
		return nil, invalid("input", "invalid_type", "Invalid type for 'input': expected a text, or a list of items.")
	}
	if len(items) == 0 {
		return nil, r.nothing()
	}
	return decodeItems(items, "input", find)
}

// nothing is wrong with a request without input if it goes on from something.
func (r *responseRequest) nothing() error {
	if r.PreviousResponseID != nil || r.Conversation != nil {
		return nil
	}
	return invalid("input", "missing_required_parameter", "One of 'input', 'previous_response_id' or 'conversation' must be provided.")
}

// previous is the completion whose response the request goes on from.
func (r *responseRequest) previous() (string, error) {
	if r.PreviousResponseID == nil {
		return "", nil
	}
	id, ok := CompletionID(*r.PreviousResponseID)
	if !ok {
		return "", invalid("previous_response_id", "previous_response_not_found", "Previous response with id '%s' not found.", *r.PreviousResponseID)
	}
	return id, nil
}

// logprobs asks for as many alternatives as are said, if the request says anywhere that it wants any.
func (r *responseRequest) logprobs() *int64 {
	top := int64(0)
	if r.TopLogprobs != nil {
		top = *r.TopLogprobs
	}
	if top == 0 && !slices.Contains(r.Include, includeLogprobs) {
		return nil
	}
	return &top
}

// overflow is OpenAI's truncation, unless the request says it in Holdfast's own words.
func (r *responseRequest) overflow() llm.Overflow {
	switch {
	case r.Holdfast.Overflow != "":
		return r.Holdfast.Overflow
	case r.Truncation == "auto":
		return llm.OverflowDropOldest
	case r.Truncation == "disabled":
		return llm.OverflowRefuse
	default:
		return ""
	}
}

// explainResponse says what is wrong with a body in its author's terms, and where what a chat completion has is found here.
func explainResponse(err error) error {
	err = explainJSON(err)
	var own *dialect.InvalidError
	if errors.As(err, &own) && own.Code == "unknown_parameter" {
		if where := inResponses(own.Param); where != "" {
			return invalid(own.Param, "unsupported_parameter", "Unsupported parameter: '%s'. %s", own.Param, where)
		}
	}
	return err
}

// inResponses says where in a request for a response stands what the named parameter says elsewhere; empty for any other.
func inResponses(name string) string {
	switch name {
	case "messages":
		return "In the Responses API, this has moved to 'input'."
	case "max_tokens", "max_completion_tokens":
		return "In the Responses API, this has moved to 'max_output_tokens'."
	case "response_format":
		return "In the Responses API, this has moved to 'text.format'."
	case "reasoning_effort", "thinking":
		return "In the Responses API, this has moved to 'reasoning.effort'."
	case "verbosity":
		return "In the Responses API, this has moved to 'text.verbosity'."
	case "logprobs":
		return "In the Responses API, say 'include': ['" + includeLogprobs + "'] and 'top_logprobs'."
	case "functions", "function_call":
		return "Say 'tools' and 'tool_choice'."
	case "context_management":
		return "Say in holdfast.overflow what becomes of a conversation that is too long."
	case "n", "stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias":
		return "The Responses API has no such parameter: ask for a chat completion."
	}
	if strings.HasPrefix(name, "prompt_cache_") {
		return "A vendor's cache is asked for by cache_control, on the content that it is to keep."
	}
	return ""
}
