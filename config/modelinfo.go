package config

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// What a deployment is for, as model_info.mode says it.
const (
	modeChat      = "chat"
	modeEmbedding = "embedding"
)

func modes() []string {
	return []string{
		modeChat, modeEmbedding, "completion", "responses", "image_generation", "image_edit", "audio_transcription", "audio_speech",
		"moderation", "moderations", "rerank", "batch", "realtime", "video_generation", "ocr", "search", "vector_store",
	}
}

// maxTokens bounds counts of tokens and requests: more is a slip.
const maxTokens = 1_000_000_000_000

// supportsPrefix begins the keys of model_info that say what a deployment can do.
const supportsPrefix = "supports_"

// abilities are the words behind it that LiteLLM knows.
func abilities() []string {
	return []string{
		"assistant_prefill", "audio_input", "audio_output", "code_execution", "computer_use", "embedding_image_input", "function_calling",
		"image_input", "mid_conversation_system", "native_streaming", "native_structured_output", "parallel_function_calling", "pdf_input",
		"prompt_caching", "reasoning", "response_schema", "service_tier", "system_messages", "tool_choice", "url_context", "video_input",
		"vision", "web_search",
	}
}

// modelInfo reads model_info, where LiteLLM allows keys of one's own: an unknown one is an error only if it looks like a
// slip of a known one.
func (r *reader) modelInfo(e *entry, path string, n *yaml.Node) {
	uses, unused := r.modelInfoUses(e), unusedModelInfo()
	if n.Kind == yaml.MappingNode {
		known := make([]string, 0, len(uses)+len(unused))
		for name := range uses {
			if !strings.HasPrefix(name, supportsPrefix) {
				known = append(known, name)
			}
		}
		for name := range unused {
			known = append(known, name)
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, candidates := n.Content[i].Value, known
			if _, ok := uses[name]; ok || n.Content[i].Kind != yaml.ScalarNode {
				continue
			}
			word := name
			if ability, ok := strings.CutPrefix(name, supportsPrefix); ok {
				word, candidates = ability, abilities() // the beginning that all of them have would make them all alike
			}
			if nearest(word, candidates) == "" {
				unused[name] = noMeaning
			}
		}
	}
	r.section(n, path, uses, unused)
}

func (r *reader) modelInfoUses(e *entry) map[string]use {
	uses := map[string]use{
		"id": func(path string, n *yaml.Node) {
			id, ok := r.scalar(path, n, "text")
			switch {
			case !ok:
			case id == "" || len(id) > 256 || strings.TrimSpace(id) != id:
				r.problem(n, path, "must be 1 to 256 characters, without space around them")
			default:
				e.ID = id
			}
		},
		"base_model": func(path string, n *yaml.Node) {
			if value, ok := r.text(path, n); ok {
				e.BaseModel = baseModel(value)
			}
		},
		"mode":                  r.choice(&e.Mode, modes()),
		"max_input_tokens":      r.amount(&e.MaxInputTokens, 1, maxTokens),
		"max_output_tokens":     r.amount(&e.MaxOutputTokens, 1, maxTokens),
		"input_cost_per_token":  r.price(&e.infoPrices.input),
		"output_cost_per_token": r.price(&e.infoPrices.output),
		"zero_data_retention":   r.fact(&e.ZeroDataRetention),
		"data_collection":       r.choice(&e.DataCollection, []string{"allow", "deny"}),
		"only_for":              r.onlyFor(&e.OnlyFor),
	}
	for _, word := range abilities() {
		uses[supportsPrefix+word] = func(path string, n *yaml.Node) {
			if value, ok := r.boolean(path, n); ok {
				e.supports(word, value)
			}
		}
	}
	return uses
}

// baseModel is the model of LiteLLM's names for it, which begin with where it runs: azure/gpt-4.1, azure/eu/gpt-4o.
func baseModel(value string) string {
	prefix, _, _ := strings.Cut(value, "/")
	if prefix == providerAzure {
		return value[strings.LastIndexByte(value, '/')+1:]
	}
	return value
}

// onlyFor reads model_info.only_for. One that says nothing is refused: it can be read as everybody and as nobody.
func (r *reader) onlyFor(target *OnlyFor) use {
	return func(path string, n *yaml.Node) {
		present := r.section(n, path, map[string]use{
			"tenants":          r.words(&target.Tenants),
			"tokens":           r.words(&target.Tokens),
			"metadata":         r.texts(&target.Metadata),
			"min_input_tokens": r.amount(&target.MinInputTokens, 1, maxTokens),
			"max_input_tokens": r.amount(&target.MaxInputTokens, 1, maxTokens),
		}, nil)
		switch {
		case present == nil:
		case len(present) == 0:
			r.problem(n, path, "is empty; leave it out, or name some")
		case target.MaxInputTokens > 0 && target.MaxInputTokens < target.MinInputTokens:
			r.problem(n, path, "max_input_tokens is less than min_input_tokens, so that no prompt fits")
		}
	}
}
