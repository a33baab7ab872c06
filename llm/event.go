package llm

import "iter"

// EventType says what an [Event] tells.
//
// The events of one answer come in this order. [EventStart] once, first. Then, for each choice, its parts one after the
// other: [EventPart], any number of [EventDelta], [EventPartEnd]; parts of different indexes may overlap. [EventFinish] once
// for each choice, after its parts. [EventUsage] at any time, each replacing the one before.
type EventType string

// The types of event.
const (
	// EventStart says that the vendor has taken the call up. It is no output: the vendor may still fail at once.
	EventStart EventType = "start"
	// EventPart begins the part at Index: Part holds its type, and id and name if it is a tool call.
	EventPart EventType = "part"
	// EventDelta continues the part at Index by Text: its text, or the arguments of its tool call.
	EventDelta EventType = "delta"
	// EventPartEnd completes the part at Index. Part, if set, holds what comes to light at the end only: Opaque, Citations.
	EventPartEnd EventType = "part_end"
	// EventFinish ends a choice with its FinishReason.
	EventFinish EventType = "finish"
	// EventUsage counts what was used so far; the last one counts.
	EventUsage EventType = "usage"
)

// Event is one step of an answer that is streamed.
type Event struct {
	Type EventType `json:"type"`
	// Choice counts the answers from 0; it is 0 unless several were asked for.
	Choice int `json:"choice,omitempty"`
	// Index counts the parts of the choice from 0.
	Index int    `json:"index,omitempty"`
	Part  *Part  `json:"part,omitempty"`
	Text  string `json:"text,omitempty"`
	// Logprobs are those of Text.
	Logprobs []TokenLogprob `json:"logprobs,omitempty"`
	// ID, Model and Rendering are set by EventStart, as in [Response].
	ID        string `json:"id,omitempty"`
	Model     string `json:"model,omitempty"`
	Rendering int    `json:"rendering,omitempty"`
	// RateLimit may come with EventStart: what the vendor said of the account's limits. It is of the moment, and not recorded.
	RateLimit *RateLimit `json:"-"`
	// Warnings come with EventStart, or with EventFinish where their reason lies in the answer.
	Warnings []Warning `json:"warnings,omitempty"`

	FinishReason       FinishReason `json:"finish_reason,omitempty"`
	NativeFinishReason string       `json:"native_finish_reason,omitempty"`
	Usage              *Usage       `json:"usage,omitempty"`
}

// Output reports whether the event holds a piece of the answer. Until the first such event another provider may take over
// without the client's notice.
func (e Event) Output() bool {
	switch e.Type {
	case EventDelta:
		return e.Text != ""
	case EventPart:
		return e.Part != nil && e.Part.Type == PartToolCall
	default:
		return false
	}
}

// Failed is a stream that consists of an error.
func Failed(err error) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) { yield(Event{}, err) }
}
