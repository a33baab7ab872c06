package launch

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/workflows"
)

// ErrRotating means that a rotation of the key is under way already.
var ErrRotating = errors.New("the key is being rotated")

// Rotation starts the rotation of a key, and gives the id of its workflow. It returns [ErrRotating] while one runs.
func Rotation(ctx context.Context, c client.Client, in workflows.KeyRotationInput) (string, error) {
	id := workflows.KeyRotationID(in.Provider, in.Name)
	summary := "rotate " + in.Provider + "/" + in.Name + ": " + in.Because
	if in.DryRun {
		summary = "rehearse the rotation of " + in.Provider + "/" + in.Name
	}
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: workflows.OperationsQueue, StaticSummary: summary, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
	}, workflows.KeyRotationWorkflow, in)
	if _, running := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); running {
		return "", ErrRotating
	}
	return id, err
}
