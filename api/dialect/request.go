package dialect

import (
	"encoding/json"
	"fmt"

	"github.com/holdfast-dev/holdfast/llm"
)

// Request is a decoded request for a completion, whatever dialect it came in.
type Request struct {
	llm.Request
	// ConversationID is set when the client continues a stored conversation: Messages then are only the new ones.
	ConversationID string `json:"conversation,omitempty"`
	// PreviousID is the completion whose answer the client goes on from: Messages then are only the new ones.
	PreviousID string `json:"previous,omitempty"`
	// Shown is what the dialect shows of the request in its answer beyond what the canonical form holds, in a form of the
	// dialect's own; nil if nothing. It is content: it is kept, sealed and erased as the messages are.
	Shown json.RawMessage `json:"-"`
	// Stream asks for the answer event by event, and IncludeUsage for its count at the end. They say how the answer is read,
	// not what is asked: the same request read in another way is the same request.
	Stream       bool `json:"-"`
	IncludeUsage bool `json:"-"`
	// Background asks for the answer to be fetched later: the request is answered at once.
	Background bool `json:"-"`
	// Store says whether the client wants the completion to be kept; nil if it does not say.
	Store *bool `json:"-"`
	// OnStreamFailure is what becomes of the stream if it breaks (continue, restart, fail), OnDisconnect what becomes of the
	// completion if its client goes away (continue, cancel); empty leaves it to the route, or to the rule.
	OnStreamFailure string `json:"-"`
	OnDisconnect    string `json:"-"`
}

// InvalidError says which parameter of a request is wrong, in words for its author.
type InvalidError struct {
	Param   string
	Code    string
	Message string
}

func (e *InvalidError) Error() string { return e.Message }

// Invalid makes an [InvalidError].
func Invalid(param, code, format string, args ...any) *InvalidError {
	return &InvalidError{Param: param, Code: code, Message: fmt.Sprintf(format, args...)}
}
