package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/catalog"
)

func TestOneModelHasOneFamilyAtEveryHost(t *testing.T) {
	t.Parallel()
	for family, names := range map[string][]string{
		"claude-sonnet-4-5": {
			"claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic.claude-sonnet-4-5-20250929-v1:0",
			"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
			"claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5:thinking",
		},
		"claude-sonnet-4":   {"claude-sonnet-4-20250514", "claude-sonnet-4-0", "claude-sonnet-4@20250514"},
		"claude-opus-4-6":   {"claude-opus-4-6", "eu.anthropic.claude-opus-4-6-v1"},
		"claude-3-5-sonnet": {"claude-3-5-sonnet-20240620", "claude-3-5-sonnet-latest", "anthropic/claude-3.5-sonnet", "claude-3-5-sonnet-v2@20241022"},
		"claude-3-haiku":    {"anthropic.claude-3-haiku-20240307-v1:0:48k"},
		"gpt-4o":            {"gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o:extended", "azure/gpt-4o"},
		"gpt-4":             {"gpt-4", "gpt-4-0613"},
		"gpt-4-turbo":       {"gpt-4-turbo", "gpt-4-turbo-2024-04-09"},
		"gpt-3.5-turbo":     {"gpt-3.5-turbo-0125"},
		"o4-mini":           {"o4-mini-2025-04-16"},
		"gpt-oss-120b":      {"openai.gpt-oss-120b-1:0", "gpt-oss:120b", "openai/gpt-oss-120b"},
		"gemini-2.5-flash":  {"gemini-2.5-flash", "google/gemini-2.5-flash", "models/gemini-2.5-flash"},
		"gemini-2.0-flash":  {"gemini-2.0-flash-001"},
		"llama-3.3-70b": {
			"llama-3.3-70b-versatile", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama3.3:70b", "us.meta.llama3-3-70b-instruct-v1:0",
			"accounts/fireworks/models/llama-v3p3-70b-instruct", "llama3.3:70b-instruct-q4_K_M", "meta-llama/llama-3.3-70b-instruct:free",
		},
		"llama-3-70b":          {"meta-llama/Llama-3-70b", "meta-llama/Meta-Llama-3-70B-Instruct"},
		"llama-3.2":            {"llama3.2", "llama3.2:latest"},
		"qwen3-32b":            {"Qwen/Qwen3-32B", "qwen3:32b", "qwen.qwen3-32b-v1:0", "Qwen/Qwen3-32B-FP8"},
		"gemma-3-27b":          {"gemma3:27b", "google/gemma-3-27b-it"},
		"deepseek-r1":          {"deepseek.r1-v1:0", "deepseek-ai/DeepSeek-R1", "deepseek-r1-0528"},
		"deepseek-v3":          {"deepseek.v3-v1:0", "deepseek-ai/DeepSeek-V3"},
		"deepseek-chat":        {"deepseek-chat"},
		"mistral-large":        {"mistral-large-latest", "mistral-large-2411", "mistral.mistral-large-2407-v1:0", "mistral-large@2407"},
		"command-a":            {"command-a-03-2025"},
		"nova-lite":            {"amazon.nova-lite-v1:0", "eu.amazon.nova-lite-v1:0"},
		"gpt-prod":             {"gpt-prod"},
		"moonshot-v1-8k":       {"moonshot-v1-8k"},
		"text-embedding-004":   {"text-embedding-004"},
		"titan-embed-text-v2":  {"amazon.titan-embed-text-v2:0"},
		"titan-embed-text-v1":  {"amazon.titan-embed-text-v1"},
		"gemini-embedding-001": {"gemini-embedding-001"},
		"":                     {"", "  "},

		"ft:gpt-4o-mini-2024-07-18:acme::x1": {"ft:gpt-4o-mini-2024-07-18:acme::x1"},
	} {
		for _, name := range names {
			require.Equal(t, family, catalog.Family(name), name)
			if family != "" && name[:2] != "ft" {
				require.Equal(t, family, catalog.Family(family), "a family is its own")
			}
		}
	}
}

func TestTheLineOfAVendor(t *testing.T) {
	t.Parallel()
	for model, line := range map[string]string{
		"us.anthropic.claude-sonnet-4-5-20250929-v1:0": "claude", "gpt-4.1": "gpt", "o3-mini": "gpt", "chatgpt-4o-latest": "gpt",
		"ft:gpt-4o-mini:acme::1": "gpt", "codex-mini-latest": "gpt", "google/gemini-2.5-pro": "gemini", "gemma3:27b": "gemma",
		"meta-llama/Llama-3.3-70B-Instruct": "llama", "llama3.2": "llama", "codestral-2501": "mistral", "mistral-small-latest": "mistral",
		"open-mixtral-8x22b": "mistral", "command-a-03-2025": "command", "deepseek.r1-v1:0": "deepseek", "qwen/qwen3-32b": "qwen",
		"grok-4.5": "grok", "moonshotai/kimi-k2-instruct-0905": "kimi", "moonshot-v1-8k": "kimi", "amazon.nova-lite-v1:0": "nova",
		"jamba-large": "jamba", "whatever": "", "opus": "", "o": "", "": "",
	} {
		require.Equal(t, line, catalog.Line(model), model)
	}
}
