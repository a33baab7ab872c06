package config

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// Privacy says how long what is said is kept, and how (holdfast.privacy).
type Privacy struct {
	// Retention is how long what was said in a completion, or in a conversation since its last turn, is kept; 0 is for ever.
	Retention time.Duration
	// Tenants have a Retention of their own, by their ids; 0 is for ever.
	Tenants map[string]time.Duration
	// IdempotencyWindow is how long the answer of a request with "store": false and an idempotency key is there to be asked for
	// again.
	IdempotencyWindow time.Duration
	// Seal has what is said sealed in the database, under a key that the vault's keeper protects.
	Seal bool
}

// DefaultIdempotencyWindow is long enough for a client that repeats by itself, and for most that a person restarts.
const DefaultIdempotencyWindow = time.Hour

// maxRetention is a hundred years: what is longer is a slip of the pen.
const maxRetention = 100 * 365 * 24 * time.Hour

// privacy reads holdfast.privacy.
func (r *reader) privacy(privacy *Privacy) use {
	return func(path string, n *yaml.Node) {
		r.section(n, path, map[string]use{
			"retention":          r.retention(&privacy.Retention),
			"tenants":            func(path string, n *yaml.Node) { r.retentions(privacy, path, n) },
			"idempotency_window": r.span(&privacy.IdempotencyWindow),
			"seal":               r.flag(&privacy.Seal),
		}, nil)
	}
}

// retentions reads what tenants have of their own.
func (r *reader) retentions(privacy *Privacy, path string, n *yaml.Node) {
	pairs, ok := r.mapping(n, path)
	if !ok {
		return
	}
	privacy.Tenants = map[string]time.Duration{}
	for _, p := range pairs {
		var own time.Duration
		at := join(path, p.name)
		r.section(p.value, at, map[string]use{"retention": r.retention(&own)}, nil)
		privacy.Tenants[p.name] = own
	}
}

// retention reads a duration in days, such as 30d, or as elsewhere; "forever" is 0.
func (r *reader) retention(target *time.Duration) use {
	const want = "forever, a number of days such as 30d, or a duration such as 72h"
	return func(path string, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && n.Value == "forever" {
			*target = 0
			return
		}
		var value time.Duration
		var ok bool
		if days, isDays := daysOf(n); isDays {
			value, ok = days, true
		} else if parsed, err := time.ParseDuration(n.Value); n.Kind == yaml.ScalarNode && err == nil {
			value, ok = parsed, true
		}
		switch {
		case !ok:
			r.problem(n, path, "must be %s", want)
		case value < time.Minute || value > maxRetention:
			r.problem(n, path, "must be at least a minute and at most 36500d")
		default:
			*target = value
		}
	}
}

// daysOf reads a number of days.
func daysOf(n *yaml.Node) (time.Duration, bool) {
	if n.Kind != yaml.ScalarNode || len(n.Value) < 2 || len(n.Value) > 6 || n.Value[len(n.Value)-1] != 'd' {
		return 0, false
	}
	days := 0
	for _, digit := range n.Value[:len(n.Value)-1] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		days = days*10 + int(digit-'0')
	}
	return time.Duration(days) * 24 * time.Hour, true
}

// Overflow is what becomes of a conversation that no target of a route can hold (holdfast.routes.<name>.overflow).
type Overflow struct {
	// Policy is refuse, drop_oldest or summarise.
	Policy string
	// Summary is the route that writes summaries.
	Summary string
}

// overflow reads a policy's name, or {summarise: ROUTE}.
func (r *reader) overflow(config *Config, route *Route) use {
	return func(path string, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			if n.Value == "summarise" || n.Value == "summarize" {
				r.problem(n, path, "needs the route that writes the summaries: overflow: {summarise: ROUTE}")
				return
			}
			r.choice(&route.Overflow.Policy, []string{"refuse", "drop_oldest"})(path, n)
			return
		}
		r.section(n, path, map[string]use{"summarise": func(path string, n *yaml.Node) {
			name, ok := r.text(path, n)
			if ok && r.isRoute(config, path, n, name) {
				route.Overflow = Overflow{Policy: "summarise", Summary: config.resolve(name)}
			}
		}}, nil)
	}
}
