package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Names of the providers that can be called.
const (
	providerOpenAI    = "openai"
	providerAnthropic = "anthropic"
	providerGemini    = "gemini"
)

var (
	openaiModel    = regexp.MustCompile(`^(gpt-|chatgpt-|ft:gpt-|text-embedding-|o[134](-|$))`)
	anthropicModel = regexp.MustCompile(`^claude-`)
	geminiModel    = regexp.MustCompile(`^gemini-`)
)

func builtProviders() []string { return []string{providerAnthropic, providerGemini, providerOpenAI} }

// plannedProviders are names that LiteLLM knows and Holdfast cannot call.
func plannedProviders() []string {
	return []string{
		"ai21", "anyscale", "azure", "azure_ai", "azure_text", "bedrock", "cerebras", "cloudflare", "codestral", "cohere",
		"cohere_chat", "custom_openai", "dashscope", "databricks", "deepinfra", "deepseek", "fireworks_ai", "github",
		"groq", "hosted_vllm", "huggingface", "jina_ai", "litellm_proxy", "lm_studio", "mistral", "moonshot", "nvidia_nim",
		"ollama", "ollama_chat", "openai_like", "openrouter", "palm", "perplexity", "replicate", "sagemaker",
		"sagemaker_chat", "sambanova", "text-completion-openai", "together_ai", "vertex_ai", "vertex_ai_beta", "vllm",
		"volcengine", "voyage", "watsonx", "xai",
	}
}

// target is where a deployment's calls go.
type target struct{ provider, model string }

// infer finds the provider of a deployment, the surest sign first: the model's prefix, custom_llm_provider, the endpoint's
// host, the model's name. The error says what to write.
func infer(model, custom, apiBase string) (target, error) {
	prefix, rest, hasPrefix := strings.Cut(model, "/")
	if hasPrefix && (isBuilt(prefix) || isPlanned(prefix)) {
		if custom != "" && custom != prefix {
			return target{}, fmt.Errorf("model and custom_llm_provider name different providers; keep one of them")
		}
		if rest == "" {
			return target{provider: prefix}, fmt.Errorf("names no model after %s/", prefix)
		}
		return target{provider: prefix, model: rest}, built(prefix)
	}
	if custom != "" {
		return target{provider: custom, model: model}, built(custom)
	}
	if hasPrefix {
		if near := nearest(prefix, append(builtProviders(), plannedProviders()...)); near != "" {
			return target{}, fmt.Errorf("unknown provider%s; did you mean %q?", shown(prefix), near)
		}
	}
	if provider := providerOfHost(apiBase); provider != "" {
		return target{provider: provider, model: model}, nil
	}
	switch {
	case openaiModel.MatchString(model):
		return target{provider: providerOpenAI, model: model}, nil
	case anthropicModel.MatchString(model):
		return target{provider: providerAnthropic, model: model}, nil
	case geminiModel.MatchString(model):
		return target{provider: providerGemini, model: model}, nil
	case hasPrefix:
		return target{}, fmt.Errorf("unknown provider%s; if the endpoint speaks OpenAI's API, write openai/<model>", shown(prefix))
	}
	return target{}, fmt.Errorf("cannot tell the provider; write it before the model, such as openai/<model>")
}

func isBuilt(name string) bool { return slices.Contains(builtProviders(), name) }

func isPlanned(name string) bool { return slices.Contains(plannedProviders(), name) }

// built says why a provider cannot be used, if it cannot.
func built(name string) error {
	all := append(builtProviders(), plannedProviders()...)
	switch {
	case isBuilt(name):
		return nil
	case isPlanned(name):
		return fmt.Errorf("provider %q is not built yet; those that are: %s", name, strings.Join(builtProviders(), ", "))
	}
	if near := nearest(name, all); near != "" {
		return fmt.Errorf("unknown provider%s; did you mean %q?", shown(name), near)
	}
	return fmt.Errorf("unknown provider%s; known are %s", shown(name), strings.Join(builtProviders(), ", "))
}

func providerOfHost(apiBase string) string {
	u, err := url.Parse(apiBase)
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Hostname()) {
	case "api.openai.com":
		return providerOpenAI
	case "api.anthropic.com":
		return providerAnthropic
	case "generativelanguage.googleapis.com":
		return providerGemini
	default:
		return ""
	}
}

// shown quotes a name for a message, unless it could be something that does not belong there.
func shown(name string) string {
	if name == "" || len(name) > 60 || looksSecret(name) {
		return ""
	}
	return fmt.Sprintf(" %q", name)
}
