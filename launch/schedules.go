package launch

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/workflows"
)

// Probes makes the schedule of probes as the configuration wants it; every 0 takes it away.
func Probes(ctx context.Context, c client.Client, every time.Duration) error {
	if every == 0 {
		_ = c.ScheduleClient().GetHandle(ctx, workflows.ProviderProbesSchedule).Delete(ctx) // most often there is none
		return nil
	}
	return schedule(ctx, c, every, client.ScheduleOptions{
		ID: workflows.ProviderProbesSchedule,
		Action: &client.ScheduleWorkflowAction{
			ID: "provider-probes", Workflow: workflows.ProviderProbesWorkflow, TaskQueue: workflows.OperationsQueue,
			WorkflowExecutionTimeout: 10 * time.Minute, StaticSummary: "ask every provider, by calls that cost nothing",
		},
		// What was missed is of no use: the next round asks again.
		CatchupWindow: 10 * time.Second,
	})
}

// retentionEvery is how late what is to go may go. Where nothing is, a round costs a few reads by index.
const retentionEvery = 5 * time.Minute

// Retention makes the schedule that erases what is too old to be kept.
func Retention(ctx context.Context, c client.Client) error {
	return schedule(ctx, c, retentionEvery, client.ScheduleOptions{
		ID: workflows.RetentionSchedule,
		Action: &client.ScheduleWorkflowAction{
			ID: "retention", Workflow: workflows.RetentionWorkflow, TaskQueue: workflows.OperationsQueue,
			WorkflowExecutionTimeout: 12 * time.Hour, StaticSummary: "erase what is too old to be kept",
		},
		// Of many rounds that were missed, one does the work of all.
		CatchupWindow: retentionEvery,
	})
}

// upkeepEvery is how late a quarantined key is tried again, and a rotation begun.
const upkeepEvery = 15 * time.Second

// KeyUpkeep makes the schedule that looks after provider keys.
func KeyUpkeep(ctx context.Context, c client.Client) error {
	return schedule(ctx, c, upkeepEvery, client.ScheduleOptions{
		ID: workflows.KeyUpkeepSchedule,
		Action: &client.ScheduleWorkflowAction{
			ID: "key-upkeep", Workflow: workflows.KeyUpkeepWorkflow, TaskQueue: workflows.OperationsQueue,
			WorkflowExecutionTimeout: 10 * time.Minute, StaticSummary: "try quarantined keys, begin rotations that are due",
		},
		// What is due is told by the keys' own times: one round does the work of all that were missed.
		CatchupWindow: upkeepEvery,
	})
}

// alertsEvery is how late an alert may begin to be delivered.
const alertsEvery = 15 * time.Second

// Alerts makes the schedule that has alerts delivered, where there is a webhook. A process that knows of none takes nothing away:
// others may know of some.
func Alerts(ctx context.Context, c client.Client, webhooks int) error {
	if webhooks == 0 {
		return nil
	}
	return schedule(ctx, c, alertsEvery, client.ScheduleOptions{
		ID: workflows.AlertsSchedule,
		Action: &client.ScheduleWorkflowAction{
			ID: "alerts", Workflow: workflows.AlertsWorkflow, TaskQueue: workflows.OperationsQueue,
			WorkflowExecutionTimeout: 5 * time.Minute, StaticSummary: "begin to deliver the alerts that webhooks do not have",
		},
		// What was missed is of no use: the next round finds all that is undelivered.
		CatchupWindow: 10 * time.Second,
	})
}

// schedule makes a schedule, or changes how often an existing one runs. Rounds do not overlap.
func schedule(ctx context.Context, c client.Client, every time.Duration, options client.ScheduleOptions) error {
	options.Spec = client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
	options.Overlap = enumspb.SCHEDULE_OVERLAP_POLICY_SKIP
	_, err := c.ScheduleClient().Create(ctx, options)
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return c.ScheduleClient().GetHandle(ctx, options.ID).Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(input client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		intervals := input.Description.Schedule.Spec.Intervals
		if len(intervals) == 1 && intervals[0].Every == every {
			return nil, temporal.ErrSkipScheduleUpdate
		}
		changed := input.Description.Schedule
		changed.Spec = &options.Spec
		return &client.ScheduleUpdate{Schedule: &changed}, nil
	}})
}
