package llm

import "strings"

// Role says who speaks in a [Message].
type Role string

// The roles of a conversation. Tool results travel in messages of role [RoleTool].
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Message is one turn's contribution by one speaker, as ordered parts.
type Message struct {
	Role  Role   `json:"role"`
	Parts []Part `json:"parts"`
}

// PartType names which field of a [Part] is set.
type PartType string

// The kinds of part.
const (
	PartText       PartType = "text"
	PartRefusal    PartType = "refusal"
	PartToolCall   PartType = "tool_call"
	PartToolResult PartType = "tool_result"
)

// Part is one piece of a message: a tagged union, where Type says which of the other fields holds the content.
type Part struct {
	Type       PartType    `json:"type"`
	Text       string      `json:"text,omitempty"` // for PartText and PartRefusal
	ToolCall   *ToolCall   `json:"tool_call,omitempty"`
	ToolResult *ToolResult `json:"tool_result,omitempty"`
}

// ToolCall is the model's wish to have a function run. ID is canonical: adapters map it to what their vendor accepts.
type ToolCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // as the model wrote it: usually, not certainly, a JSON object
}

// ToolResult is the client's answer to the [ToolCall] with the same id.
type ToolResult struct {
	CallID  string `json:"call_id"`
	Content string `json:"content"`
	IsError bool   `json:"is_error,omitempty"`
}

// Text makes a text part.
func Text(s string) Part { return Part{Type: PartText, Text: s} }

// Call makes a tool-call part.
func Call(id, name, arguments string) Part {
	return Part{Type: PartToolCall, ToolCall: &ToolCall{ID: id, Name: name, Arguments: arguments}}
}

// Result makes a tool-result part.
func Result(callID, content string) Part {
	return Part{Type: PartToolResult, ToolResult: &ToolResult{CallID: callID, Content: content}}
}

// Text is the message's text parts joined, without refusals and tools.
func (m Message) Text() string {
	var text strings.Builder
	for _, part := range m.Parts {
		if part.Type == PartText {
			text.WriteString(part.Text)
		}
	}
	return text.String()
}

// Refusal is the message's refusal parts joined; empty if the model did not refuse.
func (m Message) Refusal() string {
	var text strings.Builder
	for _, part := range m.Parts {
		if part.Type == PartRefusal {
			text.WriteString(part.Text)
		}
	}
	return text.String()
}

// ToolCalls lists the message's tool calls in order.
func (m Message) ToolCalls() []ToolCall {
	var calls []ToolCall
	for _, part := range m.Parts {
		if part.ToolCall != nil {
			calls = append(calls, *part.ToolCall)
		}
	}
	return calls
}
