package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

type anthropicMessageIn struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`

	blocks []anthropicBlockIn
	text   string
	plain  bool // content is a string
}

type anthropicBlockIn struct {
	Type      string          `json:"type"`
	Text      *string         `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
}

// anthropicKnown lists the request's members (anthropic-sdk-go v1.84, MessageNewParams, and stream).
func anthropicKnown(name string) bool {
	switch name {
	case "max_tokens", "messages", "model", "inference_geo", "temperature", "top_k", "top_p", "container", "speed",
		"cache_control", "diagnostics", "metadata", "output_config", "service_tier", "stop_sequences", "system", "thinking",
		"tool_choice", "tools", "stream":
		return true
	default:
		return false
	}
}

func (anthropicProtocol) parse(r *http.Request, _ string, body []byte) (*prompt, *wireError) {
	members, ok := decodeFields(body)
	if !ok {
		return nil, anthropicInvalid("The request body is not valid JSON: expected value: line 1 column 1 (char 0)")
	}
	p := &prompt{body: body, messages: members["messages"], choices: 1}
	p.model, _ = members.text("model")
	switch {
	case r.Header.Get("Anthropic-Version") == "":
		return p, anthropicInvalid("anthropic-version: header is required")
	case p.model == "":
		return p, anthropicInvalid("model: Field required")
	}
	if name, found := members.unknown(anthropicKnown); found {
		return p, anthropicInvalid(name + ": Extra inputs are not permitted")
	}
	for _, read := range []func(*prompt, fields) *wireError{
		anthropicLimits, anthropicSystem, anthropicConversation, anthropicTools, anthropicFormat,
	} {
		if refused := read(p, members); refused != nil {
			return p, refused
		}
	}
	if members.flag("stream") {
		return p, anthropicInvalid("stream: streaming is not supported by this simulator")
	}
	return p, nil
}

func anthropicLimits(p *prompt, members fields) *wireError {
	if !members.has("max_tokens") {
		return anthropicInvalid("max_tokens: Field required")
	}
	most, ok := members.number("max_tokens")
	if !ok || most != float64(int(most)) {
		return anthropicInvalid("max_tokens: Input should be a valid integer")
	}
	if most < 1 {
		return anthropicInvalid("max_tokens: Input should be greater than or equal to 1")
	}
	p.maxTokens = int(most)
	for _, name := range []string{"temperature", "top_p"} {
		if !members.has(name) {
			continue
		}
		switch value, ok := members.number(name); {
		case !ok:
			return anthropicInvalid(name + ": Input should be a valid number")
		case value < 0:
			return anthropicInvalid(name + ": Input should be greater than or equal to 0")
		case value > 1:
			return anthropicInvalid(name + ": Input should be less than or equal to 1")
		}
	}
	if members.has("stop_sequences") && json.Unmarshal(members["stop_sequences"], &p.stop) != nil {
		return anthropicInvalid("stop_sequences: Input should be a valid list of strings")
	}
	for _, sequence := range p.stop {
		if strings.TrimSpace(sequence) == "" {
			return anthropicInvalid("stop_sequences: each stop sequence must contain non-whitespace")
		}
	}
	return nil
}

func anthropicSystem(p *prompt, members fields) *wireError {
	if !members.has("system") {
		return nil
	}
	if text, ok := members.text("system"); ok {
		p.tokens += countTokens(len(text))
		return nil
	}
	var blocks []anthropicBlockIn
	if json.Unmarshal(members["system"], &blocks) != nil {
		return anthropicInvalid("system: Input should be a valid string or list")
	}
	for i, block := range blocks {
		if block.Type != "text" {
			return anthropicInvalid(fmt.Sprintf("system.%d.type: Input should be 'text'", i))
		}
		if block.Text == nil {
			return anthropicInvalid(fmt.Sprintf("system.%d.text: Field required", i))
		}
		if *block.Text == "" {
			return anthropicInvalid("system: text content blocks must be non-empty")
		}
		p.tokens += countTokens(len(*block.Text))
	}
	return nil
}

func anthropicTools(p *prompt, members fields) *wireError {
	var tools []struct {
		Type        string          `json:"type"`
		Name        string          `json:"name"`
		InputSchema json.RawMessage `json:"input_schema"`
	}
	if members.has("tools") && json.Unmarshal(members["tools"], &tools) != nil {
		return anthropicInvalid("tools: Input should be a valid list")
	}
	for i, in := range tools {
		if in.Type != "" && in.Type != "custom" { // the vendor's own tools, which run at the vendor
			continue
		}
		at := fmt.Sprintf("tools.%d.custom", i)
		schema, ok := decodeFields(in.InputSchema)
		kind, _ := schema.text("type")
		switch {
		case !isNameOf(in.Name, "_-", 128):
			return anthropicInvalid(at + ".name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
		case named(p.tools, in.Name) != nil:
			return anthropicInvalid("tools: Tool names must be unique.")
		case !present(in.InputSchema):
			return anthropicInvalid(at + ".input_schema: Field required")
		case !ok:
			return anthropicInvalid(at + ".input_schema: Input should be a valid dictionary")
		case kind == "":
			return anthropicInvalid(at + ".input_schema.type: Field required")
		case kind != "object":
			return anthropicInvalid(at + ".input_schema.type: Input should be 'object'")
		}
		p.tools = append(p.tools, tool{name: in.Name, schema: in.InputSchema})
	}
	p.tokens += countTokens(len(members["tools"]))
	return anthropicChoice(p, members, len(tools))
}

func anthropicChoice(p *prompt, members fields, tools int) *wireError {
	if !members.has("tool_choice") {
		return nil
	}
	if tools == 0 {
		return anthropicInvalid("tool_choice: tool_choice may only be specified while providing tools")
	}
	var choice struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		Single bool   `json:"disable_parallel_tool_use"`
	}
	if json.Unmarshal(members["tool_choice"], &choice) != nil {
		return anthropicInvalid("tool_choice: Input should be a valid dictionary or object to extract fields from")
	}
	p.single = choice.Single
	switch choice.Type {
	case "auto":
	case "none":
		p.forbidden = true
	case "any":
		p.forced = true
	case "tool":
		if named(p.tools, choice.Name) == nil {
			return anthropicInvalid("tool_choice.tool.name: Tool '" + choice.Name + "' not found in provided tools")
		}
		p.forced, p.choice = true, choice.Name
	default:
		return anthropicInvalid("tool_choice: Input tag '" + choice.Type + "' found using 'type' does not match any of the " +
			"expected tags: 'any', 'auto', 'none', 'tool'")
	}
	return nil
}

func anthropicFormat(p *prompt, members fields) *wireError {
	var config struct {
		Format *struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	}
	if !members.has("output_config") {
		return nil
	}
	if json.Unmarshal(members["output_config"], &config) != nil {
		return anthropicInvalid("output_config: Input should be a valid dictionary")
	}
	if config.Format != nil {
		if config.Format.Type != "json_schema" {
			return anthropicInvalid("output_config.format.type: Input should be 'json_schema'")
		}
		p.schema = config.Format.Schema
	}
	return nil
}
