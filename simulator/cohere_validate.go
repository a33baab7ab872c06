package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

type cohereMessageIn struct {
	role   string
	text   string
	empty  bool
	calls  []string
	callID string
}

func cohereConversation(p *prompt, members fields) *wireError {
	var raw []fields
	if members.has("messages") && json.Unmarshal(members["messages"], &raw) != nil {
		return cohereMistyped("messages", "list")
	}
	if len(raw) == 0 {
		return cohereInvalid("messages must not be empty.")
	}
	messages := make([]cohereMessageIn, len(raw))
	for i := range raw {
		if refused := messages[i].read(p, raw[i], i); refused != nil {
			return refused
		}
	}
	var open []string // ids of the calls not answered yet
	for i := range messages {
		m := &messages[i]
		if m.role == "tool" {
			at := slices.Index(open, m.callID)
			if at < 0 {
				return cohereInvalid("tool_call_id '" + m.callID + "' does not match a tool call of the preceding assistant message.")
			}
			open = slices.Delete(open, at, at+1)
			p.learn(m.text)
			continue
		}
		if len(open) > 0 {
			return cohereUnanswered(open)
		}
		switch m.role {
		case "system":
			if i > 0 && messages[i-1].role != "system" {
				return cohereError(400, "system turn must be the first in the list")
			}
		case "user":
			p.hear(m.text, nil)
		case "assistant":
			p.say(m.text, len(m.calls) > 0)
			open = slices.Clone(m.calls)
		}
	}
	if len(open) > 0 {
		return cohereUnanswered(open)
	}
	if last := messages[len(messages)-1].role; last != "user" && last != "tool" {
		return cohereInvalid("the last message must have the role 'user' or 'tool', got '" + last + "'.")
	}
	if options, _ := decodeFields(members["citation_options"]); len(p.results) > 0 {
		if mode, _ := options.text("mode"); mode != "OFF" && mode != "DISABLED" {
			p.dialect = cohereCited
		}
	}
	p.tokens += countTokens(len(members["messages"]))
	return nil
}

func cohereUnanswered(open []string) *wireError {
	return cohereInvalid("An assistant message with 'tool_calls' must be followed by tool messages responding to each " +
		"'tool_call_id'. The following tool_call_ids did not have response messages: " + strings.Join(open, ", "))
}

func (m *cohereMessageIn) read(p *prompt, members fields, i int) *wireError {
	m.role, _ = members.text("role")
	known := "role content"
	switch m.role {
	case "system", "user":
	case "assistant":
		known += " tool_calls tool_plan citations"
	case "tool":
		known += " tool_call_id"
	default:
		return cohereInvalid(fmt.Sprintf("messages[%d].role must be one of: assistant, system, tool, user.", i))
	}
	if refused := cohereUnknown(members, "chat", func(name string) bool {
		return slices.Contains(strings.Fields(known), name)
	}); refused != nil {
		return refused
	}
	if refused := m.content(p, members, i); refused != nil {
		return refused
	}
	switch m.role {
	case "tool":
		if m.callID, _ = members.text("tool_call_id"); m.callID == "" {
			return cohereInvalid("tool_call_id must be specified for messages with the role 'tool'.")
		}
	case "assistant":
		if refused := m.toolCalls(members, i); refused != nil {
			return refused
		}
		if m.empty && len(m.calls) == 0 {
			return cohereInvalid("all elements in history must have a message.")
		}
	case "user":
		if m.empty {
			return cohereInvalid("message must be at least 1 token long or tool results must be specified.")
		}
	case "system":
		if m.empty {
			return cohereError(400, "message must not be empty in a turn")
		}
	}
	return nil
}

func (m *cohereMessageIn) content(p *prompt, members fields, i int) *wireError {
	if !members.has("content") {
		m.empty = true
		return nil
	}
	if text, ok := members.text("content"); ok {
		m.text, m.empty = text, text == ""
		return nil
	}
	var blocks []fields
	if json.Unmarshal(members["content"], &blocks) != nil {
		return cohereMistyped(fmt.Sprintf("messages[%d].content", i), "string or a list")
	}
	m.empty = len(blocks) == 0
	for j, block := range blocks {
		if refused := m.block(p, block, fmt.Sprintf("messages[%d].content[%d]", i, j)); refused != nil {
			return refused
		}
	}
	return nil
}

func (m *cohereMessageIn) block(p *prompt, block fields, at string) *wireError {
	kind, _ := block.text("type")
	allowed := map[string]string{
		"system": "text", "user": "text image_url", "assistant": "text thinking", "tool": "text document",
	}[m.role]
	if !slices.Contains(strings.Fields(allowed), kind) {
		return cohereInvalid(at + ".type must be one of: " + strings.ReplaceAll(allowed, " ", ", ") + ".")
	}
	value, isText := block.text(kind)
	switch kind {
	case "text":
		if !isText || value == "" {
			return cohereInvalid(at + ".text must be at least 1 token long.")
		}
		m.text += value
	case "thinking":
		if !isText {
			return cohereMistyped(at+".thinking", "string")
		}
	case "document":
		document, ok := decodeFields(block[kind])
		if !ok || !document.has("data") {
			return cohereInvalid(at + ".document must have data.")
		}
		m.text += string(document["data"])
	case "image_url":
		image, _ := decodeFields(block[kind])
		url, _ := image.text("url")
		switch {
		case url == "":
			return cohereInvalid(at + ".image_url.url must be specified.")
		case !cohereSees(p.model):
			return cohereInvalid("model '" + p.model + "' does not support image inputs.")
		case !strings.HasPrefix(url, "data:image/") && !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://"):
			return cohereInvalid(at + ".image_url.url must be a URL, or a data URI of an image.")
		}
		p.images++
	}
	return nil
}

func (m *cohereMessageIn) toolCalls(members fields, i int) *wireError {
	var calls []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Function *struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"function"`
	}
	if members.has("tool_calls") && json.Unmarshal(members["tool_calls"], &calls) != nil {
		return cohereMistyped(fmt.Sprintf("messages[%d].tool_calls", i), "list of tool calls")
	}
	for j, call := range calls {
		at := fmt.Sprintf("messages[%d].tool_calls[%d]", i, j)
		var arguments string
		switch {
		case call.ID == "":
			return cohereInvalid(at + ".id must be specified.")
		case call.Type != "function" || call.Function == nil || call.Function.Name == "":
			return cohereInvalid(at + " must have type 'function' and a function with a name.")
		case json.Unmarshal(call.Function.Arguments, &arguments) != nil:
			return cohereMistyped(at+".function.arguments", "string")
		case jsonType([]byte(arguments)) != "object" || !json.Valid([]byte(arguments)):
			return cohereInvalid(at + ".function.arguments must be a JSON object, as a string.")
		}
		m.calls = append(m.calls, call.ID)
	}
	if id, found := duplicate(m.calls); found {
		return cohereInvalid("tool call ids must be unique, found '" + id + "' twice.")
	}
	return nil
}
