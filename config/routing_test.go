package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/llm"
)

const oneModel = "model_list: [{model_name: chat, litellm_params: {model: openai/gpt-4.1}}]\n"

func parsed(t *testing.T, text string) *config.Config {
	t.Helper()
	loaded, err := config.Parse("test.yaml", []byte(text))
	require.NoError(t, err)
	return loaded
}

func warned(c *config.Config) []string {
	var paths []string
	for _, warning := range c.Warnings {
		paths = append(paths, warning.Path)
	}
	return paths
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	t.Parallel()
	loaded := parsed(t, oneModel)
	require.Equal(t, config.StrategyShuffle, loaded.Strategy)
	require.Zero(t, loaded.LatencyBuffer)
	require.InDelta(t, 0.2, loaded.RetryBudget, 0)
	require.Equal(t, config.Breaker{
		Cooldown: 5 * time.Second, MaxCooldown: 30 * time.Second, Window: 30 * time.Second, MinCalls: 5, ErrorRate: 0.5,
		SlowAfter: 10 * time.Second, Probes: 2, Ramp: 20 * time.Second,
	}, loaded.Breaker)
	require.Equal(t, config.Probes{Every: time.Minute, Successes: 2}, loaded.Probes)
	route := loaded.Routes[0]
	require.Empty(t, route.Strategy)
	require.Nil(t, route.Cache)
	require.Nil(t, route.Hedge)
	require.Nil(t, route.Sticky)
	require.Equal(t, config.WhenDown{Park: "async"}, route.WhenDown)
	require.Equal(t, "next", route.OnLimit)
}

func TestBothSpellingsOfAStrategyAreUnderstoodEverywhere(t *testing.T) {
	t.Parallel()
	for spelling, want := range map[string]config.Strategy{
		"shuffle": "shuffle", "simple-shuffle": "shuffle", "latency": "latency", "latency-based-routing": "latency",
		"cost": "cost", "cost-based-routing": "cost", "least_busy": "least_busy", "least-busy": "least_busy",
		"usage": "usage", "usage-based-routing": "usage", "usage-based-routing-v2": "usage",
	} {
		loaded := parsed(t, oneModel+"router_settings: {routing_strategy: "+spelling+"}\nholdfast: {routes: {chat: {strategy: "+spelling+"}}}\n")
		require.Equal(t, want, loaded.Strategy, spelling)
		require.Equal(t, want, loaded.Routes[0].Strategy, spelling)
		require.Empty(t, loaded.Warnings)
	}
}

func TestExceptionsOfLiteLLMAreKindsOfOurs(t *testing.T) {
	t.Parallel()
	var kinds []string
	for _, kind := range llm.Kinds() {
		kinds = append(kinds, string(kind))
	}
	for text, want := range map[string]map[string]int{
		"BadRequestErrorRetries: 1":                                        {"caller_fault": 1},
		"AuthenticationErrorRetries: 1":                                    {"credential": 1},
		"TimeoutErrorRetries: 1":                                           {"timeout": 1},
		"RateLimitErrorRetries: 1":                                         {"rate_limit": 1},
		"ContentPolicyViolationErrorRetries: 1":                            {"content_policy": 1},
		"NotFoundErrorRetries: 1":                                          {"model_gone": 1},
		"InternalServerErrorRetries: 1":                                    {"overloaded": 1, "transient": 1},
		"ServiceUnavailableErrorRetries: 2, InternalServerErrorRetries: 1": {"overloaded": 2, "transient": 1},
		"InternalServerErrorRetries: 1, ServiceUnavailableErrorRetries: 2": {"overloaded": 2, "transient": 1},
		"TimeoutErrorRetries: 3, DefaultRetries: 1": {
			"rate_limit": 1, "overloaded": 1, "transient": 1, "timeout": 3, "stream_broken": 1, "bad_output": 1,
		},
		"TimeoutErrorRetries: null": nil,
	} {
		loaded := parsed(t, oneModel+"router_settings: {retry_policy: {"+text+"}}\n")
		require.Equal(t, want, loaded.RetriesByKind, text)
		for kind := range loaded.RetriesByKind {
			require.True(t, slices.Contains(kinds, kind), kind)
		}
	}
	loaded := parsed(t, oneModel+"router_settings: {allowed_fails_policy: {BadGatewayErrorAllowedFails: 3, InternalServerErrorAllowedFails: 9}}\n")
	require.Equal(t, map[string]int{"transient": 3, "overloaded": 9}, loaded.Breaker.AllowedFailsByKind)
}

