package simulator

import (
	"encoding/json"
	"slices"
	"strings"
)

// mistralCallID is the length of a tool call's id: letters and digits only.
const mistralCallID = 9

type mistralMessageIn struct {
	role    string
	text    string
	empty   bool // without content
	prefix  bool
	callID  string
	calls   []string
	members fields
}

func mistralConversation(p *prompt, members fields) *wireError {
	if !members.has("messages") {
		return mistralUnprocessable("missing", "Field required", nil, "body", "messages")
	}
	var raw []fields
	if json.Unmarshal(members["messages"], &raw) != nil {
		return mistralUnprocessable("list_type", "Input should be a valid list", members["messages"], "body", "messages")
	}
	if len(raw) == 0 {
		return mistralOrder("Conversation must have at least one message")
	}
	messages := make([]mistralMessageIn, len(raw))
	for i := range raw {
		messages[i].members = raw[i]
		if refused := messages[i].read(p, i); refused != nil {
			return refused
		}
	}
	for _, check := range []func([]mistralMessageIn) *wireError{mistralSequence, mistralEnd, mistralPairs, mistralAssistants} {
		if refused := check(messages); refused != nil {
			return refused
		}
	}
	for i := range messages {
		switch m := &messages[i]; m.role {
		case "user":
			p.hear(m.text, nil)
		case "tool":
			p.learn(m.text)
		case "assistant":
			p.say(m.text, len(m.calls) > 0)
		}
	}
	if p.prefill(); p.begun != nil {
		p.begun.repeats = p.begun.prefills
	}
	p.tokens += countTokens(len(members["messages"]))
	return nil
}

// read checks one message against the schema of its role, which forbids members of other roles.
func (m *mistralMessageIn) read(p *prompt, i int) *wireError {
	m.role, _ = m.members.text("role")
	known := "role content"
	switch m.role {
	case "system", "user":
	case "assistant":
		known += " tool_calls prefix"
	case "tool":
		known += " tool_call_id name"
	default:
		return mistralUnprocessable("union_tag_invalid", "Input tag '"+m.role+"' found using 'role' does not match any of the "+
			"expected tags: 'system', 'user', 'assistant', 'tool'", nil, "body", "messages", i)
	}
	if refused := mistralMembers(m.members, []any{"body", "messages", i, m.role}, func(name string) bool {
		return slices.Contains(strings.Fields(known), name)
	}); refused != nil {
		return refused
	}
	if !m.members.has("content") && (m.role == "system" || m.role == "user" && len(m.members["content"]) == 0) {
		return mistralUnprocessable("missing", "Field required", nil, "body", "messages", i, m.role, "content")
	}
	if refused := m.content(p, i); refused != nil {
		return refused
	}
	m.prefix = m.members.flag("prefix")
	m.callID, _ = m.members.text("tool_call_id")
	return m.toolCalls(i)
}

func (m *mistralMessageIn) content(p *prompt, i int) *wireError {
	if !m.members.has("content") {
		m.empty = true
		return nil
	}
	if text, ok := m.members.text("content"); ok {
		m.text, m.empty = text, text == ""
		return nil
	}
	var chunks []fields
	if json.Unmarshal(m.members["content"], &chunks) != nil {
		return mistralUnprocessable("string_type", "Input should be a valid string", m.members["content"], "body", "messages", i,
			m.role, "content", "str")
	}
	m.empty = len(chunks) == 0
	for j, chunk := range chunks {
		at := []any{"body", "messages", i, m.role, "content", "list[union]", j}
		kind, _ := chunk.text("type")
		switch kind {
		case "text":
			text, ok := chunk.text("text")
			if !ok {
				return mistralUnprocessable("missing", "Field required", nil, append(at, kind, "text")...)
			}
			m.text += text
		case "image_url", "document_url":
			if !mistralURL(chunk[kind]) {
				return mistralUnprocessable("missing", "Field required", nil, append(at, kind, kind)...)
			}
			if kind == "image_url" {
				p.images++
			}
		case "thinking":
			if m.role != "assistant" && m.role != "system" || jsonType(chunk["thinking"]) != "array" {
				return mistralUnprocessable("list_type", "Input should be a valid list", chunk["thinking"], append(at, kind, kind)...)
			}
		case "reference", "file", "input_audio":
		default:
			return mistralUnprocessable("union_tag_invalid", "Input tag '"+kind+"' found using 'type' does not match any of the "+
				"expected tags: 'image_url', 'document_url', 'text', 'reference', 'file', 'thinking', 'input_audio'", nil, at...)
		}
	}
	return nil
}

