package health

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
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
	streamed, whole  speed
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
func (v *View) full(call failover.Call, tokens float64, now time.Time) (failover.Rest, bool) {
	own, shared := v.of(call.Deployment, now), v.at(call.Domain(failover.ScopeKeyModel), now)
	rest := failover.Rest{Deployment: call.Deployment, Class: failover.RestLimit}
	if own.limits.Parallel > 0 && own.inFlight >= own.limits.Parallel {
		rest.Until, rest.Reason = now.Add(soon/4), fmt.Sprintf("%d calls are under way, as many as it takes", own.inFlight)
		return rest, true
	}
	var wait time.Duration
	for _, meter := range []struct {
		of   *failover.Meter
		n    float64
		what string
	}{
		{&own.requests, 1, "the configured limit on its requests"},
		{&own.tokens, tokens, "the configured limit on its tokens"},
		{&shared.requests, 1, "its vendor's limit on requests"},
		{&shared.tokens, tokens, "its vendor's limit on tokens"},
	} {
		if w := meter.of.Wait(meter.n, now); w > wait {
			wait, rest.Reason = w, meter.what+" is used up"
		}
	}
	rest.Until = now.Add(wait)
	return rest, wait > 0
}

// take takes what a call uses; the lock is held.
func (v *View) take(call failover.Call, tokens float64, now time.Time) {
	own, shared := v.of(call.Deployment, now), v.at(call.Domain(failover.ScopeKeyModel), now)
	own.inFlight++
	own.requests.Take(1, now)
	own.tokens.Take(tokens, now)
	shared.requests.Take(1, now)
	shared.tokens.Take(tokens, now)
	v.budget.Call(now)
}

// learn takes in what a vendor said of its limits; the lock is held.
func (v *View) learn(call failover.Call, told *llm.RateLimit, now time.Time) {
	if told == nil {
		return
	}
	shared := v.at(call.Domain(failover.ScopeKeyModel), now)
	if told.Requests != nil {
		shared.requests.Learn(*told.Requests, now)
	}
	if told.Tokens != nil {
		shared.tokens.Learn(*told.Tokens, now)
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
