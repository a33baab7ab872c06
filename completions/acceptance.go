package completions

import (
	"encoding/json"
	"time"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// Acceptance is a request about to be accepted.
type Acceptance struct {
	ID             string
	Tenant         string
	WorkflowID     string
	Fingerprint    []byte
	Dialect        string
	Route          string
	ConversationID string
	InstanceID     string
	AcceptedAt     time.Time
	Deadline       time.Time
	// Previous is the completion whose turn this one follows on, and Thread says that its own turn is to be followed on by
	// others: either has it take part in a conversation that it does not name.
	Previous string
	Thread   bool
	// About is a conversation that it has to do with, without a turn in it.
	About string
	// Recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	Recovery failover.Recovery
	Request  llm.Request
	// Shown is what of the request its dialect shows, in the dialect's own form; nil if nothing.
	Shown json.RawMessage
	// Stored is the client's word on keeping the completion, and ContentUntil when its content goes, if it is not to be kept.
	Stored       Stored
	ContentUntil *time.Time
	// Background says that nobody waits for the answer.
	Background bool
	// EndUser is for whom the client asks.
	EndUser  string
	Metadata map[string]string
}

// Accepted is what became of an acceptance.
type Accepted struct {
	// Created is false when a request with the same id was accepted before with the same body: the caller then attaches to it.
	Created bool
	// ConversationID is the conversation that its turn belongs to, if it was created; empty if it belongs to none.
	ConversationID string
	// AcceptedAt and Deadline are those of the completion, whenever it was accepted.
	AcceptedAt, Deadline time.Time
}
