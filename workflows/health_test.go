package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/workflows"
)

const domain = failover.Domain("openai/gpt-4.1")

// looked is an environment of a domain's workflow: what is published, and when, and what probes find.
type looked struct {
	*testsuite.TestWorkflowEnvironment
	started   time.Time
	published []change
	probes    []probe
	// finds are what probes find, one after the other; the last for all that follow.
	finds []llm.Kind
	// standing, if set, says what stands after a change.
	standing func(failover.Health) failover.Health
}

type change struct {
	at     time.Duration
	health failover.Health
}

type probe struct {
	at     time.Duration
	method failover.ProbeMethod
}

func watch(t *testing.T) *looked {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	l := &looked{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	l.SetStartTime(l.started)
	workflows.RegisterOperations(l)
	l.RegisterActivity(&activities.Operations{})
	l.OnActivity("PublishHealth", mock.Anything, mock.Anything).Return(func(_ context.Context, c activities.HealthChange) (failover.Health, error) {
		l.published = append(l.published, change{l.Now().Sub(l.started), c.Health})
		if l.standing != nil {
			return l.standing(c.Health), nil
		}
		return c.Health, nil
	})
	l.OnActivity("ProbeDomain", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.ProbeInput) (activities.ProbeResult, error) {
		l.probes = append(l.probes, probe{l.Now().Sub(l.started), in.Method})
		kind := l.finds[min(len(l.probes), len(l.finds))-1]
		if kind == "gone" {
			return activities.ProbeResult{}, temporal.NewNonRetryableApplicationError("gone", activities.ErrTypeGone, nil)
		}
		return activities.ProbeResult{Kind: kind, At: l.Now()}, nil
	})
	return l
}

func (l *looked) opened(cause failover.Cause, pause time.Duration) workflows.HealthReport {
	return workflows.HealthReport{Policy: failover.DefaultBreaker(), Health: failover.Health{
		State: failover.BreakerOpen, Since: l.started, Until: l.started.Add(pause), Cause: cause, Reason: "x", By: "a process",
	}}
}

// run runs the workflow for a while.
func (l *looked) run(t *testing.T, report workflows.HealthReport, during time.Duration) {
	t.Helper()
	l.RegisterDelayedCallback(l.CancelWorkflow, during)
	l.ExecuteWorkflow(workflows.ProviderHealthWorkflow, workflows.ProviderHealthInput{Domain: domain, HealthReport: report})
	require.True(t, l.IsWorkflowCompleted())
}

func (l *looked) states() (list []failover.BreakerState) {
	for _, c := range l.published {
		list = append(list, c.health.State)
	}
	return list
}

func TestADomainIsTriedWhenItsTimeIsOverAndClosedAfterSuccesses(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.finds = []llm.Kind{""}
	l.run(t, l.opened(failover.CauseErrorRate, 5*time.Second), time.Minute)
	require.Equal(t, []failover.BreakerState{failover.BreakerHalfOpen, failover.BreakerClosed}, l.states())
	require.Equal(t, []probe{{5 * time.Second, failover.ProbeGeneration}, {6 * time.Second, failover.ProbeGeneration}}, l.probes)
	require.Equal(t, "tried again: 2 successes in a row", l.published[1].health.Reason)
}

func TestADomainThatFailsItsProbeRestsLongerEachTime(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.finds = []llm.Kind{llm.KindOverloaded, llm.KindTimeout, "", llm.KindTransient, ""}
	l.run(t, l.opened(failover.CauseErrorRate, 5*time.Second), 3*time.Minute)
	var at []time.Duration
	for _, p := range l.probes {
		at = append(at, p.at)
	}
	require.Equal(t, []time.Duration{
		5 * time.Second, 15 * time.Second, 35 * time.Second, 36 * time.Second, // one success is not enough
		66 * time.Second, 67 * time.Second,
	}, at)
	require.Equal(t, failover.BreakerClosed, l.published[len(l.published)-1].health.State)
}

