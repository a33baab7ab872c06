package anthropic

import (
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
)

// tool is one that the client runs. What is known of it beyond its declaration says how Anthropic is to load, stream and
// illustrate it, and changes nothing of what it is.
type tool struct {
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"input_schema"`
	Strict       *bool           `json:"strict"`
	CacheControl *cacheControl   `json:"cache_control"`

	EagerInputStreaming json.RawMessage `json:"eager_input_streaming"`
	DeferLoading        json.RawMessage `json:"defer_loading"`
	AllowedCallers      json.RawMessage `json:"allowed_callers"`
	InputExamples       json.RawMessage `json:"input_examples"`
}

func decodeTools(wire []json.RawMessage) ([]llm.Tool, error) {
	var tools []llm.Tool
	for i, raw := range wire {
		at := item("tools", i)
		var kind struct {
			Type string `json:"type"`
		}
		if err := readKnown(at, raw, &kind); err != nil {
			return nil, err
		}
		if kind.Type != "" && kind.Type != "custom" {
			return nil, invalid(under(at, "type"), codeUnsupported,
				"Tools of type '%s' are Anthropic's own and not served here: declare a tool with name, description and input_schema, "+
					"and let the client run it.", kind.Type)
		}
		var t tool
		if err := read(at, raw, &t); err != nil {
			return nil, err
		}
		decoded, err := t.decode(at)
		if err != nil {
			return nil, err
		}
		tools = append(tools, decoded)
	}
	return tools, nil
}

func (t tool) decode(at string) (llm.Tool, error) {
	if t.Name == "" {
		return llm.Tool{}, required(under(at, "name"))
	}
	if absent(t.InputSchema) {
		return llm.Tool{}, required(under(at, "input_schema"))
	}
	var schema map[string]json.RawMessage
	if err := readKnown(under(at, "input_schema"), t.InputSchema, &schema); err != nil {
		return llm.Tool{}, err
	}
	hint, err := t.CacheControl.decode(under(at, "cache_control"))
	if err != nil {
		return llm.Tool{}, err
	}
	return llm.Tool{Name: t.Name, Description: t.Description, Parameters: t.InputSchema, Strict: t.Strict, Cache: hint}, nil
}

// decodeToolChoice reads tool_choice, which is also where calls in parallel are forbidden.
func (r *messagesRequest) decodeToolChoice(request *llm.Request) error {
	if absent(r.ToolChoice) {
		return nil
	}
	var choice struct {
		Type                   string `json:"type"`
		Name                   string `json:"name"`
		DisableParallelToolUse bool   `json:"disable_parallel_tool_use"`
	}
	if err := read("tool_choice", r.ToolChoice, &choice); err != nil {
		return err
	}
	request.ToolChoice = &llm.ToolChoice{}
	switch choice.Type {
	case "auto":
		request.ToolChoice.Mode = llm.ToolChoiceAuto
	case "any":
		request.ToolChoice.Mode = llm.ToolChoiceRequired
	case "none":
		request.ToolChoice.Mode = llm.ToolChoiceNone
	case "tool":
		if choice.Name == "" {
			return required("tool_choice.name")
		}
		request.ToolChoice.Mode, request.ToolChoice.Name = llm.ToolChoiceTool, choice.Name
	default:
		return invalid("tool_choice.type", codeValue, "Input should be 'auto', 'any', 'tool' or 'none'.")
	}
	if choice.DisableParallelToolUse {
		parallel := false
		request.ParallelToolCalls = &parallel
	}
	return nil
}