func TestTheRoutersOwnSettingWinsWhereverItStands(t *testing.T) {
	t.Parallel()
	beside := "litellm_settings: {num_retries: 7, request_timeout: 70, retry_after: 7, allowed_fails: 7, cooldown_time: 7}\n"
	router := "router_settings: {num_retries: 1, timeout: 10, retry_after: 1, allowed_fails: 1, cooldown_time: 1}\n"
	for _, text := range []string{beside + router, router + beside} {
		loaded := parsed(t, oneModel+text)
		require.Equal(t, 1, loaded.Retries)
		require.Equal(t, 10*time.Second, loaded.Timeout)
		require.Equal(t, time.Second, loaded.RetryAfter)
		require.Equal(t, 1, *loaded.Breaker.AllowedFails)
		require.Equal(t, time.Second, loaded.Breaker.Cooldown)
		require.Len(t, loaded.Warnings, 5)
	}
	alone := parsed(t, oneModel+beside)
	require.Equal(t, 7, alone.Retries)
	require.Equal(t, 70*time.Second, alone.Timeout)
	require.Equal(t, 7*time.Second, alone.RetryAfter)
	require.Equal(t, 7, *alone.Breaker.AllowedFails)
	require.Equal(t, 7*time.Second, alone.Breaker.Cooldown)
	require.Empty(t, alone.Warnings)
}

func TestACooldownOfZeroIsNone(t *testing.T) {
	t.Parallel()
	loaded := parsed(t, oneModel+"router_settings: {cooldown_time: 0}\n")
	require.True(t, loaded.Breaker.Disabled)
	require.Equal(t, 5*time.Second, loaded.Breaker.Cooldown)
	require.True(t, parsed(t, oneModel+"litellm_settings: {cooldown_time: 0.0}\n").Breaker.Disabled)
	require.True(t, parsed(t, oneModel+"router_settings: {cooldown_time: 0, disable_cooldowns: false}\n").Breaker.Disabled)
}

func TestTheLongestRestIsNoShorterThanTheFirst(t *testing.T) {
	t.Parallel()
	require.Equal(t, 10*time.Minute, parsed(t, oneModel+"router_settings: {cooldown_time: 600}\n").Breaker.MaxCooldown)
	_, err := config.Parse("test.yaml", []byte(oneModel+"holdfast: {breaker: {max_cooldown: 1s}}\n"))
	require.ErrorContains(t, err, "test.yaml:2: holdfast.breaker.max_cooldown: is shorter than cooldown_time")
}

func TestWhoSwitchesProbesOn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		every time.Duration
		off   bool
		warn  string
	}{
		"general_settings: {background_health_checks: true, health_check_interval: 300}":                                   {5 * time.Minute, false, ""},
		"general_settings: {background_health_checks: true}":                                                               {time.Minute, false, ""},
		"general_settings: {background_health_checks: false}":                                                              {time.Minute, true, ""},
		"general_settings: {health_check_interval: 300}":                                                                   {time.Minute, false, "general_settings.health_check_interval"},
		"general_settings: {background_health_checks: true, health_check_interval: 300}\nholdfast: {probes: {every: 10s}}": {10 * time.Second, false, "general_settings.health_check_interval"},
		"holdfast: {probes: {off: false}}\ngeneral_settings: {background_health_checks: false}":                            {time.Minute, false, "general_settings.background_health_checks"},
		"holdfast: {probes: {off: true}}\ngeneral_settings: {background_health_checks: true}":                              {time.Minute, true, "general_settings.background_health_checks"},
		"general_settings: {background_health_checks: false, health_check_interval: 300}":                                  {time.Minute, true, "general_settings.health_check_interval"},
		"holdfast: {probes: {every: 5s, off: true, successes: 1}}":                                                         {5 * time.Second, true, ""},
	} {
		loaded := parsed(t, oneModel+text+"\n")
		require.Equal(t, want.every, loaded.Probes.Every, text)
		require.Equal(t, want.off, loaded.Probes.Off, text)
		require.Equal(t, want.warn, strings.Join(warned(loaded), " "), text)
	}
}

