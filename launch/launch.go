package launch

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/workflows"
)

// Starter starts workflows; a Temporal client is one.
type Starter interface {
	ExecuteWorkflow(ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
}

// First starts the workflow of a request just accepted. A run that exists already is left alone: its error is that of
// Temporal, serviceerror.WorkflowExecutionAlreadyStarted.
func First(ctx context.Context, starter Starter, c completions.Completion) error {
	return start(ctx, starter, c, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
}

// Again starts the workflow at the completion's new epoch and ends the run of the old one.
func Again(ctx context.Context, starter Starter, c completions.Completion) error {
	return start(ctx, starter, c, enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING)
}

func start(ctx context.Context, starter Starter, c completions.Completion, conflict enumspb.WorkflowIdConflictPolicy) error {
	attributes := []temporal.SearchAttributeUpdate{
		workflows.SearchTenant.ValueSet(c.Tenant), workflows.SearchRoute.ValueSet(c.Route),
	}
	if c.ConversationID != "" {
		attributes = append(attributes, workflows.SearchConversation.ValueSet(c.ConversationID))
	}
	options := client.StartWorkflowOptions{
		ID:                                       c.WorkflowID,
		TaskQueue:                                workflows.CompletionsQueue,
		WorkflowTaskTimeout:                      workflows.TaskTimeout,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 conflict,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		// The first workflow task, and so the first provider call, runs in this process, where the client's socket is.
		EnableEagerStart:      true,
		TypedSearchAttributes: temporal.NewSearchAttributes(attributes...),
		StaticSummary:         fmt.Sprintf("%s for %s", c.Route, c.Tenant),
	}
	conversation := c.ConversationID
	if c.Dialect == completions.DialectSummary { // it is about the conversation, and takes no turn in it
		conversation = ""
	}
	input := workflows.CompletionInput{
		ID: c.ID, Tenant: c.Tenant, Route: c.Route, ConversationID: conversation, Epoch: c.Epoch,
		AcceptedAt: c.AcceptedAt, Deadline: c.Deadline, SameModel: c.Dialect == completions.DialectEmbeddings, Recovery: c.Recovery,
	}
	_, err := starter.ExecuteWorkflow(ctx, options, workflows.CompletionWorkflow, input)
	return err
}
