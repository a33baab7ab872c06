package failover

import (
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// BreakerState is whether a domain is called.
type BreakerState string

// The states. Their values stand in PostgreSQL and in Temporal's history.
const (
	// BreakerClosed: it is called.
	BreakerClosed BreakerState = "closed"
	// BreakerOpen: it is not called before a time.
	BreakerOpen BreakerState = "open"
	// BreakerHalfOpen: it is tried, one call at a time.
	BreakerHalfOpen BreakerState = "half_open"
)

// Cause is why a domain is open: a kind of failure, or one of these.
type Cause string

// The causes that are no kind of failure.
const (
	CauseErrorRate Cause = "error_rate"
	CauseSlow      Cause = "slow"
	CauseFails     Cause = "allowed_fails"
	CauseProbe     Cause = "probe"
	CauseOperator  Cause = "operator"
)

// Health is what is known of a domain. The zero value is a domain of which nothing bad is known.
type Health struct {
	State BreakerState `json:"state"`
	Since time.Time    `json:"since"`
	// Until is when an open domain is tried again; zero if an operator alone decides.
	Until time.Time `json:"until,omitzero"`
	Cause Cause     `json:"cause,omitempty"`
	// Reason says all of it in words, for operators.
	Reason string `json:"reason,omitempty"`
	// Held says that an operator has set the state, and that nothing else changes it.
	Held bool `json:"held,omitempty"`
	// By is who changed it: a process, "probe", or an operator's name.
	By string `json:"by,omitempty"`
	// Streak counts the openings that followed each other without a steady time between them; the next is the first if it is -1.
	Streak int `json:"streak,omitempty"`
	// Successes are those in a row since it is half-open.
	Successes int `json:"successes,omitempty"`
	// Down is since when the domain has not been called but for tries; Rested is how long it was not, of one that is called again.
	Down   time.Time     `json:"down,omitzero"`
	Rested time.Duration `json:"rested,omitempty"`
	// Partly says that some of what is called is answered all the same, or that no call has failed yet: it is better than nothing.
	Partly bool `json:"partly,omitempty"`
	// Mark is that of the key that was refused: what is known does not hold for another in its place.
	Mark string `json:"mark,omitempty"`
	// Embeddings says that it makes vectors, so that a probe asks for one.
	Embeddings bool `json:"embeddings,omitempty"`
}

// BreakerPolicy says when domains open and close.
type BreakerPolicy struct {
	// Disabled leaves everything closed but for definite signals that say until when.
	Disabled bool `json:"disabled,omitempty"`
	// AllowedFails, if set, are the failures a minute beyond which a domain opens, whatever its successes; AllowedFailsByKind
	// the same for one kind.
	AllowedFails       *int             `json:"allowed_fails,omitempty"`
	AllowedFailsByKind map[llm.Kind]int `json:"allowed_fails_by_kind,omitempty"`
	// Cooldown is how long a domain is open first. It doubles with each opening that follows, up to MaxCooldown.
	Cooldown    time.Duration `json:"cooldown"`
	MaxCooldown time.Duration `json:"max_cooldown"`
	// Window is the time over which calls are counted, MinCalls how many there must be before ErrorRate, a share from 0 to 1,
	// says anything.
	Window    time.Duration `json:"window"`
	MinCalls  int           `json:"min_calls"`
	ErrorRate float64       `json:"error_rate"`
	// SlowAfter is the time to the first word beyond which a call counts as failing.
	SlowAfter time.Duration `json:"slow_after"`
	// Probes are the successes in a row that close a domain again.
	Probes int `json:"probes"`
	// Ramp is how long traffic takes to come back after that.
	Ramp time.Duration `json:"ramp"`
}

// DefaultBreaker is the policy of a configuration that says nothing.
func DefaultBreaker() BreakerPolicy {
	return BreakerPolicy{
		Cooldown: 5 * time.Second, MaxCooldown: 30 * time.Second, Window: 30 * time.Second, MinCalls: 5, ErrorRate: 0.5,
		SlowAfter: 10 * time.Second, Probes: 2, Ramp: 20 * time.Second,
	}
}

// Seen is what came of one call, or of one probe.
type Seen struct {
	// Kind is empty if it went well.
	Kind       llm.Kind
	RetryAfter time.Duration
	// FirstWord is how long the first word took; zero if that is not known.
	FirstWord  time.Duration
	Mark       string
	Embeddings bool
	// At is when it ended.
	At time.Time
}

// Opening is what a call says against a domain.
type Opening struct {
	Scope  Scope
	Cause  Cause
	Reason string
	// For is how long the vendor wants it to be; zero if it did not say.
	For        time.Duration
	At         time.Time
	Mark       string
	Embeddings bool
	// Partly says that some calls were answered, as in [Health].
	Partly bool
}

// Count takes in what came of a call to a domain that is open, and says whether some are answered; before is what was said by then,
// and stands while there are too few to tell.
func (p BreakerPolicy) Count(w *Window, seen Seen, before bool) (partly bool) {
	if seen.Kind == "" || scopeOf(seen.Kind) == ScopeModel {
		w.add(p.Window, seen.At, seen.Kind, seen.Kind != "")
	}
	if calls, _ := w.totals(p.Window, seen.At); calls < p.MinCalls {
		return before
	}
	return p.partly(w, seen.At)
}

// hopeless is the share of failures from which a domain is taken not to answer at all.
const hopeless = 0.9

func (p BreakerPolicy) partly(w *Window, at time.Time) bool {
	calls, failed := w.totals(p.Window, at)
	return float64(failed) < hopeless*float64(calls)
}

// Judge counts what came of a call in the window of its model, and says what follows from it; ok is false if nothing does.
func (p BreakerPolicy) Judge(w *Window, seen Seen) (opening Opening, ok bool) {
	opening = Opening{Scope: scopeOf(seen.Kind), Cause: Cause(seen.Kind), For: seen.RetryAfter, At: seen.At, Mark: seen.Mark, Embeddings: seen.Embeddings}
	slow := seen.Kind == "" && p.SlowAfter > 0 && seen.FirstWord > p.SlowAfter
	counts := slow || opening.Scope == ScopeModel && !Definite(seen.Kind)
	if seen.Kind == "" || counts {
		w.add(p.Window, seen.At, seen.Kind, counts)
	}
	switch {
	case Definite(seen.Kind) && (seen.RetryAfter > 0 || !p.Disabled):
		opening.Reason = fmt.Sprintf("%s: %s", seen.Kind, ruleFor(seen.Kind).why)
		if allowed, set := p.AllowedFailsByKind[seen.Kind]; set && seen.RetryAfter == 0 {
			w.add(p.Window, seen.At, seen.Kind, true)
			if _, failed := w.lastMinute(seen.At, seen.Kind); failed <= allowed {
				return opening, false
			}
		}
		return opening, true
	case !counts || p.Disabled:
		return opening, false
	}
	if slow {
		opening.Scope = ScopeModel
	}
	return p.judgeRate(w, seen, slow, opening)
}

// judgeRate says what follows from all that was counted.
func (p BreakerPolicy) judgeRate(w *Window, seen Seen, slow bool, opening Opening) (Opening, bool) {
	all, ofKind := w.lastMinute(seen.At, seen.Kind)
	if allowed, set := p.AllowedFailsByKind[seen.Kind]; set && ofKind > allowed {
		opening.Cause, opening.Reason = CauseFails, fmt.Sprintf("%d failures of kind %s in a minute, %d are allowed", ofKind, seen.Kind, allowed)
		return opening, true
	}
	if p.AllowedFails != nil && all > *p.AllowedFails {
		opening.Cause, opening.Reason = CauseFails, fmt.Sprintf("%d failures in a minute, %d are allowed", all, *p.AllowedFails)
		return opening, true
	}
	calls, failed := w.totals(p.Window, seen.At)
	if calls < p.MinCalls || float64(failed) < p.ErrorRate*float64(calls) {
		return opening, false
	}
	opening.Cause, opening.Reason = CauseErrorRate, fmt.Sprintf("%d of %d calls failed within %s, the last with %s", failed, calls, p.Window, seen.Kind)
	opening.Partly = p.partly(w, seen.At)
	if slow { // it answers
		opening.Partly = true
		opening.Cause, opening.Reason = CauseSlow, fmt.Sprintf("%d of %d calls failed or took over %s to the first word within %s", failed, calls, p.SlowAfter, p.Window)
	}
	return opening, true
}

// Open is the health after an opening. An open domain stays open until the later of both times; one that an operator holds is
// as it was. Changed says whether anything is different.
func (h Health) Open(p BreakerPolicy, o Opening, by string) (next Health, changed bool) {
	if h.Held {
		return h, false
	}
	next = h
	next.Successes = 0
	if h.State != BreakerOpen {
		next.Streak = 0
		if !h.Since.IsZero() && (h.State == BreakerHalfOpen || o.At.Sub(h.Since) < p.steady()) {
			next.Streak = h.Streak + 1
		}
		next.State, next.Since, next.Until, next.Rested = BreakerOpen, o.At, time.Time{}, 0
		if h.State != BreakerHalfOpen {
			next.Down = o.At
		}
	}
	pause := min(o.For, longestBelieved)
	if pause == 0 {
		pause = p.pause(o.Cause, next.Streak)
	}
	until := o.At.Add(pause)
	replaced := h.Mark != "" && o.Mark != "" && h.Mark != o.Mark // what is known is of another key
	if h.State == BreakerOpen && !until.After(h.Until) && !replaced {
		return h, false
	}
	next.Until, next.Cause, next.Reason, next.By = until, o.Cause, o.Reason, by
	next.Partly = o.Partly
	next.Mark, next.Embeddings = "", o.Embeddings
	if o.Scope == ScopeKey || o.Scope == ScopeKeyModel {
		next.Mark = o.Mark
	}
	return next, true
}

// longestBelieved is the longest time that a vendor may ask for: it is tried once a day, whatever it says.
const longestBelieved = 24 * time.Hour

// steady is how long a domain must have been closed for an opening not to count as the next of a row.
func (p BreakerPolicy) steady() time.Duration { return max(2*p.MaxCooldown, 4*p.Ramp) }

// pause is how long a domain is open where its vendor does not say.
func (p BreakerPolicy) pause(cause Cause, streak int) time.Duration {
	first, most := p.Cooldown, p.MaxCooldown
	switch llm.Kind(cause) {
	case llm.KindRateLimit: // a moment later it may work
		first = min(first, time.Second)
	case llm.KindCredential: // looked after by probes that cost nothing
		first, most = 30*time.Second, 15*time.Minute
	case llm.KindQuota:
		first, most = 5*time.Minute, time.Hour
	case llm.KindModelAccess, llm.KindModelGone, llm.KindRegionBlocked: // or a proxy's word for being restarted
		first, most = 10*time.Second, time.Hour
	default:
	}
	return min(max(first, most), first<<min(streak, 16))
}

// HalfOpen is the health once an open domain's time has come.
func (h Health) HalfOpen(now time.Time) Health {
	h.State, h.Since, h.Until, h.Successes = BreakerHalfOpen, now, time.Time{}, 0
	return h
}

// Tried is the health after one try of a half-open domain.
func (h Health) Tried(p BreakerPolicy, seen Seen, by string) (next Health, changed bool) {
	if h.Held || h.State != BreakerHalfOpen {
		return h, false
	}
	if seen.Kind != "" && scopeOf(seen.Kind) != "" {
		return h.Open(p, Opening{
			Scope: scopeOf(seen.Kind), Cause: h.Cause, For: seen.RetryAfter, At: seen.At, Mark: seen.Mark, Embeddings: h.Embeddings,
			Partly: h.Partly, Reason: fmt.Sprintf("tried again: %s", seen.Kind),
		}, by)
	}
	h.Successes++ // a failure that is the request's own fault shows a provider at work
	if h.Successes < max(1, p.Probes) {
		return h, true
	}
	return h.Close(seen.At, by, fmt.Sprintf("tried again: %d successes in a row", h.Successes)), true
}

// Close is the health of a domain that is called again.
func (h Health) Close(now time.Time, by, reason string) Health {
	next := Health{State: BreakerClosed, Since: now, Reason: reason, By: by, Streak: h.Streak, Embeddings: h.Embeddings}
	if !h.Down.IsZero() {
		next.Rested = now.Sub(h.Down)
	}
	return next
}

// Steady is the health of a domain that has answered: its next opening is the first of a row.
func (h Health) Steady() Health {
	if h.State == BreakerClosed {
		h.Streak = -1
	}
	return h
}

// Waits says whether the domain comes back when its time is over, without a try: its vendor has said when.
func (h Health) Waits() bool { return h.Cause == Cause(llm.KindRateLimit) }

// Share is how much of its traffic a closed domain takes, from 0 to 1: all of it but for a while after it was open. What rested
// for a moment is back in two.
func (h Health) Share(p BreakerPolicy, now time.Time) float64 {
	ramp := min(p.Ramp, 2*h.Rested)
	if h.State != BreakerClosed || h.Held || ramp <= 0 {
		return 1
	}
	const least = 0.1
	return min(1, least+(1-least)*float64(now.Sub(h.Since))/float64(ramp))
}

// Holds says whether what is known holds for a key of that mark.
func (h Health) Holds(mark string) bool { return h.Mark == "" || h.Mark == mark }
