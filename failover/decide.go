package failover

import (
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Failure is an attempt that did not give an answer.
type Failure struct {
	// Deployment names the candidate that was called.
	Deployment string   `json:"deployment"`
	Kind       llm.Kind `json:"kind"`
	// RetryAfter is what the provider asked for, zero if it did not say.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Remedy is what would make the request acceptable to the target that refused it, empty if nothing is known to.
	Remedy llm.Remedy `json:"remedy,omitempty"`
	// Shown is what clients had seen of the answer by then.
	Shown Shown `json:"shown,omitempty"`
	// Lost marks an attempt whose outcome is unknown because its process died; Kind is then empty.
	Lost bool `json:"lost,omitempty"`
	// At is when the failure was noticed.
	At time.Time `json:"at"`
}

// State is all that a decision rests on.
type State struct {
	Candidates []Candidate
	// Failures are the failed attempts so far, oldest first.
	Failures []Failure
	// Deadline is the completion's absolute deadline.
	Deadline time.Time
	// Recovery is what becomes of a stream of which something has been seen.
	Recovery Recovery
	// Seed spreads backoff between completions without randomness: the completion's id.
	Seed string
}

// Action is what to do next.
type Action string

// The actions. Their values stand in attempt rows.
const (
	// ActionCall makes the first call.
	ActionCall Action = "call"
	// ActionRetry calls the candidate that just failed once more.
	ActionRetry Action = "retry_same"
	// ActionNext moves to another candidate.
	ActionNext Action = "next"
	// ActionGiveUp ends the completion with the last failure.
	ActionGiveUp Action = "give_up"
)

// Decision is what to do next, and why.
type Decision struct {
	Action Action `json:"action"`
	// Candidate is the index to call; meaningless with [ActionGiveUp].
	Candidate int `json:"candidate"`
	// Delay is how long to wait before the call.
	Delay time.Duration `json:"delay,omitempty"`
	// Plain asks for the request without anything opaque: this target has refused what was attached to it before.
	Plain  bool   `json:"plain,omitempty"`
	Reason string `json:"reason"`
}

const (
	// MaxAttempts bounds the calls of one completion, whatever its candidates.
	MaxAttempts = 12
	backoffBase = 250 * time.Millisecond
	backoffMax  = 8 * time.Second
)

// Decide says what follows from the failures so far. An untried candidate always comes before a repeated one, because the
// client waits less; when none is left, the candidate that is ready soonest is repeated within its own retries. It ends
// when a failure would be the same everywhere, when nothing is left, or when the wait would pass the deadline. A target that
// refused signatures or encrypted reasoning is asked once more without them, at once.
func Decide(state State, now time.Time) Decision {
	decision := decide(state, now)
	if decision.Action != ActionGiveUp && decision.Action != ActionCall {
		decision.Plain = wantsPlain(state, state.Candidates[decision.Candidate].Deployment) > 0
		decision.Reason += state.Recovery.taken(state.Failures[len(state.Failures)-1].Shown)
	}
	return decision
}

func decide(state State, now time.Time) Decision {
	if len(state.Candidates) == 0 {
		return giveUp("no eligible candidate")
	}
	if !now.Before(state.Deadline) {
		return giveUp("the deadline has passed")
	}
	if len(state.Failures) == 0 {
		first, _ := untried(state) // a plan begins with one that needs no failure
		return Decision{Action: ActionCall, Candidate: first, Reason: "first candidate: " + state.Candidates[first].Reason}
	}
	last := state.Failures[len(state.Failures)-1]
	if len(state.Failures) >= MaxAttempts {
		return giveUp(fmt.Sprintf("%d attempts were made, the most allowed", len(state.Failures)))
	}
	if last.Lost {
		return afterLost(state, last)
	}
	rule := ruleFor(last.Kind)
	final := rule.final && !state.elsewhere(last)
	if reason := state.Recovery.ends(state, last); reason != "" && !final {
		return giveUp(reason)
	}
	if i, ok := remedied(state, last); ok {
		return Decision{
			Action: ActionRetry, Candidate: i,
			Reason: fmt.Sprintf("%s from %s: it refused signatures of earlier turns; it is asked once more without them", last.Kind, label(state.Candidates[i])),
		}
	}
	if final {
		return giveUp(fmt.Sprintf("%s: %s", last.Kind, rule.why))
	}
	if i, ok := untried(state); ok {
		return Decision{Action: ActionNext, Candidate: i, Reason: whyNext(state, last, state.Candidates[i], rule)}
	}
	return repeat(state, now, last)
}

// remedied finds the candidate that just refused what is opaque in the request, if it has done so for the first time.
func remedied(state State, last Failure) (int, bool) {
	if last.Remedy != llm.RemedyPlain || wantsPlain(state, last.Deployment) > 1 {
		return 0, false
	}
	for i, candidate := range state.Candidates {
		if candidate.Deployment == last.Deployment {
			return i, true
		}
	}
	return 0, false
}

// wantsPlain counts how often the deployment refused what is opaque in the request.
func wantsPlain(state State, deployment string) int {
	count := 0
	for _, failure := range state.Failures {
		if failure.Deployment == deployment && failure.Remedy == llm.RemedyPlain {
			count++
		}
	}
	return count
}

// afterLost repeats what was lost: nothing is known against the provider.
func afterLost(state State, last Failure) Decision {
	for i, candidate := range state.Candidates {
		if candidate.Deployment == last.Deployment {
			return Decision{
				Action: ActionRetry, Candidate: i,
				Reason: "the process making the call died: its outcome is unknown, the call is repeated",
			}
		}
	}
	if i, ok := untried(state); ok {
		return Decision{Action: ActionNext, Candidate: i, Reason: "the process making the call died, and its target is no longer a candidate"}
	}
	return Decision{Action: ActionNext, Candidate: 0, Reason: "the process making the call died, and its target is no longer a candidate"}
}

// whyNext says why an untried candidate comes next.
func whyNext(state State, last Failure, next Candidate, rule rule) string {
	from := fmt.Sprintf("%s from %s", last.Kind, name(state, last.Deployment))
	switch {
	case rule.final && next.For != "":
		return fmt.Sprintf("%s: fallback to %s (%s), which is configured for it", from, next.Group, label(next))
	case rule.final:
		return fmt.Sprintf("%s: fallback to %s (%s), whose model may take it", from, next.Group, label(next))
	case next.Group != "":
		return fmt.Sprintf("%s: %s; fallback to %s (%s)", from, rule.why, next.Group, label(next))
	default:
		return fmt.Sprintf("%s: %s; %s has not been tried", from, rule.why, label(next))
	}
}

// untried finds the first candidate, of those that are open, that no attempt has reached.
func untried(state State) (int, bool) {
	for i, candidate := range state.Candidates {
		tried := !state.open(candidate)
		for _, failure := range state.Failures {
			tried = tried || failure.Deployment == candidate.Deployment
		}
		if !tried {
			return i, true
		}
	}
	return 0, false
}

// repeat chooses, among the candidates with retries left, the one that is ready soonest.
func repeat(state State, now time.Time, last Failure) Decision {
	best, bestWait, bestCount := -1, time.Duration(math.MaxInt64), 0
	for i, candidate := range state.Candidates {
		wait, count, ok := readyIn(state, candidate, now)
		if ok && state.open(candidate) && wait < bestWait {
			best, bestWait, bestCount = i, wait, count
		}
	}
	if best < 0 {
		return giveUp(fmt.Sprintf("%s from %s, and no candidate has retries left", last.Kind, name(state, last.Deployment)))
	}
	chosen := state.Candidates[best]
	if now.Add(bestWait).After(state.Deadline) {
		return giveUp(fmt.Sprintf("%s from %s; the soonest retry is in %s, past the deadline",
			last.Kind, name(state, last.Deployment), round(bestWait)))
	}
	action := ActionNext
	if chosen.Deployment == last.Deployment {
		action = ActionRetry
	}
	return Decision{
		Action: action, Candidate: best, Delay: bestWait,
		Reason: fmt.Sprintf("%s from %s; no untried candidate is left: retry %d of %d of %s in %s",
			last.Kind, name(state, last.Deployment), bestCount, chosen.Retries, label(chosen), round(bestWait)),
	}
}

// readyIn says how long until the candidate may be repeated, the number that repetition would have, and whether it may.
func readyIn(state State, candidate Candidate, now time.Time) (wait time.Duration, count int, ok bool) {
	var latest Failure
	failures := 0
	for _, failure := range state.Failures {
		if failure.Deployment != candidate.Deployment || failure.Lost || failure.Remedy != "" { // a remedied failure says nothing of the rest
			continue
		}
		if !ruleFor(failure.Kind).retry {
			return 0, 0, false
		}
		failures++
		latest = failure
	}
	if failures > candidate.Retries {
		return 0, 0, false
	}
	if failures == 0 { // only lost attempts: nothing is known against it
		return 0, 1, true
	}
	pause := backoff(state.Seed, failures)
	if latest.RetryAfter > 0 { // the provider knows better; a little is added so that not everyone returns at once
		pause = latest.RetryAfter + pause/4
	}
	return max(0, latest.At.Add(pause).Sub(now)), failures, true
}

// backoff is exponential with full jitter. The jitter comes from the seed, so that a workflow replays to the same wait.
func backoff(seed string, failures int) time.Duration {
	ceiling := min(backoffMax, backoffBase<<min(failures, 10))
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s/%d", seed, failures)
	share := float64(hash.Sum64()%1000) / 1000
	return ceiling/10 + time.Duration(share*float64(ceiling)*0.9)
}

func giveUp(reason string) Decision {
	return Decision{Action: ActionGiveUp, Candidate: -1, Reason: reason}
}

func label(candidate Candidate) string { return candidate.Provider + "/" + candidate.Model }

func name(state State, deployment string) string {
	for _, candidate := range state.Candidates {
		if candidate.Deployment == deployment {
			return label(candidate)
		}
	}
	return deployment
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
