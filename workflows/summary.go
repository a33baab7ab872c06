package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
)

// summarise has a summary written of what is too long to be said again, as a completion of its own. If it is not written, the
// completion does without.
func (c *completion) summarise(ctx workflow.Context, work activities.SummaryWork) {
	c.note(ctx, "the conversation is too long: its beginning is summarised by "+work.Route)
	accepted, err := local(withSummaryOptions(ctx), act.AcceptSummary, activities.SummaryInput{
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
		written := workflow.ExecuteChildWorkflow(child, CompletionWorkflow, CompletionInput{
			ID: work.ID, Tenant: c.in.Tenant, Route: work.Route, Epoch: 1, AcceptedAt: accepted.AcceptedAt, Deadline: accepted.Deadline,
		})
		err = c.within(ctx, accepted.Deadline.Add(summaryGrace).Sub(workflow.Now(ctx)), written)
	}
	if err != nil {
		c.note(ctx, "there is no summary, the beginning is left out")
	}
}

// summaryGrace is how long after its deadline the outcome of a summary may still come.
const summaryGrace = 2 * time.Second

// within waits for a future no longer than a limit, and not at all once the completion is cancelled.
func (c *completion) within(ctx workflow.Context, limit time.Duration, future workflow.Future) (err error) {
	timers, stop := workflow.WithCancel(ctx)
	defer stop()
	err = temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil)
	selector := workflow.NewSelector(ctx)
	selector.AddFuture(future, func(f workflow.Future) { err = f.Get(ctx, nil) })
	selector.AddFuture(workflow.NewTimer(timers, limit), func(workflow.Future) {})
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) { err = ctx.Err() })
	selector.Select(ctx)
	return err
}
