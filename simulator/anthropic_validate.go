package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// anthropicCallID is the pattern of a tool_use id.
const anthropicCallID = "^[a-zA-Z0-9_-]+$"

func anthropicConversation(p *prompt, members fields) *wireError {
	if !members.has("messages") {
		return anthropicInvalid("messages: Field required")
	}
	var messages []anthropicMessageIn
	if json.Unmarshal(members["messages"], &messages) != nil {
		return anthropicInvalid("messages: Input should be a valid list")
	}
	if len(messages) == 0 {
		return anthropicInvalid("messages: at least one message is required")
	}
	for i := range messages {
		if refused := messages[i].check(i, i == len(messages)-1); refused != nil {
			return refused
		}
	}
	if messages[0].Role != "user" {
		return anthropicInvalid("messages: first message must use the \"user\" role")
	}
	seen := make(map[string]bool)
	for i := range messages {
		// The vendor has since come to merge adjacent turns of one role. Stricter here on purpose: an adapter that leaves the
		// merging to the vendor also leaves the vendor to split tool results from their calls.
		if i > 0 && messages[i].Role == messages[i-1].Role {
			return anthropicInvalid(fmt.Sprintf("messages: roles must alternate between \"user\" and \"assistant\", but found "+
				"multiple %q roles in a row", messages[i].Role))
		}
		if refused := anthropicPairs(messages, i, seen); refused != nil {
			return refused
		}
	}
	chars := 0
	for i := range messages {
		chars += 12 + len(messages[i].text)
		for _, block := range messages[i].blocks {
			chars += len(block.Input) + len(block.Content)
			if block.Type == "image" {
				p.images++
			}
		}
	}
	p.tokens += countTokens(chars)
	for i := range messages {
		if messages[i].Role == "user" {
			p.hear(messages[i].text, messages[i].results())
		} else {
			p.say(messages[i].text, messages[i].calls())
		}
	}
	p.prefill() // models that do not are refused later
	return nil
}

// calls reports whether a message calls tools.
func (m *anthropicMessageIn) calls() bool {
	return slices.ContainsFunc(m.blocks, func(block anthropicBlockIn) bool { return block.Type == "tool_use" })
}

// results lists what tools answered in a message.
func (m *anthropicMessageIn) results() []string {
	var results []string
	for _, block := range m.blocks {
		if block.Type == "tool_result" {
			results = append(results, anthropicResultText(block.Content))
		}
	}
	return results
}

func anthropicResultText(content json.RawMessage) string {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return text
	}
	var blocks []struct {
		Text string `json:"text"`
	}
	_ = json.Unmarshal(content, &blocks) // checked before
	for _, block := range blocks {
		text += block.Text
	}
	return text
}

// check validates one message by itself, and reads its blocks.
func (m *anthropicMessageIn) check(i int, last bool) *wireError {
	at := fmt.Sprintf("messages.%d", i)
	switch m.Role {
	case "user", "assistant":
	case "system": // newer models take it in the middle of a conversation; the ones simulated do not
		return anthropicInvalid("messages: Unexpected role \"system\". The Messages API accepts a top-level `system` " +
			"parameter, not \"system\" as an input message role.")
	case "":
		return anthropicInvalid(at + ".role: Field required")
	default:
		return anthropicInvalid(at + ".role: Input should be 'user' or 'assistant'")
	}
	switch {
	case !present(m.Content):
		return anthropicInvalid(at + ".content: Field required")
	case json.Unmarshal(m.Content, &m.text) == nil:
		m.plain = true
	case json.Unmarshal(m.Content, &m.blocks) != nil:
		return anthropicInvalid(at + ".content: Input should be a valid list")
	}
	final := last && m.Role == "assistant"
	if m.plain && m.text == "" || !m.plain && len(m.blocks) == 0 {
		switch {
		case final:
			return nil
		case m.Role == "user":
			return anthropicInvalid(at + ": user messages must have non-empty content")
		default:
			return anthropicInvalid(at + ": all messages must have non-empty content except for the optional final assistant " +
				"message")
		}
	}
	if m.plain && strings.TrimSpace(m.text) == "" {
		return anthropicInvalid("messages: text content blocks must contain non-whitespace text")
	}
	for j := range m.blocks {
		if refused := m.checkBlock(&m.blocks[j], fmt.Sprintf("%s.content.%d", at, j)); refused != nil {
			return refused
		}
	}
	if final && strings.TrimRight(m.text, " \t\n") != m.text {
		return anthropicInvalid("messages: final assistant content cannot end with trailing whitespace")
	}
	return nil
}

