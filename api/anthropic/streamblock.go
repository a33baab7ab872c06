package anthropic

import (
	"bytes"
	"encoding/json"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// streamedPart is what has been said of a part.
type streamedPart struct {
	index  int // in the answer
	kind   llm.PartType
	call   llm.ToolCall
	opened int // how many blocks it has had
	// text is what a tool call has of arguments, and what a tool that the vendor ran has of words.
	text   []byte
	sum    checksum
	opaque *llm.Opaque // of a tool that the vendor ran
}

// whole reports whether nothing can be added to a tool call: its arguments are a JSON object. Most pieces do not end one, and
// need no closer look.
func (p *streamedPart) whole() bool {
	text := bytes.TrimSpace(p.text)
	return bytes.HasSuffix(text, []byte("}")) && isObject(string(text))
}

// The deltas of blocks.
type (
	textDelta struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	thinkingDelta struct {
		Type     string `json:"type"`
		Thinking string `json:"thinking"`
	}
	signatureDelta struct {
		Type      string `json:"type"`
		Signature string `json:"signature"`
	}
	inputDelta struct {
		Type        string `json:"type"`
		PartialJSON string `json:"partial_json"`
	}
	citationsDelta struct {
		Type     string   `json:"type"`
		Citation citation `json:"citation"`
	}
)

func (s *stream) apply(event llm.Event) {
	part := s.parts[event.Index]
	switch {
	case event.Type == llm.EventPart && event.Part != nil:
		s.beginPart(event.Index, *event.Part)
	case part == nil:
	case event.Type == llm.EventDelta:
		s.write(part, event.Text)
	case event.Type == llm.EventPartEnd:
		s.endPart(part, event.Part)
	}
}

// beginPart notes a part, and ends the one before. Only a tool call is said at once: other blocks begin with a word.
func (s *stream) beginPart(index int, part llm.Part) {
	s.close()
	begun := &streamedPart{index: index, kind: part.Type}
	s.parts[index] = begun
	text := part.Text
	if part.ToolCall != nil {
		begun.call, text = *part.ToolCall, part.ToolCall.Arguments
		s.openBlock(begun)
	}
	s.write(begun, text)
}

// openBlock begins a part's block, if its kind has one.
func (s *stream) openBlock(part *streamedPart) {
	s.close()
	s.open = part
	part.opened++
	switch part.kind {
	case llm.PartText, llm.PartRefusal:
		s.start(textBlock{Type: "text"})
	case llm.PartReasoning:
		s.start(thinkingBlock{Type: "thinking"})
	case llm.PartToolCall:
		s.start(toolUseBlock{Type: "tool_use", ID: part.call.ID, Name: part.call.Name, Input: json.RawMessage(noInput)})
	default:
	}
}

func (s *stream) start(block any) {
	index := s.blocks
	s.blocks++
	s.say(Event{Type: "content_block_start", Index: &index, ContentBlock: block})
}

func (s *stream) delta(delta any) {
	index := s.blocks - 1
	s.say(Event{Type: "content_block_delta", Index: &index, Delta: delta})
}

func (s *stream) stop() {
	index := s.blocks - 1
	s.say(Event{Type: "content_block_stop", Index: &index})
}

// write adds to a part. A call that is closed is whole: more than that no client could parse.
func (s *stream) write(part *streamedPart, text string) {
	if text == "" || s.open != part && part.opened > 0 && (part.kind == llm.PartToolCall || part.kind == llm.PartServerTool) {
		return
	}
	if s.open != part {
		s.openBlock(part)
	}
	switch part.kind {
	case llm.PartText, llm.PartRefusal:
		part.sum.add(text)
		s.delta(textDelta{Type: "text_delta", Text: text})
	case llm.PartReasoning:
		part.sum.add(text)
		s.delta(thinkingDelta{Type: "thinking_delta", Thinking: text})
	case llm.PartToolCall:
		part.text = append(part.text, text...)
		s.delta(inputDelta{Type: "input_json_delta", PartialJSON: text})
	case llm.PartServerTool:
		part.text = append(part.text, text...)
	default:
	}
}

// endPart ends a part with what came to light at its end.
func (s *stream) endPart(part *streamedPart, end *llm.Part) {
	if end != nil {
		s.complete(part, *end)
	}
	if s.open == part {
		s.close()
	}
}

// complete says what hangs on a part as a whole. A part in several blocks is no such whole: what hangs on it is dropped.
func (s *stream) complete(part *streamedPart, end llm.Part) {
	if part.opened > 1 {
		return
	}
	open := s.open == part
	switch part.kind {
	case llm.PartText, llm.PartRefusal:
		for _, page := range pages(end.Citations) {
			if open {
				s.delta(citationsDelta{Type: "citations_delta", Citation: page})
			}
		}
		s.attach(attachment{To: llm.PartText, Sum: part.sum.String(), Opaque: end.Opaque})
	case llm.PartReasoning:
		switch {
		case end.Opaque == nil:
		case open:
			s.delta(signatureDelta{Type: "signature_delta", Signature: dialect.Seal(end.Opaque)})
		case part.opened == 0:
			s.sayWhole(redacted(dialect.Seal(end.Opaque)))
		default:
			s.attach(attachment{To: llm.PartReasoning, Sum: part.sum.String(), Opaque: end.Opaque})
		}
	case llm.PartToolCall:
		s.attach(attachment{To: llm.PartToolCall, Call: part.call.ID, Opaque: end.Opaque})
	case llm.PartServerTool:
		if part.opened == 0 { // not a word was said of it
			s.openBlock(part)
		}
		part.opaque = end.Opaque
	default:
	}
}

// attach says what is attached to a part, if anything is.
func (s *stream) attach(a attachment) {
	if a.Opaque != nil {
		s.sayWhole(a.block())
	}
}

// sayWhole says a block in one piece, when none is open.
func (s *stream) sayWhole(block redactedBlock) {
	if s.open != nil {
		s.late = append(s.late, block)
		return
	}
	s.start(block)
	s.stop()
}

// close ends the open block, if there is one, and then says what waited for that. Clients parse the arguments of a call, and
// nothing is no JSON.
func (s *stream) close() {
	part := s.open
	if part == nil {
		return
	}
	s.open = nil
	switch {
	case part.kind == llm.PartServerTool:
		if len(part.text) > 0 || part.opaque != nil {
			s.sayWhole(attachment{To: llm.PartServerTool, Text: string(part.text), Opaque: part.opaque}.block())
		}
	case part.kind == llm.PartToolCall && len(bytes.TrimSpace(part.text)) == 0:
		s.delta(inputDelta{Type: "input_json_delta", PartialJSON: noInput})
		s.stop()
	case part.hasBlock():
		s.stop()
	}
	late := s.late
	s.late = nil
	for _, block := range late {
		s.sayWhole(block)
	}
}

// hasBlock reports whether the part's kind is shown. Pictures and sound have no form in an answer.
func (p *streamedPart) hasBlock() bool {
	switch p.kind {
	case llm.PartText, llm.PartRefusal, llm.PartReasoning, llm.PartToolCall:
		return true
	default:
		return false
	}
}
