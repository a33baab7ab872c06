package dialect

import (
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Frame is one server-sent event.
type Frame struct {
	// Event is its name; empty where the dialect gives events none.
	Event string
	// Data is written as JSON; if it is nil, Text is written as it is.
	Data any
	Text string
}

// Stream encodes one answer for its client, event by event. It is used for one stream, by one goroutine.
//
// The events are those of package transcript, in which a part begins with its first word, and ends that say nothing are left
// out: a part is over when the next one begins, or when its choice finishes. Place is where the event ends in the transcript,
// from 1 on: a client that comes back says it to go on from there. Places grow, not always by one.
type Stream interface {
	// Encode gives the frames for an event; most events are one, some are none. It is also called with events that the client
	// has already, for the stream to know how far the answer has come; their frames are not sent.
	Encode(event llm.Event, place int64) []Frame
	// AppendText is a short way for pieces of text, which nearly all events are: it adds the frame's data to what is to be
	// written, or says false of events that are for Encode. A stream may say false of all.
	AppendText(out []byte, event llm.Event, place int64) ([]byte, bool)
	// TextEvent is the name of the frames that AppendText adds; empty if they have none.
	TextEvent() string
	// Restart gives what takes back all that was sent; nil if the dialect cannot say it. The stream is of no use behind it.
	Restart() []Frame
	// ServedFrom is called before the choices finish: the answer is not from a provider as wanted, but "hit" or "stale" (it was
	// kept from an earlier request) or "degraded".
	ServedFrom(from string)
	// FinishedAt is called before the choices finish, with the time at which the completion did; nil if that is not known.
	FinishedAt(at *time.Time)
	// End gives what follows the finish of the last choice. Answer is the whole answer as it is recorded, whose count may be
	// another than that of the events.
	End(answer llm.Response, place int64) []Frame
	// Fail tells in band why the answer ends here.
	Fail(failure Failure, place int64) []Frame
	// Idle is written, as it is, when there has been nothing to say for a while.
	Idle() string
}

// Failure is an error as a client may read it. Dialects have names of their own for what Status and Code say.
type Failure struct {
	// Status is the HTTP status that stands for it.
	Status int
	// Kind is OpenAI's word for whose fault it is: invalid_request_error, server_error.
	Kind string
	// Code tells failures apart that clients treat differently; docs/errors.md lists them.
	Code string
	// Param names the parameter at fault, if one is.
	Param   string
	Message string
	// CompletionID is set once the request has been accepted.
	CompletionID string
	// RetryAfter is when the client may come back; 0 says nothing about it.
	RetryAfter time.Duration
}
