package failover_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

func seen(kind llm.Kind, at time.Duration) failover.Seen {
	return failover.Seen{Kind: kind, At: start.Add(at)}
}

func TestADomainOpensWhenEnoughOfItsCallsFail(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	var w failover.Window
	for i, kind := range []llm.Kind{llm.KindOverloaded, "", llm.KindTimeout, ""} {
		_, opens := p.Judge(&w, seen(kind, time.Duration(i)*time.Second))
		require.False(t, opens, "%d calls say nothing yet", i+1)
	}
	opening, opens := p.Judge(&w, seen(llm.KindTransient, 5*time.Second))
	require.True(t, opens)
	require.Equal(t, failover.Cause("error_rate"), opening.Cause)
	require.Equal(t, failover.ScopeModel, opening.Scope)
	require.Equal(t, "3 of 5 calls failed within 30s, the last with transient", opening.Reason)
}

func TestWhatIsLongPastDoesNotCount(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	var w failover.Window
	for range 4 {
		p.Judge(&w, seen(llm.KindOverloaded, 0))
	}
	_, opens := p.Judge(&w, seen(llm.KindOverloaded, 40*time.Second))
	require.False(t, opens, "one call in half a minute")
}

func TestFailuresThatAreTheRequestsOwnSayNothing(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	for _, kind := range []llm.Kind{llm.KindCallerFault, llm.KindContextLength, llm.KindContentPolicy, llm.KindRefusal, llm.KindCancelled, llm.KindUnsupported} {
		var w failover.Window
		for i := range 20 {
			_, opens := p.Judge(&w, seen(kind, time.Duration(i)*time.Second))
			require.False(t, opens, kind)
		}
	}
}

func TestADefiniteSignalOpensAtOnceAndSaysWhat(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	for kind, scope := range map[llm.Kind]failover.Scope{
		llm.KindCredential: failover.ScopeKey, llm.KindQuota: failover.ScopeKey, llm.KindModelAccess: failover.ScopeKeyModel,
		llm.KindModelGone: failover.ScopeModel, llm.KindRegionBlocked: failover.ScopePlace, llm.KindRateLimit: failover.ScopeKeyModel,
	} {
		var w failover.Window
		opening, opens := p.Judge(&w, seen(kind, 0))
		require.True(t, opens, kind)
		require.Equal(t, scope, opening.Scope, kind)
		require.Equal(t, failover.Cause(kind), opening.Cause)
	}
}

func TestASlowFirstWordCountsAsFailing(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	var w failover.Window
	var opening failover.Opening
	opens := false
	for i := range 5 {
		call := seen("", time.Duration(i)*time.Second)
		call.FirstWord = 11 * time.Second
		opening, opens = p.Judge(&w, call)
	}
	require.True(t, opens)
	require.Equal(t, failover.CauseSlow, opening.Cause)
	require.Equal(t, failover.ScopeModel, opening.Scope)
}

func TestLiteLLMsAllowedFailsAreCountedByTheMinute(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	p.ErrorRate, p.AllowedFails = 1.1, new(2)
	p.AllowedFailsByKind = map[llm.Kind]int{llm.KindTimeout: 0}
	var w failover.Window
	for i := range 3 {
		opening, opens := p.Judge(&w, seen(llm.KindOverloaded, time.Duration(i)*20*time.Second))
		require.Equal(t, i == 2, opens, "more than two in a minute")
		if opens {
			require.Equal(t, failover.CauseFails, opening.Cause)
		}
	}
	_, opens := p.Judge(&failover.Window{}, seen(llm.KindTimeout, 0))
	require.True(t, opens, "none of this kind is allowed")
}

func TestCooldownsThatAreOffLeaveWhatAVendorSays(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	p.Disabled = true
	var w failover.Window
	for range 20 {
		_, opens := p.Judge(&w, seen(llm.KindOverloaded, 0))
		require.False(t, opens)
	}
	_, opens := p.Judge(&w, seen(llm.KindCredential, 0))
	require.False(t, opens)
	told := seen(llm.KindRateLimit, 0)
	told.RetryAfter = time.Second
	_, opens = p.Judge(&w, told)
	require.True(t, opens, "a Retry-After is kept all the same")
}

