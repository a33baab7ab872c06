package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestAConfiguredLimitIsSpentAndComesBack(t *testing.T) {
	t.Parallel()
	m := failover.Configured(60, start)
	for range 60 {
		require.Zero(t, m.Wait(1, start))
		m.Take(1, start)
	}
	require.InDelta(t, time.Second, m.Wait(1, start), float64(2*time.Millisecond))
	require.InDelta(t, 1, m.Used(start), 0.01)
	require.Zero(t, m.Wait(1, start.Add(time.Second+time.Millisecond)))
	require.Zero(t, m.Wait(1000, start.Add(time.Minute)), "what is more than all of it waits for all of it")
}

func TestALimitIsLearntFromWhatTheVendorSays(t *testing.T) {
	t.Parallel()
	var m failover.Meter
	require.Zero(t, m.Wait(1e9, start), "no limit is known")
	m.Learn(llm.Allowance{Limit: 100, Remaining: 2, ResetAfter: 49 * time.Second}, 0, start, start)
	m.Take(1, start)
	m.Take(1, start)
	require.InDelta(t, 500*time.Millisecond, m.Wait(1, start), float64(10*time.Millisecond), "98 come back in 49s")
	m.Learn(llm.Allowance{Limit: 100, Remaining: 5, ResetAfter: 50 * time.Second}, 5, start, start)
	require.NotZero(t, m.Wait(1, start), "calls under way may not be in the vendor's count")
	later := start.Add(10 * time.Second)
	m.Learn(llm.Allowance{Limit: 100, Remaining: 0, ResetAfter: 100 * time.Second}, 0, later, later)
	require.InDelta(t, time.Second, m.Wait(1, later), float64(10*time.Millisecond), "others use the account too")
	m.Learn(llm.Allowance{Limit: 100, Remaining: 90, ResetAfter: time.Minute}, 0, start, later)
	require.NotZero(t, m.Wait(1, later), "the answer to an earlier call is old")
	m.Learn(llm.Allowance{Limit: 100, Remaining: 90, ResetAfter: time.Minute}, 0, later, later)
	require.Zero(t, m.Wait(1, later), "the vendor knows best, for better too")
	m.Learn(llm.Allowance{Remaining: 7}, 0, later, later)
	require.True(t, m.Known(), "what says no limit says nothing")
}

// TestACoarseVendorHoldsNobodyBack plays a vendor that tells its reset in whole seconds, rounded up, as Anthropic does, to a load
// of a third of its limit.
func TestACoarseVendorHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	const limit = 4000
	var m failover.Meter
	level := float64(limit)
	for i := range 15 * 60 * 20 { // twenty a second
		now := start.Add(time.Duration(i) * 50 * time.Millisecond)
		level = min(limit, level+limit/60.0/20)
		require.Zero(t, m.Wait(1, now), "call %d", i)
		m.Take(1, now)
		level--
		reset := time.Duration((limit-level)/(limit/60.0)*float64(time.Second)).Truncate(time.Second) + time.Second
		m.Learn(llm.Allowance{Limit: limit, Remaining: int64(level), ResetAfter: reset}, 0, now, now)
	}
}

func TestWhatIsNotUsedIsGivenBack(t *testing.T) {
	t.Parallel()
	m := failover.Configured(1000, start)
	m.Take(1000, start)
	m.Return(900, start)
	require.Zero(t, m.Wait(900, start))
	require.InDelta(t, time.Minute, m.Each(1000), float64(time.Millisecond))
	require.Zero(t, (&failover.Meter{}).Each(5))
}

// A header that lies, or was true once, holds nobody back for longer than a minute.
func TestWhatWasSaidOfALimitIsBelievedForAMinute(t *testing.T) {
	t.Parallel()
	var m failover.Meter
	m.Learn(llm.Allowance{Limit: 1, Remaining: 0, ResetAfter: time.Hour}, 0, start, start)
	require.InDelta(t, time.Minute, m.Wait(1, start), float64(time.Second))
	require.Zero(t, m.Wait(1, start.Add(time.Minute)))
	own := failover.Configured(1, start)
	own.Take(1, start)
	require.InDelta(t, time.Minute, own.Wait(1, start), float64(time.Second), "what the operator says is believed")
}
