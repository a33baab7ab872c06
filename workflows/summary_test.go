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
	"github.com/holdfast-dev/holdfast/workflows"
)

// A summary is a completion of its own; with it or without it, the completion that wanted it goes on.
func TestASummaryIsWrittenBeforeTheFirstCall(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]error{"written": nil, "not written": temporal.NewNonRetryableApplicationError("gone", "gone", nil)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.input.ConversationID = "conv_1"
			work := activities.SummaryWork{ID: "chatcmpl-summary", Route: "teller", Before: 7}
			var prepared []activities.PrepareInput
			b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.PrepareInput) (activities.PrepareResult, error) {
				prepared = append(prepared, in)
				if len(prepared) == 1 {
					return activities.PrepareResult{State: completions.StateOpen, Summary: &work}, nil
				}
				decision := failover.Decide(failover.State{Candidates: b.plan.Candidates, Deadline: b.input.Deadline, Seed: b.input.ID}, b.started)
				return activities.PrepareResult{State: completions.StateOpen, Plan: b.plan, Decision: decision, Number: 1}, nil
			})
			b.OnActivity("AcceptSummary", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.SummaryInput) (activities.SummaryAccepted, error) {
				require.Equal(t, work, in.SummaryWork)
				require.Equal(t, "chatcmpl-1", in.For)
				return activities.SummaryAccepted{WorkflowID: "completion/default/chatcmpl-summary", AcceptedAt: b.started, Deadline: b.started.Add(time.Minute)}, refused
			})
			b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(activities.CallResult{Number: 1, Provider: "openai", Model: "m1"}, nil)
			b.OnActivity("Record", mock.Anything, mock.Anything).Return(activities.RecordResult{State: completions.StateSucceeded, Attempts: 1}, nil)
			b.ExecuteWorkflow(workflows.Completion, b.input)
			require.NoError(t, b.GetWorkflowError())
			if refused == nil {
				require.Len(t, prepared, 3)
				require.Equal(t, "chatcmpl-summary", prepared[1].ID, "the summary's own")
				require.Equal(t, "teller", prepared[1].Route)
				require.Empty(t, prepared[1].ConversationID, "it takes no turn")
			}
			last := prepared[len(prepared)-1]
			require.Equal(t, "chatcmpl-1", last.ID)
			require.Equal(t, &work, last.Summary)
		})
	}
}

// Whoever waits for a summary that does not come goes on without it, and ends at once when it is cancelled.
func TestASummaryIsNotWaitedForToTheEnd(t *testing.T) {
	t.Parallel()
	for name, cancelled := range map[string]bool{"late": false, "cancelled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.input.ConversationID = "conv_1"
			work := activities.SummaryWork{ID: "chatcmpl-summary", Route: "teller", Before: 7}
			prepared := 0
			b.OnActivity("Prepare", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.PrepareInput) (activities.PrepareResult, error) {
				if prepared++; prepared == 1 {
					return activities.PrepareResult{State: completions.StateOpen, Summary: &work}, nil
				}
				decision := failover.Decide(failover.State{Candidates: b.plan.Candidates, Deadline: b.input.Deadline, Seed: b.input.ID}, b.started)
				if in.ID == work.ID { // its first call comes in an hour
					decision.Delay = time.Hour
					return activities.PrepareResult{State: completions.StateOpen, Plan: b.plan, Decision: decision}, nil
				}
				return activities.PrepareResult{State: completions.StateOpen, Plan: b.plan, Decision: decision, Number: 1}, nil
			})
			b.OnActivity("AcceptSummary", mock.Anything, mock.Anything).Return(activities.SummaryAccepted{
				WorkflowID: "completion/default/chatcmpl-summary", AcceptedAt: b.started, Deadline: b.started.Add(20 * time.Second),
			}, nil)
			b.OnActivity("CallModel", mock.Anything, mock.Anything).Return(activities.CallResult{Number: 1, Provider: "openai", Model: "m1"}, nil)
			var recorded []activities.RecordInput
			var at time.Duration
			b.OnActivity("Record", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.RecordInput) (activities.RecordResult, error) {
				if in.ID != work.ID {
					recorded, at = append(recorded, in), b.Now().Sub(b.started)
				}
				return activities.RecordResult{State: completions.StateSucceeded, Attempts: 1}, nil
			})
			if cancelled {
				b.RegisterDelayedCallback(b.CancelWorkflow, 5*time.Second)
			}
			b.ExecuteWorkflow(workflows.Completion, b.input)
			require.Len(t, recorded, 1)
			if cancelled {
				require.Equal(t, llm.KindCancelled, recorded[0].Failure.Kind)
				require.Less(t, at, 6*time.Second)
				return
			}
			require.NoError(t, b.GetWorkflowError())
			require.Equal(t, 1, recorded[0].Answered)
			require.Less(t, at, 23*time.Second)
		})
	}
}