func opening(cause failover.Cause, pause, at time.Duration) failover.Opening {
	return failover.Opening{Scope: failover.ScopeModel, Cause: cause, For: pause, At: start.Add(at), Reason: string(cause)}
}

func TestAnOpenDomainStaysOpenUntilTheLaterOfTwoTimes(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	h, changed := failover.Health{}.Open(p, opening("rate_limit", 30*time.Second, 0), "a")
	require.True(t, changed)
	same, changed := h.Open(p, opening("rate_limit", 2*time.Second, time.Second), "b")
	require.False(t, changed)
	require.Equal(t, h, same)
	later, changed := h.Open(p, opening("rate_limit", 2*time.Hour, time.Second), "b")
	require.True(t, changed, "hours are not cut short")
	require.Equal(t, start.Add(time.Second+2*time.Hour), later.Until)
	require.Equal(t, start, later.Since)
}

func TestADomainThatFailsOnItsReturnRestsLonger(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	h, _ := failover.Health{}.Open(p, opening(failover.CauseErrorRate, 0, 0), "a")
	var rests []time.Duration
	for range 5 {
		rests = append(rests, h.Until.Sub(h.Since))
		h, _ = h.HalfOpen(h.Until).Tried(p, failover.Seen{Kind: llm.KindOverloaded, At: h.Until}, "probe")
		require.Equal(t, failover.BreakerOpen, h.State)
		require.Equal(t, failover.CauseErrorRate, h.Cause, "why it was opened is why it is tried")
	}
	require.Equal(t, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second}, rests)

	closed := h.Close(start, "probe", "well")
	soon, _ := closed.Open(p, opening(failover.CauseErrorRate, 0, 10*time.Second), "a")
	require.Equal(t, 30*time.Second, soon.Until.Sub(soon.Since), "what opens again soon is not steady yet")
	steady, _ := closed.Open(p, opening(failover.CauseErrorRate, 0, time.Hour), "a")
	require.Equal(t, 5*time.Second, steady.Until.Sub(steady.Since))
}

func TestSuccessesInARowCloseADomain(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	h, _ := failover.Health{}.Open(p, opening(failover.CauseErrorRate, 0, 0), "a")
	h = h.HalfOpen(start.Add(5 * time.Second))
	h, _ = h.Tried(p, seen("", 6*time.Second), "probe")
	require.Equal(t, failover.BreakerHalfOpen, h.State)
	h, _ = h.Tried(p, seen(llm.KindContextLength, 6*time.Second), "probe")
	require.Equal(t, failover.BreakerClosed, h.State, "a failure that is the request's own shows a provider at work")
}

func TestTrafficComesBackByAndBy(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	h := failover.Health{Down: start.Add(-time.Minute)}.Close(start, "probe", "well")
	before := 0.0
	for second := range 21 {
		share := h.Share(p, start.Add(time.Duration(second)*time.Second))
		require.Greater(t, share, before)
		before = share
	}
	require.InDelta(t, 1, before, 0.001)
	require.InDelta(t, 0.1, h.Share(p, start), 0.001)
	moment := failover.Health{Down: start.Add(-time.Second)}.Close(start, "time", "well")
	require.InDelta(t, 0.55, moment.Share(p, start.Add(time.Second)), 0.001, "what rested for a second is back in two")
	require.InDelta(t, 1, failover.Health{}.Share(p, start), 0.001, "one of which nothing is known has not come back")
}

