package openai

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// asks is what a request says of the choice of its target, as OpenRouter and LiteLLM spell it.
type asks struct {
	Models    []string       `json:"models"`    // OpenRouter's
	Fallbacks []fallback     `json:"fallbacks"` // LiteLLM's
	Provider  *preferences   `json:"provider"`
	Tags      []string       `json:"tags"`
	Cache     *cacheControls `json:"cache"`
	Metadata  notes          `json:"metadata"`

	// What OpenRouter's clients send, and means nothing here: a way of routing that it has given up, and a session, which is a
	// conversation's here.
	Route     json.RawMessage `json:"route"`
	SessionID string          `json:"session_id"`
	// What is to be done to a prompt, or beside it: nothing is.
	Transforms []json.RawMessage `json:"transforms"`
	Plugins    []json.RawMessage `json:"plugins"`
}

// maxFallbacks bounds the routes that a request names beside its own.
const maxFallbacks = 8

// fallback is a route by its name, or by an object that holds it.
type fallback string

func (f *fallback) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, (*string)(f)) == nil {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil || json.Unmarshal(object["model"], (*string)(f)) != nil || len(object) != 1 {
		return invalid("fallbacks", "invalid_value", "A fallback is a model's name, or {\"model\": NAME} and nothing else.")
	}
	return nil
}

// askedModel is the route asked for: the first of the list, where the request names no other.
func (a *asks) askedModel(named string) string {
	if named == "" && len(a.Models) > 0 {
		return a.Models[0]
	}
	return named
}

// routing gives what is asked of the routing of a request for the model; nil if nothing is.
func (a *asks) routing(model string) (*llm.Routing, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	routing := llm.Routing{Fallbacks: a.fallbacks(model), Tags: distinct(slices.Concat(a.Tags, a.Metadata.tags))}
	if err := a.Provider.decode(&routing); err != nil {
		return nil, err
	}
	var err error
	if routing.Cache, err = a.Cache.decode(); err != nil {
		return nil, err
	}
	switch {
	case len(routing.Fallbacks) > maxFallbacks:
		return nil, invalid("models", "array_above_max_length", "At most %d models may stand in for the one asked for.", maxFallbacks)
	case reflect.ValueOf(routing).IsZero():
		return nil, nil //nolint:nilnil // nothing was asked, and nothing is wrong
	}
	return &routing, nil
}

func (a *asks) check() error {
	switch {
	case len(a.Models) > 0 && len(a.Fallbacks) > 0:
		return invalid("fallbacks", "invalid_value", "Give models or fallbacks, not both.")
	case slices.Contains(a.Models, ""), slices.Contains(a.Fallbacks, ""):
		return invalid("models", "invalid_value", "No model's name may be empty.")
	case len(a.Transforms) > 0:
		return invalid("transforms", "unsupported_parameter", "transforms are not supported: a prompt is sent as it is, or to a model that it fits.")
	case len(a.Plugins) > 0:
		return invalid("plugins", "unsupported_parameter", "plugins are not supported.")
	}
	return nil
}

// fallbacks are the routes beside the one asked for, each once.
func (a *asks) fallbacks(model string) []string {
	names := slices.Clone(a.Models)
	for _, name := range a.Fallbacks {
		names = append(names, string(name))
	}
	return distinct(slices.DeleteFunc(names, func(name string) bool { return name == model }))
}

// distinct are each of the words once, without the empty ones; nil if there are none.
func distinct(words []string) []string {
	var list []string
	for _, word := range words {
		if word != "" && !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}