// mistralURL reads the URL of an image or a document: a string, or an object with one.
func mistralURL(raw json.RawMessage) bool {
	var url string
	if json.Unmarshal(raw, &url) == nil {
		return url != ""
	}
	object, _ := decodeFields(raw)
	url, _ = object.text("url")
	return url != ""
}

func (m *mistralMessageIn) toolCalls(i int) *wireError {
	var calls []struct {
		ID       *string `json:"id"`
		Function *struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"function"`
	}
	if !m.members.has("tool_calls") {
		return nil
	}
	if json.Unmarshal(m.members["tool_calls"], &calls) != nil {
		return mistralUnprocessable("list_type", "Input should be a valid list", m.members["tool_calls"], "body", "messages", i,
			m.role, "tool_calls")
	}
	for j, call := range calls {
		if call.Function == nil {
			return mistralUnprocessable("missing", "Field required", nil, "body", "messages", i, m.role, "tool_calls", j, "function")
		}
		if kind := jsonType(call.Function.Arguments); kind != "string" && kind != "object" { // an object is taken as well
			return mistralUnprocessable("string_type", "Input should be a valid string", call.Function.Arguments, "body", "messages",
				i, m.role, "tool_calls", j, "function", "arguments")
		}
		if call.ID == nil || *call.ID == "null" {
			return mistralError("invalid_function_call", "3280", "Tool call id has to be defined in serving mode.")
		}
		if refused := mistralID(*call.ID); refused != nil {
			return refused
		}
		if !isNameOf(call.Function.Name, "_-", 64) {
			return mistralError("invalid_function_call", "3280", mistralName(call.Function.Name))
		}
		m.calls = append(m.calls, *call.ID)
	}
	return nil
}

func mistralID(id string) *wireError {
	if len(id) == mistralCallID && isNameOf(id, "", mistralCallID) {
		return nil
	}
	return mistralError("invalid_function_call", "3280", "Tool call id was "+id+" but must be a-z, A-Z, 0-9, with a length of 9.")
}

// mistralSequence checks which role may follow which.
func mistralSequence(messages []mistralMessageIn) *wireError {
	if len(messages) == 1 && messages[0].role != "user" && messages[0].role != "system" && !messages[0].prefix {
		return mistralOrder("Conversation must start with a user message or system message")
	}
	for i := 1; i < len(messages); i++ {
		before, role := messages[i-1].role, messages[i].role
		allowed := "user assistant system"
		switch before {
		case "assistant":
			allowed = "assistant user tool"
		case "tool":
			allowed = "assistant tool"
		}
		if !slices.Contains(strings.Fields(allowed), role) {
			return mistralOrder("Unexpected role '" + role + "' after role '" + before + "'")
		}
	}
	return nil
}

func mistralEnd(messages []mistralMessageIn) *wireError {
	last := &messages[len(messages)-1]
	if last.role == "user" || last.role == "tool" || last.prefix || last.role == "system" && len(messages) == 1 {
		return nil
	}
	return mistralOrder("Expected last role User or Tool (or Assistant with prefix True) for serving but got " + last.role)
}

// mistralPairs checks that the calls of a turn are answered, each once, before the next turn.
func mistralPairs(messages []mistralMessageIn) *wireError {
	var open []string
	for i := range messages {
		m := &messages[i]
		switch m.role {
		case "tool":
			if m.callID == "" {
				return mistralError("invalid_request_error", "", "Tool call id has to be defined.")
			}
			if refused := mistralID(m.callID); refused != nil {
				return refused
			}
			at := slices.Index(open, m.callID)
			if at < 0 {
				return mistralOrder("Unexpected tool call id " + m.callID + " in tool results")
			}
			open = slices.Delete(open, at, at+1)
		case "assistant":
			if len(open) > 0 {
				return mistralOrder("Not the same number of function calls and responses")
			}
			if id, found := duplicate(m.calls); found {
				return mistralOrder("Duplicate tool call id " + id + " in assistant message")
			}
			open = slices.Clone(m.calls)
		}
	}
	if len(open) > 0 {
		return mistralOrder("Not the same number of function calls and responses")
	}
	return nil
}

func mistralAssistants(messages []mistralMessageIn) *wireError {
	for i := range messages {
		m := &messages[i]
		if m.role != "assistant" {
			continue
		}
		if m.empty && len(m.calls) == 0 {
			return mistralError("invalid_request_assistant_message", "3240", "Assistant message must have either content or "+
				"tool_calls, but not none.")
		}
		if m.prefix && i < len(messages)-1 {
			return mistralError("invalid_request_assistant_message", "3240", "Assistant message with prefix True must be last message")
		}
	}
	return nil
}
