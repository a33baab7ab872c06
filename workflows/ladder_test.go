package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// decided makes Prepare give a plan whose first step is decided already; nothing is begun.
func (b *bundle) decided(decision failover.Decision) {
	b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(activities.PrepareResult{
		State: completions.StateOpen, Plan: b.plan, Decision: decision, Ladder: failover.Ladder{Park: true}, Tokens: 7,
	}, nil)
}

// failing is what CallModel returns with a decision of the test's own.
func failing(failed activities.AttemptFailed) error {
	return temporal.NewApplicationErrorWithOptions("x", string(failed.Failure.Kind), temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{failed}})
}

func TestAParkedCompletionWaitsAndIsAnsweredLate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.input.Deadline = b.started.Add(time.Hour)
	b.decided(failover.Decision{Action: failover.ActionPark, Candidate: 1, Delay: 40 * time.Minute, Reason: "parked"})
	b.answering(nil)
	b.recording()
	result, err := b.run(t)
	require.NoError(t, err)
	require.Equal(t, completions.StateSucceeded, result.State)
	require.Equal(t, []call{{"b", false, 0, 20 * time.Second}}, b.calls, "it looks now and then; here it was back")
}

func TestAParkedCompletionCanBeCancelled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.input.Deadline = b.started.Add(time.Hour)
	b.decided(failover.Decision{Action: failover.ActionPark, Delay: 40 * time.Minute, Reason: "parked"})
	b.recording()
	b.RegisterDelayedCallback(b.CancelWorkflow, time.Second)
	_, err := b.run(t)
	require.Error(t, err)
	require.Equal(t, llm.KindCancelled, b.recorded[0].Failure.Kind)
	require.Empty(t, b.calls)
}

// A worker that finds the candidate resting does not call it, and says what follows: another wait, then a call.
func TestWhoIsPostponedDoesWhatFollows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.input.Deadline = b.started.Add(time.Hour)
	b.decided(failover.Decision{Action: failover.ActionPark, Candidate: 0, Delay: time.Minute, Reason: "parked"})
	var asked []activities.CallInput
	b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.CallInput) (activities.CallResult, error) {
		asked = append(asked, in)
		if len(asked) == 1 {
			return activities.CallResult{}, temporal.NewApplicationErrorWithOptions("not called", activities.ErrTypePostponed, temporal.ApplicationErrorOptions{
				NonRetryable: true, Details: []any{failover.Decision{Action: failover.ActionPark, Candidate: 1, Delay: 10 * time.Second, Reason: "again"}},
			})
		}
		require.Equal(t, 30*time.Second, b.Now().Sub(b.started))
		return activities.CallResult{Number: 1, Provider: "anthropic", Model: "m2"}, nil
	})
	b.recording()
	_, err := b.run(t)
	require.NoError(t, err)
	require.Equal(t, 1, asked[1].Decision.Candidate)
	require.Empty(t, asked[1].Failures, "nobody was called, so nobody failed")
	require.Equal(t, int64(7), asked[1].Tokens)
	require.True(t, asked[1].Ladder.Park)
}

func TestAnAnswerThatWasKeptIsRecordedWithoutACall(t *testing.T) {
	t.Parallel()
	for action, from := range map[failover.Action]completions.ServedFrom{
		failover.ActionCached: completions.ServedCache, failover.ActionStale: completions.ServedStale,
	} {
		b := setup(t)
		b.decided(failover.Decision{Action: action, Candidate: -1, Reason: "kept"})
		b.OnActivity("Record", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.RecordInput) (activities.RecordResult, error) {
			require.Equal(t, from, in.ServedFrom)
			require.Zero(t, in.Answered)
			return activities.RecordResult{State: completions.StateSucceeded, ServedFrom: in.ServedFrom}, nil
		})
		result, err := b.run(t)
		require.NoError(t, err)
		require.Equal(t, from, result.ServedFrom)
	}
}

// What was kept may be gone by the time it is recorded: then a provider is called after all.
func TestAKeptAnswerThatIsGoneIsDoneWithout(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.decided(failover.Decision{Action: failover.ActionCached, Candidate: -1, Reason: "kept"})
	b.answering(nil)
	gone := true
	b.OnActivity("Record", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.RecordInput) (activities.RecordResult, error) {
		if gone {
			gone = false
			return activities.RecordResult{}, temporal.NewNonRetryableApplicationError("gone", activities.ErrTypeAnswerLost, nil)
		}
		return activities.RecordResult{State: completions.StateSucceeded, Attempts: in.Answered}, nil
	})
	result, err := b.run(t)
	require.NoError(t, err)
	require.Equal(t, 1, result.Attempts)
	require.Equal(t, "a", b.calls[0].deployment)
}

func TestWhenEveryProviderRestsTheClientIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.decided(failover.Decision{Action: failover.ActionGiveUp, Candidate: -1, Resting: true, RetryAfter: 20 * time.Second, Reason: "every candidate rests"})
	b.recording()
	_, err := b.run(t)
	require.Error(t, err)
	require.Nil(t, b.recorded[0].Failure, "the activity says what the client reads")
	require.Equal(t, 20*time.Second, b.recorded[0].RetryAfter)
	require.Len(t, b.recorded[0].Plan.Candidates, 2)
}

func TestTheRetryAfterIsOfTheFirstProviderToComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.prepared()
	b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(activities.CallResult{}, failing(activities.AttemptFailed{
		Number: 1, Failure: failover.Failure{Deployment: "a", Kind: llm.KindRateLimit, RetryAfter: time.Hour},
		Error:    &llm.Error{Kind: llm.KindRateLimit, RetryAfter: time.Hour},
		Decision: failover.Decision{Action: failover.ActionGiveUp, Candidate: -1, RetryAfter: 15 * time.Second, Reason: "nothing is left"},
	}))
	b.recording()
	_, err := b.run(t)
	require.Error(t, err)
	require.Equal(t, 15*time.Second, b.recorded[0].Failure.RetryAfter)
}

// Of two calls side by side both may fail: the next decision knows of both.
func TestBothFailuresOfAHedgeCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.prepared()
	n := 0
	b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.CallInput) (activities.CallResult, error) {
		if n++; n == 1 {
			return activities.CallResult{}, failing(activities.AttemptFailed{
				Number: 2, Failure: failover.Failure{Deployment: "b", Kind: llm.KindTimeout}, Error: &llm.Error{Kind: llm.KindTimeout},
				Also:     []failover.Failure{{Deployment: "a", Kind: llm.KindOverloaded}},
				Decision: failover.Decision{Action: failover.ActionNext, Candidate: 0, Reason: "again"},
			})
		}
		require.Len(t, in.Failures, 2)
		require.Equal(t, "a", in.Failures[0].Deployment)
		return activities.CallResult{Number: 3, Provider: "openai", Degraded: true}, nil
	})
	b.recording()
	_, err := b.run(t)
	require.NoError(t, err)
	require.Equal(t, completions.ServedDegraded, b.recorded[0].ServedFrom)
}
