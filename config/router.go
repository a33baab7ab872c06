package config

import (
	"maps"
	"math"
	"time"

	"go.yaml.in/yaml/v3"
)

// routerSettings reads LiteLLM's settings of its router.
func (r *reader) routerSettings(config *Config, path string, n *yaml.Node) {
	var cooldown *time.Duration
	uses := r.fallbacks.uses(r)
	maps.Copy(uses, map[string]use{
		"max_fallbacks":            r.count(&r.fallbacks.most, 1, 100),
		"model_group_alias":        r.fallbacks.aliasSettings(r),
		"timeout":                  r.span(&config.Timeout),
		"stream_timeout":           r.span(&config.Silence),
		"num_retries":              r.count(&config.Retries, 0, 100),
		"retry_after":              r.pause(&config.RetryAfter),
		"retry_policy":             r.retryPolicy(&config.RetriesByKind),
		"model_group_retry_policy": r.groupRetryPolicy,
		"routing_strategy":         r.strategy(&config.Strategy),
		"routing_strategy_args":    r.strategyArgs(config),
		"allowed_fails": func(path string, n *yaml.Node) {
			if value, ok := r.allowedFails(path, n); ok {
				config.Breaker.AllowedFails = &value
			}
		},
		"allowed_fails_policy": r.allowedFailsPolicy(&config.Breaker.AllowedFailsByKind),
		"cooldown_time": func(path string, n *yaml.Node) {
			if value, ok := r.durationOrZero(path, n); ok {
				cooldown = &value
			}
		},
		"disable_cooldowns":             r.flag(&config.Breaker.Disabled),
		"default_max_parallel_requests": r.count(&r.maxParallel, 0, math.MaxInt32),
		"enable_tag_filtering":          r.flag(&config.TagFiltering),
		"tag_filtering_match_any": func(path string, n *yaml.Node) {
			if value, ok := r.boolean(path, n); ok {
				config.TagsMatchAll = !value
			}
		},
		"enable_pre_call_checks": func(path string, n *yaml.Node) {
			if value, ok := r.boolean(path, n); ok && !value {
				r.warning(n, path, "has no effect; what a target cannot take is never sent to it")
			}
		},
		"optional_pre_call_checks": r.preCallChecks,
	})
	r.routerKeys = r.section(n, path, uses, unusedRouterSettings())
	if cooldown != nil {
		config.Breaker.cooldown(*cooldown)
	}
}

// litellmSettings reads what LiteLLM has beside its router and what of it means the same.
func (r *reader) litellmSettings(config *Config, path string, n *yaml.Node) {
	retries := func(path string, n *yaml.Node) (int64, bool) { return r.integer(path, n, 0, 100) }
	uses := r.fallbacks.uses(r)
	maps.Copy(uses, r.cache.uses(r))
	maps.Copy(uses, map[string]use{
		"num_retries":     shared(r, "num_retries", retries, func(value int64) { config.Retries = int(value) }),
		"request_timeout": shared(r, "timeout", r.duration, func(value time.Duration) { config.Timeout = value }),
		"retry_after":     shared(r, "retry_after", r.durationOrZero, func(value time.Duration) { config.RetryAfter = value }),
		"allowed_fails":   shared(r, "allowed_fails", r.allowedFails, func(value int) { config.Breaker.AllowedFails = &value }),
		"cooldown_time":   shared(r, "cooldown_time", r.durationOrZero, config.Breaker.cooldown),
	})
	r.section(n, path, uses, unusedLiteLLMSettings())
}

func (r *reader) allowedFails(path string, n *yaml.Node) (int, bool) {
	value, ok := r.integer(path, n, 0, 1e9)
	return int(value), ok
}

// applyMaxParallel gives the router's default to deployments that have no such limit of their own.
func (r *reader) applyMaxParallel(config *Config) {
	for i := range config.Routes {
		for j := range config.Routes[i].Deployments {
			if d := &config.Routes[i].Deployments[j]; d.MaxParallel == 0 {
				d.MaxParallel = r.maxParallel
			}
		}
	}
}
