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
	m.Learn(llm.Allowance{Limit: 100, Remaining: 2, ResetAfter: 49 * time.Second}, start)
	m.Take(1, start)
	m.Take(1, start)
	require.InDelta(t, 500*time.Millisecond, m.Wait(1, start), float64(10*time.Millisecond), "98 come back in 49s")
	m.Learn(llm.Allowance{Limit: 100, Remaining: 5, ResetAfter: 50 * time.Second}, start)
	require.NotZero(t, m.Wait(1, start), "calls under way may not be in the vendor's count")
	m.Learn(llm.Allowance{Limit: 100, Remaining: 0, ResetAfter: 100 * time.Second}, start.Add(10*time.Second))
	require.InDelta(t, time.Second, m.Wait(1, start.Add(10*time.Second)), float64(10*time.Millisecond), "others use the account too")
	m.Learn(llm.Allowance{Remaining: 7}, start)
	require.True(t, m.Known(), "what says no limit says nothing")
}
