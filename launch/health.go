package launch

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/workflows"
)

// Health tells the workflow of a domain what stands, and starts it if there is none.
type Health struct {
	Temporal client.Client
}

// Tell implements the teller of package health.
func (h Health) Tell(ctx context.Context, name failover.Domain, standing failover.Health, policy failover.BreakerPolicy) error {
	report := workflows.HealthReport{Health: standing, Policy: policy}
	options := client.StartWorkflowOptions{
		ID: workflows.HealthWorkflowID(name), TaskQueue: workflows.OperationsQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.SearchProvider.ValueSet(name.Provider())),
		StaticSummary:         "health of " + string(name),
	}
	_, err := h.Temporal.SignalWithStartWorkflow(ctx, options.ID, workflows.HealthReportSignal, report, options,
		workflows.ProviderHealthWorkflow, workflows.ProviderHealthInput{Domain: name, HealthReport: report})
	if err != nil {
		return fmt.Errorf("telling the workflow of %s: %w", name, err)
	}
	return nil
}

// Probes makes the schedule of probes as the configuration wants it; every 0 takes it away.
func Probes(ctx context.Context, c client.Client, every time.Duration) error {
	schedules := c.ScheduleClient()
	handle := schedules.GetHandle(ctx, workflows.ProviderProbesSchedule)
	if every == 0 {
		_ = handle.Delete(ctx) // most often there is none
		return nil
	}
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
	_, err := schedules.Create(ctx, client.ScheduleOptions{
		ID: workflows.ProviderProbesSchedule, Spec: spec,
		Action: &client.ScheduleWorkflowAction{
			ID: "provider-probes", Workflow: workflows.ProviderProbesWorkflow, TaskQueue: workflows.OperationsQueue,
			WorkflowExecutionTimeout: 10 * time.Minute, StaticSummary: "ask every provider, by calls that cost nothing",
		},
		// What was missed is of no use: the next round asks again.
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: 10 * time.Second,
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(input client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		intervals := input.Description.Schedule.Spec.Intervals
		if len(intervals) == 1 && intervals[0].Every == every {
			return nil, temporal.ErrSkipScheduleUpdate
		}
		schedule := input.Description.Schedule
		schedule.Spec = &spec
		return &client.ScheduleUpdate{Schedule: &schedule}, nil
	}})
}
