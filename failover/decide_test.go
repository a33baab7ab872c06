package failover_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

var update = flag.Bool("update", false, "rewrite golden files")

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func candidates(n, retries int) []failover.Candidate {
	vendors := []string{"openai", "anthropic", "gemini", "azure", "bedrock"}
	var list []failover.Candidate
	for i := range n {
		list = append(list, failover.Candidate{
			Deployment: fmt.Sprintf("d%d", i+1), Provider: vendors[i], Model: "m", Retries: retries, Reason: fmt.Sprintf("order %d", i+1),
		})
	}
	return list
}

// TestDecisions is the failover table: every kind, with another candidate left and without, with and without a
// Retry-After, and after the retries are used up.
func TestDecisions(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	row := func(situation string, state failover.State) {
		decision := failover.Decide(state, start)
		fmt.Fprintf(&table, "%-62s %-11s", situation, decision.Action)
		if decision.Action != failover.ActionGiveUp {
			fmt.Fprintf(&table, "d%d in %-8s", decision.Candidate+1, decision.Delay.Round(time.Millisecond))
		} else {
			fmt.Fprintf(&table, "%-14s", "")
		}
		fmt.Fprintf(&table, "%s\n", decision.Reason)
	}
	state := func(n int, failures ...failover.Failure) failover.State {
		return failover.State{Candidates: candidates(n, 2), Failures: failures, Deadline: start.Add(time.Minute), Seed: "golden"}
	}
	fail := func(deployment string, kind llm.Kind, retryAfter time.Duration) failover.Failure {
		return failover.Failure{Deployment: deployment, Kind: kind, RetryAfter: retryAfter, At: start}
	}
	row("nothing has happened", state(3))
	row("no candidate", state(0))
	late := state(2)
	late.Deadline = start
	row("the deadline has passed", late)
	for _, kind := range llm.Kinds() {
		table.WriteString("\n")
		row(string(kind)+", another is left", state(2, fail("d1", kind, 0)))
		row(string(kind)+", another is left, Retry-After 20s", state(2, fail("d1", kind, 20*time.Second)))
		row(string(kind)+", the only one", state(1, fail("d1", kind, 0)))
		row(string(kind)+", the only one, Retry-After 20s", state(1, fail("d1", kind, 20*time.Second)))
		row(string(kind)+", the only one, Retry-After past the deadline", state(1, fail("d1", kind, time.Hour)))
		row(string(kind)+", the only one, third time", state(1, fail("d1", kind, 0), fail("d1", kind, 0), fail("d1", kind, 0)))
		row(string(kind)+", last of two, the first was rate limited for 3s", state(2, fail("d1", llm.KindRateLimit, 3*time.Second), fail("d2", kind, 0)))
		row(string(kind)+", last of two, the first has no quota", state(2, fail("d1", llm.KindQuota, 0), fail("d2", kind, 0)))
	}
	table.WriteString("\n")
	lost := failover.Failure{Deployment: "d1", Lost: true, At: start}
	row("lost with its process", state(2, lost))
	row("lost, then overloaded", state(2, lost, fail("d1", llm.KindOverloaded, 0)))
	row("lost twice, the only one, then a timeout", state(1, lost, lost, fail("d1", llm.KindTimeout, 0)))
	row("lost, no longer a candidate", state(2, failover.Failure{Deployment: "gone", Lost: true, At: start}))

	golden := filepath.Join("testdata", "decisions.golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(table.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), table.String())
}

// TestDecideKeepsItsPromises plays random completions to their end.
func TestDecideKeepsItsPromises(t *testing.T) {
	t.Parallel()
	final := map[llm.Kind]bool{
		llm.KindCallerFault: true, llm.KindContextLength: true, llm.KindContentPolicy: true, llm.KindRefusal: true, llm.KindCancelled: true,
	}
	never := map[llm.Kind]bool{
		llm.KindCredential: true, llm.KindModelAccess: true, llm.KindModelGone: true, llm.KindRegionBlocked: true,
		llm.KindQuota: true, llm.KindUnknown: true,
	}
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		state := failover.State{
			Candidates: candidates(1+random.IntN(5), random.IntN(4)),
			Deadline:   start.Add(time.Duration(1+random.IntN(120)) * time.Second), Seed: fmt.Sprint(seed),
		}
		now := start
		barred := map[string]bool{}
		tried := map[string]bool{}
		for calls := 0; ; calls++ {
			require.LessOrEqual(t, calls, failover.MaxAttempts, "seed %d: it ends", seed)
			decision := failover.Decide(state, now)
			require.Equal(t, decision, failover.Decide(state, now), "seed %d: the same state gives the same decision", seed)
			require.NotEmpty(t, decision.Reason)
			if decision.Action == failover.ActionGiveUp {
				break
			}
			now = now.Add(decision.Delay)
			require.False(t, now.After(state.Deadline), "seed %d: no wait passes the deadline", seed)
			called := state.Candidates[decision.Candidate].Deployment
			require.False(t, barred[called], "seed %d: %s is called again after a failure that repeating cannot help", seed, called)
			if tried[called] && !state.Failures[len(state.Failures)-1].Lost {
				require.Len(t, tried, len(state.Candidates), "seed %d: untried candidates come first", seed)
			}
			tried[called] = true
			now = now.Add(time.Duration(random.IntN(5000)) * time.Millisecond)
			failure := failover.Failure{Deployment: called, At: now, Lost: random.IntN(8) == 0}
			if !failure.Lost {
				failure.Kind = llm.Kinds()[random.IntN(len(llm.Kinds()))]
				failure.RetryAfter = time.Duration(random.IntN(3)*random.IntN(40)) * time.Second
				barred[called] = never[failure.Kind]
			}
			state.Failures = append(state.Failures, failure)
			if final[failure.Kind] {
				require.Equal(t, failover.ActionGiveUp, failover.Decide(state, now).Action, "seed %d: %s ends it", seed, failure.Kind)
			}
		}
	}
}

