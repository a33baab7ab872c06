package openai

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// ResponseStream turns the events of an answer into those of a response. It is used for one stream.
type ResponseStream struct {
	view      ResponseView
	encrypted bool
	id        func(prefix string, n int) string
	// created says that the client has been told of the response.
	created  bool
	finished bool
	items    []*streamedItem
	parts    map[int]*streamedPart // by their index
	// last is the sequence number of the last event.
	last int64
}

// NewResponseStream begins the stream of a response; of the view, what is known before there is an answer counts.
func NewResponseStream(view ResponseView) dialect.Stream {
	shown := readShown(view.Shown)
	return &ResponseStream{view: view, encrypted: shown.encrypted(), id: AnswerItems(view.ID), parts: map[int]*streamedPart{}}
}

// ServedFrom implements [dialect.Stream].
func (s *ResponseStream) ServedFrom(from string) { s.view.ServedFrom = from }

// FinishedAt implements [dialect.Stream]: the whole response shows it.
func (s *ResponseStream) FinishedAt(at *time.Time) { s.view.CompletedAt = at }

// Restart implements [dialect.Stream]: the dialect has no way to take back what was said.
func (s *ResponseStream) Restart() []dialect.Frame { return nil }

// Idle implements [dialect.Stream].
func (s *ResponseStream) Idle() string { return ": keep-alive\n\n" }

// Encode implements [dialect.Stream].
func (s *ResponseStream) Encode(event llm.Event, place int64) []dialect.Frame {
	if event.Choice != 0 { // a response is one answer
		return nil
	}
	var events []ResponseEvent
	switch event.Type {
	case llm.EventStart:
		if event.Model != "" {
			s.view.Model = event.Model
		}
		return s.sequence(s.create(event.Warnings), place)
	case llm.EventPart:
		events = s.begin(event)
	case llm.EventDelta:
		events = s.more(event)
	case llm.EventPartEnd:
		events = s.end(event)
	case llm.EventFinish:
		events = s.finish(event.FinishReason)
	default:
	}
	if len(events) > 0 {
		events = append(s.create(nil), events...)
	}
	return s.sequence(events, place)
}

// create tells of the response, once.
func (s *ResponseStream) create(warnings []llm.Warning) []ResponseEvent {
	if s.created {
		return nil
	}
	s.created = true
	view := s.view
	view.Status, view.Answer, view.Failure, view.ServedFrom = statusInProgress, nil, nil, ""
	response := EncodeResponse(view)
	response.Warnings = warnings
	return []ResponseEvent{{Type: eventCreated, Response: &response}, {Type: eventInProgress, Response: &response}}
}

// begin opens a part, and an item for it unless it belongs to the last one.
func (s *ResponseStream) begin(event llm.Event) []ResponseEvent {
	if event.Part == nil || s.finished {
		return nil
	}
	kind := kindOf(*event.Part)
	if kind == "" || kind == prefixOutput { // no answer holds these
		return nil
	}
	part, text := *event.Part, event.Part.Text
	part.Text = ""
	if part.ToolCall != nil {
		call := *part.ToolCall
		text, call.Arguments = call.Arguments, ""
		part.ToolCall = &call
	}
	var events []ResponseEvent
	item := s.lastItem()
	switch {
	case item != nil && item.kind == prefixMessage && kind == prefixMessage:
		events = append(events, item.parts[len(item.parts)-1].close()...)
	default:
		if item != nil && (item.kind != prefixCall || item.ended) {
			events = append(events, s.close(item)...)
		}
		item = &streamedItem{kind: kind, id: s.id(kind, len(s.items)), index: len(s.items)}
		s.items = append(s.items, item)
		events = append(events, item.added(part))
	}
	p := &streamedPart{item: item, content: len(item.parts), part: part, open: true}
	item.parts = append(item.parts, p)
	s.parts[event.Index] = p
	if kind == prefixMessage {
		shown := encodeContent(llm.RoleAssistant, part)
		events = append(events, p.event(ResponseEvent{Type: eventPartAdded, Part: &shown}))
	}
	if text != "" {
		events = append(events, s.more(llm.Event{Index: event.Index, Text: text})...)
	}
	return events
}

