package providers_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
	"github.com/holdfast-dev/holdfast/providers"
	"github.com/holdfast-dev/holdfast/simulator"
)

var update = flag.Bool("update", false, "rewrite docs/providers.md")

// column is a provider with a model that stands for it.
type column struct {
	provider, model string
	vendor          simulator.Vendor
	path            string
	config          providers.Config
	key             llm.Secret
}

// columns are the providers in the order of the document, each with a model, where models differ with several.
func columns() []column {
	google := providers.Config{Project: "acme", Region: "europe-west4"}
	amazon := providers.Config{Region: "eu-central-1"}
	const bearer = "ya29.test-token"
	all := []column{
		{provider: "openai", model: "gpt-4.1", vendor: simulator.OpenAI},
		{provider: "openai", model: "responses/gpt-5.5", vendor: simulator.OpenAI},
		{provider: "azure", model: "gpt-4.1", vendor: simulator.AzureOpenAI, config: providers.Config{APIVersion: "2024-10-21"}},
		{provider: "anthropic", model: "claude-sonnet-4-5", vendor: simulator.Anthropic},
		{provider: "anthropic", model: "claude-opus-5", vendor: simulator.Anthropic},
		{provider: "gemini", model: "gemini-2.5-flash", vendor: simulator.Gemini},
		{provider: "gemini", model: "gemini-3-pro-preview", vendor: simulator.Gemini},
		{provider: "vertex", model: "gemini-2.5-flash", vendor: simulator.VertexAI, config: google, key: bearer},
		{provider: "vertex", model: "claude-sonnet-4-5", vendor: simulator.VertexAI, config: google, key: bearer},
		{provider: "bedrock", model: "anthropic.claude-sonnet-4-5-20250929-v1:0", vendor: simulator.Bedrock, config: amazon},
		{provider: "bedrock", model: "amazon.nova-pro-v1:0", vendor: simulator.Bedrock, config: amazon},
		{provider: "bedrock", model: "meta.llama3-3-70b-instruct-v1:0", vendor: simulator.Bedrock, config: amazon},
		{provider: "bedrock", model: "mistral.mistral-large-2407-v1:0", vendor: simulator.Bedrock, config: amazon},
		{provider: "ollama", model: "qwen3-vl", vendor: simulator.Ollama},
		{provider: "mistral", model: "mistral-medium-latest", vendor: simulator.Mistral},
		{provider: "cohere", model: "command-a-03-2025", vendor: simulator.Cohere},
	}
	for name, model := range map[string]string{
		"deepseek": "deepseek-chat", "fireworks": "accounts/fireworks/models/llama-v3p3-70b-instruct", "groq": "llama-3.3-70b-versatile",
		"holdfast": "gpt-4.1", "litellm": "gpt-4.1", "openrouter": "openai/gpt-4.1", "together": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
		"vllm": "Qwen/Qwen3-32B", "xai": "grok-4",
	} {
		all = append(all, column{provider: name, model: model, path: "/v1"})
	}
	slices.SortStableFunc(all[16:], func(a, b column) int { return strings.Compare(a.provider, b.provider) })
	return all
}

// feature is a row of the document: what a request may ask, and the shared case that asks it.
type feature struct{ title, name string }

func features() []feature {
	return []feature{ // embeddings are no case of a conversation; support adds them
		{"tools", "tools"},
		{"a tool that must be called", "tools_choice_required"},
		{"this tool must be called", "tools_choice_named"},
		{"no parallel calls", "tools_not_parallel"},
		{"strict tools", "tools_strict_closed"},
		{"images in tool results", "tool_result_image"},
		{"images", "image_data"},
		{"images by address, not fetched", "image_url"},
		{"PDF", "document_pdf"},
		{"text files", "document_text"},
		{"audio", "audio_wav"},
		{"JSON object", "format_json_object"},
		{"JSON by strict schema", "format_json_schema"},
		{"JSON by schema with references", "format_json_schema_loose"},
		{"JSON by schema beside tools", "format_json_schema_tools"},
		{"reasoning effort", "reasoning_high"},
		{"reasoning budget", "reasoning_budget"},
		{"no reasoning", "reasoning_none"},
		{"temperature above 1", "sampling_hot"},
		{"seed, penalties, top_p", "sampling"},
		{"top_k", "top_k"},
		{"six stop sequences", "stop_many"},
		{"n = 2", "n_two"},
		{"logprobs", "logprobs_top"},
		{"logit_bias", "logit_bias"},
		{"verbosity", "verbosity"},
		{"service_tier", "service_tier"},
		{"prompt_cache_key", "prompt_cache_key"},
		{"cache hints", "cache_hints"},
		{"system text in the middle", "system_mid"},
		{"answer begun by the client", "assistant_last"},
		{"another vendor's thoughts in the history", "reasoning_foreign"},
		{"another vendor's tools in the history", "server_tool_foreign"},
	}
}

// verdict is what became of a feature: honoured, changed with warnings, or refused.
type verdict struct {
	mark  string
	notes []string
}

