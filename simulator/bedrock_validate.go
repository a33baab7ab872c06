package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

type bedrockMessageIn struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`

	blocks  []bedrockBlockIn
	text    string
	calls   []string // ids of its toolUse blocks
	answers []string // ids that its toolResult blocks answer
	results []string // what they say
}

// bedrockBlockIn is one member of the ContentBlock union.
type bedrockBlockIn struct {
	kind string
	raw  json.RawMessage
}

func (q *bedrockRequest) messagesIn(members fields) *wireError {
	var messages []bedrockMessageIn
	if members.has("messages") && json.Unmarshal(members["messages"], &messages) != nil {
		return bedrockMistyped("a list of structures")
	}
	if len(messages) == 0 {
		return bedrockInvalid("The messages field is empty. Add a message to the messages field and try again.")
	}
	q.documents = make(map[string]bool)
	for i := range messages {
		if refused := q.message(&messages[i], i); refused != nil {
			return refused
		}
	}
	if messages[0].Role != "user" {
		return bedrockInvalid("A conversation must start with a user message. Try again with a conversation that starts with a " +
			"user message.")
	}
	for i := range messages {
		if i > 0 && messages[i].Role == messages[i-1].Role {
			return bedrockInvalid("A conversation must alternate between user and assistant roles. Make sure the conversation " +
				"alternates between user and assistant roles and try again.")
		}
	}
	if q.usesTools && !q.hasTools {
		return bedrockInvalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
	}
	for i := range messages {
		if refused := q.pairs(messages, i); refused != nil {
			return refused
		}
	}
	if refused := q.end(messages); refused != nil {
		return refused
	}
	if refused := q.thoughts(messages); refused != nil {
		return refused
	}
	chars := 0
	for i := range messages {
		chars += 12 + len(messages[i].Content)
	}
	q.tokens += countTokens(chars)
	for i := range messages {
		if m := &messages[i]; m.Role == "user" {
			q.hear(m.text, m.results)
		} else {
			q.say(m.text, len(m.calls) > 0)
		}
	}
	q.prefill()
	return nil
}

// message validates one message by itself, and reads its blocks.
func (q *bedrockRequest) message(m *bedrockMessageIn, i int) *wireError {
	switch m.Role {
	case "user", "assistant":
	case "":
		return bedrockConstraint(fmt.Sprintf("messages.%d.member.role", i+1), "Member must not be null")
	default:
		return bedrockConstraint(fmt.Sprintf("messages.%d.member.role", i+1), "Member must satisfy enum value set: [user, "+
			"assistant]")
	}
	if !present(m.Content) {
		return bedrockConstraint(fmt.Sprintf("messages.%d.member.content", i+1), "Member must not be null")
	}
	var unions []fields
	if json.Unmarshal(m.Content, &unions) != nil {
		return bedrockMistyped("a list of structures")
	}
	if len(unions) == 0 {
		return bedrockInvalid("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the "+
			"content field and try again.", i)
	}
	content := bedrockContent{bedrockRequest: q, message: m}
	for j, union := range unions {
		at := bedrockAt{fmt.Sprintf("messages.%d.content.%d", i, j), fmt.Sprintf("messages.%d.member.content.%d.member", i+1, j+1)}
		kind, refused := bedrockUnion(union, at.path, "ContentBlock")
		if refused != nil {
			return refused
		}
		m.blocks = append(m.blocks, bedrockBlockIn{kind, union[kind]})
		if refused := content.block(kind, union[kind], at); refused != nil {
			return refused
		}
	}
	if content.documents > 0 && !content.hasText {
		return bedrockInvalid("A text block is required in the message at messages.%d because it contains a document block. Add a "+
			"text block and try again.", i)
	}
	return nil
}

// pairs checks message i against the one before it: its results answer that one's calls, all of them.
func (q *bedrockRequest) pairs(messages []bedrockMessageIn, i int) *wireError {
	var open []string
	if i > 0 {
		open = messages[i-1].calls
	}
	m := &messages[i]
	if id, found := duplicate(m.calls); found {
		return bedrockInvalid("The toolUse blocks at messages.%d.content contain duplicate Ids: %s", i, id)
	}
	if id, found := duplicate(m.answers); found {
		return bedrockInvalid("The toolResult blocks at messages.%d.content contain duplicate Ids: %s", i, id)
	}
	if len(m.answers) > len(open) {
		return bedrockInvalid("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of "+
			"previous turn.", i)
	}
	missing := slices.DeleteFunc(slices.Clone(open), func(id string) bool { return slices.Contains(m.answers, id) })
	if len(missing) > 0 {
		return bedrockInvalid("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i,
			strings.Join(missing, ", "))
	}
	if q.claude {
		return claudeOrder(messages, i)
	}
	return nil
}

// claudeOrder checks what Claude adds: calls end their turn, and their results begin the next.
func claudeOrder(messages []bedrockMessageIn, i int) *wireError {
	m := &messages[i]
	kinds := make([]string, 0, len(m.blocks))
	for _, block := range m.blocks {
		if block.kind != "cachePoint" {
			kinds = append(kinds, block.kind)
		}
	}
	unanswered := func(at int, ids []string) *wireError {
		return bedrockInvalid(bedrockModelSaid+"messages.%d: `tool_use` ids were found without `tool_result` blocks immediately "+
			"after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", at,
			strings.Join(ids, ", "))
	}
	if first := slices.Index(kinds, "toolUse"); first >= 0 && slices.Contains(kinds[first:], "text") {
		return unanswered(i, m.calls)
	}
	if len(m.answers) > 0 && !slices.Contains(kinds[:len(m.answers)], "toolResult") ||
		len(m.answers) > 0 && slices.ContainsFunc(kinds[:len(m.answers)], func(kind string) bool { return kind != "toolResult" }) {
		return unanswered(i-1, m.answers)
	}
	return nil
}

// end checks how the conversation ends: with the user, or with the beginning of an answer where the model takes one.
func (q *bedrockRequest) end(messages []bedrockMessageIn) *wireError {
	i := len(messages) - 1
	last := &messages[i]
	if last.Role == "user" {
		return nil
	}
	if len(last.calls) > 0 {
		return bedrockInvalid("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i+1,
			strings.Join(last.calls, ", "))
	}
	switch {
	case strings.Contains(q.model, "amazon.nova"): // goes on with what was begun for it
	case !q.claude:
		return bedrockInvalid("A conversation must end with a user message. Try again with a conversation that ends with a user " +
			"message.")
	case claudeSince(q.model, 4, 6):
		return bedrockInvalid(bedrockModelSaid + "This model does not support assistant message prefill. The conversation must " +
			"end with a user message.")
	case strings.TrimRight(last.text, " \t\r\n") != last.text:
		return bedrockInvalid(bedrockModelSaid + "messages: final assistant content cannot end with trailing whitespace")
	}
	return nil
}

func duplicate(ids []string) (string, bool) {
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return id, true
		}
	}
	return "", false
}
