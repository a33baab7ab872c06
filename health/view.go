package health

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
)

var _ activities.Health = (*View)(nil)

const (
	// hearingFor is how long after the last word from the board the process takes itself to be in touch.
	hearingFor = 40 * time.Second
	// probeGrace is how long a domain whose time is over is left to the workflow that probes it, by a process in touch. Without
	// it, or when nothing is heard by then, the next call is the probe.
	probeGrace = 10 * time.Second
	// soon is when it makes sense to look again at what is being tried, or is full.
	soon = time.Second
)

// Config says how a view judges. Its zero value is that of [failover.DefaultBreaker].
type Config struct {
	Breaker failover.BreakerPolicy
	// RetryBudget is how many calls may be repetitions, as a share of all; 0 does not bound them.
	RetryBudget float64
	// Limits are those that the configuration sets for deployments, by their ids.
	Limits map[string]Limits
	// Probed says that a workflow probes domains whose time is over.
	Probed bool
	// Name is who this process is, in what it tells others.
	Name string
	// Now and Draw default to the real clock and random numbers in [0, 1).
	Now  func() time.Time
	Draw func() float64
}

// Limits are a deployment's own.
type Limits struct {
	RequestsPerMinute, TokensPerMinute int64
	// Parallel is how many calls may be under way.
	Parallel int
	// Cooldown takes the place of the breaker's own; nil leaves it.
	Cooldown *time.Duration
}

// View is what a process knows of its providers. It is safe for concurrent use.
type View struct {
	cfg     Config
	changes changes

	mu          sync.Mutex
	domains     map[failover.Domain]*domain
	deployments map[string]*deployment
	budget      failover.Budget
	// heard is when the board was last in reach.
	heard time.Time
	// worked is when a place last answered a call with a key.
	worked map[failover.Domain]time.Time
}

// worksFor is how long an answer speaks for a place and key, against what free calls say.
const worksFor = time.Hour

// Works says whether the call's place has answered with its key of late.
func (v *View) Works(call failover.Call) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.worked[call.Domain(failover.ScopeKey)]
	return ok && v.cfg.Now().Sub(at) < worksFor
}

// domain is what is known of one.
type domain struct {
	health failover.Health
	// version is the board's, unsaved that the board does not know the health yet.
	version int64
	unsaved bool
	window  failover.Window
	// requests and tokens are what the vendor says is left.
	requests, tokens failover.Meter
	// underway is what calls without an answer have taken of them.
	underway struct{ requests, tokens float64 }
	// turn is when the last call that waits for them has its turn.
	turn time.Time
	// trying is set while a half-open domain is tried by a call.
	trying bool
}

// New makes a view that knows nothing against anybody.
func New(cfg Config) *View {
	if cfg.Breaker.Cooldown == 0 {
		cfg.Breaker = failover.DefaultBreaker()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Draw == nil {
		cfg.Draw = rand.Float64
	}
	return &View{
		cfg: cfg, changes: newChanges(), domains: map[failover.Domain]*domain{}, deployments: map[string]*deployment{},
		worked: map[failover.Domain]time.Time{},
		budget: failover.Budget{Share: cfg.RetryBudget},
	}
}

// Policy is what the view judges by.
func (v *View) Policy() failover.BreakerPolicy { return v.cfg.Breaker }

// at gives a domain, with what time has done to it; the lock is held.
func (v *View) at(name failover.Domain, now time.Time) *domain {
	d := v.domains[name]
	if d == nil {
		d = &domain{}
		v.domains[name] = d
	}
	h := d.health
	if h.State != failover.BreakerOpen || h.Until.IsZero() || now.Before(h.Until) {
		return d
	}
	switch {
	case h.Waits() || h.Cause == failover.CauseOperator: // everybody knows when, so nobody needs to be told
		d.health = h.Close(h.Until, h.By, "the time that was asked for is over")
		d.window = failover.Window{}
	case !v.cfg.Probed || !v.hears(now) || now.Sub(h.Until) > probeGrace:
		d.health = h.HalfOpen(now)
	}
	return d
}

func (v *View) hears(now time.Time) bool { return now.Sub(v.heard) < hearingFor }

// Rest says whether a call may be made now, by what is known of its domains and its limits; ok is false if it may. Tokens are
// those that it may use.
func (v *View) Rest(call failover.Call, tokens int64) (rest failover.Rest, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rest(call, float64(tokens), v.cfg.Now(), asking)
}

// manner is how strictly a call is looked at: whether it is only asked about, is to be made, or has waited for its turn.
type manner int

const (
	asking manner = iota
	making
	queued
)

// rest looks at the widest domain first; the lock is held.
func (v *View) rest(call failover.Call, tokens float64, now time.Time, how manner) (rest failover.Rest, ok bool) {
	rest = failover.Rest{Deployment: call.Deployment}
	var poor failover.Rest
	for _, name := range call.Domains() {
		d := v.at(name, now)
		switch h := d.health; {
		case h.State == failover.BreakerOpen && h.Holds(call.Mark) && h.Partly && !h.Held:
			poor = opened(rest, name, h, now) // better than nothing
			poor.Class = failover.RestRamp
		case h.State == failover.BreakerOpen && h.Holds(call.Mark):
			return opened(rest, name, h, now), true
		case h.State == failover.BreakerHalfOpen && h.Holds(call.Mark) && d.trying:
			rest.Until, rest.Class, rest.Reason = now.Add(soon), failover.RestOpen, string(name)+" is being tried again"
			return rest, true
		}
	}
	if rest, full := v.full(call, tokens, now, how); full {
		return rest, true
	}
	if how != asking {
		return rest, false
	}
	if poor.Reason != "" {
		return poor, true
	}
	for _, name := range call.Domains() {
		if share := v.domains[name].health.Share(v.cfg.Breaker, now); share < 1 && v.cfg.Draw() >= share {
			rest.Until, rest.Class = now.Add(soon), failover.RestRamp
			rest.Reason = returning(name, share)
			return rest, true
		}
	}
	return rest, false
}

// Permit is a call that may be made. Give it back by Done.
type Permit struct {
	view    *View
	call    failover.Call
	began   time.Time
	trying  []failover.Domain
	tokens  float64
	settled bool
}

// Admit takes what a call needs of its limits, and the place of the one call that tries a half-open domain. If it may not be made,
// the permit is nil and the rest says why.
func (v *View) Admit(call failover.Call, tokens int64, turn bool) (activities.Permit, failover.Rest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now, how := v.cfg.Now(), making
	if turn {
		how = queued
	}
	if rest, resting := v.rest(call, float64(tokens), now, how); resting {
		return nil, rest
	}
	permit := &Permit{view: v, call: call, began: now, tokens: float64(tokens)}
	for _, name := range call.Domains() {
		if d := v.domains[name]; d.health.State == failover.BreakerHalfOpen && d.health.Holds(call.Mark) {
			d.trying = true
			permit.trying = append(permit.trying, name)
		}
	}
	v.take(call, float64(tokens), now)
	return permit, failover.Rest{}
}

// MayRepeat says why no target may be called again now; empty if one may. Repeated counts one that is.
func (v *View) MayRepeat() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.budget.Spent(v.cfg.Now())
}

// Repeated counts a call that is made again.
func (v *View) Repeated() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.budget.Repeat(v.cfg.Now())
}
