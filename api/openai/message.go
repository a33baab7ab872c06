package openai

import (
	"encoding/json"
	"fmt"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// message is a chat message on the wire. The fields that only answers carry are read and left out, since clients send
// earlier answers back as they came.
type message struct {
	Role        string          `json:"role"`
	Content     content         `json:"content"`
	Name        string          `json:"name"`
	Refusal     *string         `json:"refusal"`
	ToolCalls   []toolCall      `json:"tool_calls"`
	ToolCallID  string          `json:"tool_call_id"`
	Annotations json.RawMessage `json:"annotations"`
	Audio       json.RawMessage `json:"audio"`
	Function    json.RawMessage `json:"function_call"`

	ReasoningDetails json.RawMessage `json:"reasoning_details"`
	ReasoningContent json.RawMessage `json:"reasoning_content"` // without its signature a thought is of no use
	Reasoning        json.RawMessage `json:"reasoning"`
	ThinkingBlocks   json.RawMessage `json:"thinking_blocks"`
	ProviderFields   json.RawMessage `json:"provider_specific_fields"`
	CacheControl     *cacheControl   `json:"cache_control"`
}

type toolCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Index    *int         `json:"index,omitempty"`
	Function calledMethod `json:"function"`
	// ExtraContent carries what the vendor wants back with the call, where Google's own gateway puts it.
	ExtraContent *extraContent `json:"extra_content,omitempty"`
	// ProviderFields is another gateway's.
	ProviderFields json.RawMessage `json:"provider_specific_fields,omitempty"`
}

type extraContent struct {
	Holdfast string          `json:"holdfast,omitempty"`
	Google   json.RawMessage `json:"google,omitempty"`
}

type calledMethod struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

func decodeMessages(wire []message) ([]llm.Message, error) {
	messages := make([]llm.Message, 0, len(wire))
	for i, m := range wire {
		decoded, err := m.decode(fmt.Sprintf("messages[%d]", i))
		if err != nil {
			return nil, err
		}
		messages = append(messages, decoded)
	}
	return messages, nil
}

func (m message) decode(at string) (llm.Message, error) {
	hint, err := m.CacheControl.decode()
	if err != nil {
		return llm.Message{}, err
	}
	decoded, err := m.decodeRole(at)
	if last := len(decoded.Parts) - 1; last >= 0 && hint != nil {
		decoded.Parts[last].Cache = hint
	}
	return decoded, err
}

func (m message) decodeRole(at string) (llm.Message, error) {
	switch m.Role {
	case "system", "developer":
		for _, p := range m.Content {
			if p.Type != llm.PartText {
				return llm.Message{}, invalid(at+".content", "unsupported_value", "%s: a system message holds text only.", at)
			}
		}
		return llm.Message{Role: llm.RoleSystem, Parts: m.Content}, nil
	case "user":
		if len(m.Content) == 0 {
			return llm.Message{}, invalid(at+".content", "missing_required_parameter", "%s: a user message needs content.", at)
		}
		return llm.Message{Role: llm.RoleUser, Parts: m.Content}, nil
	case "assistant":
		return m.decodeAssistant(at)
	case "tool":
		if m.ToolCallID == "" {
			return llm.Message{}, invalid(at+".tool_call_id", "missing_required_parameter", "%s: a tool message needs tool_call_id.", at)
		}
		return llm.Message{Role: llm.RoleTool, Parts: []llm.Part{m.result()}}, nil
	default:
		return llm.Message{}, invalid(at+".role", "invalid_value",
			"%s: '%s' is not one of system, developer, user, assistant, tool.", at, m.Role)
	}
}

// result is a tool's: words that come first, then the rest in its order.
func (m message) result() llm.Part {
	part := llm.Result(m.ToolCallID, "")
	for _, p := range m.Content {
		if p.Type == llm.PartText && len(part.ToolResult.Parts) == 0 {
			part.ToolResult.Content += p.Text
		} else {
			part.ToolResult.Parts = append(part.ToolResult.Parts, p)
		}
		part.Cache = p.Cache
	}
	return part
}

func (m message) decodeAssistant(at string) (llm.Message, error) {
	parts := append(decodeReasoning(m.ReasoningDetails), m.Content...)
	for _, p := range m.Content {
		if p.Media != nil {
			return llm.Message{}, invalid(at+".content", "unsupported_value", "%s: an assistant message holds words and calls only.", at)
		}
	}
	if m.Refusal != nil && *m.Refusal != "" {
		parts = append(parts, llm.Part{Type: llm.PartRefusal, Text: *m.Refusal})
	}
	for _, call := range m.ToolCalls {
		if call.Type != "" && call.Type != "function" {
			return llm.Message{}, invalid(at+".tool_calls", "unsupported_value", "%s: only function tool calls are supported.", at)
		}
		if call.ID == "" || call.Function.Name == "" {
			return llm.Message{}, invalid(at+".tool_calls", "missing_required_parameter", "%s: a tool call needs an id and a function name.", at)
		}
		part := llm.Call(call.ID, call.Function.Name, call.Function.Arguments)
		if call.ExtraContent != nil {
			part.Opaque = dialect.Unseal(call.ExtraContent.Holdfast)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return llm.Message{}, invalid(at+".content", "missing_required_parameter", "%s: an assistant message needs content or tool_calls.", at)
	}
	return llm.Message{Role: llm.RoleAssistant, Parts: parts}, nil
}
