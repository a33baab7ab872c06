package failover

import (
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Ladder is what is left for a completion that no provider answers, in this order: an answer that was given before, a target
// for want of anything better, and waiting.
type Ladder struct {
	// Stale says that an earlier answer to the same request is at hand, if an old one.
	Stale bool `json:"stale,omitempty"`
	// Park lets the completion wait for its providers to come back.
	Park bool `json:"park,omitempty"`
}

const (
	parkBase = 5 * time.Second
	parkMax  = time.Minute
)

// step is the first rung that bears.
func (l Ladder) step(state State, now time.Time) (Decision, bool) {
	if l.Stale {
		return Decision{Action: ActionStale, Candidate: -1, Reason: "no provider can be called now: the answer given before stands in" + state.because()}, true
	}
	for i, candidate := range state.Candidates {
		if _, resting := state.rest(candidate, now); candidate.Degraded && !resting && state.isOpen(candidate) {
			decision := state.begin(i, 0, "")
			decision.Reason = "no provider can be called now: " + label(candidate) + " stands in" + state.because()
			return decision, true
		}
	}
	if l.Park {
		return park(state, now)
	}
	return Decision{}, false
}

// park waits for the candidate that may be back soonest: one that rests until its time, one that has failed for a while that
// grows with its failures.
func park(state State, now time.Time) (Decision, bool) {
	best, bestAt := -1, time.Time{}
	for i, candidate := range state.Candidates {
		if at, ok := state.backAt(candidate, now); ok && (best < 0 || at.Before(bestAt)) {
			best, bestAt = i, at
		}
	}
	if last := state.Deadline.Add(-parkBase); best >= 0 && bestAt.After(state.Deadline) && last.After(now) {
		bestAt = last // a last look, before it is too late
	}
	if best < 0 || bestAt.After(state.Deadline) {
		return Decision{}, false
	}
	wait := max(0, bestAt.Sub(now))
	return Decision{
		Action: ActionPark, Candidate: best, Delay: wait,
		Reason: fmt.Sprintf("no provider can be called now: parked for %s, until %s may be back%s", round(wait), label(state.Candidates[best]), state.because()),
	}, true
}

// backAt is when a candidate that failed, or rests, may be called again by a completion that can wait.
func (s State) backAt(candidate Candidate, now time.Time) (time.Time, bool) {
	if !s.open(candidate) {
		return time.Time{}, false
	}
	rest, resting := s.rest(candidate, now)
	latest, failures, barred := s.against(candidate)
	switch {
	case barred && resting && rest.Class != RestOpen:
		return time.Time{}, false
	case resting && rest.Until.IsZero(): // an operator may close it at any time
		return now.Add(parkMax), true
	case resting: // not all that wait for it come at once
		return rest.Until.Add(spread(s.Seed, failures, parkBase)), true
	case barred && latest.RetryAfter == 0, failures == 0:
		return time.Time{}, false
	}
	pause := min(parkMax, parkBase<<min(failures, 10))
	return latest.At.Add(max(latest.RetryAfter, pause/2) + spread(s.Seed, failures, pause/2)), true
}

// because ends a reason with what happened last, if anything did.
func (s State) because() string {
	if len(s.Failures) == 0 {
		return s.passedOver(len(s.Candidates))
	}
	last := s.Failures[len(s.Failures)-1]
	return fmt.Sprintf(" (%s from %s)", last.Kind, name(s, last.Deployment))
}

// nothingLeft gives up, and says when asking again makes sense.
func nothingLeft(state State, now time.Time) Decision {
	if len(state.Failures) == 0 {
		decision := giveUp("every candidate rests" + state.passedOver(len(state.Candidates)))
		decision.RetryAfter, decision.Resting = state.retryAfter(now), true
		return decision
	}
	last := state.Failures[len(state.Failures)-1]
	reason := fmt.Sprintf("%s from %s, and no candidate has retries left", last.Kind, name(state, last.Deployment))
	if wait, late := state.soonest(now); late {
		reason = fmt.Sprintf("%s from %s; the soonest retry is in %s, past the deadline", last.Kind, name(state, last.Deployment), round(wait))
	}
	if state.NoRepeats != "" {
		reason += "; " + state.NoRepeats
	}
	decision := giveUp(reason)
	decision.RetryAfter = state.retryAfter(now)
	return decision
}

// soonest is the shortest wait for a repetition, late if it ends behind the deadline.
func (s State) soonest(now time.Time) (wait time.Duration, late bool) {
	found := false
	for _, candidate := range s.Candidates {
		if w, _, ok := readyIn(s, candidate, now); ok && s.open(candidate) && (!found || w < wait) {
			found, wait = true, w
		}
	}
	return wait, found && now.Add(wait).After(s.Deadline)
}

// retryAfter is how long until the first provider may be back.
func (s State) retryAfter(now time.Time) time.Duration {
	if at := s.reopening(now); !at.IsZero() {
		return at.Sub(now)
	}
	return 0
}

// retries is how often the candidate may be repeated after a failure of the kind.
func (c Candidate) retries(kind llm.Kind) int {
	if n, set := c.RetriesFor[kind]; set {
		return n
	}
	return c.Retries
}
