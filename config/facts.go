package config

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-dev/holdfast/catalog"
)

// prices are what a deployment costs, in millionths of a US dollar for a million tokens; nil is not said.
type prices struct{ input, output *int64 }

// highestPrice is a cent for one token, above what anybody asks: more was meant for a million.
const highestPrice = 10_000_000_000

// price reads LiteLLM's cost of one token, in US dollars, from its decimal text: exactly, as no floating point number is.
func (r *reader) price(target **int64) use {
	return func(path string, n *yaml.Node) {
		text, ok := r.scalar(path, n, "a number of US dollars")
		if !ok {
			return
		}
		value, err := catalog.Price(text, 1)
		switch {
		case err != nil:
			r.problem(n, path, "%s", err.Error())
		case value > highestPrice:
			r.problem(n, path, "must be at most 0.01: it is the price of one token, in US dollars")
		default:
			*target = &value
		}
	}
}

func (e *entry) supports(word string, value bool) {
	if e.Supports == nil {
		e.Supports = map[string]bool{}
	}
	e.Supports[word] = value
}

// complete fills in what the file does not say of a deployment, as far as its model tells.
func (e *entry) complete() {
	model := e.Model
	if e.BaseModel != "" {
		model = e.BaseModel
	}
	known, _ := catalog.Find(e.Provider, model)
	e.InputPrice = first(e.paramPrices.input, e.infoPrices.input, known.InputPrice)
	e.OutputPrice = first(e.paramPrices.output, e.infoPrices.output, known.OutputPrice)
	switch {
	case e.MaxInputTokens > 0:
	case e.Provider == "ollama" && e.ContextWindow > 0:
		e.MaxInputTokens = e.ContextWindow
	default:
		e.MaxInputTokens = known.ContextWindow
	}
	if e.MaxOutputTokens == 0 {
		e.MaxOutputTokens = known.MaxOutput
	}
	for word, fact := range map[string]*bool{"vision": known.Images, "reasoning": known.Reasons} {
		if _, said := e.Supports[word]; !said && fact != nil {
			e.supports(word, *fact)
		}
	}
	if e.Mode == "" {
		e.Mode = modeChat
		if strings.Contains(strings.ToLower(model), "embed") {
			e.Mode = modeEmbedding
		}
	}
}

// first is a copy of the first price that is known.
func first(candidates ...*int64) *int64 {
	for _, candidate := range candidates {
		if candidate != nil {
			value := *candidate
			return &value
		}
	}
	return nil
}
