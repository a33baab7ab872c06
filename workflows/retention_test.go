package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/workflows"
)

// heap is what there is to erase: so many batches, after so many failures.
type heap struct {
	batches, failures int
	asked             []completions.Expiry
}

func (h *heap) EraseExpired(_ context.Context, expiry completions.Expiry) (completions.Erasure, error) {
	h.asked = append(h.asked, expiry)
	if h.failures > 0 {
		h.failures--
		return completions.Erasure{}, errors.New("the database is away")
	}
	if h.batches == 0 {
		return completions.Erasure{}, nil
	}
	h.batches--
	return completions.Erasure{Completions: 200, Conversations: 1}, nil
}

func TestRetentionErasesUntilNothingIsLeft(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.RegisterOperations(env)
	heap := &heap{batches: 3, failures: 2}
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	retention, err := activities.NewRetention(activities.RetentionConfig{
		Eraser: heap, Keep: 30 * 24 * time.Hour, Tenants: map[string]time.Duration{"archive": 0, "hasty": time.Hour},
		Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	env.RegisterActivity(retention)
	env.ExecuteWorkflow(workflows.RetentionWorkflow)
	require.NoError(t, env.GetWorkflowError())
	var erased completions.Erasure
	require.NoError(t, env.GetWorkflowResult(&erased))
	require.Equal(t, completions.Erasure{Completions: 600, Conversations: 3}, erased)
	require.Equal(t, completions.Expiry{
		Before: now.Add(-30 * 24 * time.Hour), Tenants: map[string]time.Time{"archive": {}, "hasty": now.Add(-time.Hour)},
	}, heap.asked[0])
}
