package openai

import (
	"encoding/json"
	"fmt"

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
}

// content is a string, null, or an array of parts.
type content []llm.Part

func (c *content) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			*c = content{llm.Text(*text)}
		}
		return nil
	}
	var parts []struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Refusal string `json:"refusal"`
	}
	// Parts may carry what only answers have (annotations, logprobs): read leniently, unlike the rest.
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, part := range parts {
		switch part.Type {
		case "text", "input_text", "output_text":
			*c = append(*c, llm.Text(part.Text))
		case "refusal":
			*c = append(*c, llm.Part{Type: llm.PartRefusal, Text: part.Refusal})
		default:
			return invalid("messages", "unsupported_value", "Content parts of type '%s' are not supported.", part.Type)
		}
	}
	return nil
}

type toolCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Index    *int         `json:"index,omitempty"`
	Function calledMethod `json:"function"`
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
	switch m.Role {
	case "system", "developer":
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
		text := llm.Message{Parts: m.Content}.Text()
		return llm.Message{Role: llm.RoleTool, Parts: []llm.Part{llm.Result(m.ToolCallID, text)}}, nil
	default:
		return llm.Message{}, invalid(at+".role", "invalid_value",
			"%s: '%s' is not one of system, developer, user, assistant, tool.", at, m.Role)
	}
}

func (m message) decodeAssistant(at string) (llm.Message, error) {
	parts := append([]llm.Part{}, m.Content...)
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
		parts = append(parts, llm.Call(call.ID, call.Function.Name, call.Function.Arguments))
	}
	if len(parts) == 0 {
		return llm.Message{}, invalid(at+".content", "missing_required_parameter", "%s: an assistant message needs content or tool_calls.", at)
	}
	return llm.Message{Role: llm.RoleAssistant, Parts: parts}, nil
}
