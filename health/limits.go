package health

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
)

// samples are how many first words are remembered, enough how many of them say something of the slowest.
const (
	samples = 64
	enough  = 10
)

// deployment is what is measured of one, and its own limits.
type deployment struct {
	limits           Limits
	requests, tokens failover.Meter
	inFlight         int
	// turn is when the last call that waits for its limits has its turn.
	turn            time.Time
	streamed, whole speed
}

// speed is how long first words take.
type speed struct {
	average time.Duration
	recent  []time.Duration
	next    int
}

// add takes in a first word. The average moves by a fifth.
func (s *speed) add(took time.Duration) {
	const share = 5
	if s.average == 0 {
		s.average = took
	}
	s.average += (took - s.average) / share
	if len(s.recent) < samples {
		s.recent = append(s.recent, took)
		return
	}
	s.recent[s.next] = took
	s.next = (s.next + 1) % samples
}

// p95 is what only one of twenty is slower than; zero while too little is known.
func (s *speed) p95() time.Duration {
	if len(s.recent) < enough {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.recent))
	return sorted[len(sorted)*95/100]
}

// of gives a deployment; the lock is held.
func (v *View) of(id string, now time.Time) *deployment {
	d := v.deployments[id]
	if d == nil {
		limits := v.cfg.Limits[id]
		d = &deployment{limits: limits}
		if limits.RequestsPerMinute > 0 {
			d.requests = failover.Configured(limits.RequestsPerMinute, now)
		}
		if limits.TokensPerMinute > 0 {
			d.tokens = failover.Configured(limits.TokensPerMinute, now)
		}
		v.deployments[id] = d
	}
	return d
}

// full says whether a limit of the call is used up; the lock is held.
func (v *View) full(call failover.Call, tokens float64, now time.Time, how manner) (failover.Rest, bool) {
	own, shared := v.of(call.Deployment, now), v.at(call.Domain(failover.ScopeKeyModel), now)
	rest := failover.Rest{Deployment: call.Deployment, Class: failover.RestLimit}
	if own.limits.Parallel > 0 && own.inFlight >= own.limits.Parallel {
		rest.Until, rest.Reason = now.Add(soon/4), fmt.Sprintf("%d calls are under way, as many as it takes", own.inFlight)
		return rest, true
	}
	wait := time.Duration(0)
	for _, limit := range limitsOf(own, shared, tokens) {
		if w := limit.meter.Wait(limit.n, now); w > wait {
			wait, rest.Reason = w, limit.what+" is used up"
		}
	}
	if how != queued {
		for _, limit := range limitsOf(own, shared, tokens) { // those that wait come first, as long as there is not enough for all
			if behind := limit.turn.Sub(now); behind > wait && limit.meter.Wait(limit.n*(1+waiters(limit, behind)), now) > 0 {
				wait, rest.Reason = behind, "others wait for its limit"
			}
		}
	}
	rest.Until = now.Add(wait)
	return rest, wait > 0
}

// limit is a meter, what a call takes of it, and when the last call that waits for it has its turn.
type limit struct {
	meter *failover.Meter
	n     float64
	what  string
	turn  *time.Time
}

func limitsOf(own *deployment, shared *domain, tokens float64) []limit {
	return []limit{
		{&own.requests, 1, "the configured limit on its requests", &own.turn},
		{&own.tokens, tokens, "the configured limit on its tokens", &own.turn},
		{&shared.requests, 1, "its vendor's limit on requests", &shared.turn},
		{&shared.tokens, tokens, "its vendor's limit on tokens", &shared.turn},
	}
}

// waiters is about how many wait for a limit whose last turn is so far ahead.
func waiters(limit limit, ahead time.Duration) float64 {
	if each := limit.meter.Each(limit.n); each > 0 {
		return float64(ahead) / float64(each)
	}
	return 0
}

