package config

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// Probes say how targets are asked whether they live, without a request of a client's.
type Probes struct {
	// Every is how often; Off means never.
	Every time.Duration
	Off   bool
	// Successes is how many results in a row change what is believed of a target.
	Successes int
}

// probes reads holdfast.probes.
func (r *reader) probes(probes *Probes) use {
	return func(path string, n *yaml.Node) {
		r.probeKeys = r.section(n, path, map[string]use{
			"every":     r.span(&probes.Every),
			"off":       r.flag(&probes.Off),
			"successes": r.count(&probes.Successes, 1, 100),
		}, nil)
	}
}

// healthChecks are LiteLLM's settings of the same. Its default for background_health_checks is false, so only a false that is
// written down switches probes off.
type healthChecks struct {
	asked    *bool
	every    time.Duration
	interval *place
	switched *place
}

func (h *healthChecks) uses(r *reader) map[string]use {
	return map[string]use{
		"background_health_checks": func(path string, n *yaml.Node) {
			if value, ok := r.boolean(path, n); ok {
				h.asked, h.switched = &value, &place{path, n}
			}
		},
		"health_check_interval": func(path string, n *yaml.Node) {
			if value, ok := r.duration(path, n); ok {
				h.every, h.interval = value, &place{path, n}
			}
		},
	}
}

// apply gives them to the probes, where holdfast.probes does not say otherwise.
func (h *healthChecks) apply(r *reader, probes *Probes) {
	asked := h.asked != nil && *h.asked
	if h.interval != nil {
		switch {
		case !asked:
			r.warning(h.interval.node, h.interval.path, "has no effect without background_health_checks: true; see holdfast.probes.every")
		case r.probeKeys["every"]:
			r.warning(h.interval.node, h.interval.path, "has no effect; holdfast.probes.every is there, too, and wins")
		default:
			probes.Every = h.every
		}
	}
	switch {
	case h.switched == nil:
	case !r.probeKeys["off"]:
		probes.Off = !asked
	case probes.Off == asked:
		r.warning(h.switched.node, h.switched.path, "has no effect; holdfast.probes.off is there, too, and wins")
	}
}