func (s *ResponseStream) lastItem() *streamedItem {
	if len(s.items) == 0 {
		return nil
	}
	return s.items[len(s.items)-1]
}

// more continues a part. One that was thought to be over, because another had begun, is told to be over once more in the end.
func (s *ResponseStream) more(event llm.Event) []ResponseEvent {
	p := s.parts[event.Index]
	if p == nil || s.finished || event.Text == "" && len(event.Logprobs) == 0 {
		return nil
	}
	p.reopen()
	first := len(p.text) == 0 && event.Text != ""
	p.text = append(p.text, event.Text...)
	p.tokens = append(p.tokens, event.Logprobs...)
	return p.delta(event.Text, event.Logprobs, first)
}

// end takes what came to light at a part's end. The last item stays open until it is known how the answer ends.
func (s *ResponseStream) end(event llm.Event) []ResponseEvent {
	p := s.parts[event.Index]
	if p == nil || s.finished {
		return nil
	}
	p.item.ended = true
	var events []ResponseEvent
	if event.Part != nil {
		p.part.Opaque, p.part.Citations = event.Part.Opaque, event.Part.Citations
		if p.part.Type == llm.PartText {
			for i, citation := range *encodeCitations(p.part.Citations) {
				events = append(events, p.event(ResponseEvent{Type: eventAnnotationAdded, AnnotationIndex: &i, Annotation: &citation}))
			}
		}
		if len(events) > 0 || p.item.kind == prefixThought && s.encrypted && p.part.Opaque != nil {
			p.reopen()
		}
	}
	if p.item != s.lastItem() {
		events = append(events, s.close(p.item)...)
	}
	return events
}

// finish closes what is open, and tells of the carriers.
func (s *ResponseStream) finish(reason llm.FinishReason) []ResponseEvent {
	if s.finished {
		return nil
	}
	s.finished = true
	var events []ResponseEvent
	for _, item := range s.items {
		item.cut = item == s.lastItem() && cutBy(reason) != ""
		events = append(events, s.close(item)...)
	}
	if !s.encrypted {
		return events
	}
	for i, item := range carriers(s.said(), s.id) {
		at := len(s.items) + i
		begun := item
		begun.Status, begun.EncryptedContent = statusInProgress, ""
		events = append(events, ResponseEvent{Type: eventItemAdded, OutputIndex: &at, Item: &begun}, ResponseEvent{Type: eventItemDone, OutputIndex: &at, Item: &item})
	}
	return events
}

// said is what was said so far.
func (s *ResponseStream) said() llm.Message {
	message := llm.Message{Role: llm.RoleAssistant}
	for _, item := range s.items {
		for _, p := range item.parts {
			message.Parts = append(message.Parts, p.whole())
		}
	}
	return message
}

// End implements [dialect.Stream]: the whole response, from the answer as it is recorded.
func (s *ResponseStream) End(answer llm.Response, place int64) []dialect.Frame {
	events := append(s.create(nil), s.finish(answer.FinishReason)...)
	view := s.view
	view.Status, view.Answer, view.Failure = statusCompleted, &answer, nil
	response := EncodeResponse(view)
	last := ResponseEvent{Type: eventCompleted, Response: &response}
	if response.Status == statusIncomplete {
		last.Type = eventIncomplete
	}
	return s.sequence(append(events, last), place)
}

// Fail implements [dialect.Stream]: a response that the client was told of has failed; before that, there is none.
func (s *ResponseStream) Fail(failure dialect.Failure, place int64) []dialect.Frame {
	number := max(place*perPlace, s.last+1)
	if !s.created {
		return []dialect.Frame{{Event: "error", Data: ResponseErrorEvent{
			Type: "error", Code: failure.Code, Message: failure.Message, Param: said(failure.Param), SequenceNumber: number,
		}}}
	}
	view := s.view
	view.Status, view.Failure, view.Answer = statusFailed, &failure, &llm.Response{Message: s.said()}
	response := EncodeResponse(view)
	return []dialect.Frame{{Event: eventFailed, Data: ResponseEvent{Type: eventFailed, Response: &response, SequenceNumber: number}}}
}
