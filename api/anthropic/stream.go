package anthropic

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// Event is one event of a streamed answer (https://platform.claude.com/docs/en/build-with-claude/streaming).
type Event struct {
	Type string `json:"type"`
	// Message stands in message_start.
	Message *Message `json:"message,omitempty"`
	// Index, ContentBlock and Delta stand in the events of blocks; Delta, and Usage, in message_delta, too.
	Index        *int   `json:"index,omitempty"`
	ContentBlock any    `json:"content_block,omitempty"`
	Delta        any    `json:"delta,omitempty"`
	Usage        *Usage `json:"usage,omitempty"`
	// Warnings are those of the answer's end, and Holdfast is what the gateway itself has to say. SDKs pass over both.
	Warnings []llm.Warning `json:"warnings,omitempty"`
	Holdfast *Notice       `json:"holdfast,omitempty"`
}

// Notice is what a gateway that Anthropic's dialect knows nothing of has to say in it.
type Notice struct {
	// ServedFrom stands in the message_delta of an answer which is not from a provider as wanted: "hit", "stale" or "degraded".
	ServedFrom string `json:"served_from,omitempty"`
}

type messageDelta struct {
	StopReason   *string      `json:"stop_reason"`
	StopSequence *string      `json:"stop_sequence"`
	StopDetails  *StopDetails `json:"stop_details"`
}

// stream encodes one answer. Anthropic's clients take one block at a time, which the parts of an answer become so:
//
//   - A part's block is open from its first word until the part ends or another begins. More of a text, or of a thought, whose
//     block is closed opens a block of its own.
//   - A tool call cannot be cut in two. While the arguments of the open one are no whole JSON object, what other parts say waits
//     for it, at most until the choice finishes.
//   - What is attached to a part whose block is closed comes when the open one is.
type stream struct {
	id, route string
	begun     bool
	parts     map[int]*streamedPart
	open      *streamedPart // nil between blocks
	blocks    int           // how many have begun
	held      []llm.Event   // of parts that wait for the open tool call
	late      []redactedBlock
	frames    []dialect.Frame // of the event that is being encoded
	warnings  []llm.Warning
	from      string
}

var _ dialect.Stream = (*stream)(nil)

// NewStream begins a stream. Id is the one that the client knows the completion by, and route stands for the model until the
// answer names it.
func NewStream(id, route string) dialect.Stream {
	return &stream{id: id, route: route, parts: map[int]*streamedPart{}}
}

// ServedFrom implements [dialect.Stream]: the message_delta says it.
func (s *stream) ServedFrom(from string) { s.from = from }

// Encode implements [dialect.Stream]. Why the answer ended is said by End, which knows the count.
func (s *stream) Encode(event llm.Event, _ int64) []dialect.Frame {
	if event.Choice != 0 { // the dialect has one answer
		return nil
	}
	switch event.Type {
	case llm.EventStart:
		s.begin(event)
	case llm.EventFinish:
		s.settle()
		s.warnings = append(s.warnings, event.Warnings...)
	case llm.EventUsage:
	default:
		s.begin(llm.Event{})
		s.add(event)
	}
	return s.taken()
}

// AppendText implements [dialect.Stream]. There is no short way.
func (s *stream) AppendText(out []byte, _ llm.Event, _ int64) ([]byte, bool) { return out, false }

// FinishedAt implements [dialect.Stream]: messages do not say it.
func (s *stream) FinishedAt(*time.Time) {}

// TextEvent implements [dialect.Stream].
func (s *stream) TextEvent() string { return "" }

// Restart implements [dialect.Stream]: the dialect cannot take anything back.
func (s *stream) Restart() []dialect.Frame { return nil }

// End implements [dialect.Stream].
func (s *stream) End(answer llm.Response, _ int64) []dialect.Frame {
	s.begin(llm.Event{Model: answer.Model})
	s.settle()
	usage := encodeUsage(answer.Usage)
	end := Event{Type: "message_delta", Usage: &usage, Warnings: s.warnings}
	reason, details := stopOf(answer)
	end.Delta = messageDelta{StopReason: reason, StopDetails: details}
	if s.from != "" {
		end.Holdfast = &Notice{ServedFrom: s.from}
	}
	s.say(end)
	s.say(Event{Type: "message_stop"})
	return s.taken()
}

// Fail implements [dialect.Stream]. Nothing follows it.
func (s *stream) Fail(failure dialect.Failure, _ int64) []dialect.Frame {
	return []dialect.Frame{{Event: "error", Data: EncodeFailure(failure)}}
}

// Idle implements [dialect.Stream].
func (s *stream) Idle() string { return "event: ping\ndata: {\"type\": \"ping\"}\n\n" }

func (s *stream) say(event Event) {
	s.frames = append(s.frames, dialect.Frame{Event: event.Type, Data: event})
}

func (s *stream) taken() []dialect.Frame {
	frames := s.frames
	s.frames = nil
	return frames
}

// begin says message_start, once. What was used is not known yet.
func (s *stream) begin(event llm.Event) {
	if s.begun {
		return
	}
	s.begun = true
	message := newMessage(s.id, s.route, event.Model)
	message.Warnings = event.Warnings
	s.say(Event{Type: "message_start", Message: &message})
}

// add takes an event of a part, or keeps it until the open tool call is whole.
func (s *stream) add(event llm.Event) {
	if s.waits(event) {
		s.held = append(s.held, event)
		return
	}
	s.apply(event)
	if len(s.held) > 0 && (s.open == nil || s.open.whole()) {
		s.release()
	}
}

func (s *stream) waits(event llm.Event) bool {
	if s.open == nil || s.open.kind != llm.PartToolCall || event.Index == s.open.index {
		return false
	}
	return len(s.held) > 0 || !s.open.whole()
}

// release takes what has waited. Some of it may have to wait for another call.
func (s *stream) release() {
	s.close()
	held := s.held
	s.held = nil
	for _, event := range held {
		s.add(event)
	}
}

// settle ends all parts: nothing more comes of any.
func (s *stream) settle() {
	for s.close(); len(s.held) > 0; {
		s.release()
	}
	s.close()
}
