package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/workflows"
)

// bundle is a workflow environment with a plan of two candidates.
type bundle struct {
	*testsuite.TestWorkflowEnvironment
	input    workflows.CompletionInput
	plan     failover.Plan
	started  time.Time
	recorded []activities.RecordInput
	calls    []call
}

type call struct {
	deployment string
	local      bool
	number     int
	at         time.Duration
}

func setup(t *testing.T) *bundle {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	b := &bundle{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	b.started = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b.SetStartTime(b.started)
	b.input = workflows.CompletionInput{
		ID: "chatcmpl-1", Tenant: "default", Route: "demo", Epoch: 1, AcceptedAt: b.started, Deadline: b.started.Add(time.Minute),
	}
	b.plan = failover.Plan{Candidates: []failover.Candidate{
		{Deployment: "a", Provider: "openai", Model: "m1", Timeout: 20 * time.Second, Retries: 2, Reason: "order 1"},
		{Deployment: "b", Provider: "anthropic", Model: "m2", Timeout: 20 * time.Second, Retries: 2, Reason: "order 2"},
	}}
	workflows.Register(b)
	b.RegisterActivity(&activities.Activities{})
	return b
}

func (b *bundle) prepared() {
	decision := failover.Decide(failover.State{Candidates: b.plan.Candidates, Deadline: b.input.Deadline, Seed: b.input.ID}, b.started)
	b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(activities.PrepareResult{
		State: completions.StateOpen, Plan: b.plan, Decision: decision, Number: 1,
	}, nil)
}

// answering makes CallModel give, call by call, an answer (nil) or a failure; the failure's decision is the real one.
func (b *bundle) answering(outcomes ...*llm.Error) {
	var failures []failover.Failure
	b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(func(ctx context.Context, in activities.CallInput) (activities.CallResult, error) {
		info := activity.GetInfo(ctx)
		n := len(b.calls)
		candidate := in.Candidates[in.Decision.Candidate]
		b.calls = append(b.calls, call{candidate.Deployment, info.IsLocalActivity, in.Number, b.Now().Sub(b.started)})
		if outcomes[n] == nil {
			return activities.CallResult{Number: n + 1, Provider: candidate.Provider, Model: candidate.Model}, nil
		}
		failure := failover.Failure{Deployment: candidate.Deployment, Kind: outcomes[n].Kind, RetryAfter: outcomes[n].RetryAfter, At: b.Now()}
		failures = append(failures, failure)
		decision := failover.Decide(failover.State{Candidates: in.Candidates, Failures: failures, Deadline: in.Deadline, Seed: in.ID}, b.Now())
		return activities.CallResult{}, temporal.NewApplicationErrorWithOptions(outcomes[n].Error(), string(failure.Kind), temporal.ApplicationErrorOptions{
			NonRetryable:   info.IsLocalActivity || decision.Action != failover.ActionRetry,
			NextRetryDelay: decision.Delay,
			Details:        []any{activities.AttemptFailed{Number: n + 1, Failure: failure, Decision: decision, Error: outcomes[n]}},
		})
	})
}

func (b *bundle) recording() {
	b.OnActivity("Record", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.RecordInput) (activities.RecordResult, error) {
		b.recorded = append(b.recorded, in)
		if in.Answered == 0 {
			kind := llm.KindUnknown
			if in.Failure != nil {
				kind = in.Failure.Kind
			}
			return activities.RecordResult{State: completions.StateFailed, Attempts: len(b.calls), ErrorKind: kind}, nil
		}
		return activities.RecordResult{
			State: completions.StateSucceeded, Provider: in.Provider, Model: in.Model, Attempts: in.Answered, Failovers: 0,
		}, nil
	})
}

func (b *bundle) run(t *testing.T) (workflows.CompletionResult, error) {
	t.Helper()
	b.ExecuteWorkflow(workflows.CompletionWorkflow, b.input)
	require.True(t, b.IsWorkflowCompleted())
	var result workflows.CompletionResult
	if err := b.GetWorkflowError(); err != nil {
		return result, err
	}
	require.NoError(t, b.GetWorkflowResult(&result))
	return result, nil
}

func failure(kind llm.Kind) *llm.Error { return &llm.Error{Kind: kind, Provider: "openai"} }

func TestTheFirstCallIsLocal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.prepared()
	b.answering(nil)
	b.recording()
	result, err := b.run(t)
	require.NoError(t, err)
	require.Equal(t, completions.StateSucceeded, result.State)
	require.Equal(t, []call{{"a", true, 1, 0}}, b.calls)
	require.Len(t, b.recorded, 1)
	require.Equal(t, 1, b.recorded[0].Answered)
}

func TestAfterAFailureTheNextCandidateIsCalledAsARegularActivity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.prepared()
	b.answering(failure(llm.KindOverloaded), nil)
	b.recording()
	result, err := b.run(t)
	require.NoError(t, err)
	require.Equal(t, "anthropic", result.Provider)
	require.Equal(t, []call{{"a", true, 1, 0}, {"b", false, 0, 0}}, b.calls)
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plan.Candidates = b.plan.Candidates[:1]
	b.prepared()
	limited := failure(llm.KindRateLimit)
	limited.RetryAfter = 10 * time.Second
	b.answering(limited, limited, nil)
	b.recording()
	_, err := b.run(t)
	require.NoError(t, err)
	require.Len(t, b.calls, 3)
	require.GreaterOrEqual(t, b.calls[1].at, 10*time.Second, "a durable timer of the workflow")
	require.GreaterOrEqual(t, b.calls[2].at, 20*time.Second, "the activity's own next retry delay")
	require.Less(t, b.calls[2].at, 30*time.Second)
}

func TestAPermanentErrorEndsItAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.prepared()
	b.answering(failure(llm.KindCallerFault))
	b.recording()
	_, err := b.run(t)
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, string(llm.KindCallerFault), application.Type(), "a failed completion is a failed workflow, found by its kind")
	require.Len(t, b.calls, 1)
	require.Equal(t, llm.KindCallerFault, b.recorded[0].Failure.Kind)
}

func TestWhenEveryProviderFailsTheFailureIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.prepared()
	b.answering(failure(llm.KindQuota), failure(llm.KindCredential))
	b.recording()
	_, err := b.run(t)
	require.Error(t, err)
	require.Len(t, b.recorded, 1)
	require.Zero(t, b.recorded[0].Answered)
	require.Equal(t, llm.KindCredential, b.recorded[0].Failure.Kind)
}

func TestNoEligibleTargetIsRecordedWithThePlan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plan = failover.Plan{Excluded: []failover.Excluded{{Deployment: "a", Reason: "no key"}}}
	b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(activities.PrepareResult{
		State: completions.StateOpen, Plan: b.plan, Decision: failover.Decision{Action: failover.ActionGiveUp, Reason: "no eligible candidate"},
	}, nil)
	b.recording()
	_, err := b.run(t)
	require.Error(t, err)
	require.Nil(t, b.recorded[0].Failure)
	require.Equal(t, b.plan, b.recorded[0].Plan)
}

func TestARecordedOutcomeIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(activities.PrepareResult{State: completions.StateSucceeded}, nil)
	b.OnActivity("Record", mock.Anything, mock.Anything).Return(activities.RecordResult{State: completions.StateSucceeded, Provider: "openai"}, nil)
	result, err := b.run(t)
	require.NoError(t, err)
	require.Equal(t, "openai", result.Provider)
	require.Empty(t, b.calls)
}

func TestAKeptAnswerIsOnlyRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(activities.PrepareResult{
		State: completions.StateOpen, Plan: b.plan, Answered: &activities.CallResult{Number: 3, Provider: "anthropic", Model: "m2"},
	}, nil)
	b.recording()
	_, err := b.run(t)
	require.NoError(t, err)
	require.Empty(t, b.calls)
	require.Equal(t, 3, b.recorded[0].Answered)
}

func TestALostAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.prepared()
	b.answering(nil, nil)
	b.OnActivity("Record", mock.Anything, mock.Anything).Return(activities.RecordResult{},
		temporal.NewNonRetryableApplicationError("lost", activities.ErrTypeAnswerLost, nil)).Once()
	b.recording()
	_, err := b.run(t)
	require.NoError(t, err)
	require.Len(t, b.calls, 2)
	require.Equal(t, "a", b.calls[1].deployment, "nothing is known against the provider")
	require.Equal(t, 2, b.recorded[0].Answered)
}

func TestASupersededRunEndsWithoutRecording(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(activities.PrepareResult{},
		temporal.NewNonRetryableApplicationError("newer epoch", activities.ErrTypeSuperseded, nil))
	_, err := b.run(t)
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, activities.ErrTypeSuperseded, application.Type())
	b.AssertNotCalled(t, "Record", mock.Anything, mock.Anything)
}

func TestACancelledCompletionIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plan.Candidates = b.plan.Candidates[:1]
	b.prepared()
	limited := failure(llm.KindRateLimit)
	limited.RetryAfter = 40 * time.Second
	b.answering(limited)
	b.recording()
	b.RegisterDelayedCallback(b.CancelWorkflow, 5*time.Second)
	_, err := b.run(t)
	require.True(t, temporal.IsCanceledError(err))
	require.Len(t, b.recorded, 1)
	require.Equal(t, llm.KindCancelled, b.recorded[0].Failure.Kind)
}

// Cancelled before its call, or while that was on its way to another process: nothing is called, and it ends as cancelled.
func TestACompletionThatIsToBeCancelledIsNotCalledFor(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*bundle){
		"before it was prepared": func(b *bundle) {
			b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(activities.PrepareResult{
				State: completions.StateOpen, Plan: b.plan, Decision: failover.Decision{Action: failover.ActionCall}, Cancelled: true,
			}, nil)
		},
		"after it": func(b *bundle) {
			b.prepared()
			b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(activities.CallResult{},
				temporal.NewNonRetryableApplicationError("cancelled", activities.ErrTypeCancelled, nil)).Once()
		},
		"during its call": func(b *bundle) {
			b.prepared()
			b.answering(failure(llm.KindCancelled))
		},
	} {
		b := setup(t)
		prepare(b)
		b.recording()
		_, err := b.run(t)
		require.True(t, temporal.IsCanceledError(err), name)
		require.Len(t, b.recorded, 1, name)
		require.Equal(t, llm.KindCancelled, b.recorded[0].Failure.Kind, name)
	}
}

func TestThePolicyOfAStreamReachesEveryStep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.input.Recovery = failover.RecoveryRestart
	var prepared, called failover.Recovery
	b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.PrepareInput) (activities.PrepareResult, error) {
		prepared = in.Recovery
		return activities.PrepareResult{State: completions.StateOpen, Plan: b.plan, Decision: failover.Decision{Action: failover.ActionCall}, Number: 1}, nil
	})
	b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.CallInput) (activities.CallResult, error) {
		called = in.Recovery
		return activities.CallResult{Number: 1}, nil
	})
	b.recording()
	_, err := b.run(t)
	require.NoError(t, err)
	for _, reached := range []failover.Recovery{prepared, called, b.recorded[0].Recovery} {
		require.Equal(t, failover.RecoveryRestart, reached)
	}
}
