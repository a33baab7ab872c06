package workflows

import (
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
)

// summarise has a summary written of what is too long to be said again, as a completion of its own. If it is not written, the
// completion does without.
func (c *completion) summarise(ctx workflow.Context, work activities.SummaryWork) {
	c.note(ctx, "the conversation is too long: its beginning is summarised by "+work.Route)
	accepted, err := local(withPrepareOptions(ctx, max(c.remaining(ctx), bookkeeping)), act.AcceptSummary, activities.SummaryInput{
		SummaryWork: work, For: c.in.ID, Tenant: c.in.Tenant, ConversationID: c.in.ConversationID, Deadline: c.in.Deadline,
	})
	if err == nil {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: accepted.WorkflowID, TaskQueue: CompletionsQueue, WorkflowTaskTimeout: TaskTimeout,
			// It has a record of its own to close, whatever becomes of this one.
			ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			TypedSearchAttributes: temporal.NewSearchAttributes(
				SearchTenant.ValueSet(c.in.Tenant), SearchRoute.ValueSet(work.Route), SearchConversation.ValueSet(c.in.ConversationID),
			),
			StaticSummary: fmt.Sprintf("%s for %s: a summary", work.Route, c.in.Tenant),
		})
		err = workflow.ExecuteChildWorkflow(child, CompletionWorkflow, CompletionInput{
			ID: work.ID, Tenant: c.in.Tenant, Route: work.Route, Epoch: 1, AcceptedAt: accepted.AcceptedAt, Deadline: accepted.Deadline,
		}).Get(ctx, nil)
	}
	if err != nil {
		c.note(ctx, "there is no summary, the beginning is left out")
	}
}
