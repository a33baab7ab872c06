package transcript

import (
	"maps"

	"github.com/holdfast-dev/holdfast/llm"
)

// Way is how an attempt's events are put behind what was said before it.
type Way struct {
	// Into is the text that the attempt was asked to go on with; nil if it was asked for an answer of its own.
	Into *Said
	// Sent is how much of the text it was shown: blanks at its end are kept from vendors.
	Sent string
	// Prefilled says that the model was made to go on with its own words, rather than told to.
	Prefilled bool
	// Parts is how many parts each choice has already.
	Parts map[int]int
}

// Splice puts the events of an attempt behind what was said before it. It is used for one attempt.
type Splice struct {
	way Way
	// moved are the places in the log of the attempt's parts.
	moved map[place]int
	// dropped are parts that are not said: thoughts of a model that goes on with another's answer.
	dropped map[place]bool
	next    map[int]int
	trim    *trimmer
	// joined says that the first text of the attempt has been joined to the text before it.
	joined bool
	into   int
	// passed is the list that holds one event, which is used again.
	passed [1]llm.Event
}

// NewSplice begins an attempt.
func NewSplice(way Way) *Splice {
	s := &Splice{way: way, moved: map[place]int{}, dropped: map[place]bool{}, next: map[int]int{}}
	maps.Copy(s.next, way.Parts)
	if way.Into != nil {
		s.trim = newTrimmer(way.Into.Text, way.Sent, way.Prefilled)
	}
	return s
}

// Next gives what an event adds to the log. The list may be overwritten by the next call.
func (s *Splice) Next(event llm.Event) []llm.Event {
	switch {
	case s.way.Into == nil && len(s.way.Parts) == 0:
		return s.one(event)
	case event.Type != llm.EventPart && event.Type != llm.EventDelta && event.Type != llm.EventPartEnd:
		return nil // it was begun before, and how it ends is not part of a log
	}
	at := place{event.Choice, event.Index}
	if event.Type == llm.EventPart {
		return s.begin(at, event)
	}
	index, known := s.moved[at]
	if s.dropped[at] || !known {
		return nil
	}
	if s.joined && at == (place{0, s.into}) {
		return s.more(index, event)
	}
	event.Index = index
	return s.one(event)
}

func (s *Splice) one(event llm.Event) []llm.Event {
	s.passed[0] = event
	return s.passed[:]
}

// begin finds the place of a part.
func (s *Splice) begin(at place, event llm.Event) []llm.Event {
	if event.Part == nil {
		return nil
	}
	if s.way.Into == nil {
		s.place(at, &event)
		return []llm.Event{event}
	}
	if at.choice > 0 || !s.joined && (event.Part.Type == llm.PartReasoning || event.Part.Type == llm.PartServerTool) {
		s.dropped[at] = true
		return nil
	}
	if !s.joined && event.Part.Type == llm.PartText {
		return s.join(at, event)
	}
	before := s.End()
	s.place(at, &event)
	return append(before, event)
}

// join makes the attempt's first text go on with the text before it.
func (s *Splice) join(at place, event llm.Event) []llm.Event {
	s.joined, s.into = true, at.index
	var events []llm.Event
	if s.way.Into.part >= 0 {
		s.moved[at] = s.way.Into.part
	} else {
		opening := llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}
		s.place(at, &opening)
		events = append(events, opening)
	}
	if event.Part.Text != "" {
		events = append(events, s.more(s.moved[at], llm.Event{Type: llm.EventDelta, Text: event.Part.Text})...)
	}
	return events
}

// more is a piece of the joined text. What comes to light at its end only (citations, signatures) speaks of a text of its
// own, which this is no more.
func (s *Splice) more(index int, event llm.Event) []llm.Event {
	if event.Type != llm.EventDelta {
		return nil
	}
	text := s.trim.add(event.Text)
	if text == "" {
		return nil
	}
	if text != event.Text {
		event.Logprobs = nil
	}
	event.Index, event.Text = index, text
	return s.one(event)
}

// place gives a part the next index that is free.
func (s *Splice) place(at place, event *llm.Event) {
	event.Choice, event.Index = at.choice, s.next[at.choice]
	s.moved[at] = event.Index
	s.next[at.choice]++
}

// End gives what was kept back until the attempt's text is over.
func (s *Splice) End() []llm.Event {
	if !s.joined || s.trim == nil {
		return nil
	}
	text := s.trim.rest()
	if text == "" {
		return nil
	}
	return []llm.Event{{Type: llm.EventDelta, Index: s.moved[place{0, s.into}], Text: text}}
}
