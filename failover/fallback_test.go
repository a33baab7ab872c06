package failover_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// chain is a route with fallbacks of each kind.
func chain() []failover.Target {
	return []failover.Target{
		{Deployment: "policy", Provider: "gemini", Model: "m", Group: "gemini", Stage: 1, For: failover.OnContentPolicy, Retries: 1},
		{Deployment: "large", Provider: "openai", Model: "large", Group: "large", Stage: 1, For: failover.OnContextLength, Retries: 1},
		{Deployment: "second", Provider: "bedrock", Model: "m", Group: "second", Stage: 2, Retries: 1},
		{Deployment: "first", Provider: "anthropic", Model: "m", Group: "first", Stage: 1, Retries: 1},
		{Deployment: "own-2", Provider: "azure", Model: "m", Group: "asked", Order: 2, Retries: 1},
		{Deployment: "own-1", Provider: "openai", Model: "m", Group: "asked", Order: 1, Retries: 1},
	}
}

// TestFallbacks plays completions of the route to their end: every kind of failure at every target.
func TestFallbacks(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	for _, without := range []failover.Trigger{"", failover.OnContextLength} {
		for _, kind := range []llm.Kind{llm.KindOverloaded, llm.KindCredential, llm.KindContextLength, llm.KindContentPolicy, llm.KindRefusal, llm.KindCallerFault} {
			fmt.Fprintf(&table, "%s", kind)
			var targets []failover.Target
			for _, target := range chain() {
				if without == "" || target.For != without {
					targets = append(targets, target)
				}
			}
			if without != "" {
				fmt.Fprintf(&table, ", no fallback for %s", without)
			}
			table.WriteString("\n")
			state := failover.State{Candidates: failover.Rank(targets, failover.Preference{}, func() float64 { return 0 }).Candidates, Deadline: start.Add(time.Hour), Seed: "golden"}
			now := start
			for {
				decision := failover.Decide(state, now)
				fmt.Fprintf(&table, "  %-10s %s\n", decision.Action, decision.Reason)
				if decision.Action == failover.ActionGiveUp {
					break
				}
				now = now.Add(decision.Delay)
				state.Failures = append(state.Failures, failover.Failure{Deployment: state.Candidates[decision.Candidate].Deployment, Kind: kind, At: now})
			}
		}
	}
	golden := filepath.Join("testdata", "fallbacks.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(table.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), table.String())
}

func TestWithoutAFirstCallThereIsNoFallback(t *testing.T) {
	t.Parallel()
	targets := chain()
	for i := range targets {
		if targets[i].For == "" {
			targets[i].Ineligible = "no key"
		}
	}
	plan := failover.Rank(targets, failover.Preference{}, func() float64 { return 0 })
	require.Empty(t, plan.Candidates)
	require.Len(t, plan.Excluded, len(targets))
	require.Contains(t, fmt.Sprint(plan.Excluded), "a fallback on context_length only")
}

// A refused prompt goes nowhere but where that is configured, and one that is too long not back to what it did not fit.
func TestAPromptGoesWhereItMay(t *testing.T) {
	t.Parallel()
	candidates := failover.Rank(chain(), failover.Preference{}, func() float64 { return 0 }).Candidates
	for _, kind := range llm.Kinds() {
		for first := range candidates {
			decision := failover.Decide(failover.State{
				Candidates: candidates, Deadline: start.Add(time.Hour), Seed: "x",
				Failures: []failover.Failure{{Deployment: candidates[first].Deployment, Kind: kind, At: start}},
			}, start)
			if decision.Action == failover.ActionGiveUp {
				continue
			}
			next := candidates[decision.Candidate]
			switch kind {
			case llm.KindContentPolicy, llm.KindRefusal:
				require.Equal(t, failover.OnContentPolicy, next.For)
			case llm.KindContextLength:
				require.Equal(t, failover.OnContextLength, next.For)
			default:
				require.Empty(t, next.For, kind)
			}
		}
	}
}
