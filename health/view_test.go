package health_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/llm"
)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func view(c *clock, change func(*health.Config)) *health.View {
	cfg := health.Config{Now: c.Now, Draw: func() float64 { return 0.99 }, Name: "here"}
	if change != nil {
		change(&cfg)
	}
	return health.New(cfg)
}

func call(deployment, key string) failover.Call {
	return failover.Call{Deployment: deployment, Place: "openai", Model: "gpt-4.1", Key: key, Mark: key + "-mark"}
}

// makes lets a call be made that ends in some way.
func makes(t *testing.T, v *health.View, c failover.Call, outcome activities.Outcome) {
	t.Helper()
	permit, rest := v.Admit(c, 10, false)
	require.NotNil(t, permit, rest.Reason)
	permit.Done(outcome)
}

func rests(v *health.View, c failover.Call) failover.RestClass {
	rest, resting := v.Rest(c, 10)
	if !resting {
		return ""
	}
	return rest.Class
}

func TestDeploymentsOfOneAccountShareItsLimit(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, nil)
	makes(t, v, call("one", "main"), activities.Outcome{Kind: llm.KindRateLimit, RetryAfter: 30 * time.Second})
	require.Equal(t, failover.RestLimit, rests(v, call("two", "main")), "another name for the same")
	require.Empty(t, rests(v, call("two", "spare")), "another account")
	permit, rest := v.Admit(call("two", "main"), 1, false)
	require.Nil(t, permit)
	require.Equal(t, c.Now().Add(30*time.Second), rest.Until)
	c.pass(30 * time.Second)
	require.Equal(t, failover.RestRamp, rests(v, call("one", "main")), "its vendor has said when")
	c.pass(20 * time.Second)
	require.Empty(t, rests(v, call("one", "main")))
}

func TestARefusedKeyRestsAndAnotherInItsPlaceDoesNot(t *testing.T) {
	t.Parallel()
	v := view(newClock(), nil)
	makes(t, v, call("one", "main"), activities.Outcome{Kind: llm.KindCredential})
	require.Equal(t, failover.RestOpen, rests(v, call("one", "main")))
	other := call("one", "main")
	other.Model = "another"
	require.Equal(t, failover.RestOpen, rests(v, other), "for every model")
	replaced := call("one", "main")
	replaced.Mark = "new"
	require.Empty(t, rests(v, replaced))
}

func TestWithoutAWorkflowTheNextCallIsTheProbe(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, nil)
	one := call("one", "main")
	for range 5 {
		makes(t, v, one, activities.Outcome{Kind: llm.KindOverloaded})
	}
	require.Equal(t, failover.RestOpen, rests(v, one))
	c.pass(5 * time.Second)
	require.Empty(t, rests(v, one))
	probe, _ := v.Admit(one, 1, false)
	require.NotNil(t, probe)
	second, rest := v.Admit(one, 1, false)
	require.Nil(t, second, "one at a time")
	require.Contains(t, rest.Reason, "is being tried again")
	probe.Done(activities.Outcome{FirstWord: time.Second})
	makes(t, v, one, activities.Outcome{FirstWord: time.Second})
	require.Equal(t, failover.BreakerClosed, v.Known()[0].Health.State, "two successes in a row")
	require.Equal(t, failover.RestRamp, rests(v, one))
}

func TestAProcessInTouchLeavesTheTryToTheWorkflow(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, func(cfg *health.Config) { cfg.Probed = true })
	one := call("one", "main")
	v.Heard(`{}`)
	for range 5 {
		makes(t, v, one, activities.Outcome{Kind: llm.KindOverloaded})
	}
	c.pass(6 * time.Second)
	require.Equal(t, failover.RestOpen, rests(v, one), "the workflow tries it")
	c.pass(10 * time.Second)
	require.Empty(t, rests(v, one), "nothing was heard of the workflow")
}

func TestAProcessThatHearsNothingActsOnItsOwnView(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, func(cfg *health.Config) { cfg.Probed = true })
	one := call("one", "main")
	for range 5 {
		makes(t, v, one, activities.Outcome{Kind: llm.KindOverloaded})
	}
	c.pass(5 * time.Second)
	require.Empty(t, rests(v, one), "at once, for it was never in touch")
}

