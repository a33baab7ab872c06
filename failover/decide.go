package failover

import (
	"fmt"
	"slices"
	"strings"
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
	// Key names the key that was used; empty if none was.
	Key string `json:"key,omitempty"`
	// Held marks an attempt that was not sent: a limit was used up, or the domain had opened.
	Held bool `json:"held,omitempty"`
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
	// Resting are the candidates that are not to be called now, by what is known of their providers.
	Resting []Rest
	// Ladder is what is left when no provider answers.
	Ladder Ladder
	// NoRepeats says why no target is called again; empty if one may be.
	NoRepeats string
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
	// ActionRotate calls the candidate that just failed with another key.
	ActionRotate Action = "rotate_key"
	// ActionNext moves to another candidate.
	ActionNext Action = "next"
	// ActionPark waits for a candidate to come back, and calls it then.
	ActionPark Action = "park"
	// ActionCached answers with what was answered to the same request before; ActionStale does so though it is old.
	ActionCached Action = "cached_answer"
	ActionStale  Action = "stale_answer"
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
	// RetryAfter is when it makes sense to ask again, for who is given up; zero if nobody knows.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Resting says that nobody was called because every candidate rests.
	Resting bool `json:"resting,omitempty"`
	// Turn is when it is the completion's turn at the candidate's limit, if that is what the delay is for.
	Turn time.Time `json:"turn,omitzero"`
	// Plain asks for the request without anything opaque: this target has refused what was attached to it before.
	Plain  bool   `json:"plain,omitempty"`
	Reason string `json:"reason"`
}

const (
	// MaxAttempts bounds the calls of one completion, whatever its candidates.
	MaxAttempts = 12
	// MaxParked bounds those that it makes beyond that while it waits for providers to come back.
	MaxParked = 24
	// MaxRotations bounds those whose key was refused, and that were repeated with another.
	MaxRotations = 16
	// apart is how far those that wait for the same moment are spread.
	apart = time.Second / 2

	backoffBase = 250 * time.Millisecond
	backoffMax  = 8 * time.Second
)

// Decide says what follows from the failures so far. A refused key is replaced by the next of its provider, while there is
// one. An untried candidate always comes before a repeated one, because the client waits less; when none is left, the candidate
// that is ready soonest is repeated within its own retries. Candidates that rest are left alone until they may be called. When
// no provider is left, the [Ladder] is. It ends when a failure would be the same everywhere, when nothing is left, or when the
// wait would pass the deadline. A target that refused signatures or encrypted reasoning is asked once more without them, at
// once.
func Decide(state State, now time.Time) Decision {
	decision := decide(state, now)
	if decision.Calls() && len(state.Failures) > 0 {
		decision.Plain = wantsPlain(state, state.Candidates[decision.Candidate].Deployment) > 0
		decision.Reason += state.Recovery.taken(state.Failures[len(state.Failures)-1].Shown)
	}
	return decision
}

// Calls says whether the decision is to call somebody, at once or after a wait.
func (d Decision) Calls() bool {
	switch d.Action {
	case ActionCall, ActionRetry, ActionRotate, ActionNext, ActionPark:
		return true
	default:
		return false
	}
}

// HasTurn says whether the completion has waited for its turn at the candidate's limit, and it has come.
func (d Decision) HasTurn(now time.Time) bool { return !d.Turn.IsZero() && !now.Before(d.Turn) }

