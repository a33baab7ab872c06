package workflows_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/workflows"
)

// TestRecordedHistoriesReplay keeps running workflows safe over a deploy: today's code must make the same decisions from
// every recorded history. When it fails, the change needs workflow.GetVersion; a new recording would only hide it.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	histories, err := filepath.Glob("testdata/histories/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, histories)
	for _, history := range histories {
		t.Run(filepath.Base(history), func(t *testing.T) {
			t.Parallel()
			replayer := sdkworker.NewWorkflowReplayer()
			workflows.Register(replayer)
			workflows.RegisterOperations(replayer)
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(nil, history))
		})
	}
}

// TestAChangedWorkflowDoesNotReplay shows that the net holds: a workflow that skips a step is noticed.
func TestAChangedWorkflowDoesNotReplay(t *testing.T) {
	t.Parallel()
	replayer := sdkworker.NewWorkflowReplayer()
	var act *activities.Activities
	replayer.RegisterWorkflowWithOptions(func(ctx workflow.Context, in workflows.CompletionInput) (workflows.CompletionResult, error) {
		ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{ScheduleToCloseTimeout: in.Deadline.Sub(in.AcceptedAt)})
		var result activities.PrepareResult
		err := workflow.ExecuteLocalActivity(ctx, act.Prepare, activities.PrepareInput{ID: in.ID}).Get(ctx, &result)
		return workflows.CompletionResult{}, err
	}, workflow.RegisterOptions{Name: workflows.CompletionWorkflow})
	err := replayer.ReplayWorkflowHistoryFromJSONFile(nil, "testdata/histories/completion/primary_down.json")
	require.ErrorContains(t, err, "TMPRL1100")
}
