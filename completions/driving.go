package completions

import (
	"time"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
	"github.com/holdfast-dev/holdfast/transcript"
)

// Fence names who drives a completion: only the current epoch may begin attempts and record outcomes.
type Fence struct {
	ID         string
	Epoch      int
	InstanceID string
}

// NewAttempt is a call about to be made.
type NewAttempt struct {
	Deployment    string
	Provider      string
	Model         string
	KeyName       string
	ChosenBecause string
	StartedAt     time.Time
	// Plan is kept with the completion as its attempts begin; nil keeps what is there.
	Plan *failover.Plan
}

// Resumed is what was found when a completion was taken up again.
type Resumed struct {
	// State is final when the outcome was recorded already; nothing else is set then.
	State State
	// Prior are the attempts made before, those of unknown outcome marked possibly billed.
	Prior []Attempt
	// Number is that of the attempt begun; zero if none was.
	Number int
	// Cancelled says that the completion is to be cancelled: no attempt was begun.
	Cancelled bool
}

// Answered is the number of the attempt whose answer is kept but not recorded yet; zero if there is none.
func (r Resumed) Answered() int {
	for _, attempt := range r.Prior {
		if attempt.State == AttemptSucceeded {
			return attempt.Number
		}
	}
	return 0
}

// Failed is what is recorded of an attempt that failed.
type Failed struct {
	Number   int
	Error    *llm.Error
	Decision failover.Decision
	// Shown is what clients have seen of the answer by now.
	Shown failover.Shown
	// Usage counts what was produced before it failed; nil if nothing was.
	Usage *llm.Usage
	// KeyName names the key that was used; empty keeps what the attempt began with.
	KeyName string
	At      time.Time
}

// Failure is what is recorded of a completion that was not answered.
type Failure struct {
	Error        llm.Error
	ProviderTime time.Duration
	Failovers    int
	// Said is what clients have got of an answer that was cancelled; nil if nothing.
	Said *llm.Response
	// Plan is kept with a completion of which no attempt was begun; nil keeps what is there.
	Plan *failover.Plan
	At   time.Time
}

// Checkpoint is a piece of a transcript to be kept.
type Checkpoint struct {
	Fence  Fence
	Number int
	Piece  transcript.Piece
	// Whole says that the piece is all of the answer, to be kept beside it: it was told in an order that the answer does not
	// show.
	Whole bool
}

// Driver is who drives a completion.
type Driver struct {
	State      State
	InstanceID string
	// Address is where that process is reached by others; empty if it is not.
	Address string
}

// Success is what is recorded of a completion that was answered.
type Success struct {
	// Number is the attempt that answered.
	Number   int
	Provider string
	Model    string
	Answer   llm.Response
	// Usage is what the attempt used; that of the answer counts what the client got, from all attempts.
	Usage llm.Usage
	// Streamed says that there may be pieces of a transcript, which the answer takes the place of.
	Streamed bool
	// AnsweredAt is when the provider's answer was complete, At when it is recorded.
	AnsweredAt   time.Time
	At           time.Time
	Failovers    int
	ProviderTime time.Duration
	// ServedFrom says where the answer comes from if not from a call of a provider as wanted. Number is 0 for one that was kept.
	ServedFrom ServedFrom
	// Replayed says what of its conversation the completion was given, and at what price; nil if it has none.
	Replayed *replay.Record
	// Keep is how the answer is kept for the same request; nil does not.
	Keep *Keep
	// ConversationID and Turn are set when the completion belongs to a conversation: the messages that the client sent.
	ConversationID string
	Turn           []llm.Message
}

// Keep is how an answer is kept for requests that are the same.
type Keep struct {
	Key []byte
	// Tenant and Route are whose answer it is.
	Tenant, Route string
	// Fresh is how long it stands for an answer of a provider, Stale how long it may stand in for one after that.
	Fresh, Stale time.Duration
}

// Cached is an answer that was kept.
type Cached struct {
	// Answer is nil if there is none.
	Answer          *llm.Response
	Provider, Model string
	StoredAt        time.Time
	// Fresh says that it stands for an answer of a provider.
	Fresh bool
}
