package openai

import (
	"context"
	"fmt"
	"net/http"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// DefaultBaseURL is OpenAI's own endpoint.
const DefaultBaseURL = "https://api.openai.com/v1"

// name is what errors and reports call this provider.
const name = "openai"

var _ llm.Provider = (*Client)(nil)

// Config says where a [Client] calls. Its zero value calls OpenAI.
type Config struct {
	// BaseURL is the endpoint up to and including its version, as LiteLLM's api_base: requests go to
	// {BaseURL}/chat/completions. An address without a path gets OpenAI's own /v1.
	BaseURL string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
}

// Client completes requests at one endpoint. It is safe for concurrent use and holds no key: each call brings its own.
type Client struct {
	completions openaisdk.ChatCompletionService
	now         func() time.Time
}

// New makes a client. It reads nothing from the environment: neither OPENAI_API_KEY nor OPENAI_BASE_URL nor any other.
func New(cfg Config) (*Client, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	base, err := wire.BaseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("openai: %w", err)
	}
	if base.Path == "" {
		base.Path = "/v1"
	}
	// The service, unlike the SDK's client, takes no defaults from the environment.
	return &Client{
		completions: openaisdk.NewChatCompletionService(
			option.WithBaseURL(base.String()),
			option.WithHTTPClient(wire.NewClient(cfg.HTTPClient)),
			option.WithMaxRetries(0),
		),
		now: time.Now,
	}, nil
}

// Complete implements [llm.Provider]. An empty key sends no Authorization header.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	params, warnings, err := newParams(req)
	if err != nil {
		return llm.Response{}, err
	}
	auth := wire.Auth{Header: "Authorization", Prefix: "Bearer ", Key: key}
	answer, err := wire.Exchange(ctx, name, auth, func(ctx context.Context) error {
		_, err := c.completions.New(ctx, params)
		return err
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