func (m *anthropicMessageIn) checkBlock(block *anthropicBlockIn, at string) *wireError {
	switch block.Type {
	case "text":
		switch {
		case block.Text == nil:
			return anthropicInvalid(at + ".text.text: Field required")
		case *block.Text == "":
			return anthropicInvalid("messages: text content blocks must be non-empty")
		case strings.TrimSpace(*block.Text) == "":
			return anthropicInvalid("messages: text content blocks must contain non-whitespace text")
		}
		m.text += *block.Text
	case "tool_use":
		switch {
		case m.Role != "assistant":
			return anthropicInvalid(at + ": `tool_use` blocks can only be in `assistant` messages")
		case !isNameOf(block.ID, "_-", 1<<20):
			return anthropicInvalid(at + ".tool_use.id: String should match pattern '" + anthropicCallID + "'")
		case !isNameOf(block.Name, "_-", 200):
			return anthropicInvalid(at + ".tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,200}$'")
		case len(block.Input) == 0:
			return anthropicInvalid(at + ".tool_use.input: Field required")
		case jsonType(block.Input) != "object":
			return anthropicInvalid(at + ".tool_use.input: Input should be a valid dictionary")
		}
	case "tool_result":
		switch {
		case m.Role != "user":
			return anthropicInvalid(at + ": `tool_result` blocks can only be in `user` messages")
		case block.ToolUseID == "":
			return anthropicInvalid(at + ".tool_result.tool_use_id: Field required")
		case !isNameOf(block.ToolUseID, "_-", 1<<20):
			return anthropicInvalid(at + ".tool_result.tool_use_id: String should match pattern '" + anthropicCallID + "'")
		}
		return anthropicResultContent(block.Content, at)
	case "image", "document":
		if m.Role != "user" {
			return anthropicInvalid(at + ": `" + block.Type + "` blocks are not permitted in `assistant` messages")
		}
		return anthropicMedia(block, at)
	case "thinking", "redacted_thinking":
		if m.Role != "assistant" {
			return anthropicInvalid(at + ": `" + block.Type + "` blocks can only be in `assistant` messages")
		}
	case "search_result", "server_tool_use", "web_search_tool_result",
		"web_fetch_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result",
		"text_editor_code_execution_tool_result", "tool_search_tool_result", "container_upload":
	default:
		return anthropicInvalid(at + ": Input tag '" + block.Type + "' found using 'type' does not match any of the expected " +
			"tags: 'document', 'image', 'redacted_thinking', 'search_result', 'text', 'thinking', 'tool_result', 'tool_use'")
	}
	return nil
}

func anthropicResultContent(content json.RawMessage, at string) *wireError {
	if !present(content) || jsonType(content) == "string" {
		return nil
	}
	var blocks []anthropicBlockIn
	if json.Unmarshal(content, &blocks) != nil {
		return anthropicInvalid(at + ".tool_result.content: Input should be a valid string or list")
	}
	for i, block := range blocks {
		here := fmt.Sprintf("%s.tool_result.content.%d", at, i)
		switch block.Type {
		case "text":
			if block.Text == nil || *block.Text == "" {
				return anthropicInvalid("messages: text content blocks must be non-empty")
			}
		case "image", "document":
			if refused := anthropicMedia(&block, here); refused != nil {
				return refused
			}
		case "search_result", "tool_reference", "browser_state":
		default:
			return anthropicInvalid(here + ": Input tag '" + block.Type + "' found using 'type' does not match any of the " +
				"expected tags: 'document', 'image', 'search_result', 'text', 'tool_reference'")
		}
	}
	return nil
}

// anthropicPairs checks message i against the one before it: its tool results answer that one's calls, all of them, and
// come before its text.
func anthropicPairs(messages []anthropicMessageIn, i int, seen map[string]bool) *wireError {
	var open []string
	if i > 0 {
		for _, block := range messages[i-1].blocks {
			if block.Type == "tool_use" {
				open = append(open, block.ID)
			}
		}
	}
	leading := true
	for j, block := range messages[i].blocks {
		if block.Type == "tool_use" {
			if seen[block.ID] {
				return anthropicInvalid(fmt.Sprintf("messages.%d.content.%d: `tool_use` ids must be unique", i, j))
			}
			seen[block.ID] = true
		}
		if block.Type != "tool_result" {
			leading = false
			continue
		}
		at := slices.Index(open, block.ToolUseID)
		if at < 0 {
			return anthropicInvalid(fmt.Sprintf("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: "+
				"%s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
				i, j, block.ToolUseID))
		}
		if leading { // results behind other content do not count as "immediately after"
			open = slices.Delete(open, at, at+1)
		}
	}
	if len(open) > 0 {
		return anthropicUnanswered(i-1, open)
	}
	if i == len(messages)-1 {
		for _, block := range messages[i].blocks {
			if block.Type == "tool_use" {
				return anthropicUnanswered(i, []string{block.ID})
			}
		}
	}
	return nil
}

func anthropicUnanswered(i int, open []string) *wireError {
	return anthropicInvalid(fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately "+
		"after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
		i, strings.Join(open, ", ")))
}
