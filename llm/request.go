package llm

import "encoding/json"

// Request is a completion asked for, in canonical form. Pointer fields are nil when the client left them out: an adapter
// then leaves them out too, so that the vendor's own default applies.
type Request struct {
	// Model is what the client asked for (a route's name) until a candidate is chosen; an adapter is handed the vendor's
	// own model name here.
	Model    string    `json:"model"`
	Messages []Message `json:"messages"`
	// Instructions are what a system message in front of all others says. They belong to this request alone: a conversation
	// does not keep them. They are made a message before an adapter sees the request.
	Instructions      []Part      `json:"instructions,omitempty"`
	Tools             []Tool      `json:"tools,omitempty"`
	ToolChoice        *ToolChoice `json:"tool_choice,omitempty"`
	ParallelToolCalls *bool       `json:"parallel_tool_calls,omitempty"`
	Temperature       *float64    `json:"temperature,omitempty"`
	TopP              *float64    `json:"top_p,omitempty"`
	MaxOutputTokens   *int64      `json:"max_output_tokens,omitempty"`
	Stop              []string    `json:"stop,omitempty"`
	Seed              *int64      `json:"seed,omitempty"`
	PresencePenalty   *float64    `json:"presence_penalty,omitempty"`
	FrequencyPenalty  *float64    `json:"frequency_penalty,omitempty"`
	// User is the end user on whose behalf the client asks, in its own words; vendors tell abuse by it.
	User string `json:"user,omitempty"`
	// Metadata are the client's notes on its request. They are kept with it and sent to no vendor.
	Metadata map[string]string `json:"metadata,omitempty"`

	TopK *int64 `json:"top_k,omitempty"`
	// N is how many answers are wanted; nil is one.
	N *int64 `json:"n,omitempty"`
	// Logprobs asks for each token's log probability, and for those of as many alternatives as it says, which may be 0.
	Logprobs  *int64             `json:"logprobs,omitempty"`
	LogitBias map[string]float64 `json:"logit_bias,omitempty"`

	ResponseFormat *ResponseFormat `json:"response_format,omitempty"`
	Reasoning      *Reasoning      `json:"reasoning,omitempty"`
	// Verbosity is how much the model should say, in OpenAI's words: "low", "medium" or "high".
	Verbosity   string `json:"verbosity,omitempty"`
	ServiceTier string `json:"service_tier,omitempty"`
	// PromptCacheKey groups requests that share a prompt's beginning, for vendors that route by it.
	PromptCacheKey string `json:"prompt_cache_key,omitempty"`

	// Extras are parameters that only one vendor knows, as objects by that provider's name. An adapter adds the members of
	// its own to the request as they are, and does not look at the others.
	Extras map[string]json.RawMessage `json:"extras,omitempty"`
	// Plain leaves out everything [Opaque]: what is sent again after a vendor refused it (see [RemedyPlain]).
	Plain bool `json:"plain,omitempty"`

	// Strict refuses a target that would change or leave out a part of the request: what would be a [Warning] is an error of
	// [KindUnsupported] then, and nothing is sent.
	Strict bool `json:"strict,omitempty"`
	// Overflow is what becomes of a conversation that no target can hold; empty leaves it to the route.
	Overflow Overflow `json:"overflow,omitempty"`
	// Routing is what the client asks of the choice of target. Adapters do not look at it.
	Routing *Routing `json:"routing,omitempty"`

	// Embed is set if vectors are asked for, not words: the request then has no Messages.
	Embed *Embed `json:"embed,omitempty"`
}

// ResponseFormatType is the form of an answer's text.
type ResponseFormatType string

// The forms of an answer. With [FormatJSONSchema] the answer is JSON that a schema describes.
const (
	FormatText       ResponseFormatType = "text"
	FormatJSONObject ResponseFormatType = "json_object"
	FormatJSONSchema ResponseFormatType = "json_schema"
)

// ResponseFormat asks for structured output.
type ResponseFormat struct {
	Type        ResponseFormatType `json:"type"`
	Name        string             `json:"name,omitempty"`
	Description string             `json:"description,omitempty"`
	Schema      json.RawMessage    `json:"schema,omitempty"`
	// Strict asks that the answer certainly, not only probably, follows the schema.
	Strict *bool `json:"strict,omitempty"`
}

// Effort is how hard a model should think before it answers.
type Effort string

// The efforts, from nothing to all there is. Vendors know some of them; an adapter takes the nearest.
const (
	EffortNone    Effort = "none"
	EffortMinimal Effort = "minimal"
	EffortLow     Effort = "low"
	EffortMedium  Effort = "medium"
	EffortHigh    Effort = "high"
	EffortXHigh   Effort = "xhigh"
	EffortMax     Effort = "max"
)

// Reasoning says how a model should think. At most one of Effort and BudgetTokens is set.
type Reasoning struct {
	Effort Effort `json:"effort,omitempty"`
	// BudgetTokens is how many tokens the thoughts may take; 0 forbids them.
	BudgetTokens *int64 `json:"budget_tokens,omitempty"`
	// Summary asks to be shown the thoughts or a summary of them, in OpenAI's words: "auto", "concise" or "detailed". Empty
	// leaves it to the vendor.
	Summary string `json:"summary,omitempty"`
}

// Off reports whether thinking is forbidden. It may be called on nil.
func (r *Reasoning) Off() bool {
	return r != nil && (r.Effort == EffortNone || r.BudgetTokens != nil && *r.BudgetTokens == 0)
}

// Tool is a function that the model may ask to have run.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // JSON Schema of an object; empty means no parameters
	Strict      *bool           `json:"strict,omitempty"`
	// Cache asks for the tools up to and including this one to be kept in the vendor's prompt cache.
	Cache *CacheHint `json:"cache,omitempty"`
}

// ToolChoiceMode says how free the model is in using tools.
type ToolChoiceMode string

// The modes of tool choice. With [ToolChoiceTool] the choice names the function.
const (
	ToolChoiceAuto     ToolChoiceMode = "auto"
	ToolChoiceNone     ToolChoiceMode = "none"
	ToolChoiceRequired ToolChoiceMode = "required"
	ToolChoiceTool     ToolChoiceMode = "tool"
)

// ToolChoice constrains the use of tools.
type ToolChoice struct {
	Mode ToolChoiceMode `json:"mode"`
	Name string         `json:"name,omitempty"`
}

// Overflow says what becomes of a conversation that is longer than what any target can hold.
type Overflow string

// What becomes of it: the request is refused; its oldest exchanges are left out, whole ones, until the rest fits; or they are
// told in a summary that a model writes.
const (
	OverflowRefuse     Overflow = "refuse"
	OverflowDropOldest Overflow = "drop_oldest"
	OverflowSummarise  Overflow = "summarise"
)

// Instructed is the request with its instructions as its first message.
func (r Request) Instructed() Request {
	if len(r.Instructions) == 0 {
		return r
	}
	r.Messages = append([]Message{{Role: RoleSystem, Parts: r.Instructions}}, r.Messages...)
	r.Instructions = nil
	return r
}
