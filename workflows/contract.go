package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// The task queues.
const (
	// CompletionsQueue carries completion workflows. A worker of this queue lives in every process that accepts requests, so
	// that eager start runs the first workflow task where the client's socket is.
	CompletionsQueue = "holdfast-completions"
	// ProviderCallsQueue carries the provider calls that follow a first failure.
	ProviderCallsQueue = "holdfast-provider-calls"
	// OperationsQueue carries what looks after providers: their health, and probes.
	OperationsQueue = "holdfast-operations"
)

// CompletionWorkflow is the registered name of [Completion].
const CompletionWorkflow = "Completion"

// CompletionInput is all that enters history about a request.
type CompletionInput struct {
	ID             string    `json:"id"`
	Tenant         string    `json:"tenant"`
	Route          string    `json:"route"`
	ConversationID string    `json:"conversation,omitempty"`
	Epoch          int       `json:"epoch"`
	AcceptedAt     time.Time `json:"accepted_at"`
	// Deadline is absolute; every wait of the completion ends before it.
	Deadline time.Time `json:"deadline"`
	// SameModel keeps failover to other hosts of the route's first model: for embeddings.
	SameModel bool `json:"same_model,omitempty"`
	// Recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	Recovery failover.Recovery `json:"recovery,omitempty"`
}

// CompletionResult is the outcome as it stands in the record.
type CompletionResult struct {
	State     completions.State `json:"state"`
	Provider  string            `json:"provider,omitempty"`
	Model     string            `json:"model,omitempty"`
	Attempts  int               `json:"attempts"`
	Failovers int               `json:"failovers"`
	ErrorKind llm.Kind          `json:"error_kind,omitempty"`
	// ServedFrom says where the answer comes from if not from a call of a provider as wanted.
	ServedFrom completions.ServedFrom `json:"served_from,omitempty"`
}

// The search attributes: what an operator filters workflows by.
var (
	SearchTenant       = temporal.NewSearchAttributeKeyKeyword("HoldfastTenant")
	SearchRoute        = temporal.NewSearchAttributeKeyKeyword("HoldfastRoute")
	SearchProvider     = temporal.NewSearchAttributeKeyKeyword("HoldfastProvider")
	SearchModel        = temporal.NewSearchAttributeKeyKeyword("HoldfastModel")
	SearchOutcome      = temporal.NewSearchAttributeKeyKeyword("HoldfastOutcome")
	SearchErrorKind    = temporal.NewSearchAttributeKeyKeyword("HoldfastErrorKind")
	SearchFailovers    = temporal.NewSearchAttributeKeyInt64("HoldfastFailovers")
	SearchConversation = temporal.NewSearchAttributeKeyKeyword("HoldfastConversation")
)

// SearchAttributes lists all of them, for registration with a Temporal server.
func SearchAttributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{
		SearchTenant, SearchRoute, SearchProvider, SearchModel, SearchOutcome, SearchErrorKind, SearchFailovers, SearchConversation,
	}
}
