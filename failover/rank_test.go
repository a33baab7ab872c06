package failover_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
)

func TestTheFirstPlaceFallsByWeight(t *testing.T) {
	t.Parallel()
	targets := []failover.Target{
		{Deployment: "a", Weight: 5}, {Deployment: "b", Weight: 3}, {Deployment: "c", Weight: 2}, {Deployment: "never", Weight: 0},
	}
	random := rand.New(rand.NewPCG(1, 2))
	first := map[string]int{}
	const draws = 20_000
	for range draws {
		plan := failover.Rank(targets, failover.Preference{}, random.Float64)
		require.Len(t, plan.Candidates, 4)
		first[plan.Candidates[0].Deployment]++
		require.Equal(t, "never", plan.Candidates[3].Deployment, "no weight means last")
	}
	require.InDelta(t, 0.5, float64(first["a"])/draws, 0.02)
	require.InDelta(t, 0.3, float64(first["b"])/draws, 0.02)
	require.InDelta(t, 0.2, float64(first["c"])/draws, 0.02)
}

func TestOrderComesBeforeWeight(t *testing.T) {
	t.Parallel()
	plan := failover.Rank([]failover.Target{
		{Deployment: "backup", Order: 2, Weight: 100}, {Deployment: "main", Order: 1, Weight: 1},
	}, failover.Preference{}, func() float64 { return 0.99 })
	require.Equal(t, "main", plan.Candidates[0].Deployment)
	require.Equal(t, "order 1, the only one", plan.Candidates[0].Reason)
	require.Equal(t, "backup", plan.Candidates[1].Deployment)
}

func TestTheIneligibleArePassedOverWithTheirReason(t *testing.T) {
	t.Parallel()
	plan := failover.Rank([]failover.Target{
		{Deployment: "a", Provider: "openai", Model: "m", Weight: 1, Ineligible: "no key"}, {Deployment: "b", Weight: 1},
	}, failover.Preference{}, func() float64 { return 0 })
	require.Len(t, plan.Candidates, 1)
	require.Equal(t, []failover.Excluded{{Deployment: "a", Provider: "openai", Model: "m", Reason: "no key"}}, plan.Excluded)
}

func TestRankingDoesNotChangeItsInput(t *testing.T) {
	t.Parallel()
	targets := []failover.Target{{Deployment: "a", Weight: 1}, {Deployment: "b", Weight: 1}, {Deployment: "c", Weight: 1}}
	failover.Rank(targets, failover.Preference{}, func() float64 { return 0.9 })
	require.Equal(t, "a", targets[0].Deployment)
	require.Equal(t, "c", targets[2].Deployment)
}
