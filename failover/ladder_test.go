package failover_test

import (
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

// situation is what is known of the second of two candidates, and of what a completion may do when nobody answers.
type situation struct {
	name string
	rest *failover.Rest
}

func healths() []situation {
	at := func(wait time.Duration) time.Time { return start.Add(wait) }
	return []situation{
		{"well", nil},
		{"coming back", &failover.Rest{Deployment: "d2", Until: at(time.Second), Class: failover.RestRamp, Reason: "it comes back"}},
		{"at its limit for 3s", &failover.Rest{Deployment: "d2", Until: at(3 * time.Second), Class: failover.RestLimit, Reason: "its limit is used up"}},
		{"open for 10s", &failover.Rest{Deployment: "d2", Until: at(10 * time.Second), Class: failover.RestOpen, Reason: "it is open"}},
		{"held open", &failover.Rest{Deployment: "d2", Class: failover.RestOpen, Reason: "an operator holds it open"}},
	}
}

type policy struct {
	name     string
	ladder   failover.Ladder
	degraded bool
	awaits   bool
	repeats  string
}

func policies() []policy {
	return []policy{
		{name: "plain"},
		{name: "waits at limits", awaits: true},
		{name: "retry budget spent", repeats: "the retry budget is spent"},
		{name: "stale answer", ladder: failover.Ladder{Stale: true}},
		{name: "local stand-in", degraded: true},
		{name: "parks", ladder: failover.Ladder{Park: true}},
	}
}

// TestEveryHealthAndPolicy is the table of every kind of failure, at the first attempt and when retries are used up, against
// everything that may be known of the other candidate, and everything that may be left when nobody answers.
func TestEveryHealthAndPolicy(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	for _, p := range policies() {
		for _, health := range healths() {
			fmt.Fprintf(&table, "== %s; the other is %s\n", p.name, health.name)
			for _, kind := range append([]llm.Kind{""}, llm.Kinds()...) {
				for _, failures := range []int{1, 3} {
					if kind == "" && failures > 1 {
						continue
					}
					decision := failover.Decide(state(p, health, kind, failures), start)
					name := fmt.Sprintf("%s x%d", kind, failures)
					if kind == "" {
						name = "the first is open"
					}
					fmt.Fprintf(&table, "%-20s %-12s %-7s %s\n", name, decision.Action, called(decision), decision.Reason)
				}
			}
		}
	}
	golden := filepath.Join("testdata", "healths.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(table.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), table.String())
}

func state(p policy, health situation, kind llm.Kind, failures int) failover.State {
	list := candidates(2, 2)
	for i := range list {
		list[i].AwaitsLimit = p.awaits
	}
	if p.degraded {
		list = append(list, failover.Candidate{Deployment: "d3", Provider: "ollama", Model: "m", Degraded: true, Reason: "for want of anything better"})
	}
	s := failover.State{Candidates: list, Deadline: start.Add(time.Minute), Seed: "golden", Ladder: p.ladder, NoRepeats: p.repeats}
	if health.rest != nil {
		s.Resting = append(s.Resting, *health.rest)
	}
	if kind == "" {
		s.Resting = append(s.Resting, failover.Rest{Deployment: "d1", Until: start.Add(20 * time.Second), Class: failover.RestOpen, Reason: "it is open"})
		return s
	}
	for range failures {
		s.Failures = append(s.Failures, failover.Failure{Deployment: "d1", Kind: kind, At: start})
	}
	return s
}

func called(d failover.Decision) string {
	if !d.Calls() {
		if d.RetryAfter > 0 {
			return "in " + d.RetryAfter.Round(time.Second).String()
		}
		return ""
	}
	if d.Delay == 0 {
		return fmt.Sprintf("d%d", d.Candidate+1)
	}
	return fmt.Sprintf("d%d %s", d.Candidate+1, d.Delay.Round(time.Second))
}

// TestDecideKeepsItsPromisesWhateverIsKnown plays random completions to their end while what is known of their providers changes
// at random.
func TestDecideKeepsItsPromisesWhateverIsKnown(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4000) {
		play(t, seed)
	}
}

func play(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	s := failover.State{
		Candidates: candidates(1+random.IntN(4), random.IntN(3)), Seed: fmt.Sprint(seed),
		Deadline: start.Add(time.Duration(1+random.IntN(600)) * time.Second),
		Ladder:   failover.Ladder{Stale: random.IntN(4) == 0, Park: random.IntN(2) == 0},
	}
	for i := range s.Candidates {
		s.Candidates[i].AwaitsLimit, s.Candidates[i].Degraded = random.IntN(3) == 0, i > 0 && random.IntN(5) == 0
		for k := range random.IntN(4) {
			s.Candidates[i].Keys = append(s.Candidates[i].Keys, fmt.Sprintf("k%d", k))
		}
	}
	refused := map[string]bool{} // deployment and key of which a permanent failure is known
	now := start
	for calls := 0; ; calls++ {
		require.LessOrEqual(t, calls, failover.MaxAttempts+failover.MaxParked+failover.MaxRotations, "seed %d: it ends", seed)
		s.Resting = rests(random, s.Candidates, now)
		decision := failover.Decide(s, now)
		require.Equal(t, decision, failover.Decide(s, now), "seed %d: the same state gives the same decision", seed)
		require.NotEmpty(t, decision.Reason, "seed %d", seed)
		if !decision.Calls() {
			require.True(t, decision.Action != failover.ActionStale || s.Ladder.Stale)
			return
		}
		require.True(t, decision.Action != failover.ActionPark || s.Ladder.Park, "seed %d: nobody waits who may not", seed)
		candidate := s.Candidates[decision.Candidate]
		for _, rest := range s.Resting {
			if rest.Deployment != candidate.Deployment || rest.Class == failover.RestRamp || decision.Action == failover.ActionRotate {
				continue
			}
			require.False(t, rest.Until.IsZero() && decision.Action != failover.ActionPark, "seed %d: what is held open is not called: %v", seed, decision)
			require.False(t, rest.Class == failover.RestOpen && decision.Action != failover.ActionPark, "seed %d: what is open is not called: %v", seed, decision)
			require.False(t, now.Add(decision.Delay).Before(rest.Until) && decision.Action != failover.ActionPark, "seed %d: nobody is called before its time: %v", seed, decision)
		}
		now = now.Add(decision.Delay)
		require.False(t, now.After(s.Deadline), "seed %d: no wait passes the deadline", seed)
		key := ""
		for _, k := range candidate.Keys {
			if bad := failover.BadKeys(s.Failures, s.Candidates, candidate.Deployment); key == "" && !contains(bad, k) {
				key = k
			}
		}
		if key == "" && len(candidate.Keys) > 0 {
			key = candidate.Keys[0]
		}
		waited := decision.Action == failover.ActionPark && isOpen(s.Resting, candidate) // until its breaker says that it may be otherwise
		require.False(t, refused[candidate.Deployment+"/"+key] && !waited, "seed %d: no second call after a permanent failure: %v", seed, decision)
		kind := llm.Kinds()[random.IntN(len(llm.Kinds()))]
		switch kind {
		case llm.KindCredential, llm.KindModelAccess, llm.KindModelGone, llm.KindRegionBlocked, llm.KindQuota, llm.KindUnknown:
			refused[candidate.Deployment+"/"+key] = true
		default:
		}
		now = now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
		s.Failures = append(s.Failures, failover.Failure{Deployment: candidate.Deployment, Kind: kind, Key: key, At: now})
	}
}

func isOpen(rests []failover.Rest, candidate failover.Candidate) bool {
	for _, rest := range rests {
		if rest.Deployment == candidate.Deployment && rest.Class == failover.RestOpen {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func rests(random *rand.Rand, list []failover.Candidate, now time.Time) []failover.Rest {
	var found []failover.Rest
	for _, candidate := range list {
		if random.IntN(3) > 0 {
			continue
		}
		rest := failover.Rest{
			Deployment: candidate.Deployment, Reason: "x", Until: now.Add(time.Duration(1+random.IntN(60)) * time.Second),
			Class: []failover.RestClass{failover.RestRamp, failover.RestLimit, failover.RestOpen}[random.IntN(3)],
		}
		if rest.Class == failover.RestOpen && random.IntN(4) == 0 {
			rest.Until = time.Time{}
		}
		found = append(found, rest)
	}
	return found
}

func TestARefusedKeyIsReplacedByTheNextOfItsProvider(t *testing.T) {
	t.Parallel()
	list := candidates(2, 0)
	list[0].Keys, list[0].Place, list[1].Place = []string{"a", "b", "c"}, "openai", "openai"
	list[1].Keys = []string{"a", "b", "c"}
	s := failover.State{Candidates: list, Deadline: start.Add(time.Hour)}
	fail := func(key string, kind llm.Kind) failover.Decision {
		s.Failures = append(s.Failures, failover.Failure{Deployment: "d1", Kind: kind, Key: key, At: start})
		return failover.Decide(s, start)
	}
	require.Equal(t, failover.ActionRotate, fail("a", llm.KindCredential).Action)
	decision := fail("b", llm.KindQuota)
	require.Equal(t, failover.ActionRotate, decision.Action)
	require.Equal(t, "quota from openai/m with key b: another key is tried", decision.Reason)
	require.Equal(t, failover.ActionNext, fail("c", llm.KindRateLimit).Action, "no key is left")
	require.Equal(t, []string{"a", "b", "c"}, failover.BadKeys(s.Failures, list, "d1"))
	require.Equal(t, []string{"a", "b"}, failover.BadKeys(s.Failures, list, "d2"), "an account is bad for every model, a rate limit for one")
}

// Healthy keys are not left unused because the retries are few, nor do they use the retries up.
func TestRotationsDoNotCountAsAttempts(t *testing.T) {
	t.Parallel()
	list := candidates(1, 1)
	for i := range failover.MaxAttempts + 3 {
		list[0].Keys = append(list[0].Keys, fmt.Sprint(i))
	}
	s := failover.State{Candidates: list, Deadline: start.Add(time.Hour)}
	for _, key := range list[0].Keys[:len(list[0].Keys)-1] {
		s.Failures = append(s.Failures, failover.Failure{Deployment: "d1", Kind: llm.KindQuota, Key: key, At: start})
		require.Equal(t, failover.ActionRotate, failover.Decide(s, start).Action, key)
	}
	last := list[0].Keys[len(list[0].Keys)-1]
	s.Failures = append(s.Failures, failover.Failure{Deployment: "d1", Kind: llm.KindOverloaded, Key: last, At: start})
	require.Equal(t, failover.ActionRetry, failover.Decide(s, start).Action, "the good key has its own retries")
}

// What is called for want of anything else is repeated like any other: its breaker's time is not waited for.
func TestWhatIsBetterThanNothingIsRepeatedSoon(t *testing.T) {
	t.Parallel()
	s := failover.State{
		Candidates: candidates(1, 2), Deadline: start.Add(time.Hour), Seed: "x",
		Failures: []failover.Failure{{Deployment: "d1", Kind: llm.KindTransient, At: start}},
		Resting:  []failover.Rest{{Deployment: "d1", Until: start.Add(30 * time.Second), Class: failover.RestRamp, Reason: "it fails often"}},
	}
	decision := failover.Decide(s, start)
	require.Equal(t, failover.ActionRetry, decision.Action)
	require.Less(t, decision.Delay, time.Second)
}

func TestWhoIsParkedComesBackWhenTheFirstProviderMay(t *testing.T) {
	t.Parallel()
	s := failover.State{
		Candidates: candidates(2, 0), Deadline: start.Add(time.Hour), Ladder: failover.Ladder{Park: true}, Seed: "x",
		Resting: []failover.Rest{
			{Deployment: "d1", Until: start.Add(40 * time.Second), Class: failover.RestOpen, Reason: "open"},
			{Deployment: "d2", Until: start.Add(20 * time.Second), Class: failover.RestOpen, Reason: "open"},
		},
	}
	decision := failover.Decide(s, start)
	require.Equal(t, failover.ActionPark, decision.Action)
	require.Equal(t, 1, decision.Candidate)
	require.GreaterOrEqual(t, decision.Delay, 20*time.Second)
	require.Less(t, decision.Delay, 25*time.Second, "spread, so that not all come at once")

	s.Ladder.Park = false
	decision = failover.Decide(s, start)
	require.Equal(t, failover.ActionGiveUp, decision.Action)
	require.True(t, decision.Resting)
	require.Equal(t, 20*time.Second, decision.RetryAfter)
}

// What was not sent is no attempt: it uses up neither retries nor keys, and others come first.
func TestWhatWasHeldBackCostsNothing(t *testing.T) {
	t.Parallel()
	list := candidates(2, 0)
	list[0].Keys = []string{"a", "b"}
	s := failover.State{Candidates: list, Deadline: start.Add(time.Hour)}
	held := failover.Failure{Deployment: "d1", Kind: llm.KindRateLimit, Key: "a", Held: true, At: start}
	s.Failures = []failover.Failure{held}
	require.Equal(t, failover.ActionNext, failover.Decide(s, start).Action, "another target may be free")
	for range 8 {
		s.Failures = append(s.Failures, held, failover.Failure{Deployment: "d2", Kind: llm.KindRateLimit, Held: true, At: start})
		s.Resting = []failover.Rest{{Deployment: "d1", Until: start.Add(2 * time.Second), Class: failover.RestLimit}, {Deployment: "d2", Until: start.Add(time.Second), Class: failover.RestLimit}}
		decision := failover.Decide(s, start)
		require.True(t, decision.Calls(), decision.Reason)
		require.Equal(t, 1, decision.Candidate)
		require.GreaterOrEqual(t, decision.Delay, time.Second)
	}
}
