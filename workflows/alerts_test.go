package workflows_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/workflows"
)

// noticeboard is a desk of alerts whose webhooks fail so often.
type noticeboard struct {
	mu          sync.Mutex
	undelivered []activities.AlertTarget
	since       time.Time
	settled     bool
	failures    int
	told        int
	settlings   []activities.AlertDelivery
}

func (n *noticeboard) Undelivered(_ context.Context, since time.Time) ([]activities.AlertTarget, error) {
	n.since = since
	return n.undelivered, nil
}

func (n *noticeboard) Settled(context.Context, activities.AlertTarget) (bool, error) {
	return n.settled, nil
}

func (n *noticeboard) Tell(context.Context, activities.AlertTarget) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told++
	if n.told <= n.failures {
		return errors.New("webhook oncall answered 503")
	}
	return nil
}

func (n *noticeboard) Settle(_ context.Context, delivery activities.AlertDelivery) error {
	n.settlings = append(n.settlings, delivery)
	return nil
}

func telling(t *testing.T, desk *noticeboard) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	workflows.RegisterOperations(env)
	acts, err := activities.NewAlerts(activities.AlertsConfig{Desk: desk, Now: func() time.Time { return time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC) }})
	require.NoError(t, err)
	env.RegisterActivity(acts)
	return env
}

var oncall = activities.AlertTarget{Alert: "alert_1", Webhook: "oncall", Summary: "openai/main: refused"}

func TestAWebhookIsToldUntilItTakesTheAlert(t *testing.T) {
	t.Parallel()
	desk := &noticeboard{failures: 2}
	env := telling(t, desk)
	began := env.Now()
	env.ExecuteWorkflow(workflows.AlertDeliveryWorkflow, oncall)
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 3, desk.told)
	require.Equal(t, []activities.AlertDelivery{{AlertTarget: oncall, Attempts: 3}}, desk.settlings)
	require.GreaterOrEqual(t, env.Now().Sub(began), 3*time.Second, "it does not wait between attempts")
}

func TestADeadWebhookIsGivenUpAfterADay(t *testing.T) {
	t.Parallel()
	desk := &noticeboard{failures: 1 << 20}
	env := telling(t, desk)
	var tried activity.Info
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "DeliverAlert" {
			tried = *info
		}
	})
	env.ExecuteWorkflow(workflows.AlertDeliveryWorkflow, oncall) // in which an activity is tried ten times
	var failure *temporal.ApplicationError
	require.ErrorAs(t, env.GetWorkflowError(), &failure)
	require.Equal(t, "given up: webhook oncall answered 503", failure.Message())
	require.Equal(t, []activities.AlertDelivery{{AlertTarget: oncall, Attempts: desk.told, Error: "webhook oncall answered 503"}}, desk.settlings)
	require.Equal(t, 24*time.Hour, tried.ScheduleToCloseTimeout)
}

func TestWhatAnotherRunHasDeliveredIsNotSentAgain(t *testing.T) {
	t.Parallel()
	desk := &noticeboard{settled: true}
	env := telling(t, desk)
	env.ExecuteWorkflow(workflows.AlertDeliveryWorkflow, oncall)
	require.NoError(t, env.GetWorkflowError())
	require.Zero(t, desk.told)
	require.Empty(t, desk.settlings)
}

func TestEachAlertIsTakenToEachWebhookByItself(t *testing.T) {
	t.Parallel()
	second := activities.AlertTarget{Alert: "alert_1", Webhook: "slack"}
	desk := &noticeboard{undelivered: []activities.AlertTarget{oncall, second, {Alert: "alert_2", Webhook: "slack"}}}
	env := telling(t, desk)
	var begun []string
	env.OnWorkflow(workflows.AlertDeliveryWorkflow, mock.Anything, mock.Anything).Return(func(ctx workflow.Context, target activities.AlertTarget) (activities.AlertDelivery, error) {
		begun = append(begun, workflow.GetInfo(ctx).WorkflowExecution.ID)
		return activities.AlertDelivery{}, errors.New("given up") // of which the round does not hear: it does not wait
	})
	env.ExecuteWorkflow(workflows.AlertsWorkflow)
	require.NoError(t, env.GetWorkflowError())
	slices.Sort(begun)
	require.Equal(t, []string{"alert/alert_1/oncall", "alert/alert_1/slack", "alert/alert_2/slack"}, begun)
	var result workflows.AlertsResult
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, workflows.AlertsResult{Undelivered: 3, Started: 3}, result)
	require.Equal(t, time.Date(2027, 1, 12, 8, 0, 0, 0, time.UTC), desk.since)
}

func TestADeliveryThatIsUnderWayIsLeftToItself(t *testing.T) {
	t.Parallel()
	desk := &noticeboard{undelivered: []activities.AlertTarget{oncall, oncall}} // as if the first had been begun by an earlier round
	env := telling(t, desk)
	env.OnWorkflow(workflows.AlertDeliveryWorkflow, mock.Anything, mock.Anything).Return(func(ctx workflow.Context, _ activities.AlertTarget) (activities.AlertDelivery, error) {
		return activities.AlertDelivery{}, workflow.Sleep(ctx, time.Hour)
	})
	env.ExecuteWorkflow(workflows.AlertsWorkflow)
	require.NoError(t, env.GetWorkflowError())
	var result workflows.AlertsResult
	require.NoError(t, env.GetWorkflowResult(&result))
	require.Equal(t, workflows.AlertsResult{Undelivered: 2, Started: 1}, result)
}

func TestWhereNothingIsUndeliveredNothingIsBegun(t *testing.T) {
	t.Parallel()
	env := telling(t, &noticeboard{})
	env.OnWorkflow(workflows.AlertDeliveryWorkflow, mock.Anything, mock.Anything).Panic("begun")
	env.ExecuteWorkflow(workflows.AlertsWorkflow)
	require.NoError(t, env.GetWorkflowError())
}
