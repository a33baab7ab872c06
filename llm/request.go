package llm

import "encoding/json"

// Request is a completion asked for, in canonical form. Pointer fields are nil when the client left them out: an adapter
// then leaves them out too, so that the vendor's own default applies.
type Request struct {
	// Model is what the client asked for (a route's name) until a candidate is chosen; an adapter is handed the vendor's
	// own model name here.
	Model             string            `json:"model"`
	Messages          []Message         `json:"messages"`
	Tools             []Tool            `json:"tools,omitempty"`
	ToolChoice        *ToolChoice       `json:"tool_choice,omitempty"`
	ParallelToolCalls *bool             `json:"parallel_tool_calls,omitempty"`
	Temperature       *float64          `json:"temperature,omitempty"`
	TopP              *float64          `json:"top_p,omitempty"`
	MaxOutputTokens   *int64            `json:"max_output_tokens,omitempty"`
	Stop              []string          `json:"stop,omitempty"`
	Seed              *int64            `json:"seed,omitempty"`
	PresencePenalty   *float64          `json:"presence_penalty,omitempty"`
	FrequencyPenalty  *float64          `json:"frequency_penalty,omitempty"`
	User              string            `json:"user,omitempty"`
	Metadata          map[string]string `json:"metadata,omitempty"`
}

// Tool is a function that the model may ask to have run.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // JSON Schema of an object; empty means no parameters
	Strict      *bool           `json:"strict,omitempty"`
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