func TestWhatOthersSayCounts(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, nil)
	one := call("one", "main")
	v.Heard(`{"domain": "openai/gpt-4.1", "version": 3, "health": {"state": "open", "since": "2026-03-01T12:00:00Z", "until": "2026-03-01T12:01:00Z", "reason": "x"}}`)
	require.Equal(t, failover.RestOpen, rests(v, one))
	v.Heard(`{"domain": "openai/gpt-4.1", "version": 2, "health": {"state": "closed", "since": "2026-03-01T11:00:00Z"}}`)
	require.Equal(t, failover.RestOpen, rests(v, one), "that is older")
	v.Heard(`{"domain": "openai/gpt-4.1", "version": 4, "health": {"state": "half_open", "since": "2026-03-01T12:01:00Z"}}`)
	require.Equal(t, failover.RestOpen, rests(v, one), "it is tried elsewhere")
	v.Heard(`not json`)
	c.pass(time.Minute)
	v.Heard(`{"domain": "openai/gpt-4.1", "version": 5, "health": {"state": "closed", "since": "2026-03-01T11:59:00Z"}}`)
	require.Empty(t, rests(v, one))
}

// A call that began while the domain was failing says nothing of the time since.
func TestWhatBeganBeforeADomainClosedDoesNotCount(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, nil)
	one := call("one", "main")
	var late []activities.Permit
	for range 10 {
		permit, _ := v.Admit(one, 1, false)
		late = append(late, permit)
	}
	c.pass(time.Second)
	v.Heard(`{"domain": "openai/gpt-4.1", "version": 3, "health": {"state": "closed", "since": "2026-03-01T12:00:01Z"}}`)
	for _, permit := range late {
		permit.Done(activities.Outcome{Kind: llm.KindTimeout})
	}
	require.Equal(t, failover.BreakerClosed, v.Known()[0].Health.State)
}

func TestLimitsOfADeploymentAreKept(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, func(cfg *health.Config) {
		cfg.Limits = map[string]health.Limits{"few": {RequestsPerMinute: 2}, "words": {TokensPerMinute: 15}, "narrow": {Parallel: 1}}
	})
	for _, id := range []string{"few", "few"} {
		makes(t, v, call(id, ""), activities.Outcome{FirstWord: 1})
	}
	require.Equal(t, failover.RestLimit, rests(v, call("few", "")))
	makes(t, v, call("words", ""), activities.Outcome{FirstWord: 1})
	rest, _ := v.Rest(call("words", ""), 10)
	require.Contains(t, rest.Reason, "the configured limit on its tokens is used up")
	permit, _ := v.Admit(call("narrow", ""), 1, false)
	require.Equal(t, failover.RestLimit, rests(v, call("narrow", "")))
	permit.Done(activities.Outcome{})
	permit.Done(activities.Outcome{}) // only the first time counts
	again, _ := v.Admit(call("narrow", ""), 1, false)
	require.NotNil(t, again)
	second, _ := v.Admit(call("narrow", ""), 1, false)
	require.Nil(t, second)
}

func TestALimitIsLearntFromAnswers(t *testing.T) {
	t.Parallel()
	v := view(newClock(), nil)
	one := call("one", "main")
	makes(t, v, one, activities.Outcome{FirstWord: 1, RateLimit: &llm.RateLimit{Requests: &llm.Allowance{Limit: 10, Remaining: 1, ResetAfter: time.Minute}}})
	makes(t, v, one, activities.Outcome{FirstWord: 1})
	rest, resting := v.Rest(call("two", "main"), 1)
	require.True(t, resting)
	require.Equal(t, failover.RestLimit, rest.Class)
	require.Equal(t, "its vendor's limit on requests is used up", rest.Reason)
	require.InDelta(t, 0.99, v.Measured(one, false).Used, 0.02)
}

