package providers

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/anthropic"
	"github.com/holdfast-dev/holdfast/providers/gemini"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
	"github.com/holdfast-dev/holdfast/providers/openai"
)

// Config says where a provider is called. Its zero value calls the vendor's own endpoint with a client of its own.
type Config struct {
	// BaseURL is the endpoint, written as LiteLLM's api_base; see the Config of the provider's package.
	BaseURL string
	// HTTPClient is best one of [HTTPClient], shared by all providers. Redirects are never followed, and an overall
	// timeout in it would cut off models that think for long.
	HTTPClient *http.Client
}

type vendor struct {
	baseURL string
	open    func(Config) (llm.Provider, error)
}

// vendors is the register: what is not in it does not exist.
func vendors() map[string]vendor {
	return map[string]vendor{
		"anthropic": {anthropic.DefaultBaseURL, func(cfg Config) (llm.Provider, error) { return opened(anthropic.New(anthropic.Config(cfg))) }},
		"gemini":    {gemini.DefaultBaseURL, func(cfg Config) (llm.Provider, error) { return opened(gemini.New(gemini.Config(cfg))) }},
		"openai":    {openai.DefaultBaseURL, func(cfg Config) (llm.Provider, error) { return opened(openai.New(openai.Config(cfg))) }},
	}
}

// opened keeps a nil client from becoming a provider that is not nil.
func opened[P llm.Provider](client P, err error) (llm.Provider, error) {
	if err != nil {
		return nil, err
	}
	return client, nil
}

// New makes the named provider's adapter. It fails on an unknown name and on a malformed BaseURL, and calls nobody.
func New(name string, cfg Config) (llm.Provider, error) {
	known, ok := vendors()[name]
	if !ok {
		return nil, fmt.Errorf("unknown provider %q (known: %s)", name, strings.Join(Names(), ", "))
	}
	return known.open(cfg)
}

// Names lists the known providers in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(vendors())) }

// DefaultBaseURL is the named vendor's own endpoint, "" for an unknown name.
func DefaultBaseURL(name string) string { return vendors()[name].baseURL }

// HTTPClient makes a client for all providers to share: it keeps thousands of connections alive to a few hosts, and has
// no overall timeout, since the context of a call carries its deadline.
func HTTPClient() *http.Client { return wire.NewHTTPClient() }
