package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/completions"
)

// RetentionWorkflow is the registered name of [Retention], and RetentionSchedule the id of the schedule that starts it.
const (
	RetentionWorkflow = "Retention"
	RetentionSchedule = "holdfast-retention"
)

// Retention erases what was said and is too old, or was not to be kept.
func Retention(ctx workflow.Context) (completions.Erasure, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, StartToCloseTimeout: time.Hour, HeartbeatTimeout: time.Minute,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute, MaximumAttempts: 10},
		Summary:     "erase what is too old to be kept",
	})
	var erased completions.Erasure
	err := workflow.ExecuteActivity(ctx, keep.EraseExpired).Get(ctx, &erased)
	if err == nil {
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("erased: %d conversations, %d completions", erased.Conversations, erased.Completions))
	}
	return erased, err
}
