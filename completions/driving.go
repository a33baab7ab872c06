package completions

import (
	"time"

	"github.com/holdfast-dev/holdfast/llm"
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
}

// Resumed is what was found when a completion was taken up again.
type Resumed struct {
	// State is final when the outcome was recorded already; nothing else is set then.
	State State
	// Prior are the attempts made before, those of unknown outcome marked possibly billed.
	Prior []Attempt
	// Number is that of the attempt begun; zero if none was.
	Number int
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

// Success is what is recorded of a completion that was answered.
type Success struct {
	// Number is the attempt that answered.
	Number   int
	Provider string
	Model    string
	Answer   llm.Response
	// AnsweredAt is when the provider's answer was complete, At when it is recorded.
	AnsweredAt   time.Time
	At           time.Time
	Failovers    int
	ProviderTime time.Duration
	// ConversationID and Turn are set when the completion belongs to a conversation: the messages that the client sent.
	ConversationID string
	Turn           []llm.Message
}
