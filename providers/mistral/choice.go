package mistral

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

// choice is one of the answers in the making.
type choice struct {
	number int
	whole  bool
	from   llm.Origin
	index  int          // of the next part
	open   llm.PartType // of the text or thought that is being written, empty if none
	at     int          // where that is
	think  thought
	again  repetition    // of what the answer was begun with
	calls  map[int]*call // by the vendor's index: the latest
	opened []*call
	ids    render.IDs
	said   bool // there is an answer, not only thoughts
	reason string
}

// call is a tool call in the making.
type call struct {
	at        int
	id, name  string
	arguments []byte
}

// content adds a text, or chunks of text and of thoughts. Other chunks (references, files) are passed over.
func (c *choice) content(events []llm.Event, raw json.RawMessage) ([]llm.Event, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return events, true
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return c.write(events, c.again.take(text)), true
	}
	var chunks []json.RawMessage
	if json.Unmarshal(raw, &chunks) != nil {
		return events, false
	}
	for _, raw := range chunks {
		var kind struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}
		if json.Unmarshal(raw, &kind) != nil {
			return events, false
		}
		switch kind.Type {
		case "text":
			events = c.write(events, c.again.take(kind.Text))
		case "thinking":
			events = c.begin(events, llm.PartReasoning)
			text, ok := c.think.add(raw)
			if !ok {
				return events, false
			}
			if text != "" {
				events = append(events, c.event(llm.EventDelta, c.at, text))
			}
		}
	}
	return events, true
}

func (c *choice) event(kind llm.EventType, at int, text string) llm.Event {
	return llm.Event{Type: kind, Choice: c.number, Index: at, Text: text}
}

func (c *choice) write(events []llm.Event, text string) []llm.Event {
	if text == "" {
		return events
	}
	c.said = true
	events = c.begin(events, llm.PartText)
	return append(events, c.event(llm.EventDelta, c.at, text))
}

// begin begins a part of this kind, unless one is being written.
func (c *choice) begin(events []llm.Event, kind llm.PartType) []llm.Event {
	if c.open == kind {
		return events
	}
	events = c.end(events)
	c.open, c.at = kind, c.index
	c.index++
	event := c.event(llm.EventPart, c.at, "")
	event.Part = &llm.Part{Type: kind}
	return append(events, event)
}

// end ends the text or thought that is being written. A thought is kept in the vendor's form, to be handed back.
func (c *choice) end(events []llm.Event) []llm.Event {
	if c.open == "" {
		return events
	}
	event := c.event(llm.EventPartEnd, c.at, "")
	if c.open == llm.PartReasoning {
		event.Part = &llm.Part{Type: llm.PartReasoning, Opaque: &llm.Opaque{Origin: c.from, Data: c.think.chunk()}}
		c.think = thought{}
	}
	c.open = ""
	return append(events, event)
}

// call begins a tool call or continues one. Most come whole; ids and indexes are not to be relied on: the id may be "null",
// and calls made in parallel may all have the index 0.
func (c *choice) call(events []llm.Event, piece callDelta) ([]llm.Event, bool) {
	if piece.ID == "null" {
		piece.ID = ""
	}
	last := c.calls[piece.Index]
	if last == nil || c.whole || piece.ID != "" && string(piece.ID) != last.id ||
		piece.Function.Name != "" && (piece.Function.Name != last.name || json.Valid(last.arguments)) {
		if piece.Function.Name == "" {
			return events, false
		}
		events = c.end(c.write(events, c.again.rest()))
		last = &call{at: c.index, id: string(piece.ID), name: piece.Function.Name}
		c.index++
		c.calls[piece.Index], c.opened, c.said = last, append(c.opened, last), true
		part := llm.Call(c.ids.Assign(string(piece.ID), fmt.Sprintf("%d/%d/%s", c.number, last.at, last.name)), last.name, "")
		event := c.event(llm.EventPart, last.at, "")
		event.Part = &part
		events = append(events, event)
	}
	if text := piece.arguments(); text != "" {
		last.arguments = append(last.arguments, text...)
		events = append(events, c.event(llm.EventDelta, last.at, text))
	}
	return events, true
}

// close ends all parts.
func (c *choice) close(events []llm.Event) []llm.Event {
	events = c.end(c.write(events, c.again.rest()))
	slices.SortFunc(c.opened, func(a, b *call) int { return a.at - b.at })
	for _, call := range c.opened {
		if len(call.arguments) == 0 {
			events = append(events, c.event(llm.EventDelta, call.at, "{}"))
		}
		events = append(events, c.event(llm.EventPartEnd, call.at, ""))
	}
	c.opened = nil
	return events
}
