package providers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers"
	"github.com/holdfast-dev/holdfast/simulator"
)

func prefills(t *testing.T, provider string, req llm.Request) bool {
	t.Helper()
	opened, err := providers.New(provider, providers.Config{
		BaseURL: "http://vendor.test", Project: "acme", Region: "eu-central-1", APIVersion: "2024-10-21",
	})
	require.NoError(t, err)
	prefiller, ok := opened.(llm.Prefiller)
	require.True(t, ok, "whatever wraps an adapter says what the adapter would")
	return prefiller.Prefills(req)
}

func TestWhichModelsGoOnWithAnAnswer(t *testing.T) {
	t.Parallel()
	does := map[string][]string{
		"anthropic": {"claude-sonnet-4-5-20250929", "claude-haiku-4-5", "claude-opus-4-1", "claude-3-5-haiku-latest"},
		"vertex":    {"claude-sonnet-4-5@20250929", "publishers/anthropic/models/claude-haiku-4-5"},
		"bedrock": {
			"eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-v2:1", "amazon.nova-pro-v1:0", "us.amazon.nova-2-lite-v1:0",
		},
		"mistral": {"mistral-medium-latest", "mistral-large-2411", "codestral-latest", "open-mistral-nemo"},
	}
	doesNot := map[string][]string{
		"anthropic": {"claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-5", "claude-haiku-5-5", "claude-nobody-knows", "kimi-k2"},
		"vertex":    {"claude-opus-4-6", "gemini-2.5-flash", "gemini-3-pro-preview"},
		"bedrock": {
			"us.anthropic.claude-opus-4-6-v1", "meta.llama3-3-70b-instruct-v1:0", "mistral.pixtral-large-2502-v1:0", "openai.gpt-oss-120b-1:0",
			"arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc",
		},
		"mistral": {"magistral-medium-latest"},
		"ollama":  {"llama3.2"}, // it is up to the model's template
		"openai":  {"gpt-4.1", "responses/gpt-5.5"}, "azure": {"gpt-4.1"}, "gemini": {"gemini-2.5-flash"},
		"cohere": {"command-a-03-2025"}, "deepseek": {"deepseek-chat"}, "openrouter": {"anthropic/claude-sonnet-4.5"},
	}
	for provider, models := range does {
		for _, model := range models {
			require.True(t, prefills(t, provider, llm.Request{Model: model}), "%s %s", provider, model)
		}
	}
	for provider, models := range doesNot {
		for _, model := range models {
			require.False(t, prefills(t, provider, llm.Request{Model: model}), "%s %s", provider, model)
		}
	}
}

func TestWhatKeepsAModelFromGoingOn(t *testing.T) {
	t.Parallel()
	models := map[string]string{
		"anthropic": "claude-sonnet-4-5", "vertex": "claude-sonnet-4-5", "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0", "mistral": "mistral-medium-latest",
	}
	budget := int64(2048)
	for name, test := range map[string]struct {
		change func(*llm.Request)
		does   bool
	}{
		"nothing":           {func(*llm.Request) {}, true},
		"plain text":        {func(r *llm.Request) { r.ResponseFormat = &llm.ResponseFormat{Type: llm.FormatText} }, true},
		"a choice of tools": {func(r *llm.Request) { r.ToolChoice = &llm.ToolChoice{Mode: llm.ToolChoiceAuto} }, true},
		"no thoughts":       {func(r *llm.Request) { r.Reasoning = &llm.Reasoning{Effort: llm.EffortNone} }, true},
		"an effort":         {func(r *llm.Request) { r.Reasoning = &llm.Reasoning{Effort: llm.EffortHigh} }, false},
		"a budget":          {func(r *llm.Request) { r.Reasoning = &llm.Reasoning{BudgetTokens: &budget} }, false},
		"JSON":              {func(r *llm.Request) { r.ResponseFormat = &llm.ResponseFormat{Type: llm.FormatJSONObject} }, false},
		"a schema":          {func(r *llm.Request) { r.ResponseFormat = &llm.ResponseFormat{Type: llm.FormatJSONSchema} }, false},
		"some tool":         {func(r *llm.Request) { r.ToolChoice = &llm.ToolChoice{Mode: llm.ToolChoiceRequired} }, false},
		"this tool":         {func(r *llm.Request) { r.ToolChoice = &llm.ToolChoice{Mode: llm.ToolChoiceTool, Name: "f"} }, false},
		"extras": {func(r *llm.Request) {
			r.Extras = map[string]json.RawMessage{}
			for provider, member := range map[string]string{
				"anthropic": "thinking", "vertex": "thinking", "bedrock": "additionalModelRequestFields", "mistral": "reasoning_effort",
			} {
				r.Extras[provider] = json.RawMessage(`{"` + member + `":{}}`)
			}
		}, false},
	} {
		for provider, model := range models {
			req := llm.Request{Model: model}
			test.change(&req)
			require.Equal(t, test.does, prefills(t, provider, req), "%s: %s", provider, name)
		}
	}
}

func wordsOf(role llm.Role, text string) llm.Message {
	return llm.Message{Role: role, Parts: []llm.Part{llm.Text(text)}}
}

// endsWith reports whether the last text of a request's conversation is this one, to the letter.
func endsWith(t *testing.T, body []byte, text string) bool {
	t.Helper()
	var in struct {
		Messages []struct {
			Role    llm.Role        `json:"role"`
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
	}
	require.NoError(t, json.Unmarshal(body, &in))
	last := in.Messages[len(in.Messages)-1]
	quoted, err := json.Marshal(text)
	require.NoError(t, err)
	return last.Role == llm.RoleAssistant && strings.Contains(string(last.Content), string(quoted))
}

// An answer that OpenAI's model began is gone on with by every other: by being put into the model's mouth, or on request.
func TestAnyProviderGoesOnWithAnAnswer(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{Seed: 7})
	t.Cleanup(sim.Close)
	const whole = "You said: tell me a long story"
	for _, s := range sides() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, said := range []string{"You", "You said: tell me a", "You said: tell me ", "You said: tell me a long st"} {
				w := s.at(t, direct{sim.Handler(s.vendor)})
				req := llm.Request{Model: s.model, Messages: []llm.Message{
					wordsOf(llm.RoleUser, "tell me a long story"),
					wordsOf(llm.RoleAssistant, "[openai/gpt-4.1] "+said),
				}}
				prefiller, _ := w.provider.(llm.Prefiller)
				prefilled := prefiller.Prefills(req)
				if !prefilled {
					req.Messages = append(req.Messages, wordsOf(llm.RoleUser, "Go on exactly where you stopped."))
				}
				sent := said
				if prefilled && s.provider != "mistral" { // Anthropic and Amazon take no blank at the end
					sent = strings.TrimRight(said, " ")
				}
				key := s.key
				if key == "" {
					key = "test-key"
				}
				answer, err := w.provider.Complete(t.Context(), key, req)
				require.NoError(t, err, said)
				require.True(t, !prefilled || endsWith(t, w.sent.body, "[openai/gpt-4.1] "+sent), "%s", w.sent.body)
				require.Equal(t, whole, sent+answer.Message.Text(), said)
				streamed, err := llm.Collect(w.provider.Stream(t.Context(), key, req))
				require.NoError(t, err, said)
				require.Equal(t, whole, sent+streamed.Message.Text(), said)
			}
		})
	}
}
