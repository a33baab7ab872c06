package workflows

import (
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
)

// KeyUpkeepWorkflow is the registered name of [KeyUpkeep], and KeyUpkeepSchedule the id of the schedule that starts it.
const (
	KeyUpkeepWorkflow = "KeyUpkeep"
	KeyUpkeepSchedule = "holdfast-keys"
)

// KeyUpkeep looks after the keys: it tells of those that end soon, tries quarantined ones again, and starts the rotations that are
// due.
func KeyUpkeep(ctx workflow.Context) (activities.KeysLooked, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, StartToCloseTimeout: time.Minute,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumAttempts: 3},
		Summary:     "look after the keys",
	})
	var looked activities.KeysLooked
	if err := workflow.ExecuteActivity(ctx, upkeep.LookAfterKeys).Get(ctx, &looked); err != nil {
		return looked, err
	}
	for _, due := range looked.Due {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: KeyRotationID(due.Provider, due.Name), TaskQueue: OperationsQueue,
			ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON, StaticSummary: "rotate " + due.Provider + "/" + due.Name + ": " + due.Because,
		})
		started := workflow.ExecuteChildWorkflow(child, KeyRotationWorkflow, KeyRotationInput{Provider: due.Provider, Name: due.Name, Because: due.Because})
		if err := started.GetChildWorkflowExecution().Get(ctx, nil); err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			return looked, err
		}
	}
	var tried activities.KeysTried
	if looked.Verify > 0 {
		trying := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue: OperationsQueue, StartToCloseTimeout: 3 * time.Minute, HeartbeatTimeout: heartbeatTimeout,
			RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumAttempts: 2},
			Summary:     "try quarantined keys again",
		})
		if err := workflow.ExecuteActivity(trying, upkeep.TryQuarantinedKeys).Get(ctx, &tried); err != nil {
			return looked, err
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d keys; rotations begun: %s; in use again: %s; still refused: %s; end soon: %s", looked.Keys,
		list(dueNames(looked.Due)), list(tried.Back), list(tried.Refused), list(looked.Expiring)))
	return looked, nil
}

func dueNames(due []activities.DueRotation) (names []string) {
	for _, d := range due {
		names = append(names, d.Provider+"/"+d.Name)
	}
	return names
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
