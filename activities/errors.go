package activities

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// The types of application error that are not a provider's: those carry an [llm.Kind] as their type.
const (
	// ErrTypeSuperseded: a newer epoch drives the completion; this workflow must end without recording.
	ErrTypeSuperseded = "superseded"
	// ErrTypeAnswerLost: the call succeeded, but its answer died with its process before it was recorded.
	ErrTypeAnswerLost = "answer_lost"
	// ErrTypeCancelled: the completion was to be cancelled before the call was made.
	ErrTypeCancelled = "cancel_requested"
	// ErrTypePostponed: the candidate rests by now; the details say what follows.
	ErrTypePostponed = "postponed"
	// ErrTypeStorage: PostgreSQL did not answer; the activity is repeated.
	ErrTypeStorage = "storage_unavailable"
)

// AttemptFailed is the detail that a failed provider call carries to the workflow.
type AttemptFailed struct {
	Number int `json:"number"`
	// Also failed a call that was made beside it.
	Also     []failover.Failure `json:"also,omitempty"`
	Failure  failover.Failure   `json:"failure"`
	Decision failover.Decision  `json:"decision"`
	Error    *llm.Error         `json:"error"`
}

// attemptError is what CallModel returns for a failed call. Temporal repeats it itself only when the decision is to retry
// the same candidate from a regular activity; everything else is the workflow's to carry out.
func attemptError(failed AttemptFailed, local bool) error {
	return temporal.NewApplicationErrorWithOptions(failed.Error.Error()+" → "+failed.Decision.Reason, string(failed.Error.Kind),
		temporal.ApplicationErrorOptions{
			NonRetryable:   local || failed.Decision.Action != failover.ActionRetry,
			NextRetryDelay: failed.Decision.Delay,
			Details:        []any{failed},
		})
}

// storeError turns an error of the record store into what the workflow and Temporal understand.
func storeError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, completions.ErrSuperseded):
		return temporal.NewNonRetryableApplicationError("a newer epoch drives this completion", ErrTypeSuperseded, nil)
	case errors.Is(err, completions.ErrNotFound):
		return temporal.NewNonRetryableApplicationError("the completion was erased", ErrTypeSuperseded, nil)
	case errors.Is(err, completions.ErrAnswerLost):
		return temporal.NewNonRetryableApplicationError("the answer was lost before it was recorded", ErrTypeAnswerLost, nil)
	case errors.Is(err, context.Canceled):
		return err
	default:
		return temporal.NewApplicationErrorWithOptions("PostgreSQL did not answer", ErrTypeStorage,
			temporal.ApplicationErrorOptions{Cause: err, NextRetryDelay: 0})
	}
}

func postponedError(decision failover.Decision) error {
	return temporal.NewApplicationErrorWithOptions("not called: "+decision.Reason, ErrTypePostponed,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{decision}})
}

func cancelledError() error {
	return temporal.NewNonRetryableApplicationError("the completion was cancelled", ErrTypeCancelled, nil)
}

// persist repeats a write until it succeeds, is refused by the record, or the context ends: what it writes has been paid for.
func persist(ctx context.Context, write func(context.Context) error) error {
	policy := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool {
			return err != nil && !errors.Is(err, completions.ErrSuperseded) && !errors.Is(err, completions.ErrNotFound)
		}).
		WithBackoff(50*time.Millisecond, time.Second).WithJitterFactor(0.2).WithMaxRetries(-1).ReturnLastFailure().
		Build()
	return failsafe.With(policy).WithContext(ctx).Run(func() error { return write(ctx) })
}

// refused is storeError, and sends whoever waits in this process elsewhere when the completion is driven elsewhere.
func (a *Activities) refused(id string, err error) error {
	err = storeError(err)
	if isSuperseded(err) {
		a.cfg.Handover.Release(id)
	}
	return err
}

func isSuperseded(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.Type() == ErrTypeSuperseded
}