// Queue gives a call its turn at limits that are used up, behind those that wait already, as a time from now: so that they do not
// all come at once for what is enough for one.
func (v *View) Queue(call failover.Call, tokens int64) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.cfg.Now()
	own, shared := v.of(call.Deployment, now), v.at(call.Domain(failover.ScopeKeyModel), now)
	waits, each := map[*time.Time]time.Duration{}, map[*time.Time]time.Duration{}
	for _, limit := range limitsOf(own, shared, float64(tokens)) {
		waits[limit.turn] = max(waits[limit.turn], limit.meter.Wait(limit.n, now))
		each[limit.turn] = max(each[limit.turn], limit.meter.Each(limit.n))
	}
	latest := now
	for turn, wait := range waits {
		if wait == 0 && !turn.After(now) { // nobody waits for it
			continue
		}
		at := now.Add(wait)
		if behind := turn.Add(each[turn]); behind.After(at) {
			at = behind
		}
		*turn = at
		if at.After(latest) {
			latest = at
		}
	}
	return latest.Sub(now)
}

// take takes what a call uses; the lock is held.
func (v *View) take(call failover.Call, tokens float64, now time.Time) {
	own, shared := v.of(call.Deployment, now), v.at(call.Domain(failover.ScopeKeyModel), now)
	own.inFlight++
	own.requests.Take(1, now)
	own.tokens.Take(tokens, now)
	shared.requests.Take(1, now)
	shared.tokens.Take(tokens, now)
	shared.underway.requests++
	shared.underway.tokens += tokens
	v.budget.Call(now)
}

// settle gives back what a call has not used, and takes in what its vendor said; the lock is held.
func (v *View) settle(p *Permit, outcome activities.Outcome, now time.Time) {
	own, shared := v.of(p.call.Deployment, now), v.at(p.call.Domain(failover.ScopeKeyModel), now)
	own.inFlight--
	shared.underway.requests--
	shared.underway.tokens -= p.tokens
	if outcome.Tokens > 0 {
		own.tokens.Return(p.tokens-float64(outcome.Tokens), now)
		shared.tokens.Return(p.tokens-float64(outcome.Tokens), now)
	}
	if told := outcome.RateLimit; told != nil {
		if told.Requests != nil {
			shared.requests.Learn(*told.Requests, shared.underway.requests, p.began, now)
		}
		if told.Tokens != nil {
			shared.tokens.Learn(*told.Tokens, shared.underway.tokens, p.began, now)
		}
	}
}

// Measured is how a deployment does.
func (v *View) Measured(call failover.Call, streamed bool) failover.Measured {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.cfg.Now()
	own, shared := v.of(call.Deployment, now), v.at(call.Domain(failover.ScopeKeyModel), now)
	measured := failover.Measured{InFlight: own.inFlight, FirstWord: own.speed(streamed).average}
	for _, meter := range []*failover.Meter{&own.requests, &own.tokens, &shared.requests, &shared.tokens} {
		measured.Used = max(measured.Used, meter.Used(now))
	}
	return measured
}

func (d *deployment) speed(streamed bool) *speed {
	if streamed {
		return &d.streamed
	}
	return &d.whole
}

// P95 is the time to the first word, or to the whole answer, that only one of twenty calls takes longer than; zero while too little
// is known.
func (v *View) P95(id string, streamed bool) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.of(id, v.cfg.Now()).speed(streamed).p95()
}

// returning says that a domain takes a share of its traffic.
func returning(name failover.Domain, share float64) string {
	return fmt.Sprintf("%s comes back: it takes %.0f%% of its calls for now", name, 100*share)
}

// opened is the rest of a call to a domain that is open.
func opened(rest failover.Rest, name failover.Domain, h failover.Health, now time.Time) failover.Rest {
	rest.Class, rest.Until = failover.RestOpen, h.Until
	if h.Waits() {
		rest.Class = failover.RestLimit
	}
	if !h.Until.IsZero() && !h.Until.After(now) { // it is about to be tried
		rest.Until = now.Add(soon)
	}
	rest.Reason = string(name) + " is open: " + h.Reason
	return rest
}
