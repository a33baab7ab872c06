package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

func TestActivitiesNeedTheirParts(t *testing.T) {
	t.Parallel()
	_, _, err := activities.New(activities.Config{})
	require.ErrorContains(t, err, "required")
}

func TestPreparingRanksTheTargetsAndBeginsTheFirstAttempt(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.routes.targets = append(p.routes.targets, failover.Target{Deployment: "three", Provider: "scripted", Model: "m", Ineligible: "no key"})
	c := p.accept("")
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	plan, err := p.prepare(c)
	require.NoError(t, err)
	require.Equal(t, completions.StateOpen, plan.State)
	require.Equal(t, 1, plan.Number)
	require.Equal(t, failover.ActionCall, plan.Decision.Action)
	require.Len(t, plan.Plan.Candidates, 2)
	require.Equal(t, "one", plan.Plan.Candidates[0].Deployment)
	require.Equal(t, "no key", plan.Plan.Excluded[0].Reason)
	require.True(t, watch.Claimed())
	_, attempts := p.find(c.ID)
	require.Len(t, attempts, 1)
	require.Equal(t, "one", attempts[0].Deployment)
	require.Equal(t, "main", attempts[0].KeyName)
	require.Equal(t, plan.Decision.Reason, attempts[0].ChosenBecause)
	require.Equal(t, "node-a/1", attempts[0].InstanceID)
}

func TestPreparingAgainFindsWhatWasDone(t *testing.T) {
	t.Parallel()
	t.Run("a call of unknown outcome is repeated", func(t *testing.T) {
		t.Parallel()
		for name, take := range map[string]func(*process, completions.Completion) completions.Completion{
			"at the same epoch": func(_ *process, c completions.Completion) completions.Completion { return c },
			"at a new epoch":    (*process).adopt,
		} {
			p := setup(t)
			c := p.accept("")
			_, err := p.prepare(c)
			require.NoError(t, err)
			c = take(p, c)
			plan, err := p.prepare(c)
			require.NoError(t, err)
			require.Equal(t, 2, plan.Number, name)
			require.Equal(t, failover.ActionRetry, plan.Decision.Action)
			require.Equal(t, "one", plan.Plan.Candidates[plan.Decision.Candidate].Deployment)
			require.Len(t, plan.Failures, 1)
			require.True(t, plan.Failures[0].Lost)
			_, attempts := p.find(c.ID)
			require.Equal(t, completions.AttemptPossiblyBilled, attempts[0].State)
			require.Equal(t, completions.AttemptStarted, attempts[1].State)
			require.Equal(t, c.Epoch, attempts[1].Epoch)
		}
	})
	t.Run("a kept answer only needs recording", func(t *testing.T) {
		t.Parallel()
		p := setup(t, llmtest.Answer(reply))
		c := p.accept("")
		_, err := remote(p, p.acts.CallModel, p.prepared(c))
		require.NoError(t, err)
		c = p.adopt(c)
		plan, err := p.prepare(c)
		require.NoError(t, err)
		require.Equal(t, &activities.CallResult{Number: 1, Provider: "scripted", Model: "one-model"}, plan.Answered)
		require.Zero(t, plan.Number)
		result, err := local(p, p.acts.Record, answered(c, *plan.Answered))
		require.NoError(t, err)
		require.Equal(t, completions.StateSucceeded, result.State)
		require.Len(t, p.provider.Calls(), 1)
	})
	t.Run("a recorded outcome needs nothing", func(t *testing.T) {
		t.Parallel()
		p := setup(t, llmtest.Answer(reply))
		c := p.accept("")
		result, err := local(p, p.acts.CallModel, p.prepared(c))
		require.NoError(t, err)
		_, err = local(p, p.acts.Record, answered(c, result))
		require.NoError(t, err)
		plan, err := p.another().prepare(c)
		require.NoError(t, err)
		require.Equal(t, completions.StateSucceeded, plan.State)
		require.Zero(t, plan.Number)
		_, attempts := p.find(c.ID)
		require.Len(t, attempts, 1)
	})
	t.Run("a pause that was asked for is kept", func(t *testing.T) {
		t.Parallel()
		limited := &llm.Error{Kind: llm.KindRateLimit, Provider: "scripted", RetryAfter: time.Minute}
		p := setup(t, llmtest.Step{Err: limited})
		p.routes.targets = p.routes.targets[:1]
		c := p.accept("")
		_, err := local(p, p.acts.CallModel, p.prepared(c))
		require.Error(t, err)
		plan, err := p.prepare(p.adopt(c))
		require.NoError(t, err)
		require.Zero(t, plan.Number, "the attempt begins after the pause")
		require.Equal(t, failover.ActionRetry, plan.Decision.Action)
		require.Greater(t, plan.Decision.Delay, 50*time.Second)
	})
}

