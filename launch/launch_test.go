package launch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/launch"
	"github.com/holdfast-dev/holdfast/workflows"
)

// starter keeps what it was asked to start.
type starter struct {
	options  client.StartWorkflowOptions
	workflow any
	args     []any
	err      error
}

func (s *starter) ExecuteWorkflow(_ context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	s.options, s.workflow, s.args = options, workflow, args
	return nil, s.err
}

func completion() completions.Completion {
	accepted := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return completions.Completion{
		ID: "chatcmpl-1", Tenant: "acme", WorkflowID: "completion/acme/order-7", Route: "gpt", ConversationID: "conv_1", Epoch: 3,
		AcceptedAt: accepted, Deadline: accepted.Add(time.Minute), InstanceID: "node-a/1", Dialect: "openai.chat",
	}
}

func TestACompletionIsStartedUnderItsOwnName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start    func(context.Context, launch.Starter, completions.Completion) error
		conflict enumspb.WorkflowIdConflictPolicy
	}{
		"first: a run that exists is left alone": {launch.First, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL},
		"again: the old epoch's run is ended":    {launch.Again, enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, in := &starter{}, completion()
			require.NoError(t, c.start(t.Context(), s, in))
			require.Equal(t, in.WorkflowID, s.options.ID)
			require.Equal(t, c.conflict, s.options.WorkflowIDConflictPolicy)
			require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, s.options.WorkflowIDReusePolicy)
			require.True(t, s.options.WorkflowExecutionErrorWhenAlreadyStarted)
			require.True(t, s.options.EnableEagerStart)
			require.Equal(t, workflows.CompletionsQueue, s.options.TaskQueue)
			require.Equal(t, workflows.TaskTimeout, s.options.WorkflowTaskTimeout)
			require.Zero(t, s.options.WorkflowExecutionTimeout, "the deadline is the completion's own: a timeout would end it without an outcome")
			require.Zero(t, s.options.WorkflowRunTimeout)
			require.Nil(t, s.options.RetryPolicy)
			require.Equal(t, workflows.CompletionWorkflow, s.workflow)
			require.Equal(t, []any{workflows.CompletionInput{
				ID: in.ID, Tenant: in.Tenant, Route: in.Route, ConversationID: in.ConversationID, Epoch: 3,
				AcceptedAt: in.AcceptedAt, Deadline: in.Deadline,
			}}, s.args)
			requireAttributes(t, s.options, map[temporal.SearchAttributeKeyKeyword]string{
				workflows.SearchTenant: "acme", workflows.SearchRoute: "gpt", workflows.SearchConversation: "conv_1",
			})
		})
	}
}

func requireAttributes(t *testing.T, options client.StartWorkflowOptions, want map[temporal.SearchAttributeKeyKeyword]string) {
	t.Helper()
	require.Equal(t, len(want), options.TypedSearchAttributes.Size())
	for key, value := range want {
		got, ok := options.TypedSearchAttributes.GetKeyword(key)
		require.True(t, ok, key.GetName())
		require.Equal(t, value, got)
	}
}

func TestACompletionOutsideAConversationIsNotFoundByOne(t *testing.T) {
	t.Parallel()
	s, in := &starter{}, completion()
	in.ConversationID = ""
	require.NoError(t, launch.First(t.Context(), s, in))
	requireAttributes(t, s.options, map[temporal.SearchAttributeKeyKeyword]string{workflows.SearchTenant: "acme", workflows.SearchRoute: "gpt"})
}

func TestTemporalsErrorIsTheCallersToRead(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	require.ErrorIs(t, launch.First(t.Context(), &starter{err: refused}, completion()), refused)
	require.ErrorIs(t, launch.Again(t.Context(), &starter{err: refused}, completion()), refused)
}
