package config

import "maps"

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
			"search_tools"),
	)
}

// unusedParams are keys of litellm_params.
func unusedParams() map[string]string {
	return union(
		noted(notYet, "aws_role_name", "aws_session_name", "aws_profile_name", "organization", "project",
			"itpm", "otpm", "tag_regex", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed",
			"presence_penalty", "frequency_penalty", "reasoning_effort", "thinking", "extra_headers", "headers", "extra_body",
			"input_cost_per_second", "output_cost_per_second", "cache_read_input_token_cost", "cache_creation_input_token_cost",
			"max_budget", "budget_duration", "drop_params", "additional_drop_params", "modify_params", "deployment_id", "tenant_id",
			"client_id", "azure_scope", "cache_control_injection_points", "response_format", "n", "user", "metadata",
			"default_api_key_tpm_limit", "default_api_key_rpm_limit", "allowed_openai_params", "max_file_size_mb", "safety_settings", "keep_alive"),
		noted(noMeaning, "mock_response", "mock_timeout", "use_in_pass_through", "use_litellm_proxy",
			"merge_reasoning_content_in_choices", "litellm_credential_name", "configurable_clientside_auth_params",
			"model_info", "no-log", "ssl_verify", "use_chat_completions_api", "complexity_router_config",
			"auto_router_config_path", "auto_router_default_model", "auto_router_embedding_model"),
	)
}

// unusedModelInfo are keys of model_info. LiteLLM allows any; see modelInfo.
func unusedModelInfo() map[string]string {
	return union(
		noted(notYet, "cache_read_input_token_cost", "cache_creation_input_token_cost", "tier", "region", "health_check_model",
			"health_check_timeout", "disable_background_health_check", "supported_environments", "litellm_provider",
			"allowed_fails_policy", "enable_tag_filtering"),
		noted("has no effect; say max_input_tokens or max_output_tokens", "max_tokens"),
		noted(noMeaning, "db_model", "team_id", "team_public_model_name", "access_groups", "created_at", "updated_at",
			"created_by", "updated_by", "description"),
	)
}

// unusedRouterSettings are keys of router_settings.
func unusedRouterSettings() map[string]string {
	return union(
		noted(notYet, "provider_budget_config", "default_litellm_params", "default_priority", "alerting_config",
			"ignore_invalid_deployments", "deployment_affinity_ttl_seconds", "model_group_affinity_config", "routing_groups",
			"tag_routing_prefix", "enable_health_check_routing", "health_check_staleness_threshold", "enable_weighted_failover"),
		noted(noMeaning, "redis_host", "redis_port", "redis_url", "redis_db", "cache_responses", "cache_kwargs", "caching_groups",
			"client_ttl", "polling_interval", "set_verbose", "debug_level", "num_workers", "router_general_settings",
			"assistants_config", "search_tools", "guardrail_list"),
	)
}

// unusedLiteLLMSettings are keys of litellm_settings.
func unusedLiteLLMSettings() map[string]string {
	return union(
		noted(notYet, "drop_params", "modify_params", "max_budget", "budget_duration", "model_alias_map", "priority_reservation",
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
			"health_check_details", "health_check_concurrency", "enable_health_check_routing",
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

// unusedCacheParams are keys of litellm_settings.cache_params.
func unusedCacheParams() map[string]string {
	return noted("has no meaning here; answers are kept in PostgreSQL", "type", "host", "port", "url", "db", "namespace", "ssl", "username",
		"max_connections", "redis_startup_nodes", "redis_flush_size", "service_name", "sentinel_nodes", "socket_timeout", "ssl_cert_reqs",
		"ssl_check_hostname", "gcp_service_account", "gcp_ssl_ca_certs", "default_in_memory_ttl", "default_in_redis_ttl",
		"similarity_threshold", "redis_semantic_cache_embedding_model", "redis_semantic_cache_index_name", "qdrant_api_base",
		"qdrant_collection_name", "qdrant_quantization_config", "qdrant_semantic_cache_embedding_model",
		"qdrant_semantic_cache_vector_size", "semantic_cache_scope", "s3_bucket_name", "s3_region_name", "s3_endpoint_url", "s3_path",
		"s3_use_ssl", "s3_verify", "s3_config", "gcs_bucket_name", "gcs_path", "gcs_path_service_account", "azure_account_url",
		"azure_blob_container", "disk_cache_dir", "disable_copilot_system_to_assistant")
}
