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
