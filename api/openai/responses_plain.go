package openai

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/holdfast-dev/holdfast/llm"
)

// TextEvent implements [dialect.Stream].
func (s *ResponseStream) TextEvent() string { return eventTextDelta }

// AppendText implements [dialect.Stream]: a piece of the answer's text.
func (s *ResponseStream) AppendText(out []byte, event llm.Event, place int64) ([]byte, bool) {
	p := s.parts[event.Index]
	if event.Type != llm.EventDelta || event.Choice != 0 || event.Text == "" || len(event.Logprobs) > 0 ||
		p == nil || p.part.Type != llm.PartText || !p.open || s.finished {
		return out, false
	}
	if p.plain == nil {
		p.plain = p.plainDelta()
	}
	p.text = append(p.text, event.Text...)
	s.last = place * perPlace
	out = append(out, p.plain.before...)
	out = appendString(out, event.Text)
	out = append(out, p.plain.between...)
	out = strconv.AppendInt(out, s.last, 10)
	return append(out, p.plain.behind...), true
}

// plainDelta cuts an event at its text and its number. Neither mark stands in another member: there, quotes are escaped.
func (p *streamedPart) plainDelta() *plainChunk {
	const text, number = `"delta":"x"`, `"sequence_number":1`
	event := p.delta("x", nil, false)[0]
	event.SequenceNumber = 1
	whole, err := json.Marshal(event)
	if err != nil { // words and numbers
		return &plainChunk{}
	}
	before, rest, _ := bytes.Cut(whole, []byte(text))
	between, behind, _ := bytes.Cut(rest, []byte(number))
	return &plainChunk{
		before: append(bytes.Clone(before), text[:len(text)-len(`"x"`)]...), between: append(bytes.Clone(between), number[:len(number)-1]...), behind: behind,
	}
}