func TestRetryAfterIsTheLeastWait(t *testing.T) {
	t.Parallel()
	for seed := range 500 {
		state := failover.State{
			Candidates: candidates(1, 2), Deadline: start.Add(time.Hour), Seed: fmt.Sprint(seed),
			Failures: []failover.Failure{
				{Deployment: "d1", Kind: llm.KindRateLimit, RetryAfter: time.Second, At: start.Add(-time.Minute)},
				{Deployment: "d1", Kind: llm.KindRateLimit, RetryAfter: 30 * time.Second, At: start},
			},
		}
		decision := failover.Decide(state, start)
		require.Equal(t, failover.ActionRetry, decision.Action)
		require.GreaterOrEqual(t, decision.Delay, 30*time.Second, "the latest answer counts")
		require.Less(t, decision.Delay, 35*time.Second)
	}
}

func TestTheVerdictIsTheMostHopefulFailure(t *testing.T) {
	t.Parallel()
	busy := failover.Failure{Deployment: "a", Kind: llm.KindOverloaded, RetryAfter: time.Second}
	key := failover.Failure{Deployment: "b", Kind: llm.KindCredential}
	wrong := failover.Failure{Deployment: "b", Kind: llm.KindCallerFault}
	lost := failover.Failure{Deployment: "b", Lost: true}
	for name, c := range map[string]struct {
		failures []failover.Failure
		want     failover.Failure
	}{
		"the last":                    {[]failover.Failure{key, busy}, busy},
		"patience before our own key": {[]failover.Failure{busy, key}, busy},
		"only our own trouble":        {[]failover.Failure{key}, key},
		"the request itself is wrong": {[]failover.Failure{busy, wrong}, wrong},
		"lost last":                   {[]failover.Failure{busy, lost}, busy},
	} {
		got, ok := failover.Verdict(c.failures)
		require.True(t, ok, name)
		require.Equal(t, c.want, got, name)
	}
	_, ok := failover.Verdict([]failover.Failure{lost})
	require.False(t, ok)
	_, ok = failover.Verdict(nil)
	require.False(t, ok)
}
