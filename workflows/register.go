package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Register makes the workflows known to a worker (or a replayer) under their fixed names.
func Register(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflowWithOptions(Completion, workflow.RegisterOptions{Name: CompletionWorkflow})
}
