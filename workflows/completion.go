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
	"github.com/holdfast-dev/holdfast/replay"
)

// Completion drives one accepted request to exactly one recorded outcome. A completion that no provider answered fails as
// a workflow too, with the error's kind as its type, so that it is found where operators look for failures.
func Completion(ctx workflow.Context, in CompletionInput) (CompletionResult, error) {
	c := &completion{in: in}
	if err := c.prepare(ctx); err != nil {
		return CompletionResult{}, err
	}
	for {
		for c.state == completions.StateOpen && c.answered == nil && c.next.Calls() {
			if err := c.attempt(ctx); err != nil {
				return CompletionResult{}, err
			}
		}
		recorded, err := c.record(ctx)
		switch {
		case err == nil:
			return c.finish(ctx, CompletionResult(recorded))
		case readFailure(err).answerLost && c.answered == nil:
			c.doWithout(ctx)
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
	ladder   failover.Ladder
	replay   *replay.Record
	tokens   int64
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
	in := activities.PrepareInput{
		ID: c.in.ID, Tenant: c.in.Tenant, Route: c.in.Route, ConversationID: c.in.ConversationID, Epoch: c.in.Epoch, Deadline: c.in.Deadline,
		SameModel: c.in.SameModel, Recovery: c.in.Recovery,
	}
	plan, err := local(withPrepareOptions(ctx, remaining), act.Prepare, in)
	if err == nil && plan.Summary != nil {
		c.summarise(ctx, *plan.Summary)
		in.Summary = plan.Summary
		plan, err = local(withPrepareOptions(ctx, max(c.remaining(ctx), bookkeeping)), act.Prepare, in)
	}
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
	c.ladder, c.tokens, c.replay = plan.Ladder, plan.Tokens, plan.Replay
	return nil
}

// attempt makes the next call and leaves behind either an answer or the decision that follows. The error is not nil only
// when another epoch has taken over.
func (c *completion) attempt(ctx workflow.Context) error {
	if wait := c.next.Delay; wait > 0 {
		if c.next.Action == failover.ActionPark { // it looks now and then: what rests may be back before its time
			c.note(ctx, c.next.Reason)
			wait = min(wait, parkedLook)
		} else if !c.next.Turn.IsZero() { // another may be free before its turn
			wait = min(wait, queuedLook)
		}
		_ = workflow.Sleep(ctx, wait) // ends early only when the workflow is cancelled
		if ctx.Err() != nil {
			c.cancel()
			return nil //nolint:nilerr // a cancelled completion goes on, to be recorded as such
		}
	}
	candidate := c.plan.Candidates[c.next.Candidate]
	remaining := max(c.remaining(ctx), time.Second)
	call := activities.CallInput{
		ID: c.in.ID, Tenant: c.in.Tenant, Route: c.in.Route, ConversationID: c.in.ConversationID, Epoch: c.in.Epoch, Deadline: c.in.Deadline,
		Number: c.begun, Candidates: c.plan.Candidates, Failures: c.failures, Decision: c.next, Ladder: c.ladder, Tokens: c.tokens,
		Recovery: c.in.Recovery,
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
		if result.Hedged {
			c.note(ctx, "a second call was started beside the first")
		}
		c.tell(ctx, failover.Candidate{Provider: result.Provider, Model: result.Model}, "answered")
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
	case failed.postponed != nil:
		c.next = *failed.postponed
		c.note(ctx, "not called, "+c.next.Reason)
		return nil
	case failed.attempt != nil:
		c.failures = append(append(c.failures, failed.attempt.Also...), failed.attempt.Failure)
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

// doWithout decides what follows when an answer that was kept is gone by now.
func (c *completion) doWithout(ctx workflow.Context) {
	c.ladder.Stale = false
	c.next = c.decide(workflow.Now(ctx))
}

func (c *completion) decide(now time.Time) failover.Decision {
	return failover.Decide(failover.State{
		Candidates: c.plan.Candidates, Failures: c.failures, Deadline: c.in.Deadline, Recovery: c.in.Recovery, Ladder: c.ladder,
		Seed: c.in.ID,
	}, now)
}

// repeatLost decides what follows an attempt whose outcome nobody knows.
func (c *completion) repeatLost(ctx workflow.Context) {
	now := workflow.Now(ctx)
	lost := failover.Failure{Deployment: c.plan.Candidates[c.next.Candidate].Deployment, Lost: true, At: now}
	c.answered, c.lastError, c.failures = nil, nil, append(c.failures, lost)
	c.next = c.decide(now)
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
		AcceptedAt: c.in.AcceptedAt, Recovery: c.in.Recovery, Replay: c.replay,
	}
	summary := "the outcome was recorded before"
	switch {
	case c.answered != nil:
		in.Answered, in.Provider, in.Model = c.answered.Number, c.answered.Provider, c.answered.Model
		in.Hedged = c.answered.Hedged
		if c.answered.Degraded {
			in.ServedFrom = completions.ServedDegraded
		}
		summary = "answered"
	case c.state == completions.StateOpen && c.next.Action == failover.ActionCached:
		in.ServedFrom, summary = completions.ServedCache, "answered before: "+c.next.Reason
	case c.state == completions.StateOpen && c.next.Action == failover.ActionStale:
		in.ServedFrom, summary = completions.ServedStale, c.next.Reason
	case c.state == completions.StateOpen:
		in.Failure, in.RetryAfter = c.finalError(), c.next.RetryAfter
		if len(c.failures) == 0 {
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
	if c.next.Resting {
		return nil
	}
	verdict, known := failover.Verdict(c.failures)
	switch {
	case !known:
		return &llm.Error{Kind: llm.KindTimeout, Provider: "none", Code: "deadline_exceeded", Detail: c.next.Reason}
	case c.lastError != nil && c.lastError.Kind == verdict.Kind:
		final := *c.lastError
		final.RetryAfter = c.retryAfter(final.RetryAfter)
		return &final
	default:
		return &llm.Error{Kind: verdict.Kind, Provider: "several", RetryAfter: c.retryAfter(verdict.RetryAfter), Detail: c.next.Reason}
	}
}

// retryAfter is when the client may ask again: when the first provider may be back, or else as the failure says.
func (c *completion) retryAfter(told time.Duration) time.Duration {
	if c.next.RetryAfter > 0 && (told == 0 || c.next.RetryAfter < told) {
		return c.next.RetryAfter
	}
	return told
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
	c.note(ctx, fmt.Sprintf("**%s/%s** %s", candidate.Provider, candidate.Model, what))
}

func (c *completion) note(ctx workflow.Context, line string) {
	c.story = append(c.story, fmt.Sprintf("%d. %s", len(c.story)+1, line))
	workflow.SetCurrentDetails(ctx, strings.Join(c.story, "\n"))
}
