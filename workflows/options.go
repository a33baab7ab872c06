package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/failover"
)

// TaskTimeout is the workflow task timeout of a completion. It is long because a dead process is noticed by its lease, not
// by this; each extension of a task that waits for a slow provider costs the server work.
const TaskTimeout = 60 * time.Second

const (
	// heartbeatTimeout is how long a provider call on another worker may be silent before it is taken for lost.
	heartbeatTimeout = 10 * time.Second
	// parkedLook is how long a parked completion sleeps at most before it looks whether its providers are back.
	parkedLook = 20 * time.Second
	// queuedLook is the same for one that waits for its turn at a limit.
	queuedLook = 15 * time.Second
	// recordingTime is how long an outcome is tried to be recorded: longer than any outage of PostgreSQL should last.
	recordingTime = 24 * time.Hour
	// bookkeeping is what an activity may take beyond the provider's call: reading the request, recording the failure.
	bookkeeping = 35 * time.Second
)

// storageRetry repeats an activity that could not reach PostgreSQL.
func storageRetry() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: 50 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 2 * time.Second}
}

func withPrepareOptions(ctx workflow.Context, remaining time.Duration) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: remaining, StartToCloseTimeout: min(remaining, 10*time.Second), RetryPolicy: storageRetry(),
		Summary: "rank the route's targets, begin the first attempt",
	})
}

// withSummaryOptions is for asking for a summary. What cannot be asked for at once is done without.
func withSummaryOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 10 * time.Second, StartToCloseTimeout: 5 * time.Second, RetryPolicy: storageRetry(),
		Summary: "ask for a summary",
	})
}

// callTime is what one call may take. A stream that is being told is not cut off: its activity watches its silences.
func callTime(candidate failover.Candidate, streamed bool, remaining time.Duration) time.Duration {
	if streamed {
		return remaining
	}
	return min(candidate.Timeout, remaining)
}

// withFirstCallOptions is for the first attempt, in the process that holds the client's socket.
func withFirstCallOptions(ctx workflow.Context, candidate failover.Candidate, streamed bool, remaining time.Duration) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: remaining + bookkeeping,
		StartToCloseTimeout:    callTime(candidate, streamed, remaining) + bookkeeping,
		RetryPolicy:            storageRetry(),
		Summary:                fmt.Sprintf("%s/%s", candidate.Provider, candidate.Model),
	})
}

// withLaterCallOptions is for every attempt after a failure: visible one by one in the Web UI, and movable to any worker.
func withLaterCallOptions(ctx workflow.Context, candidate failover.Candidate, reason string, streamed bool, remaining time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              ProviderCallsQueue,
		ScheduleToCloseTimeout: remaining,
		StartToCloseTimeout:    min(callTime(candidate, streamed, remaining)+bookkeeping, remaining),
		HeartbeatTimeout:       heartbeatTimeout,
		// The pause between attempts comes from the decision (NextRetryDelay); this is for failures of our own.
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 5 * time.Second,
			MaximumAttempts: failover.MaxAttempts,
		},
		Summary: fmt.Sprintf("%s/%s: %s", candidate.Provider, candidate.Model, reason),
	})
}

func withRecordOptions(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: recordingTime, StartToCloseTimeout: 10 * time.Second, RetryPolicy: storageRetry(),
		Summary: summary,
	})
}

// withPublishOptions is for telling all processes of a provider's health: until it is told.
func withPublishOptions(ctx workflow.Context, next failover.Health) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, StartToCloseTimeout: 10 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 5 * time.Second},
		Summary:     fmt.Sprintf("%s: %s", next.State, next.Reason),
	})
}

// withProbeOptions is for one probe. It is made again only if its worker died.
func withProbeOptions(ctx workflow.Context, domain failover.Domain, method failover.ProbeMethod) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, StartToCloseTimeout: 40 * time.Second, ScheduleToCloseTimeout: 2 * time.Minute,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumAttempts: 3},
		Summary:     fmt.Sprintf("try %s (%s)", domain, method),
	})
}

// withProbesOptions is for the scheduled probes of all providers.
func withProbesOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, StartToCloseTimeout: 10 * time.Minute, HeartbeatTimeout: time.Minute,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumAttempts: 2},
		Summary:     "ask every provider, by calls that cost nothing",
	})
}