func decide(state State, now time.Time) Decision {
	if len(state.Candidates) == 0 {
		return giveUp("no eligible candidate")
	}
	if !now.Before(state.Deadline) {
		return giveUp("the deadline has passed")
	}
	if len(state.Failures) == 0 {
		return onward(state, now)
	}
	last := state.Failures[len(state.Failures)-1]
	if made, most := state.made(); made >= most {
		return giveUp(fmt.Sprintf("%d attempts were made, the most allowed", made))
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
	if i, ok := rotated(state, last); ok {
		return Decision{
			Action: ActionRotate, Candidate: i,
			Reason: fmt.Sprintf("%s from %s with key %s: another key is tried", last.Kind, label(state.Candidates[i]), last.Key),
		}
	}
	return onward(state, now)
}

// onward chooses among the candidates by what is known of them, and what is left when none can be called.
func onward(state State, now time.Time) Decision {
	if decision, ok := fresh(state, now); ok {
		return decision
	}
	if decision, ok := repeat(state, now); ok {
		return decision
	}
	if decision, ok := state.Ladder.step(state, now); ok {
		return decision
	}
	return nothingLeft(state, now)
}

// fresh finds the first candidate that no attempt has reached and that may be called, or waited for at its limit; one that
// comes back comes after those. What is only for want of anything better is left out.
func fresh(state State, now time.Time) (Decision, bool) {
	returning := -1
	for i, candidate := range state.Candidates {
		if candidate.Degraded || !state.isOpen(candidate) {
			continue
		}
		rest, resting := state.rest(candidate, now)
		switch {
		case !resting:
			return state.begin(i, 0, ""), true
		case rest.Class == RestLimit && candidate.AwaitsLimit && !rest.Until.IsZero() && rest.Until.Before(state.Deadline):
			return state.begin(i, rest.Until.Sub(now)+spread(state.Seed, len(state.Failures), apart), awaited(candidate, rest)), true
		case rest.Class == RestRamp && returning < 0:
			returning = i
		}
	}
	if returning < 0 {
		return Decision{}, false
	}
	return state.begin(returning, 0, "; nothing else is left"), true
}

// awaited ends the reason of a candidate whose limit is waited for.
func awaited(candidate Candidate, rest Rest) string {
	return "; " + label(candidate) + " is waited for: " + rest.Reason
}

// isOpen reports whether no attempt has reached the candidate and it is open to what has happened.
func (s State) isOpen(candidate Candidate) bool {
	return s.open(candidate) && !slices.ContainsFunc(s.Failures, func(failure Failure) bool { return failure.Deployment == candidate.Deployment })
}

// begin is the decision to call a candidate for the first time.
func (s State) begin(i int, delay time.Duration, more string) Decision {
	candidate := s.Candidates[i]
	if len(s.Failures) == 0 {
		return Decision{Action: ActionCall, Candidate: i, Delay: delay, Reason: "first candidate: " + candidate.Reason + s.passedOver(i) + more}
	}
	last := s.Failures[len(s.Failures)-1]
	return Decision{Action: ActionNext, Candidate: i, Delay: delay, Reason: whyNext(s, last, candidate, ruleFor(last.Kind)) + more}
}

// passedOver says which candidates before the one chosen rest, and why.
func (s State) passedOver(chosen int) string {
	var text strings.Builder
	for _, candidate := range s.Candidates[:chosen] {
		for _, rest := range s.Resting {
			if rest.Deployment == candidate.Deployment {
				text.WriteString("; " + label(candidate) + " rests: " + rest.Reason)
			}
		}
	}
	return text.String()
}

// made counts the attempts that count, and says how many may be made. An attempt that was repeated with another key does not.
func (s State) made() (made, most int) {
	most = MaxAttempts
	if s.Ladder.Park {
		most += MaxParked
	}
	rotations, held := 0, 0
	for i, failure := range s.Failures {
		if failure.Held && held < MaxParked { // nobody was asked
			held++
			continue
		}
		next := i + 1
		if next < len(s.Failures) && s.Failures[next].Deployment == failure.Deployment && s.Failures[next].Key != failure.Key &&
			rotates(failure.Kind) && rotations < MaxRotations {
			rotations++
			continue
		}
		made++
	}
	return made, most
}

// rotated finds the candidate that just refused a key, if another one is left for it.
func rotated(state State, last Failure) (int, bool) {
	if !rotates(last.Kind) || last.Key == "" || last.Held {
		return 0, false
	}
	for i, candidate := range state.Candidates {
		if candidate.Deployment != last.Deployment {
			continue
		}
		bad := BadKeys(state.Failures, state.Candidates, last.Deployment)
		left := slices.ContainsFunc(candidate.Keys, func(key string) bool { return !slices.Contains(bad, key) })
		return i, left
	}
	return 0, false
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
	for i, candidate := range state.Candidates {
		if state.isOpen(candidate) {
			return Decision{Action: ActionNext, Candidate: i, Reason: "the process making the call died, and its target is no longer a candidate"}
		}
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
