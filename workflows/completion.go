package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// Completion drives one accepted request to exactly one recorded outcome. A completion that no provider answered fails as
// a workflow too, with the error's kind as its type, so that it is found where operators look for failures.
func Completion(ctx workflow.Context, in CompletionInput) (CompletionResult, error) {
	c := &completion{in: in}
	if err := c.prepare(ctx); err != nil {
		return CompletionResult{}, err
	}
	for {
		for c.state == completions.StateOpen && c.answered == nil && c.next.Action != failover.ActionGiveUp {
			if err := c.attempt(ctx); err != nil {
				return CompletionResult{}, err
			}
		}
		recorded, err := c.record(ctx)
		switch {
		case err == nil:
			return c.finish(ctx, CompletionResult(recorded))
		case readFailure(err).answerLost:
			c.repeatLost(ctx) // the lost call stays in the record as possibly billed
		default:
			return CompletionResult{}, err
		}
	}
}

// completion is the state of one run.
type completion struct {
	in       CompletionInput
	state    completions.State
	plan     failover.Plan
	failures []failover.Failure
	next     failover.Decision
	// begun is the attempt that Prepare has begun for the next decision; zero if none.
	begun    int
	answered *activities.CallResult
	// lastError is the provider's error of the last failed attempt of this run.
	lastError *llm.Error
	cancelled bool
	story     []string
}

func (c *completion) prepare(ctx workflow.Context) error {
	remaining := max(c.remaining(ctx), bookkeeping) // an overdue completion is still prepared, to be recorded as failed
	plan, err := local(withPrepareOptions(ctx, remaining), act.Prepare, activities.PrepareInput{
		ID: c.in.ID, Tenant: c.in.Tenant, Route: c.in.Route, Epoch: c.in.Epoch, Deadline: c.in.Deadline, SameModel: c.in.SameModel,
		Recovery: c.in.Recovery,
	})
	if err != nil && !readFailure(err).cancelled {
		return err
	}
	c.next = plan.Decision
	if err != nil {
		plan.State = completions.StateOpen
	}
	if err != nil || plan.Cancelled {
		c.cancel()
	}
	c.state, c.plan, c.failures, c.begun, c.answered = plan.State, plan.Plan, plan.Failures, plan.Number, plan.Answered
	return nil
}

// attempt makes the next call and leaves behind either an answer or the decision that follows. The error is not nil only
// when another epoch has taken over.
func (c *completion) attempt(ctx workflow.Context) error {
	if c.next.Delay > 0 {
		_ = workflow.Sleep(ctx, c.next.Delay) // ends early only when the workflow is cancelled
		if ctx.Err() != nil {
			c.cancel()
			return nil //nolint:nilerr // a cancelled completion goes on, to be recorded as such
		}
	}
	candidate := c.plan.Candidates[c.next.Candidate]
	remaining := max(c.remaining(ctx), time.Second)
	call := activities.CallInput{
		ID: c.in.ID, ConversationID: c.in.ConversationID, Epoch: c.in.Epoch, Deadline: c.in.Deadline,
		Number: c.begun, Candidates: c.plan.Candidates, Failures: c.failures, Decision: c.next, Recovery: c.in.Recovery,
	}
	var result activities.CallResult
	var err error
	c.begun = 0
	if call.Number != 0 {
		result, err = local(withFirstCallOptions(ctx, candidate, c.streamed(), remaining), act.CallModel, call)
	} else {
		result, err = remote(withLaterCallOptions(ctx, candidate, c.next.Reason, c.streamed(), remaining), act.CallModel, call)
	}
	if err == nil {
		c.answered = &result
		c.tell(ctx, candidate, "answered")
		return nil
	}
	return c.failed(ctx, candidate, err)
}

// failed turns the error of an attempt into the next decision.
func (c *completion) failed(ctx workflow.Context, candidate failover.Candidate, err error) error {
	failed := readFailure(err)
	switch {
	case failed.superseded:
		return err
	case failed.attempt != nil:
		c.failures = append(c.failures, failed.attempt.Failure)
		c.lastError, c.next = failed.attempt.Error, failed.attempt.Decision
	case failed.cancelled || temporal.IsCanceledError(ctx.Err()):
		c.cancel()
	default: // the worker died, or ran out of time without a word
		c.repeatLost(ctx)
	}
	if failed.attempt != nil && failed.attempt.Failure.Kind == llm.KindCancelled {
		c.cancel()
	}
	c.tell(ctx, candidate, c.describe())
	return nil
}

