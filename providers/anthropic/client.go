package anthropic

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// DefaultBaseURL is Anthropic's own endpoint.
const DefaultBaseURL = "https://api.anthropic.com"

// name is what errors and reports call this provider.
const name = "anthropic"

var _ llm.Provider = (*Client)(nil)

// Config says where a [Client] calls. Its zero value calls Anthropic.
type Config struct {
	// BaseURL is the endpoint, with or without /v1 or /v1/messages at its end: requests go to {BaseURL}/v1/messages.
	BaseURL string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
}

// Client completes requests at one endpoint. It is safe for concurrent use and holds no key: each call brings its own.
type Client struct {
	sdk anthropicsdk.Client
	now func() time.Time
}

// New makes a client. It reads no credential and no address from the environment or from Anthropic's profile files.
func New(cfg Config) (*Client, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	base, err := wire.BaseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("anthropic: %w", err)
	}
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/messages"), "/v1") + "/"
	return &Client{
		sdk: anthropicsdk.NewClient(
			option.WithoutEnvironmentDefaults(),
			option.WithBaseURL(base.String()),
			option.WithHTTPClient(wire.NewClient(cfg.HTTPClient)),
			option.WithMaxRetries(0),
		),
		now: time.Now,
	}, nil
}

// Complete implements [llm.Provider]. An empty key sends no x-api-key header.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	params, warnings, err := newParams(req)
	if err != nil {
		return llm.Response{}, err
	}
	answer, err := wire.Exchange(ctx, name, wire.Auth{Header: "X-Api-Key", Key: key}, func(ctx context.Context) error {
		// Not Messages.New: that refuses a large max_tokens outright, ends calls by a timeout of its own guess, and,
		// if so told by the environment, copies prompts into traces.
		return c.sdk.Post(ctx, "v1/messages", params, nil)
	})
	if err != nil {
		return llm.Response{}, err
	}
	if !answer.OK() {
		return llm.Response{}, wire.Scrub(classify(answer, c.now()), key)
	}
	response, failure := fromAnswer(answer, c.now())
	if failure != nil {
		return llm.Response{}, wire.Scrub(failure, key)
	}
	if response.Model == "" {
		response.Model = req.Model
	}
	response.Warnings = warnings
	return response, nil
}