func TestAnOldEpochCannotPrepare(t *testing.T) {
	t.Parallel()
	p := setup(t)
	c := p.accept("")
	p.adopt(c)
	_, err := p.prepare(c)
	refused(t, err, activities.ErrTypeSuperseded)
	_, attempts := p.find(c.ID)
	require.Empty(t, attempts)
	c.ID = completions.NewID()
	_, err = p.prepare(c)
	refused(t, err, activities.ErrTypeSuperseded)
}

func TestAWatcherIsSentElsewhereWhenItsCompletionIs(t *testing.T) {
	t.Parallel()
	p := setup(t)
	c := p.accept("")
	p.adopt(c)
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	_, err := p.prepare(c)
	refused(t, err, activities.ErrTypeSuperseded)
	require.True(t, closed(watch.Moved()))
}

func TestNoEligibleTargetIsAFailureThatSaysWhy(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.routes.targets = []failover.Target{{Deployment: "one", Provider: "scripted", Model: "m", Ineligible: "no key for scripted"}}
	c := p.accept("")
	plan, err := p.prepare(c)
	require.NoError(t, err)
	require.Zero(t, plan.Number)
	require.Equal(t, failover.ActionGiveUp, plan.Decision.Action)
	result, err := local(p, p.acts.Record, activities.RecordInput{ID: c.ID, Tenant: tenant, Route: c.Route, Epoch: 1, Plan: plan.Plan})
	require.NoError(t, err)
	require.Equal(t, completions.StateFailed, result.State)
	completion, attempts := p.find(c.ID)
	require.Empty(t, attempts)
	require.Equal(t, "no_eligible_provider", completion.Error.Code)
	require.Contains(t, completion.Error.Detail, "no key for scripted")
}

func TestStorageThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	c := p.accept("")
	p.record.broken["StartFirst"] = 1
	_, err := p.prepare(c)
	app := application(t, err)
	require.Equal(t, activities.ErrTypeStorage, app.Type())
	require.False(t, app.NonRetryable())
	in := p.prepared(c) // Temporal repeats it

	p.media.err = errDown
	_, err = local(p, p.acts.CallModel, in)
	p.media.err = nil
	app = application(t, err)
	require.Equal(t, activities.ErrTypeStorage, app.Type())
	require.False(t, app.NonRetryable())
	require.Empty(t, p.provider.Calls())
	_, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptStarted, attempts[0].State, "our own outage is not the provider's failure")

	result, err := local(p, p.acts.CallModel, in)
	require.NoError(t, err)
	p.record.broken["RecordSuccess"] = 1
	_, err = local(p, p.acts.Record, answered(c, result))
	app = application(t, err)
	require.Equal(t, activities.ErrTypeStorage, app.Type())
	require.False(t, app.NonRetryable())
	recorded, err := local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err, "the answer was still in this process")
	require.Equal(t, completions.StateSucceeded, recorded.State)
	require.Len(t, p.provider.Calls(), 1)

	p.pool.Close()
	_, err = p.prepare(c)
	app = application(t, err)
	require.Equal(t, activities.ErrTypeStorage, app.Type())
	require.False(t, app.NonRetryable())
}
