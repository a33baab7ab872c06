package llm

import (
	"errors"
	"fmt"
	"time"
)

// Kind classifies what went wrong with a provider call by what can be done about it. The values travel in Temporal
// history, in Postgres and in metrics: never change one.
type Kind string

// The kinds. Each provider maps its own statuses and codes to them in one function; nothing downstream reads text.
const (
	KindCallerFault   Kind = "caller_fault"   // the request is wrong anywhere
	KindContextLength Kind = "context_length" // the prompt does not fit this model
	KindContentPolicy Kind = "content_policy" // the vendor's filter blocked the prompt or the answer
	KindRefusal       Kind = "refusal"        // the model itself declined
	KindCredential    Kind = "credential"     // our key is wrong, expired or revoked
	KindModelAccess   Kind = "model_access"   // our account may not use this model
	KindModelGone     Kind = "model_gone"     // the model does not exist (any more)
	KindRegionBlocked Kind = "region_blocked" // the vendor does not serve our region
	KindQuota         Kind = "quota"          // money or a long-term allowance is used up
	KindRateLimit     Kind = "rate_limit"     // too fast; a moment later it works
	KindOverloaded    Kind = "overloaded"     // the vendor sheds load
	KindTransient     Kind = "transient"      // the vendor or the network failed
	KindTimeout       Kind = "timeout"        // no answer in the time allowed
	KindStreamBroken  Kind = "stream_broken"  // the answer was cut
	KindBadOutput     Kind = "bad_output"     // an answer came that cannot be used (empty, malformed)
	KindCancelled     Kind = "cancelled"      // we or the client called it off
	KindUnsupported   Kind = "unsupported"    // this target cannot do what the request needs; another may
	KindUnknown       Kind = "unknown"        // nothing above fits
)

// Kinds lists every kind once, in the order of declaration, for tables and tests.
func Kinds() []Kind {
	return []Kind{
		KindCallerFault, KindContextLength, KindContentPolicy, KindRefusal, KindCredential, KindModelAccess, KindModelGone,
		KindRegionBlocked, KindQuota, KindRateLimit, KindOverloaded, KindTransient, KindTimeout, KindStreamBroken,
		KindBadOutput, KindCancelled, KindUnsupported, KindUnknown,
	}
}

// Error is a failed provider call. It never holds the prompt, the answer or a key, nor a vendor's message text, which may
// quote any of them; Code and Param are the vendor's machine-readable words.
type Error struct {
	Kind     Kind   `json:"kind"`
	Provider string `json:"provider"`
	// Status is the HTTP status, or what the vendor gives for it where the error stands inside an answer; 0 when no answer
	// came.
	Status int    `json:"status,omitempty"`
	Code   string `json:"code,omitempty"`
	Param  string `json:"param,omitempty"`
	// RetryAfter is how long the vendor asked us to wait, 0 if it did not say.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// RequestID is the vendor's id for the call, for support requests.
	RequestID string `json:"request_id,omitempty"`
	// Detail is Holdfast's own words on what happened (never the vendor's text), such as "connection reset".
	Detail string `json:"detail,omitempty"`
	// Remedy says what to change for another try at the same target, empty if nothing is known to help.
	Remedy Remedy `json:"remedy,omitempty"`
	// RateLimit is what the vendor said of the account's limits; nil if it said nothing. It is of the moment, and not recorded.
	RateLimit *RateLimit `json:"-"`
	cause     error
}

// Remedy is a change that makes a request acceptable to the target that refused it.
type Remedy string

// RemedyPlain is to send the request once more as [Request.Plain]: the vendor refused a signature or encrypted reasoning.
const RemedyPlain Remedy = "plain"

// EmptyAnswer is the Detail of an error of [KindBadOutput] for an answer that its vendor finished in good order, and that
// says nothing at all.
const EmptyAnswer = "the answer is empty"

// Empty reports whether the vendor finished its answer in good order without saying anything.
func (e *Error) Empty() bool { return e.Kind == KindBadOutput && e.Detail == EmptyAnswer }

// WithCause attaches the underlying error for errors.Is and errors.As. The cause is not part of the text, nor of the JSON.
func (e *Error) WithCause(err error) *Error {
	e.cause = err
	return e
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Provider, e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap gives the cause, which may hold vendor text: for tests and type checks, not for logs.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of err: that of the [Error] in its chain, or [KindUnknown].
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindUnknown
}