func TestLiteLLMsCacheIsEveryRoutes(t *testing.T) {
	t.Parallel()
	const models = "model_list: [{model_name: chat, litellm_params: {model: openai/gpt-4.1}}, " +
		"{model_name: vectors, litellm_params: {model: openai/text-embedding-3-small}}]\n"
	minute := func(byDefault bool) *config.Cache { return &config.Cache{TTL: time.Minute, ByDefault: byDefault} }
	for text, want := range map[string]struct {
		chat, vectors *config.Cache
		warn          string
	}{
		"litellm_settings: {cache: true, cache_params: {ttl: 60}}":                                      {minute(true), minute(true), ""},
		"litellm_settings: {cache: true, cache_params: {ttl: 60, mode: default_off}}":                   {minute(false), minute(false), ""},
		"litellm_settings: {cache: true, cache_params: {ttl: 60, supported_call_types: []}}":            {minute(false), minute(false), ""},
		"litellm_settings: {cache: true, cache_params: {ttl: 60, supported_call_types: [aembedding]}}":  {minute(false), minute(true), ""},
		"litellm_settings: {cache: true, cache_params: {ttl: 60, supported_call_types: [acompletion]}}": {minute(true), minute(false), ""},
		"litellm_settings: {cache: true}":                                                               {nil, nil, "litellm_settings.cache"},
		"litellm_settings: {cache: false, cache_params: {ttl: 60}}":                                     {nil, nil, "litellm_settings.cache_params"},
		"litellm_settings: {cache: true, cache_params: {ttl: 60}}\nholdfast: {routes: {chat: {cache: false}, vectors: {cache: {ttl: 5s, by_default: false}}}}": {
			nil, &config.Cache{TTL: 5 * time.Second}, "",
		},
		"holdfast: {routes: {chat: {cache: {ttl: 60, stale: 1h}}}}": {
			&config.Cache{TTL: time.Minute, Stale: time.Hour, ByDefault: true}, nil, "holdfast.routes.chat.cache.stale",
		},
	} {
		loaded := parsed(t, models+text+"\n")
		require.Equal(t, want.chat, loaded.Routes[0].Cache, text)
		require.Equal(t, want.vectors, loaded.Routes[1].Cache, text)
		require.Equal(t, want.warn, strings.Join(warned(loaded), " "), text)
	}
}

func TestWhatADeploymentCostsIsSaidByTheFileFirst(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"litellm_params: {model: openai/gpt-4.1}":                                                                             2_000_000,
		"litellm_params: {model: openai/gpt-4.1}, model_info: {input_cost_per_token: 1e-06}":                                  1_000_000,
		"litellm_params: {model: openai/gpt-4.1, input_cost_per_token: 3.5e-7}, model_info: {input_cost_per_token: 1e-06}":    350_000,
		"model_info: {input_cost_per_token: 1e-06}, litellm_params: {model: openai/gpt-4.1, input_cost_per_token: 0.0000001}": 100_000,
		"litellm_params: {model: openai/gpt-4.1, input_cost_per_token: 0}":                                                    0,
		"litellm_params: {model: openai/gpt-4.1, input_cost_per_token: \"1.1e-06\"}":                                          1_100_000,
	} {
		loaded := parsed(t, "model_list: [{model_name: chat, "+text+"}]\n")
		d := loaded.Routes[0].Deployments[0]
		require.NotNil(t, d.InputPrice, text)
		require.Equal(t, want, *d.InputPrice, text)
		require.EqualValues(t, 8_000_000, *d.OutputPrice, "said by the catalog")
	}
}

func TestTheFilesWordOnAModelComesBeforeTheCatalogs(t *testing.T) {
	t.Parallel()
	loaded := parsed(t, `model_list:
  - {model_name: a, litellm_params: {model: anthropic/claude-sonnet-4-5}, model_info: {max_input_tokens: 1000, max_output_tokens: 10, supports_vision: false}}
  - {model_name: b, litellm_params: {model: ollama/gpt-oss:120b, num_ctx: 4096}}
  - {model_name: c, litellm_params: {model: ollama/gpt-oss:120b, num_ctx: 4096}, model_info: {max_input_tokens: 2048}}
  - {model_name: d, litellm_params: {model: openai/unheard-of}}
`)
	a, b, c, d := loaded.Routes[0].Deployments[0], loaded.Routes[1].Deployments[0], loaded.Routes[2].Deployments[0], loaded.Routes[3].Deployments[0]
	require.EqualValues(t, 1000, a.MaxInputTokens)
	require.EqualValues(t, 10, a.MaxOutputTokens)
	require.Equal(t, map[string]bool{"vision": false, "reasoning": true}, a.Supports)
	require.EqualValues(t, 4096, b.MaxInputTokens)
	require.EqualValues(t, 2048, c.MaxInputTokens)
	require.Zero(t, d.MaxInputTokens)
	require.Nil(t, d.InputPrice)
	require.Nil(t, d.Supports)
}
