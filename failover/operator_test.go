package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestAnOperatorOpensForATimeOrUntilItIsClosedByHand(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	forAnHour := failover.Opened(now, time.Hour, "ann", "maintenance")
	require.Equal(t, failover.Health{
		State: failover.BreakerOpen, Since: now, Until: now.Add(time.Hour), Cause: failover.CauseOperator, Reason: "maintenance", By: "ann", Down: now,
	}, forAnHour)
	incident := failover.Opened(now, 0, "ann", "incident")
	require.True(t, incident.Until.IsZero())
	require.True(t, incident.Held)
}

func TestWhatAnOperatorHoldsIsChangedByNoCall(t *testing.T) {
	t.Parallel()
	now, policy := time.Unix(1_800_000_000, 0), failover.DefaultBreaker()
	outage := failover.Opening{Scope: failover.ScopeModel, Cause: failover.CauseErrorRate, Reason: "down", At: now}
	open, _ := failover.Health{}.Open(policy, outage, "p-1")
	for name, c := range map[string]struct {
		health failover.Health
		state  failover.BreakerState
		since  time.Time
	}{
		"nothing is known": {failover.Health{}, failover.BreakerClosed, now.Add(time.Minute)},
		"closed":           {open.Close(now, "probe", "works"), failover.BreakerClosed, now},
		"open":             {open, failover.BreakerOpen, now},
		"half open":        {open.HalfOpen(now.Add(time.Second)), failover.BreakerOpen, now.Add(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := c.health.HeldAsIs(now.Add(time.Minute), "ann", "watching it")
			require.Equal(t, c.state, held.State)
			require.Equal(t, c.since, held.Since)
			require.Zero(t, held.Until, "no time ends it")
			require.True(t, held.Held)
			require.Equal(t, []string{"ann", "watching it"}, []string{held.By, held.Reason})
			require.Equal(t, c.health.Cause, held.Cause)
			next, changed := held.Open(policy, outage, "p-1")
			require.False(t, changed)
			require.Equal(t, held, next)
			_, changed = held.Tried(policy, failover.Seen{At: now}, "p-1")
			require.False(t, changed)
		})
	}
}

func TestWhatIsClosedByHandOpensAgainByItsCalls(t *testing.T) {
	t.Parallel()
	now, policy := time.Unix(1_800_000_000, 0), failover.DefaultBreaker()
	closed := failover.ClosedByHand(now, "ann", "they say that it works")
	require.False(t, closed.Held)
	require.InDelta(t, 1, closed.Share(policy, now), 0.001, "who puts it back means all of it")
	next, changed := closed.Open(policy, failover.Opening{
		Scope: failover.ScopeKeyModel, Cause: failover.Cause(llm.KindRateLimit), For: time.Minute, At: now.Add(time.Second),
	}, "p-1")
	require.True(t, changed)
	require.Equal(t, failover.BreakerOpen, next.State)
}
