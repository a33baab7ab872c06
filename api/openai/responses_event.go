package openai

import "github.com/holdfast-dev/holdfast/api/dialect"

// ResponseEvent is one event of a streamed response (https://platform.openai.com/docs/api-reference/responses-streaming). Which of
// its members are set is said by its type, which is also the server-sent event's name.
type ResponseEvent struct {
	Type            string          `json:"type"`
	Response        *Response       `json:"response,omitempty"`
	ItemID          string          `json:"item_id,omitempty"`
	OutputIndex     *int            `json:"output_index,omitempty"`
	ContentIndex    *int            `json:"content_index,omitempty"`
	SummaryIndex    *int            `json:"summary_index,omitempty"`
	AnnotationIndex *int            `json:"annotation_index,omitempty"`
	Item            *Item           `json:"item,omitempty"`
	Part            any             `json:"part,omitempty"`
	Annotation      *Annotation     `json:"annotation,omitempty"`
	Name            string          `json:"name,omitempty"`
	Delta           *string         `json:"delta,omitempty"`
	Text            *string         `json:"text,omitempty"`
	Refusal         *string         `json:"refusal,omitempty"`
	Arguments       *string         `json:"arguments,omitempty"`
	Logprobs        *[]tokenLogprob `json:"logprobs,omitempty"`
	SequenceNumber  int64           `json:"sequence_number"`
}

// ResponseErrorEvent tells of a failure before there was a response.
type ResponseErrorEvent struct {
	Type           string  `json:"type"`
	Code           string  `json:"code"`
	Message        string  `json:"message"`
	Param          *string `json:"param"`
	SequenceNumber int64   `json:"sequence_number"`
}

// The types of event.
const (
	eventCreated          = "response.created"
	eventInProgress       = "response.in_progress"
	eventCompleted        = "response.completed"
	eventIncomplete       = "response.incomplete"
	eventFailed           = "response.failed"
	eventItemAdded        = "response.output_item.added"
	eventItemDone         = "response.output_item.done"
	eventPartAdded        = "response.content_part.added"
	eventPartDone         = "response.content_part.done"
	eventTextDelta        = "response.output_text.delta"
	eventTextDone         = "response.output_text.done"
	eventAnnotationAdded  = "response.output_text.annotation.added"
	eventRefusalDelta     = "response.refusal.delta"
	eventRefusalDone      = "response.refusal.done"
	eventArgumentsDelta   = "response.function_call_arguments.delta"
	eventArgumentsDone    = "response.function_call_arguments.done"
	eventSummaryAdded     = "response.reasoning_summary_part.added"
	eventSummaryDone      = "response.reasoning_summary_part.done"
	eventSummaryTextDelta = "response.reasoning_summary_text.delta"
	eventSummaryTextDone  = "response.reasoning_summary_text.done"
)

// perPlace is how many events a place in the transcript may stand for: a sequence number says the place, and which of its events.
const perPlace = 64

// ParseSequence takes apart the sequence number of the last event that a client has: its place in the transcript, and how many
// events of that place the client has seen.
func ParseSequence(n int64) (place int64, seen int) {
	if n < 0 {
		return 0, 0
	}
	return n / perPlace, int(n%perPlace) + 1
}

// sequence numbers the events of a place in their order. Of more than there are numbers for, the first share one: a client that
// comes back is then told some once more, and never too few.
func (s *ResponseStream) sequence(events []ResponseEvent, place int64) []dialect.Frame {
	frames := make([]dialect.Frame, 0, len(events))
	for i, event := range events {
		event.SequenceNumber = place*perPlace + int64(max(0, i-max(0, len(events)-perPlace)))
		s.last = event.SequenceNumber
		frames = append(frames, dialect.Frame{Event: event.Type, Data: event})
	}
	return frames
}
