package compat

import (
	"encoding/json"
	"net/http"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
	"github.com/holdfast-dev/holdfast/providers/openai"
)

// openRouter: https://openrouter.ai/docs/api/reference/parameters, /docs/use-cases/reasoning-tokens,
// /docs/features/prompt-caching and /docs/api/reference/errors-and-debugging. Its models are listed to everybody, and say nothing
// of a key; /docs/api/reference/limits has the call that does. It leaves out what a model does not take by
// itself, and says so nowhere.
func openRouter() openai.Profile {
	return openai.Profile{
		Name: "openrouter", BaseURL: "https://openrouter.ai/api/v1", Path: "/api/v1", Probe: "key", Responses: openai.ResponsesAsked,
		MaxTokens: "max_tokens", DocumentAddress: "file_data", CacheModels: []string{"anthropic/*", "*claude*", "google/gemini*"},
		Lacks: []openai.Ability{openai.Choices},
		Drops: []string{"prompt_cache_key"},
		Reasoning: openai.ReasoningUse{
			Style:   openai.ReasoningObject,
			Efforts: []llm.Effort{llm.EffortNone, llm.EffortMinimal, llm.EffortLow, llm.EffortMedium, llm.EffortHigh, llm.EffortXHigh},
			Replay:  openai.ReplayAlways,
		},
		Models: openAIBehind(),
		// https://openrouter.ai/docs/client-sdks/python/components/apierrortype
		Errors: map[string]llm.Kind{
			"context_length_exceeded": llm.KindContextLength, "max_tokens_exceeded": llm.KindCallerFault,
			"token_limit_exceeded": llm.KindQuota, "string_too_long": llm.KindCallerFault,
			"authentication": llm.KindCredential, "permission_denied": llm.KindModelAccess, "payment_required": llm.KindQuota,
			"rate_limit_exceeded": llm.KindRateLimit, "provider_overloaded": llm.KindOverloaded, "provider_unavailable": llm.KindTransient,
			"invalid_request": llm.KindCallerFault, "invalid_prompt": llm.KindCallerFault, "not_found": llm.KindModelGone,
			"precondition_failed": llm.KindCallerFault, "payload_too_large": llm.KindCallerFault, "unprocessable": llm.KindCallerFault,
			"content_policy_violation": llm.KindContentPolicy, "refusal": llm.KindRefusal,
			"invalid_image": llm.KindCallerFault, "image_too_large": llm.KindCallerFault, "image_too_small": llm.KindCallerFault,
			"unsupported_image_format": llm.KindCallerFault, "image_not_found": llm.KindCallerFault, "image_download_failed": llm.KindCallerFault,
			"server": llm.KindTransient, "timeout": llm.KindTimeout,
		},
		Statuses: map[int]llm.Kind{http.StatusRequestTimeout: llm.KindTimeout},
		Classify: classifyOpenRouter,
	}
}

// openAIBehind are the efforts of OpenAI's models that do not take all: OpenRouter hands them on as they are, and the model
// refuses them (https://platform.openai.com/docs/models).
func openAIBehind() []openai.ModelRule {
	minimal, low, medium, high := llm.EffortMinimal, llm.EffortLow, llm.EffortMedium, llm.EffortHigh
	return []openai.ModelRule{
		{Pattern: "openai/o*", Efforts: []llm.Effort{low, medium, high}},
		{Pattern: "openai/gpt-5", Efforts: []llm.Effort{minimal, low, medium, high}},
		{Pattern: "openai/gpt-5-*", Efforts: []llm.Effort{minimal, low, medium, high}},
		{Pattern: "openai/gpt-5-codex*", Efforts: []llm.Effort{low, medium, high}},
		{Pattern: "openai/gpt-5-pro*", Efforts: []llm.Effort{high}},
	}
}

// classifyOpenRouter reads what no code tells: a 402 with a time to wait is a limit on what is spent at once, not on the
// credits; a model that will not become available by waiting is as good as none; and what only OpenAI's code within the text
// tells, that its model does not take a parameter.
func classifyOpenRouter(answer wire.Answer, e *llm.Error) {
	var body struct {
		Error struct {
			Metadata struct {
				Raw          string `json:"raw"`
				Availability struct {
					Retryable *bool `json:"retryable"`
				} `json:"availability"`
			} `json:"metadata"`
		} `json:"error"`
	}
	_ = json.Unmarshal(answer.Body, &body) // what is missing stays empty
	switch retryable := body.Error.Metadata.Availability.Retryable; {
	case e.Kind == llm.KindQuota && answer.Status == http.StatusPaymentRequired && e.RetryAfter > 0:
		e.Kind = llm.KindRateLimit
	case e.Kind == llm.KindCallerFault && refusesParameter(body.Error.Metadata.Raw):
		e.Kind = llm.KindUnsupported
	case retryable == nil:
	case !*retryable && (e.Kind == llm.KindOverloaded || e.Kind == llm.KindTransient):
		e.Kind = llm.KindModelAccess
	}
}

// refusesParameter reports whether raw is OpenAI's answer that this model does not take a parameter, or its value.
func refusesParameter(raw string) bool {
	var refused struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal([]byte(raw), &refused) // other vendors write what they like
	return refused.Error.Code == "unsupported_value" || refused.Error.Code == "unsupported_parameter"
}
