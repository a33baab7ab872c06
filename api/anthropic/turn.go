package anthropic

import (
	"encoding/json"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// message is a turn on the wire. The members of system messages that change what a turn is shown are refused where they ask
// for something.
type message struct {
	Role         string          `json:"role"`
	Content      json.RawMessage `json:"content"`
	ClearAt      string          `json:"clear_at"`
	OutputConfig json.RawMessage `json:"output_config"`
}

// turns are the messages as far as they have been read.
type turns struct {
	list []llm.Message
	// waiting is what is attached to parts of the last message, if that is the assistant's.
	waiting []attachment
}

func decodeTurns(wire []json.RawMessage) ([]llm.Message, error) {
	var t turns
	for i, raw := range wire {
		at := item("messages", i)
		var m message
		if err := readKnown(at, raw, &m); err != nil {
			return nil, err
		}
		if err := m.check(at); err != nil {
			return nil, err
		}
		last := i == len(wire)-1
		switch at := under(at, "content"); {
		case m.Role == "assistant" && m.empty() && last: // a prefill without a word
		case m.empty():
			return nil, invalid(at, codeMissing, "All messages must have non-empty content, except for an assistant's that is the last one.")
		default:
			if err := t.add(m.Role, at, m.Content); err != nil {
				return nil, err
			}
		}
	}
	t.settle()
	if len(t.list) == 0 {
		return nil, invalid("messages", codeMissing, "The messages hold nothing but another vendor's thoughts: at least one must say something.")
	}
	return t.list, nil
}

func (m message) check(at string) error {
	switch {
	case m.Role != "system" && m.Role != "user" && m.Role != "assistant":
		return invalid(under(at, "role"), codeValue, "Input should be 'user', 'assistant' or 'system'.")
	case m.ClearAt != "" && m.ClearAt != "never":
		return invalid(under(at, "clear_at"), codeUnsupported, "Messages are kept as long as they are sent: Input should be 'never'.")
	case !absent(m.OutputConfig) && string(m.OutputConfig) != "{}":
		return invalid(under(at, "output_config"), codeParameter, "Unsupported parameter. Say output_config for the whole request.")
	default:
		return nil
	}
}

func (m message) empty() bool {
	switch string(compact(m.Content)) {
	case "", "null", `""`, "[]":
		return true
	default:
		return false
	}
}

func (t *turns) add(role, at string, content json.RawMessage) error {
	if role == "assistant" {
		return t.addAssistant(at, content)
	}
	t.settle()
	if role == "user" {
		return t.addUser(at, content)
	}
	texts, err := systemTexts(at, content)
	t.list = append(t.list, llm.Message{Role: llm.RoleSystem, Parts: texts})
	return err
}

// systemTexts are those of the system prompt, or of a system message within the conversation.
func systemTexts(at string, raw json.RawMessage) ([]llm.Part, error) {
	blocks, err := blocksOf(at, raw)
	if err != nil {
		return nil, err
	}
	var texts []llm.Part
	for _, b := range blocks {
		if b.Type != "text" {
			return nil, invalid(under(b.at, "type"), codeUnsupported, "System text consists of blocks of type 'text', not '%s'.", b.Type)
		}
		part, err := b.text()
		if err != nil {
			return nil, err
		}
		texts = append(texts, part)
	}
	return texts, nil
}

// addUser adds each result of a tool as a message, and then what else the user says.
func (t *turns) addUser(at string, content json.RawMessage) error {
	blocks, err := blocksOf(at, content)
	if err != nil {
		return err
	}
	said := llm.Message{Role: llm.RoleUser}
	for _, b := range blocks {
		if b.Type == "tool_result" {
			result, err := b.toolResult()
			if err != nil {
				return err
			}
			t.list = append(t.list, llm.Message{Role: llm.RoleTool, Parts: []llm.Part{result}})
			continue
		}
		parts, err := b.shown()
		if err != nil {
			return err
		}
		said.Parts = append(said.Parts, parts...)
	}
	if len(said.Parts) > 0 {
		t.list = append(t.list, said)
	}
	return nil
}

// addAssistant adds what the assistant said. Its messages that follow each other are one turn, as Anthropic has it: some clients
// keep each block as a message of its own. One of nothing but another vendor's thoughts is left out.
func (t *turns) addAssistant(at string, content json.RawMessage) error {
	blocks, err := blocksOf(at, content)
	if err != nil {
		return err
	}
	var parts []llm.Part
	for _, b := range blocks {
		if t.attaches(b, parts) {
			continue
		}
		part, ok, err := b.said()
		if err != nil {
			return err
		}
		if ok {
			parts = append(parts, part)
		}
	}
	last := len(t.list) - 1
	switch {
	case len(parts) == 0:
	case last >= 0 && t.list[last].Role == llm.RoleAssistant:
		t.list[last].Parts = append(t.list[last].Parts, parts...)
	default:
		t.list = append(t.list, llm.Message{Role: llm.RoleAssistant, Parts: parts})
	}
	return nil
}

// attaches takes a block that belongs to another one: the one before it, as a rule, since the same text may stand elsewhere, too.
func (t *turns) attaches(b block, parts []llm.Part) bool {
	if b.Type != "redacted_thinking" {
		return false
	}
	a, ok := unsealAttachment(b.Data)
	if !ok || a.alone() {
		return false
	}
	if last := len(parts) - 1; last >= 0 && a.fits(parts[last]) {
		parts[last].Opaque = a.Opaque
		return true
	}
	t.waiting = append(t.waiting, a)
	return true
}

// settle puts what is attached to parts of the last turn where it belongs, wherever in the turn the client has put it. What
// belongs nowhere any more is dropped.
func (t *turns) settle() {
	if last := len(t.list) - 1; last >= 0 && t.list[last].Role == llm.RoleAssistant {
		parts := t.list[last].Parts
		for _, a := range t.waiting {
			if i := slices.IndexFunc(parts, a.fits); i >= 0 {
				parts[i].Opaque = a.Opaque
			}
		}
	}
	t.waiting = nil
}
