package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Strategy is how the targets of one order are ranked for a request.
type Strategy string

// The strategies.
const (
	StrategyShuffle   Strategy = "shuffle"    // by chance, in shares of the weights
	StrategyLatency   Strategy = "latency"    // the one whose answers begin soonest
	StrategyCost      Strategy = "cost"       // the cheapest; those without a known price come last
	StrategyLeastBusy Strategy = "least_busy" // the one with the fewest calls in flight
	StrategyUsage     Strategy = "usage"      // the one whose limits are used up least
)

// strategies are the names that are understood, LiteLLM's among them.
func strategies() map[string]Strategy {
	return map[string]Strategy{
		"shuffle": StrategyShuffle, "simple-shuffle": StrategyShuffle,
		"latency": StrategyLatency, "latency-based-routing": StrategyLatency,
		"cost": StrategyCost, "cost-based-routing": StrategyCost,
		"least_busy": StrategyLeastBusy, "least-busy": StrategyLeastBusy,
		"usage": StrategyUsage, "usage-based-routing": StrategyUsage, "usage-based-routing-v2": StrategyUsage,
	}
}

func (r *reader) strategy(target *Strategy) use {
	return func(path string, n *yaml.Node) {
		text, ok := r.text(path, n)
		if !ok {
			return
		}
		if strategy, ok := strategies()[text]; ok {
			*target = strategy
			return
		}
		known := make([]string, 0, len(strategies()))
		for name := range strategies() {
			known = append(known, name)
		}
		if near := nearest(text, known); near != "" {
			r.problem(n, path, "unknown strategy; did you mean %q?", near)
		} else {
			r.problem(n, path, "unknown strategy; known are %s", strings.Join(known, ", "))
		}
	}
}

// strategyArgs reads router_settings.routing_strategy_args.
func (r *reader) strategyArgs(config *Config) use {
	return func(path string, n *yaml.Node) {
		r.section(n, path, map[string]use{
			"lowest_latency_buffer": r.share(&config.LatencyBuffer, 10),
		}, noted(noMeaning, "ttl", "max_latency_list_size"))
	}
}

// preCallChecks reads router_settings.optional_pre_call_checks: what LiteLLM does on request, and Holdfast of itself or not at all.
func (r *reader) preCallChecks(path string, n *yaml.Node) {
	always := []string{
		"prompt_caching", "responses_api_deployment_check", "session_affinity", "encrypted_content_affinity", // a conversation stays where it is
		"enforce_model_rate_limits",
	}
	others := union(
		noted(notYet, "router_budget_limiting"),
		noted("is not done here; a conversation stays at its target, an API token does not", "deployment_affinity"),
		noted(noMeaning, "forward_client_headers_by_model_group"),
	)
	known := slices.Clone(always)
	for name := range others {
		known = append(known, name)
	}
	items, ok := r.sequence(n, path)
	if !ok {
		return
	}
	for i, item := range items {
		at := index(path, i)
		name, ok := r.text(at, item)
		switch note := others[name]; {
		case !ok, slices.Contains(always, name):
		case note != "":
			r.warning(item, at, note)
		default:
			if near := nearest(name, known); near != "" {
				r.problem(item, at, "unknown check; did you mean %q?", near)
			} else {
				r.problem(item, at, "unknown check; known are %s", strings.Join(known, ", "))
			}
		}
	}
}
