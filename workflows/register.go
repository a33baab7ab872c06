package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Register makes the workflows known to a worker (or a replayer) under their fixed names.
func Register(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflowWithOptions(Completion, workflow.RegisterOptions{Name: CompletionWorkflow})
}

// RegisterOperations makes those known that look after providers, after what is kept, and that alerts are delivered.
func RegisterOperations(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflowWithOptions(ProviderHealth, workflow.RegisterOptions{Name: ProviderHealthWorkflow})
	registry.RegisterWorkflowWithOptions(Retention, workflow.RegisterOptions{Name: RetentionWorkflow})
	registry.RegisterWorkflowWithOptions(KeyRotation, workflow.RegisterOptions{Name: KeyRotationWorkflow})
	registry.RegisterWorkflowWithOptions(KeyUpkeep, workflow.RegisterOptions{Name: KeyUpkeepWorkflow})
	registry.RegisterWorkflowWithOptions(Alerts, workflow.RegisterOptions{Name: AlertsWorkflow})
	registry.RegisterWorkflowWithOptions(AlertDelivery, workflow.RegisterOptions{Name: AlertDeliveryWorkflow})
	registry.RegisterWorkflowWithOptions(ProviderProbes, workflow.RegisterOptions{Name: ProviderProbesWorkflow})
}
