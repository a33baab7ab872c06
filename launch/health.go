package launch

import (
	"context"
	"fmt"

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
