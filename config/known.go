package config

import (
	"maps"
	"slices"
)

// What is said of a setting that loads and does nothing.
const (
	notYet    = "not used yet"
	noMeaning = "has no meaning here"
)

// noted gives every name the same note.
func noted(note string, names ...string) map[string]string {
	notes := make(map[string]string, len(names))
	for _, name := range names {
		notes[name] = note
	}
	return notes
}

func union(parts ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// unusedTopLevel are LiteLLM's other top-level keys.
func unusedTopLevel() map[string]string {
	return union(
		noted(notYet, "guardrails", "prompts"),
		noted(noMeaning, "environment_variables", "credential_list", "callback_settings", "mcp_servers", "mcp_tools",
			"mcp_aliases", "assistant_settings", "files_settings", "finetune_settings", "vector_store_registry",
			"search_tools", "include"),
	)
}

// unusedParams are keys of litellm_params.
func unusedParams() map[string]string {
	return union(
		noted(notYet, "aws_role_name", "aws_session_name", "aws_profile_name", "organization", "project",
			"rpm", "tpm", "max_parallel_requests", "cooldown_time", "tags", "temperature", "top_p", "max_tokens",
			"max_completion_tokens", "stop", "seed", "presence_penalty", "frequency_penalty", "reasoning_effort", "thinking",
			"extra_headers", "headers", "extra_body", "input_cost_per_token", "output_cost_per_token", "input_cost_per_second",
			"output_cost_per_second", "cache_read_input_token_cost", "cache_creation_input_token_cost", "max_budget",
			"budget_duration", "drop_params", "additional_drop_params", "modify_params", "deployment_id", "tenant_id",
			"client_id", "azure_scope", "cache_control_injection_points", "response_format", "n", "user", "metadata",
			"default_api_key_tpm_limit", "default_api_key_rpm_limit", "allowed_openai_params", "max_file_size_mb"),
		noted(noMeaning, "mock_response", "mock_timeout", "use_in_pass_through", "use_litellm_proxy",
			"merge_reasoning_content_in_choices", "litellm_credential_name", "configurable_clientside_auth_params",
			"model_info", "no-log", "ssl_verify", "use_chat_completions_api", "complexity_router_config",
			"auto_router_config_path", "auto_router_default_model", "auto_router_embedding_model"),
	)
}

// unusedModelInfo are keys of model_info. LiteLLM allows any; see readModelInfo.
func unusedModelInfo() map[string]string {
	return union(
		noted(notYet, "max_input_tokens", "max_output_tokens", "max_tokens", "mode", "input_cost_per_token",
			"output_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost", "supports_vision",
			"supports_function_calling", "supports_parallel_function_calling", "supports_tool_choice", "supports_pdf_input",
			"supports_prompt_caching", "supports_reasoning", "supports_response_schema", "supports_system_messages",
			"supports_assistant_prefill", "supports_web_search", "supports_audio_input", "supports_audio_output",
			"tier", "region", "health_check_model", "health_check_timeout", "disable_background_health_check",
			"supported_environments", "litellm_provider"),
		noted(noMeaning, "db_model", "team_id", "team_public_model_name", "access_groups", "created_at", "updated_at",
			"created_by", "updated_by", "description"),
	)
}

// unusedRouterSettings are keys of router_settings.
func unusedRouterSettings() map[string]string {
	return union(
		noted(notYet, "routing_strategy_args", "retry_after", "allowed_fails", "cooldown_time", "allowed_fails_policy",
			"retry_policy", "model_group_retry_policy", "enable_pre_call_checks", "optional_pre_call_checks",
			"provider_budget_config", "default_max_parallel_requests", "default_litellm_params", "disable_cooldowns",
			"enable_tag_filtering", "default_priority", "alerting_config", "tag_filtering_match_any",
			"ignore_invalid_deployments", "deployment_affinity_ttl_seconds", "model_group_affinity_config"),
		noted(noMeaning, "redis_host", "redis_port", "redis_url", "cache_responses", "cache_kwargs", "caching_groups",
			"client_ttl", "polling_interval", "set_verbose", "debug_level", "num_workers", "router_general_settings",
			"assistants_config", "search_tools", "guardrail_list"),
	)
}

// unusedLiteLLMSettings are keys of litellm_settings.
func unusedLiteLLMSettings() map[string]string {
	return union(
		noted(notYet, "drop_params", "modify_params", "cache", "cache_params", "max_budget", "budget_duration",
			"request_timeout", "num_retries", "retry_after", "allowed_fails", "model_alias_map", "priority_reservation",
			"default_internal_user_params", "default_team_settings", "default_team_params", "upperbound_key_generate_params",
			"max_internal_user_budget", "internal_user_budget_duration", "guardrails", "turn_off_message_logging",
			"redact_user_api_key_info", "redact_messages_in_exceptions", "enable_json_schema_validation", "cost_discount_config",
			"cost_margin_config", "tag_budget_config", "public_model_groups", "public_model_groups_links"),
		noted(noMeaning, "success_callback", "failure_callback", "callbacks", "service_callback", "post_call_rules",
			"pre_call_rules", "set_verbose", "json_logs", "telemetry", "enable_preview_features", "ssl_verify",
			"ssl_certificate", "disable_hf_tokenizer_download", "mcp_aliases", "langfuse_default_tags", "s3_callback_params",
			"datadog_params", "prometheus_initialize_budget_metrics", "require_auth_for_metrics_endpoint",
			"forward_traceparent_to_llm_provider", "store_audit_logs", "return_response_headers", "suppress_debug_info",
			"force_ipv4", "network_mock", "use_chat_completions_url_for_anthropic_messages", "default_redis_ttl",
			"global_prompt_directory", "custom_prometheus_tags", "custom_prometheus_metadata_labels", "extra_spend_tag_headers"),
	)
}

// unusedGeneralSettings are keys of general_settings.
func unusedGeneralSettings() map[string]string {
	return union(
		noted(notYet, "alerting", "alerting_threshold", "alerting_args", "alert_types", "alert_to_webhook_url",
			"background_health_checks", "health_check_interval", "health_check_details", "health_check_concurrency",
			"store_prompts_in_spend_logs", "maximum_spend_logs_retention_period", "maximum_spend_logs_retention_interval",
			"global_max_parallel_requests", "max_parallel_requests", "max_request_size_mb", "max_response_size_mb",
			"allowed_ips", "use_x_forwarded_for", "enable_jwt_auth", "litellm_jwtauth", "enforce_user_param",
			"allowed_routes", "public_routes", "admin_only_routes", "disable_prompt_caching", "proxy_budget_rescheduler_min_time",
			"proxy_budget_rescheduler_max_time", "default_team_disabled", "reject_clientside_metadata_tags",
			"forward_client_headers_to_llm_api", "forward_llm_provider_auth_headers", "user_header_name", "user_header_mappings"),
		noted("has no meaning here; Holdfast reads DATABASE_URL from its environment", "database_url"),
		noted(noMeaning, "master_key", "completion_model", "database_connection_pool_limit", "database_connection_timeout",
			"database_type", "database_args", "database_extra_connection_params", "proxy_batch_write_at", "proxy_batch_polling_interval",
			"disable_spend_logs", "disable_spend_updates", "disable_error_logs", "disable_master_key_return",
			"disable_retry_on_max_parallel_request_limit_error", "disable_reset_budget", "disable_adding_master_key_hash_to_db",
			"disable_responses_id_security", "store_model_in_db", "supported_db_objects", "key_management_system",
			"key_management_settings", "use_google_kms", "use_aws_kms", "use_azure_key_vault", "infer_model_from_keys",
			"custom_auth", "custom_key_generate", "custom_ui_sso_sign_in_handler", "litellm_key_header_name", "ui_access_mode",
			"allow_requests_on_db_unavailable", "allow_user_auth", "pass_through_endpoints", "enable_public_model_hub",
			"use_redis_transaction_buffer", "use_shared_health_check", "control_plane_url", "store_prompts_in_cold_storage",
			"always_include_stream_usage", "coordination_redis_params", "enable_oauth2_auth", "enable_oauth2_proxy_auth",
			"oauth2_config_mappings", "block_robots", "custom_sso", "server_root_path", "mcp_internal_ip_ranges",
			"token_rate_limit_type", "spend_report_frequency", "dynamic_rate_limiting_v3"),
	)
}

// homeOf names the section that a misplaced key belongs in, or "".
func homeOf(name string) string {
	params := []string{
		"api_base", "api_version", "aws_region_name", "custom_llm_provider", "max_retries", "model", "num_ctx", "order", "vertex_location",
		"vertex_project", "weight",
	}
	router := []string{
		"content_policy_fallbacks", "context_window_fallbacks", "default_fallbacks", "fallbacks", "max_fallbacks", "model_group_alias",
		"num_retries", "routing_strategy", "stream_timeout", "timeout",
	}
	holdfast := []string{"attempt_timeout", "keeper", "limits", "media", "on_stream_failure", "routes", "stream_keep_alive"}
	limits := []string{"max_body_bytes", "max_concurrent_starts", "queue_size", "queue_timeout"}
	switch {
	case slices.Contains(router, name):
		return "router_settings"
	case slices.Contains(params, name):
		return "litellm_params"
	case slices.Contains(holdfast, name):
		return "holdfast"
	case slices.Contains(limits, name):
		return "holdfast.limits"
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
