package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// functionTool is a function in the form of the Responses API, where its name stands beside its type.
type functionTool struct {
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	Parameters   json.RawMessage `json:"parameters"`
	Strict       *bool           `json:"strict"`
	CacheControl *cacheControl   `json:"cache_control"`
}

func decodeFunctions(list []json.RawMessage) ([]llm.Tool, error) {
	var tools []llm.Tool
	for i, raw := range list {
		tool, err := decodeFunction(raw, fmt.Sprintf("tools[%d]", i))
		if err != nil {
			return nil, err
		}
		tools = append(tools, tool)
	}
	return tools, nil
}

func decodeFunction(raw json.RawMessage, at string) (llm.Tool, error) {
	var kind struct {
		Type     string          `json:"type"`
		Function json.RawMessage `json:"function"`
	}
	var f functionTool
	var schema map[string]json.RawMessage
	if json.Unmarshal(raw, &kind) != nil {
		return llm.Tool{}, invalid(at, "invalid_type", "%s: a tool is an object with a type.", at)
	}
	if why := hostedTool(kind.Type); why != "" {
		return llm.Tool{}, invalid(at+".type", "unsupported_value", "%s: tools of type '%s' are not supported: %s", at, kind.Type, why)
	}
	if kind.Function != nil {
		return llm.Tool{}, invalid(at+".name", "missing_required_parameter",
			"%s: a function's name, description and parameters stand beside its type here, not in a member 'function'.", at)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return llm.Tool{}, within(at, explainJSON(err))
	}
	switch {
	case f.Name == "":
		return llm.Tool{}, invalid(at+".name", "missing_required_parameter", "%s: a function needs a name.", at)
	case len(f.Parameters) > 0 && json.Unmarshal(f.Parameters, &schema) != nil:
		return llm.Tool{}, invalid(at+".parameters", "invalid_type", "%s: parameters must be a JSON Schema object.", at)
	}
	hint, err := f.CacheControl.decode()
	if schema == nil { // null is none
		f.Parameters = nil
	}
	return llm.Tool{Name: f.Name, Description: f.Description, Parameters: f.Parameters, Strict: f.Strict, Cache: hint}, within(at, err)
}

// chosen is what tool_choice says: a mode, or an object.
type chosen struct {
	Type  string            `json:"type"`
	Name  string            `json:"name"`
	Mode  string            `json:"mode"`
	Tools []json.RawMessage `json:"tools"`
}

// chooseTools gives the choice, and the tools of which it is one.
func chooseTools(raw json.RawMessage, tools []llm.Tool) (*llm.ToolChoice, []llm.Tool, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, tools, nil
	}
	var mode string
	if json.Unmarshal(raw, &mode) == nil {
		choice, err := choiceOf(mode)
		return choice, tools, err
	}
	var object chosen
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if decoder.Decode(&object) != nil {
		return nil, nil, invalid("tool_choice", "invalid_value", "tool_choice must be none, auto, required, or name a function.")
	}
	switch object.Type {
	case "function":
		if object.Name == "" {
			return nil, nil, invalid("tool_choice.name", "missing_required_parameter", "tool_choice of type function needs a name.")
		}
		return &llm.ToolChoice{Mode: llm.ToolChoiceTool, Name: object.Name}, tools, nil
	case "allowed_tools":
		return object.allowed(tools)
	default:
		return nil, nil, invalid("tool_choice.type", "unsupported_value",
			"tool_choice of type '%s' is not supported: %s", object.Type, hostedTool(object.Type))
	}
}

func choiceOf(mode string) (*llm.ToolChoice, error) {
	switch m := llm.ToolChoiceMode(mode); m {
	case llm.ToolChoiceAuto, llm.ToolChoiceNone, llm.ToolChoiceRequired:
		return &llm.ToolChoice{Mode: m}, nil
	default:
		return nil, invalid("tool_choice", "invalid_value", "tool_choice must be none, auto, required, or name a function.")
	}
}

// allowed leaves the tools that may be called: the others are not told to the model.
func (c chosen) allowed(tools []llm.Tool) (*llm.ToolChoice, []llm.Tool, error) {
	if c.Mode != string(llm.ToolChoiceAuto) && c.Mode != string(llm.ToolChoiceRequired) {
		return nil, nil, invalid("tool_choice.mode", "invalid_value", "tool_choice.mode must be auto or required.")
	}
	names := make([]string, 0, len(c.Tools))
	for i, raw := range c.Tools {
		var tool chosen
		at := fmt.Sprintf("tool_choice.tools[%d]", i)
		if json.Unmarshal(raw, &tool) != nil || tool.Type != "function" {
			return nil, nil, invalid(at, "unsupported_value", "%s: only tools of type 'function' are supported.", at)
		}
		if !slices.ContainsFunc(tools, func(t llm.Tool) bool { return t.Name == tool.Name }) {
			return nil, nil, invalid(at, "invalid_value", "%s: '%s' is not among the tools.", at, tool.Name)
		}
		names = append(names, tool.Name)
	}
	tools = slices.DeleteFunc(slices.Clone(tools), func(t llm.Tool) bool { return !slices.Contains(names, t.Name) })
	if len(tools) == 0 {
		return nil, nil, invalid("tool_choice.tools", "invalid_value", "tool_choice.tools must name a tool.")
	}
	return &llm.ToolChoice{Mode: llm.ToolChoiceMode(c.Mode)}, tools, nil
}
