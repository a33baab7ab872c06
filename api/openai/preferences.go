package openai

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/holdfast-dev/holdfast/catalog"
	"github.com/holdfast-dev/holdfast/llm"
)

// preferences are OpenRouter's wishes about providers (https://openrouter.ai/docs/guides/routing/provider-selection).
type preferences struct {
	Order             []string  `json:"order"`
	Only              []string  `json:"only"`
	Ignore            []string  `json:"ignore"`
	AllowFallbacks    *bool     `json:"allow_fallbacks"`
	RequireParameters bool      `json:"require_parameters"`
	DataCollection    string    `json:"data_collection"`
	ZDR               bool      `json:"zdr"`
	Sort              *sorting  `json:"sort"`
	MaxPrice          *maxPrice `json:"max_price"`
	// What nothing is known of here: it is refused where it would exclude somebody.
	Quantizations          []string `json:"quantizations"`
	EnforceDistillableText bool     `json:"enforce_distillable_text"`
}

// maxPrice is in US dollars for a million tokens.
type maxPrice struct {
	Prompt     *price `json:"prompt"`
	Completion *price `json:"completion"`
}

// price is exact: a number, or a text that holds one.
type price struct{ millionths int64 }

func (p *price) UnmarshalJSON(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	var err error
	if p.millionths, err = catalog.Price(text, 1_000_000); err != nil {
		return invalid("provider.max_price", "invalid_value", "A max_price %s.", err)
	}
	return nil
}

func (p *price) value() *int64 {
	if p == nil {
		return nil
	}
	return &p.millionths
}

// sorting is a property's name, or an object that holds it.
type sorting struct{ by llm.Sort }

func (s *sorting) UnmarshalJSON(data []byte) error {
	var object struct {
		By        llm.Sort `json:"by"`
		Partition string   `json:"partition"`
	}
	if json.Unmarshal(data, &object.By) != nil {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&object); err != nil {
			return invalid("provider.sort", "invalid_value", "provider.sort is price, throughput or latency, or an object with it as by.")
		}
	}
	switch object.Partition {
	case "", "model": // as it is here: a model's providers come before its fallbacks
	default:
		return invalid("provider.sort", "unsupported_value", "provider.sort.partition must be model: the targets of one model come before those of another.")
	}
	switch s.by = object.By; s.by {
	case "", llm.SortPrice, llm.SortThroughput, llm.SortLatency:
		return nil
	default:
		return invalid("provider.sort", "invalid_value", "provider.sort must be price, throughput or latency.")
	}
}

func (p *preferences) decode(routing *llm.Routing) error {
	if p == nil {
		return nil
	}
	switch {
	case p.DataCollection != "" && p.DataCollection != "allow" && p.DataCollection != "deny":
		return invalid("provider.data_collection", "invalid_value", "provider.data_collection must be allow or deny.")
	case len(p.Quantizations) > 0:
		return invalid("provider.quantizations", "unsupported_parameter", "provider.quantizations is not supported: how models are quantized is not known.")
	case p.EnforceDistillableText:
		return invalid("provider.enforce_distillable_text", "unsupported_parameter",
			"provider.enforce_distillable_text is not supported: what may be distilled is not known.")
	}
	routing.Order, routing.Only, routing.Ignore = providers(p.Order), providers(p.Only), providers(p.Ignore)
	routing.Single = p.AllowFallbacks != nil && !*p.AllowFallbacks
	routing.NoDataCollection, routing.ZeroDataRetention = p.DataCollection == "deny", p.ZDR
	if p.Sort != nil {
		routing.Sort = p.Sort.by
	}
	if p.MaxPrice != nil {
		routing.MaxInputPrice, routing.MaxOutputPrice = p.MaxPrice.Prompt.value(), p.MaxPrice.Completion.value()
	}
	return nil
}

// strict says whether no target may leave out a part of the request.
func (p *preferences) strict() bool { return p != nil && p.RequireParameters }

// providers are the providers' own names here; nil if there are none.
func providers(names []string) []string {
	own := make([]string, len(names))
	for i, name := range names {
		own[i] = Provider(name)
	}
	return distinct(own)
}

// Provider is the name that a provider has here, of those that OpenRouter and LiteLLM give it. One that is not known stays as it is.
func Provider(name string) string {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
	if own, ok := providerNames()[name]; ok {
		return own
	}
	return name
}

func providerNames() map[string]string {
	return map[string]string{
		"amazon-bedrock": "bedrock", "aws-bedrock": "bedrock", "azure-openai": "azure", "fireworks-ai": "fireworks", "fireworks_ai": "fireworks",
		"google": "gemini", "google-ai-studio": "gemini", "google-vertex": "vertex", "mistral-ai": "mistral", "mistralai": "mistral",
		"together-ai": "together", "together_ai": "together", "togetherai": "together", "vertex_ai": "vertex", "x-ai": "xai",
	}
}