func TestWhatAVendorHasSaidNeedsNoTry(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.run(t, l.opened(failover.Cause(llm.KindRateLimit), 2*time.Hour), 3*time.Hour)
	require.Empty(t, l.probes)
	require.Equal(t, []failover.BreakerState{failover.BreakerClosed}, l.states())
	require.Equal(t, 2*time.Hour, l.published[0].at)
}

func TestARefusedKeyIsTriedAtNoCost(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.finds = []llm.Kind{llm.KindCredential, ""}
	l.run(t, l.opened(failover.Cause(llm.KindCredential), time.Minute), time.Hour)
	require.Equal(t, failover.ProbeFree, l.probes[0].method)
	require.Equal(t, failover.BreakerClosed, l.published[len(l.published)-1].health.State)
}

func TestAReportThatReachesFurtherIsWaitedFor(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.finds = []llm.Kind{""}
	longer := l.opened(failover.CauseErrorRate, 30*time.Second)
	shorter := l.opened(failover.CauseErrorRate, 2*time.Second)
	l.RegisterDelayedCallback(func() { l.SignalWorkflow(workflows.HealthReportSignal, longer) }, time.Second)
	l.RegisterDelayedCallback(func() { l.SignalWorkflow(workflows.HealthReportSignal, shorter) }, 2*time.Second)
	l.run(t, l.opened(failover.CauseErrorRate, 5*time.Second), time.Minute)
	require.Equal(t, 30*time.Second, l.probes[0].at)
}

func TestWhatAnOperatorHoldsIsLeftAlone(t *testing.T) {
	t.Parallel()
	l := watch(t)
	held := l.opened(failover.CauseOperator, 0)
	held.Health.Held, held.Health.Until = true, time.Time{}
	l.RegisterDelayedCallback(func() { l.SignalWorkflow(workflows.HealthReportSignal, held) }, time.Second)
	l.run(t, l.opened(failover.CauseErrorRate, 5*time.Second), 24*time.Hour)
	require.Empty(t, l.probes)
	require.Empty(t, l.published)
}

func TestADomainOfNobodyEnds(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.finds = []llm.Kind{"gone"}
	l.run(t, l.opened(failover.CauseErrorRate, 5*time.Second), time.Hour)
	require.NoError(t, l.GetWorkflowError())
	require.Equal(t, failover.BreakerClosed, l.published[len(l.published)-1].health.State)
}

// A process may have opened the domain for longer while it was being tried: that stands.
func TestAClosingThatIsOvertakenIsGivenUp(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.finds = []llm.Kind{""}
	overtaken := false
	l.standing = func(next failover.Health) failover.Health {
		if next.State != failover.BreakerClosed || overtaken {
			return next
		}
		overtaken = true
		stands := l.opened(failover.CauseErrorRate, time.Minute).Health
		stands.Since = l.Now()
		return stands
	}
	l.run(t, l.opened(failover.CauseErrorRate, 5*time.Second), 2*time.Minute)
	require.Equal(t, time.Minute, l.probes[2].at)
}

func TestALongHistoryGoesOnAsANewOne(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.finds = []llm.Kind{llm.KindOverloaded}
	l.run(t, l.opened(failover.CauseErrorRate, 5*time.Second), 24*time.Hour)
	next := &workflow.ContinueAsNewError{}
	require.ErrorAs(t, l.GetWorkflowError(), &next)
	require.Equal(t, workflows.ProviderHealthWorkflow, next.WorkflowType.Name)
	require.Len(t, l.probes, 200)
}

func TestScheduledProbesAreOneActivity(t *testing.T) {
	t.Parallel()
	l := watch(t)
	l.OnActivity("ProbeAll", mock.Anything).Return(activities.ProbesResult{Probed: 3}, nil).Once()
	l.ExecuteWorkflow(workflows.ProviderProbesWorkflow)
	var result activities.ProbesResult
	require.NoError(t, l.GetWorkflowResult(&result))
	require.Equal(t, 3, result.Probed)
}
