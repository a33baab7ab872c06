package completions

import (
	"time"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
)

// The dialects: what a request was said in, and so what its answer is said in. Their values stand in the record.
const (
	// DialectChat is OpenAI's chat completions.
	DialectChat = "openai.chat"
	// DialectResponses is OpenAI's Responses, and DialectMessages Anthropic's Messages.
	DialectResponses = "openai.responses"
	DialectMessages  = "anthropic.messages"
	// DialectSummary is of summaries of conversations, which Holdfast asks for itself.
	DialectSummary = "holdfast.summary"
	// DialectEmbeddings is OpenAI's embeddings, which are recorded and driven as completions are.
	DialectEmbeddings = "openai.embeddings"
)

// State is where a completion stands.
type State string

// The states of a completion. All but open are final. A cancelled one may have a part of an answer.
const (
	StateOpen      State = "open"
	StateSucceeded State = "succeeded"
	StateFailed    State = "failed"
	StateCancelled State = "cancelled"
)

// Final is the state of a completion that ends with the failure.
func Final(failure llm.Error) State {
	if failure.Kind == llm.KindCancelled {
		return StateCancelled
	}
	return StateFailed
}

// Completion is the record of one accepted request, without its bodies.
type Completion struct {
	ID             string     `json:"id"`
	Tenant         string     `json:"tenant"`
	WorkflowID     string     `json:"workflow_id"`
	Dialect        string     `json:"dialect"`
	Route          string     `json:"route"`
	ConversationID string     `json:"conversation,omitempty"`
	State          State      `json:"state"`
	InstanceID     string     `json:"instance"`
	Epoch          int        `json:"epoch"`
	AcceptedAt     time.Time  `json:"accepted_at"`
	Deadline       time.Time  `json:"deadline"`
	FinishedAt     *time.Time `json:"finished_at,omitempty"`
	Provider       string     `json:"provider,omitempty"`
	Model          string     `json:"model,omitempty"`
	Attempts       int        `json:"attempts"`
	Failovers      int        `json:"failovers"`
	// ProviderTime is how long the completion waited for providers, over all attempts and pauses asked for by them.
	ProviderTime time.Duration `json:"-"`
	Error        *llm.Error    `json:"error,omitempty"`
	// Recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	Recovery failover.Recovery `json:"on_stream_failure,omitempty"`
	// ServedFrom says where the answer comes from if not from a call of a provider as wanted.
	ServedFrom ServedFrom `json:"served_from,omitempty"`
	// Stored is the client's word on keeping the completion; ErasedAt is when its content went, nil while it is there.
	Stored   Stored     `json:"stored,omitempty"`
	ErasedAt *time.Time `json:"content_erased_at,omitempty"`
	// Background says that nobody waited for the answer.
	Background bool              `json:"background,omitempty"`
	EndUser    string            `json:"end_user,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	// Replayed says what of its conversation the completion was given, and at what price; nil if it had none.
	Replayed *replay.Record `json:"replay,omitempty"`
}

// Stored is a client's word on keeping a completion: empty if it says nothing.
type Stored string

// What clients say.
const (
	StoredYes Stored = "yes"
	StoredNo  Stored = "no"
)

// ServedFrom says where an answer comes from. Its values stand in the record; empty means a provider, as wanted.
type ServedFrom string

// Where answers come from.
const (
	// ServedCache: it was given before to the same request, and is fresh.
	ServedCache ServedFrom = "hit"
	// ServedStale: it was given before and is old; no provider answered.
	ServedStale ServedFrom = "stale"
	// ServedDegraded: from a target that is called for want of anything better.
	ServedDegraded ServedFrom = "degraded"
)

// AttemptState is where one call to a provider stands.
type AttemptState string

// The states of an attempt. Possibly billed means: the call was made, and nobody knows what came of it.
const (
	AttemptStarted        AttemptState = "started"
	AttemptSucceeded      AttemptState = "succeeded"
	AttemptFailed         AttemptState = "failed"
	AttemptPossiblyBilled AttemptState = "possibly_billed"
)

// CodeHeldBack is the code of the error of an attempt that was not sent: a limit was used up, or its domain had opened.
const CodeHeldBack = "held_back"

// Attempt is the record of one call to a provider.
type Attempt struct {
	Number        int             `json:"number"`
	Epoch         int             `json:"epoch"`
	InstanceID    string          `json:"instance"`
	State         AttemptState    `json:"state"`
	Deployment    string          `json:"deployment"`
	Provider      string          `json:"provider"`
	Model         string          `json:"model"`
	KeyName       string          `json:"key_name,omitempty"`
	ChosenBecause string          `json:"chosen_because,omitempty"`
	Error         *llm.Error      `json:"error,omitempty"`
	Decision      failover.Action `json:"decision,omitempty"`
	Reason        string          `json:"reason,omitempty"`
	Usage         *llm.Usage      `json:"usage,omitempty"`
	// Shown is what clients had seen of the answer when the attempt failed.
	Shown      failover.Shown `json:"shown,omitempty"`
	StartedAt  time.Time      `json:"started_at"`
	FinishedAt *time.Time     `json:"finished_at,omitempty"`
}

// Latency is how long the call took; zero while it is not finished.
func (a Attempt) Latency() time.Duration {
	if a.FinishedAt == nil {
		return 0
	}
	return a.FinishedAt.Sub(a.StartedAt)
}

// Failure is the attempt as failover sees it; ok is false for attempts that have not failed.
func (a Attempt) Failure() (failure failover.Failure, ok bool) {
	failure = failover.Failure{Deployment: a.Deployment, Key: a.KeyName, Shown: a.Shown}
	if a.FinishedAt != nil {
		failure.At = *a.FinishedAt
	}
	switch a.State {
	case AttemptFailed:
		failure.Kind = llm.KindUnknown
		if a.Error != nil {
			failure.Kind, failure.RetryAfter, failure.Remedy = a.Error.Kind, a.Error.RetryAfter, a.Error.Remedy
			failure.Held = a.Error.Code == CodeHeldBack
		}
		return failure, true
	case AttemptPossiblyBilled:
		failure.Lost = true
		return failure, true
	case AttemptStarted, AttemptSucceeded:
		return failure, false
	default:
		return failure, false
	}
}

// Failures are the failed attempts in order.
func Failures(attempts []Attempt) []failover.Failure {
	var failures []failover.Failure
	for _, attempt := range attempts {
		if failure, ok := attempt.Failure(); ok {
			failures = append(failures, failure)
		}
	}
	return failures
}

// Failovers counts how often a completion moved to another deployment.
func Failovers(attempts []Attempt) int {
	moves := 0
	for i := 1; i < len(attempts); i++ {
		if attempts[i].Deployment != attempts[i-1].Deployment {
			moves++
		}
	}
	return moves
}

// Outcome is how a completion ended, as its waiting client needs it.
type Outcome struct {
	Completion Completion
	// Answer is set when the completion succeeded. Of a cancelled one it is what was said by then, if anything was: it has no
	// finish reason.
	Answer *llm.Response
}
