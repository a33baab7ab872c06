package config

import (
	"math"
	"time"

	"go.yaml.in/yaml/v3"
)

// Breaker says when a target that fails rests, for how long, and how it comes back.
type Breaker struct {
	// Disabled lets no target rest (router_settings.disable_cooldowns, or a cooldown_time of 0).
	Disabled bool
	// AllowedFails is how many failures a minute a target may have before it rests (router_settings.allowed_fails); nil leaves it
	// to ErrorRate.
	AllowedFails *int
	// AllowedFailsByKind is AllowedFails for kinds of failure, by the words of llm.Kind (router_settings.allowed_fails_policy).
	AllowedFailsByKind map[string]int
	// Cooldown is how long a target rests first (router_settings.cooldown_time), and MaxCooldown how long at most: the rest
	// doubles with each return that fails.
	Cooldown, MaxCooldown time.Duration
	// A target rests when among at least MinCalls calls of the last Window the share that failed has reached ErrorRate.
	Window    time.Duration
	MinCalls  int
	ErrorRate float64
	// SlowAfter makes a call count as failed whose first word comes later.
	SlowAfter time.Duration
	// Probes is how many calls in a row must succeed before a target is back, and Ramp how long its traffic takes to come back.
	Probes int
	Ramp   time.Duration
}

// breaker reads holdfast.breaker.
func (r *reader) breaker(breaker *Breaker) use {
	return func(path string, n *yaml.Node) {
		r.section(n, path, map[string]use{
			"max_cooldown": func(path string, n *yaml.Node) {
				if value, ok := r.duration(path, n); ok {
					breaker.MaxCooldown = value
					r.maxCooldown = &place{path: path, node: n}
				}
			},
			"window":    r.span(&breaker.Window),
			"min_calls": r.count(&breaker.MinCalls, 1, math.MaxInt32),
			"error_rate": func(path string, n *yaml.Node) {
				r.share(&breaker.ErrorRate, 1)(path, n)
				if breaker.ErrorRate == 0 {
					r.problem(n, path, "must be more than 0")
				}
			},
			"slow_after": r.span(&breaker.SlowAfter),
			"probes":     r.count(&breaker.Probes, 1, 100),
			"ramp":       r.pause(&breaker.Ramp),
		}, nil)
	}
}

// cooldown takes in LiteLLM's cooldown_time, of which 0 switches cooldowns off.
func (b *Breaker) cooldown(value time.Duration) {
	if value == 0 {
		b.Disabled = true
		return
	}
	b.Cooldown = value
}

// checkBreaker makes sure that the longest rest is no shorter than the first. A cooldown_time that is longer than the default for
// the longest stands.
func (r *reader) checkBreaker(breaker *Breaker) {
	switch {
	case breaker.MaxCooldown >= breaker.Cooldown:
	case r.maxCooldown != nil:
		r.problem(r.maxCooldown.node, r.maxCooldown.path, "is shorter than cooldown_time, how long a target rests first")
	default:
		breaker.MaxCooldown = breaker.Cooldown
	}
}
