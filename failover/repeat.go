package failover

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"
)

// repeat chooses, among the candidates that have failed and have retries left and those that are waited for at their limit, the
// one that is ready soonest.
func repeat(state State, now time.Time) (Decision, bool) {
	best, bestWait, bestCount := -1, time.Duration(math.MaxInt64), 0
	for i, candidate := range state.Candidates {
		wait, count, ok := readyIn(state, candidate, now)
		if ok && state.open(candidate) && wait < bestWait {
			best, bestWait, bestCount = i, wait, count
		}
	}
	if best < 0 || now.Add(bestWait).After(state.Deadline) {
		return Decision{}, false
	}
	if chosen := state.Candidates[best]; state.isOpen(chosen) {
		rest, _ := state.rest(chosen, now)
		return state.begin(best, bestWait, awaited(chosen, rest)), true
	}
	chosen, last := state.Candidates[best], state.Failures[len(state.Failures)-1]
	action := ActionNext
	if chosen.Deployment == last.Deployment {
		action = ActionRetry
	}
	return Decision{
		Action: action, Candidate: best, Delay: bestWait,
		Reason: fmt.Sprintf("%s from %s; no untried candidate is left: retry %d of %d of %s in %s",
			last.Kind, name(state, last.Deployment), bestCount, chosen.retries(last.Kind), label(chosen), round(bestWait)),
	}, true
}

// readyIn says how long until the candidate may be repeated, or called if its limit is used up, the number that repetition
// would have, and whether it may.
func readyIn(state State, candidate Candidate, now time.Time) (wait time.Duration, count int, ok bool) {
	rest, resting := state.rest(candidate, now)
	switch {
	case resting && rest.Class == RestRamp: // it may be called where nothing else is left, as here
		rest, resting = Rest{}, false
	case resting && (rest.Until.IsZero() || rest.Class == RestOpen):
		return 0, 0, false
	}
	latest, failures, barred := state.against(candidate)
	switch {
	case barred:
		return 0, 0, false
	case failures == 0 && !slices.ContainsFunc(state.Failures, func(f Failure) bool { return f.Deployment == candidate.Deployment }):
		return max(0, rest.Until.Sub(now)) + spread(state.Seed, len(state.Failures), apart), 1, resting && !candidate.Degraded // untried: its limit is waited for
	case failures == 0: // only lost attempts, held ones, or remedied ones: nothing is known against it
		wait = max(0, rest.Until.Sub(now))
		if wait > 0 {
			wait += spread(state.Seed, len(state.Failures), apart)
		}
		return wait, 1, true
	case state.NoRepeats != "" || failures > candidate.retries(latest.Kind):
		return 0, 0, false
	}
	pause := max(backoff(state.Seed, failures), candidate.Pause)
	if latest.RetryAfter > 0 { // the provider knows better; a little is added so that not everyone returns at once
		pause = max(latest.RetryAfter, candidate.Pause) + backoff(state.Seed, failures)/4
	}
	return max(0, latest.At.Add(pause).Sub(now), rest.Until.Sub(now)), failures, true
}

// against is what this completion has seen of the candidate: its latest failure, how many there were, and whether one of them
// bars it. A failure with a key that another has taken the place of does not.
func (s State) against(candidate Candidate) (latest Failure, failures int, barred bool) {
	bad := BadKeys(s.Failures, s.Candidates, candidate.Deployment)
	for _, failure := range s.Failures {
		if failure.Deployment != candidate.Deployment || failure.Lost || failure.Held || failure.Remedy != "" { // a remedied failure says nothing of the rest
			continue
		}
		if rotates(failure.Kind) && slices.ContainsFunc(candidate.Keys, func(key string) bool { return !slices.Contains(bad, key) }) {
			continue
		}
		if !ruleFor(failure.Kind).retry {
			return failure, 0, true
		}
		failures++
		latest = failure
	}
	return latest, failures, false
}

// backoff is exponential with full jitter.
func backoff(seed string, failures int) time.Duration {
	ceiling := min(backoffMax, backoffBase<<min(failures, 10))
	return ceiling/10 + spread(seed, failures, ceiling*9/10)
}

// spread is a part of a time. It comes from the seed, so that a workflow replays to the same wait.
func spread(seed string, failures int, most time.Duration) time.Duration {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s/%d", seed, failures)
	return time.Duration(float64(hash.Sum64()%1000) / 1000 * float64(most))
}