func TestHowADeploymentDoesIsMeasured(t *testing.T) {
	t.Parallel()
	v := view(newClock(), nil)
	one := call("one", "main")
	for i := range 20 {
		makes(t, v, one, activities.Outcome{FirstWord: time.Duration(i+1) * 100 * time.Millisecond, Streamed: true})
	}
	require.Equal(t, 2*time.Second, v.P95("one", true))
	require.Zero(t, v.P95("one", false), "a whole answer takes longer: it is measured by itself")
	require.Greater(t, v.Measured(one, true).FirstWord, time.Second)
	permit, _ := v.Admit(one, 1, false)
	require.Equal(t, 1, v.Measured(one, true).InFlight)
	permit.Done(activities.Outcome{Kind: llm.KindCancelled})
	require.Zero(t, v.Measured(one, true).InFlight)
}

func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, nil)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for j := range 200 {
				if permit, _ := v.Admit(call("one", "main"), 1, false); permit != nil {
					kind := llm.Kind("")
					if (i+j)%3 == 0 {
						kind = llm.KindOverloaded
					}
					permit.Done(activities.Outcome{Kind: kind, FirstWord: 1})
				}
				v.Rest(call("two", "main"), 1)
				v.Known()
			}
		})
	}
	group.Wait()
	require.Zero(t, v.Measured(call("one", "main"), false).InFlight)
}

// What waits for a limit comes one after the other, as it comes back, and before what comes later.
func TestWhoWaitsForALimitHasATurn(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := view(c, func(cfg *health.Config) { cfg.Limits = map[string]health.Limits{"few": {RequestsPerMinute: 60}} })
	few := call("few", "")
	for range 60 {
		makes(t, v, few, activities.Outcome{FirstWord: 1})
	}
	for i := range 5 {
		require.InDelta(t, time.Duration(i+1)*time.Second, v.Queue(few, 1), float64(10*time.Millisecond))
	}
	c.pass(time.Second + 10*time.Millisecond)
	rest, resting := v.Rest(few, 1)
	require.True(t, resting, "the one token is the first waiter's")
	require.Equal(t, "others wait for its limit", rest.Reason)
	permit, _ := v.Admit(few, 1, true)
	require.NotNil(t, permit, "whose turn it is")
	again, _ := v.Admit(few, 1, true)
	require.Nil(t, again, "there was one")
	c.pass(10 * time.Second)
	require.Empty(t, rests(v, few))
	require.Zero(t, v.Queue(few, 1), "nobody waits")
}

func TestTokensThatWereNotUsedAreGivenBack(t *testing.T) {
	t.Parallel()
	v := view(newClock(), func(cfg *health.Config) { cfg.Limits = map[string]health.Limits{"words": {TokensPerMinute: 1000}} })
	for range 10 {
		permit, rest := v.Admit(call("words", ""), 900, false)
		require.NotNil(t, permit, rest.Reason)
		permit.Done(activities.Outcome{FirstWord: 1, Tokens: 10})
	}
}

// An only provider that answers half of its calls, or answers late, is called all the same; one that answers none is not.
func TestWhatAnswersSomeIsCalledWhereNothingElseIsLeft(t *testing.T) {
	t.Parallel()
	v := view(newClock(), nil)
	one := call("one", "main")
	for i := range 6 {
		makes(t, v, one, activities.Outcome{Kind: []llm.Kind{llm.KindTransient, ""}[i%2], FirstWord: 1})
	}
	require.Equal(t, failover.BreakerOpen, v.Known()[0].Health.State)
	require.Equal(t, failover.RestRamp, rests(v, one))
	for range 40 { // now it answers nothing
		makes(t, v, one, activities.Outcome{Kind: llm.KindTransient})
		if rests(v, one) == failover.RestOpen {
			break
		}
	}
	require.Equal(t, failover.RestOpen, rests(v, one))
	slow := failover.Call{Deployment: "s", Place: "slow", Model: "m"}
	for range 6 {
		makes(t, v, slow, activities.Outcome{FirstWord: time.Minute, Streamed: true})
	}
	require.Equal(t, failover.RestRamp, rests(v, slow))
	require.True(t, v.Works(slow))
	require.False(t, v.Works(call("x", "other")))
}