func TestNothingChangesWhatAnOperatorHolds(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	for _, state := range []failover.BreakerState{failover.BreakerClosed, failover.BreakerOpen} {
		held := failover.Health{State: state, Since: start, Held: true, Cause: failover.CauseOperator}
		next, changed := held.Open(p, opening("credential", time.Hour, time.Minute), "a")
		require.False(t, changed)
		require.Equal(t, held, next)
		_, changed = held.Tried(p, seen("", time.Minute), "probe")
		require.False(t, changed)
	}
}

// TestABreakerKeepsItsPromises plays random histories of a domain.
func TestABreakerKeepsItsPromises(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 3))
		p := failover.DefaultBreaker()
		h, now := failover.Health{}, start
		for range 60 {
			now = now.Add(time.Duration(random.IntN(5000)) * time.Millisecond)
			before := h
			switch random.IntN(3) {
			case 0:
				h, _ = h.Open(p, failover.Opening{
					Cause: failover.CauseErrorRate, At: now, For: time.Duration(random.IntN(2)*random.IntN(60)) * time.Second, Reason: "x",
				}, "a")
				require.Equal(t, failover.BreakerOpen, h.State)
				require.True(t, before.State != failover.BreakerOpen || !h.Until.Before(before.Until), "seed %d: never shorter", seed)
			case 1:
				if h.State == failover.BreakerOpen && !now.Before(h.Until) {
					h = h.HalfOpen(now)
				}
			default:
				h, _ = h.Tried(p, failover.Seen{Kind: []llm.Kind{"", llm.KindTimeout}[random.IntN(2)], At: now}, "probe")
				require.True(t, h.State != failover.BreakerClosed || before.State != failover.BreakerOpen, "seed %d: nothing closes untried", seed)
			}
			require.LessOrEqual(t, h.Share(p, now), 1.0)
		}
	}
}

// TestHalfOfTheCallsFailingDoesNotFlap plays two minutes of a provider that fails every second call, at ten calls a second.
func TestHalfOfTheCallsFailingDoesNotFlap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	p := failover.DefaultBreaker()
	h, w, changes, calls := failover.Health{}, failover.Window{}, 0, 0
	kind := func() llm.Kind { return []llm.Kind{"", llm.KindOverloaded}[random.IntN(2)] }
	for at := time.Duration(0); at < 2*time.Minute; at += 100 * time.Millisecond {
		now, before := start.Add(at), h.State
		switch {
		case h.State == failover.BreakerOpen && now.Before(h.Until):
		case h.State == failover.BreakerOpen:
			h = h.HalfOpen(now)
		case h.State == failover.BreakerHalfOpen:
			h, _ = h.Tried(p, failover.Seen{Kind: kind(), At: now}, "probe")
			if h.State == failover.BreakerClosed {
				w = failover.Window{}
			}
		case random.Float64() < h.Share(p, now):
			calls++
			if o, opens := p.Judge(&w, failover.Seen{Kind: kind(), At: now}); opens {
				h, _ = h.Open(p, o, "a")
			}
		}
		if before == failover.BreakerClosed && h.State == failover.BreakerOpen || h.State == failover.BreakerClosed && before != h.State {
			changes++
		}
	}
	require.LessOrEqual(t, changes, 6)
	require.Less(t, calls, 200, "of 1200: most went elsewhere")
}

func TestDomainsHaveNamesThatAPersonCanRead(t *testing.T) {
	t.Parallel()
	call := failover.Call{Place: "bedrock:eu-central-1", Model: "anthropic.claude", Key: "main"}
	require.Equal(t, "[bedrock:eu-central-1 bedrock:eu-central-1#main bedrock:eu-central-1/anthropic.claude bedrock:eu-central-1#main/anthropic.claude]",
		fmt.Sprint(call.Domains()))
	for _, domain := range call.Domains() {
		require.Equal(t, "bedrock", domain.Provider())
	}
	require.Equal(t, "openai", failover.Domain("openai").Provider())
}