// support asks each provider for each feature. The vendor at the other end answers anything.
func support(t *testing.T, c column) map[string]verdict {
	t.Helper()
	var sim *simulator.Simulator
	sim = simulator.New(simulator.Options{Seed: 7, Answer: func(call simulator.Call) simulator.Answer { return sim.DefaultAnswer(call) }})
	defer sim.Close()
	handler := sim.Handler(c.vendor)
	if c.vendor == "" { // OpenAI's own rules are not those of the hosts that speak its protocol
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"},` +
				`{"index":1,"message":{"role":"assistant","content":"no"},"finish_reason":"stop"}]}`))
		})
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	c.config.BaseURL, c.config.HTTPClient = server.URL+c.path, &http.Client{}
	provider, err := providers.New(c.provider, c.config)
	require.NoError(t, err)
	verdicts := map[string]verdict{}
	for _, request := range llmtest.Cases(t) {
		wanted := slices.ContainsFunc(features(), func(f feature) bool { return f.name == request.Name })
		if !wanted {
			continue
		}
		request.Request.Model = c.model
		key := c.key
		if key == "" {
			key = "test-key"
		}
		response, err := provider.Complete(context.Background(), key, request.Request)
		verdicts[request.Name] = judge(t, c, request.Name, response, err)
	}
	verdicts["embeddings"] = verdict{mark: "no"}
	if embedder, ok := provider.(llm.Embedder); ok {
		_, err := embedder.Embed(context.Background(), "test-key", llm.Request{Model: c.model, Embed: &llm.Embed{Texts: []string{"x"}}})
		e, ok := errors.AsType[*llm.Error](err)
		if !ok || e.Kind != llm.KindUnsupported || e.Status != 0 {
			verdicts["embeddings"] = verdict{mark: "yes"}
		}
	}
	return verdicts
}

func judge(t *testing.T, c column, name string, response llm.Response, err error) verdict {
	t.Helper()
	if err != nil {
		e, ok := errors.AsType[*llm.Error](err)
		require.True(t, ok, "%s %s: %v", c.provider, name, err)
		// A vendor's refusal would be a defect of the adapter, but for hosts whose own vendor is not simulated.
		unable := e.Kind == llm.KindUnsupported // models that differ in what they take are known to their vendor alone
		require.True(t, e.Status == 0 || unable, "%s %s: the simulated vendor refused what was sent: %v", c.provider, name, err)
		note := e.Detail
		if note == "" {
			note = "by the vendor, for this model"
		}
		return verdict{mark: "refused", notes: []string{note}}
	}
	if len(response.Warnings) == 0 {
		return verdict{mark: "yes"}
	}
	v := verdict{mark: "changed"}
	for _, warning := range response.Warnings {
		note := "`" + warning.Param + "` " + warning.Message
		if !slices.Contains(v.notes, note) {
			v.notes = append(v.notes, note)
		}
	}
	return v
}

const supportDoc = "../docs/providers.md"

// The document is made by asking the adapters, so that it cannot say what they do not do.
func TestTheDocumentSaysWhatEachProviderSupports(t *testing.T) {
	t.Parallel()
	var doc strings.Builder
	doc.WriteString(`# Providers

What each provider makes of what a request may ask. The table is written by a test that asks the adapters
(` + "`go test ./providers -update`" + `), with the model named as the example of its kind.

- **yes**: it is sent as it is, or said in the vendor's own words.
- **changed**: it is left out or sent otherwise, with a warning in the answer's ` + "`warnings`" + ` and in the record. What exactly is
  said below the table. A strict request is refused in its place.
- **refused**: nothing is sent. Another deployment of the route that can do it answers instead; if there is none the client
  reads 400 ` + "`unsupported_by_model`" + `.

What is not in the table every provider does: text, several turns, system text, tool calls and their results, refusals, limits
on the output, usage, streams.

` + asides)
	names := columns()
	verdicts := make([]map[string]verdict, len(names))
	for i, c := range names {
		verdicts[i] = support(t, c)
	}
	rows := append(slices.Clone(features()), feature{"embeddings", "embeddings"})
	for begin := 0; begin < len(names); begin += 9 {
		end := min(begin+9, len(names))
		doc.WriteString("|  |")
		for _, c := range names[begin:end] {
			fmt.Fprintf(&doc, " %s `%s` |", c.provider, short(c.model))
		}
		doc.WriteString("\n|---|" + strings.Repeat("---|", end-begin) + "\n")
		for _, row := range rows {
			fmt.Fprintf(&doc, "| %s |", row.title)
			for i := begin; i < end; i++ {
				fmt.Fprintf(&doc, " %s |", verdicts[i][row.name].mark)
			}
			doc.WriteString("\n")
		}
		doc.WriteString("\n")
	}
	doc.WriteString("## What is changed or refused\n")
	for i, c := range names {
		fmt.Fprintf(&doc, "\n**%s** `%s`\n\n", c.provider, short(c.model))
		some := false
		for _, row := range rows {
			if v := verdicts[i][row.name]; len(v.notes) > 0 {
				some = true
				fmt.Fprintf(&doc, "- %s: %s; %s\n", row.title, v.mark, strings.Join(v.notes, "; "))
			}
		}
		if !some {
			doc.WriteString("- nothing\n")
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(supportDoc, []byte(doc.String()), 0o644))
		return
	}
	want, err := os.ReadFile(supportDoc)
	require.NoError(t, err)
	require.Equal(t, string(want), doc.String(), "run: go test ./providers -update, and read the difference")
}

// asides is what the document says that no request asks for.
const asides = `Whether a provider is there, and takes a key, it is asked by a call that costs nothing:

| Provider | Probe |
|---|---|
| openai and all that speak its protocol | lists the models |
| openrouter | asks what the key is good for, since its models are listed to everybody |
| azure | lists the models of the resource; of a deployment nothing can be asked for free |
| anthropic, gemini, mistral, cohere, ollama | lists the models |
| vertex | counts the tokens of a word, for the model |
| bedrock | counts the tokens of a word; that it cannot be done for a model is an answer too, that the account may not is ` + "`unsupported`" + ` |

What a vendor tells in its headers of the requests and tokens that an account has left comes with each answer and error: OpenAI's
headers, which most hosts send, Anthropic's and Mistral's. Gemini, Vertex AI, Bedrock, Cohere and Ollama tell none.

`

func short(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }
