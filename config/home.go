package config

import "slices"

// home is a section with the keys that are used there.
type home struct {
	section string
	keys    []string
}

// homes are where keys belong; those that several sections know, in the first.
func homes() []home {
	return []home{
		{"router_settings", []string{
			"allowed_fails", "allowed_fails_policy", "content_policy_fallbacks", "context_window_fallbacks", "cooldown_time",
			"default_fallbacks", "default_max_parallel_requests", "disable_cooldowns", "enable_pre_call_checks", "enable_tag_filtering",
			"fallbacks", "max_fallbacks", "model_group_alias", "model_group_retry_policy", "num_retries", "optional_pre_call_checks",
			"retry_after", "retry_policy", "routing_strategy", "routing_strategy_args", "stream_timeout", "tag_filtering_match_any",
			"timeout",
		}},
		{"router_settings.routing_strategy_args", []string{"lowest_latency_buffer"}},
		{"litellm_params", []string{
			"api_base", "api_version", "aws_region_name", "custom_llm_provider", "input_cost_per_token", "max_parallel_requests",
			"max_retries", "model", "num_ctx", "order", "output_cost_per_token", "rpm", "tags", "tpm", "vertex_location",
			"vertex_project", "weight",
		}},
		{"model_info", append([]string{
			"base_model", "data_collection", "max_input_tokens", "max_output_tokens", "mode", "only_for", "zero_data_retention",
		}, supportsKeys()...)},
		{"holdfast", []string{
			"attempt_timeout", "breaker", "keeper", "limits", "media", "on_stream_failure", "privacy", "probes", "retry_budget", "routes",
			"stream_keep_alive",
		}},
		{"holdfast.limits", []string{"max_body_bytes", "max_concurrent_starts", "queue_size", "queue_timeout"}},
		{"holdfast.privacy", []string{"idempotency_window", "retention", "seal"}},
		{"holdfast.breaker", []string{"error_rate", "max_cooldown", "min_calls", "ramp", "slow_after", "window"}},
		{"holdfast.routes.<name>", []string{"hedge", "on_limit", "overflow", "sticky", "strategy", "when_down"}},
		{"litellm_settings", []string{"cache", "cache_params", "request_timeout"}},
		{"litellm_settings.cache_params", []string{"supported_call_types", "ttl"}},
		{"general_settings", []string{"background_health_checks", "health_check_interval"}},
	}
}

// homeOf names the section that a misplaced key belongs in, or "".
func homeOf(name string) string {
	for _, home := range homes() {
		if slices.Contains(home.keys, name) {
			return home.section
		}
	}
	for _, e := range exceptions() {
		switch name {
		case e.name + retriesEnding:
			return "router_settings.retry_policy"
		case e.name + allowedFailsEnding:
			return "router_settings.allowed_fails_policy"
		}
	}
	for _, section := range []struct {
		name string
		keys map[string]string
	}{
		{"router_settings", unusedRouterSettings()},
		{"litellm_settings", unusedLiteLLMSettings()},
		{"general_settings", unusedGeneralSettings()},
		{"litellm_params", unusedParams()},
		{"model_info", unusedModelInfo()},
	} {
		if _, ok := section.keys[name]; ok {
			return section.name
		}
	}
	return ""
}

func supportsKeys() []string {
	keys := abilities()
	for i, word := range keys {
		keys[i] = supportsPrefix + word
	}
	return keys
}