// repeatLost decides what follows an attempt whose outcome nobody knows.
func (c *completion) repeatLost(ctx workflow.Context) {
	now := workflow.Now(ctx)
	lost := failover.Failure{Deployment: c.plan.Candidates[c.next.Candidate].Deployment, Lost: true, At: now}
	c.answered, c.lastError, c.failures = nil, nil, append(c.failures, lost)
	c.next = failover.Decide(failover.State{
		Candidates: c.plan.Candidates, Failures: c.failures, Deadline: c.in.Deadline, Recovery: c.in.Recovery, Seed: c.in.ID,
	}, now)
}

func (c *completion) cancel() {
	c.cancelled = true
	c.lastError = &llm.Error{Kind: llm.KindCancelled, Provider: "none", Detail: "the completion was cancelled"}
	c.next = failover.Decision{Action: failover.ActionGiveUp, Reason: "the completion was cancelled"}
}

// record writes the outcome. It goes on when the workflow is cancelled: an accepted request always gets its outcome.
func (c *completion) record(ctx workflow.Context) (activities.RecordResult, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	in := activities.RecordInput{
		ID: c.in.ID, Tenant: c.in.Tenant, Route: c.in.Route, ConversationID: c.in.ConversationID, Epoch: c.in.Epoch,
		AcceptedAt: c.in.AcceptedAt, Recovery: c.in.Recovery,
	}
	summary := "the outcome was recorded before"
	switch {
	case c.answered != nil:
		in.Answered, in.Provider, in.Model = c.answered.Number, c.answered.Provider, c.answered.Model
		summary = "answered"
	case c.state == completions.StateOpen:
		in.Failure = c.finalError()
		if in.Failure == nil {
			in.Plan = c.plan
		}
		summary = "failed: " + c.next.Reason
	}
	return local(withRecordOptions(ctx, summary), act.Record, in)
}

// finish makes the outcome searchable, and a failure a failed workflow. An answer at the first attempt is not worth a
// second write to the visibility store, which is a fifth of such a completion's whole cost: operators search for the rest,
// and tenant, route and conversation are there from the start.
func (c *completion) finish(ctx workflow.Context, result CompletionResult) (CompletionResult, error) {
	if result.State == completions.StateSucceeded && result.Attempts == 1 {
		return result, nil
	}
	updates := []temporal.SearchAttributeUpdate{
		SearchOutcome.ValueSet(string(result.State)), SearchFailovers.ValueSet(int64(result.Failovers)),
	}
	if result.Provider != "" {
		updates = append(updates, SearchProvider.ValueSet(result.Provider), SearchModel.ValueSet(result.Model))
	}
	if result.ErrorKind != "" {
		updates = append(updates, SearchErrorKind.ValueSet(string(result.ErrorKind)))
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		return CompletionResult{}, err
	}
	if result.State == completions.StateSucceeded {
		return result, nil
	}
	if c.cancelled {
		return result, temporal.NewCanceledError()
	}
	return result, temporal.NewNonRetryableApplicationError(c.next.Reason, string(result.ErrorKind), nil, result)
}

// finalError is what the completion failed with: nil when no target was eligible in the first place.
func (c *completion) finalError() *llm.Error {
	if c.cancelled || len(c.plan.Candidates) == 0 {
		return c.lastError
	}
	verdict, known := failover.Verdict(c.failures)
	switch {
	case !known:
		return &llm.Error{Kind: llm.KindTimeout, Provider: "none", Code: "deadline_exceeded", Detail: c.next.Reason}
	case c.lastError != nil && c.lastError.Kind == verdict.Kind:
		return c.lastError
	default:
		return &llm.Error{Kind: verdict.Kind, Provider: "several", RetryAfter: verdict.RetryAfter, Detail: c.next.Reason}
	}
}

func (c *completion) streamed() bool { return c.in.Recovery != "" }

func (c *completion) remaining(ctx workflow.Context) time.Duration {
	return c.in.Deadline.Sub(workflow.Now(ctx))
}

func (c *completion) describe() string {
	if c.lastError != nil {
		return fmt.Sprintf("%s → %s", c.lastError.Kind, c.next.Reason)
	}
	return c.next.Reason
}

// tell adds a line to the story that the Web UI shows as the workflow's current details.
func (c *completion) tell(ctx workflow.Context, candidate failover.Candidate, what string) {
	c.story = append(c.story, fmt.Sprintf("%d. **%s/%s** %s", len(c.story)+1, candidate.Provider, candidate.Model, what))
	workflow.SetCurrentDetails(ctx, strings.Join(c.story, "\n"))
}