func TestProbesAreBelievedWhenSeveralSayTheSame(t *testing.T) {
	t.Parallel()
	_, opens := failover.Probed([]llm.Kind{llm.KindTransient}, 2, start)
	require.False(t, opens, "one failed probe is none")
	_, opens = failover.Probed([]llm.Kind{llm.KindTransient, ""}, 2, start)
	require.False(t, opens)
	o, opens := failover.Probed([]llm.Kind{llm.KindTransient, llm.KindTimeout}, 2, start)
	require.True(t, opens)
	require.Equal(t, failover.ScopePlace, o.Scope)
	o, opens = failover.Probed([]llm.Kind{llm.KindCredential, ""}, 2, start)
	require.True(t, opens, "a refused key is believed at once")
	require.Equal(t, failover.ScopeKey, o.Scope)
	_, opens = failover.Probed([]llm.Kind{llm.KindRateLimit, llm.KindUnknown}, 2, start)
	require.False(t, opens, "the free call's own limits say nothing of the others")
	require.Equal(t, failover.ProbeFree, failover.Health{Cause: "credential"}.Probe())
	require.Equal(t, failover.ProbeGeneration, failover.Health{Cause: failover.CauseErrorRate}.Probe())
}

func TestRepetitionsAreAShareOfTheCalls(t *testing.T) {
	t.Parallel()
	b := failover.Budget{Share: 0.2}
	for range 10 {
		b.Repeat(start)
	}
	require.NotEmpty(t, b.Spent(start), "ten without any call")
	for range 100 {
		b.Call(start)
	}
	require.Empty(t, b.Spent(start), "10 of 110")
	for range 20 {
		b.Repeat(start)
	}
	require.NotEmpty(t, b.Spent(start))
	require.Empty(t, b.Spent(start.Add(20*time.Second)), "what is past is past")
	require.Empty(t, (&failover.Budget{}).Spent(start))
}

// What answers some of its calls, or answers late, is better than nothing where there is nothing else.
func TestWhatAnswersSomeIsOpenOnlyInPart(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	judged := func(kinds ...llm.Kind) (last failover.Opening) {
		var w failover.Window
		for i, kind := range kinds {
			if o, opens := p.Judge(&w, seen(kind, time.Duration(i)*time.Second)); opens {
				last = o
			}
		}
		return last
	}
	require.True(t, judged("", llm.KindOverloaded, "", llm.KindOverloaded, llm.KindOverloaded).Partly)
	require.False(t, judged(llm.KindOverloaded, llm.KindOverloaded, llm.KindOverloaded, llm.KindOverloaded, llm.KindOverloaded).Partly)
	var w failover.Window
	require.True(t, p.Count(&w, seen(llm.KindOverloaded, 0), true), "one call says nothing")
	for range 8 {
		p.Count(&w, seen(llm.KindOverloaded, 0), true)
	}
	require.False(t, p.Count(&w, seen(llm.KindOverloaded, time.Second), true), "nothing is answered any more")
}

func TestALimitWithoutATimeIsASecond(t *testing.T) {
	t.Parallel()
	p := failover.DefaultBreaker()
	h, _ := failover.Health{}.Open(p, opening(failover.Cause(llm.KindRateLimit), 0, 0), "a")
	require.Equal(t, time.Second, h.Until.Sub(h.Since))
	answered := h.Close(h.Until, "time", "over").Steady()
	again, _ := answered.Open(p, opening(failover.Cause(llm.KindRateLimit), 0, 2*time.Second), "a")
	require.Equal(t, time.Second, again.Until.Sub(again.Since), "answers in between begin a new row")
	worse, _ := h.Close(h.Until, "time", "over").Open(p, opening(failover.Cause(llm.KindRateLimit), 0, 2*time.Second), "a")
	require.Equal(t, 2*time.Second, worse.Until.Sub(worse.Since))
	absurd, _ := failover.Health{}.Open(p, opening(failover.Cause(llm.KindRateLimit), 366*24*time.Hour, 0), "a")
	require.Equal(t, 24*time.Hour, absurd.Until.Sub(absurd.Since), "it is tried once a day")
}
