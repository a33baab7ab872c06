package workflows

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
)

// AlertsWorkflow and AlertDeliveryWorkflow are the registered names of [Alerts] and [AlertDelivery], and AlertsSchedule is the id of
// the schedule that starts the former.
const (
	AlertsWorkflow        = "Alerts"
	AlertDeliveryWorkflow = "AlertDelivery"
	AlertsSchedule        = "holdfast-alerts"
)

// deliveryTime is how long a webhook is tried to be told, and recordingTime how long after that it is tried to be written down.
const deliveryTime = 24 * time.Hour

// AlertsResult is what one round has found, and begun.
type AlertsResult struct {
	Undelivered int `json:"undelivered"`
	Started     int `json:"started"`
}

// Alerts begins to tell webhooks of what they do not have yet. Those deliveries outlive it; one that is under way is left to itself.
func Alerts(ctx workflow.Context) (AlertsResult, error) {
	var targets []activities.AlertTarget
	if err := workflow.ExecuteActivity(withUndeliveredOptions(ctx), tell.UndeliveredAlerts).Get(ctx, &targets); err != nil {
		return AlertsResult{}, err
	}
	result := AlertsResult{Undelivered: len(targets)}
	deliveries := make([]workflow.ChildWorkflowFuture, len(targets))
	for i, target := range targets {
		deliveries[i] = workflow.ExecuteChildWorkflow(withDeliveryOptions(ctx, target), AlertDelivery, target)
	}
	for i, delivery := range deliveries {
		err := delivery.GetChildWorkflowExecution().Get(ctx, nil)
		switch {
		case err == nil:
			result.Started++
		case !temporal.IsWorkflowExecutionAlreadyStartedError(err):
			return result, fmt.Errorf("begin to tell %s: %w", targets[i].Webhook, err)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d to be delivered, %d of them begun now", result.Undelivered, result.Started))
	return result, nil
}

// AlertDelivery tells one webhook of one alert, for as long as it takes, and writes down what came of it. It fails if the webhook was
// given up.
func AlertDelivery(ctx workflow.Context, target activities.AlertTarget) (activities.AlertDelivery, error) {
	delivery := activities.AlertDelivery{AlertTarget: target}
	failure := workflow.ExecuteActivity(withTellOptions(ctx, target), tell.DeliverAlert, target).Get(ctx, &delivery.Attempts)
	if failure != nil {
		delivery.Attempts, delivery.Error = lastAttempt(failure)
	} else if delivery.Attempts == 0 {
		workflow.SetCurrentDetails(ctx, "another run has delivered it, or given it up")
		return delivery, nil
	}
	if err := workflow.ExecuteActivity(withSettleOptions(ctx, delivery), tell.SettleAlert, delivery).Get(ctx, nil); err != nil {
		return delivery, err
	}
	if failure != nil {
		return delivery, temporal.NewApplicationError("given up: "+delivery.Error, activities.ErrTypeNotTold)
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("delivered at attempt %d", delivery.Attempts))
	return delivery, nil
}

// lastAttempt is the number of the last attempt, as far as it is known, and why it failed.
func lastAttempt(failure error) (attempts int, reason string) {
	if failed, ok := errors.AsType[*temporal.ApplicationError](failure); ok {
		if failed.HasDetails() {
			_ = failed.Details(&attempts) // unknown then
		}
		return attempts, failed.Message()
	}
	return 0, "no worker has taken it up, or every one that did has died"
}

func withUndeliveredOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, StartToCloseTimeout: 10 * time.Second, ScheduleToCloseTimeout: time.Minute,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second},
		Summary:     "look for alerts that are to be delivered",
	})
}

// withDeliveryOptions are for a delivery of its own: one at once for an alert and a webhook.
func withDeliveryOptions(ctx workflow.Context, target activities.AlertTarget) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: "alert/" + target.Alert + "/" + target.Webhook, TaskQueue: OperationsQueue,
		WorkflowExecutionTimeout: deliveryTime + recordingTime + time.Hour,
		ParentClosePolicy:        enumspb.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary:            target.Webhook + ": " + target.Summary,
	})
}

func withTellOptions(ctx workflow.Context, target activities.AlertTarget) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, ScheduleToCloseTimeout: deliveryTime, StartToCloseTimeout: 30 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
		Summary:     "tell " + target.Webhook,
	})
}

func withSettleOptions(ctx workflow.Context, delivery activities.AlertDelivery) workflow.Context {
	summary := "write down that it is delivered"
	if delivery.Error != "" {
		summary = "write down that it is given up"
	}
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, ScheduleToCloseTimeout: recordingTime, StartToCloseTimeout: 10 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:     summary,
	})
}
