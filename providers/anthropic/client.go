package anthropic

import (
	"context"
	"fmt"
	"iter"
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
	sdk  anthropicsdk.Client
	host host
	now  func() time.Time
}

// host is who serves the Messages API, and what is different there.
type host struct {
	// provider is what errors, origins and extras call it.
	provider string
	// account is whose endpoint it is, as in [llm.Origin].
	account string
	// header and prefix are how the credential travels.
	header, prefix string
	// path is where a request for model goes, relative to the base URL.
	path func(model string, stream bool) string
	// vertex says that it is Google's: the model stands in the path, the API's version in the body.
	vertex bool
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
	return newClient(base.String(), cfg.HTTPClient, host{
		provider: "anthropic", header: "X-Api-Key",
		path: func(string, bool) string { return "v1/messages" },
	}), nil
}

func newClient(base string, client *http.Client, at host) *Client {
	return &Client{
		sdk: anthropicsdk.NewClient(
			option.WithoutEnvironmentDefaults(),
			option.WithBaseURL(base),
			option.WithHTTPClient(wire.NewClient(client)),
			option.WithMaxRetries(0),
		),
		host: at,
		now:  time.Now,
	}
}

// Complete implements [llm.Provider]. An empty key sends no credential.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	message, err := newMessage(req, c.host)
	if err != nil {
		return llm.Response{}, err
	}
	return wire.Complete(ctx, wire.Call{
		Provider: c.host.provider,
		Auth:     c.auth(key),
		Send:     c.send(req.Model, message, false),
		Classify: c.classify,
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.reader(req, answer).whole() },
		Model:    req.Model,
		Warnings: message.warnings,
		Strict:   req.Strict,
	})
}

// Stream implements [llm.Provider].
func (c *Client) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	message, err := newMessage(req, c.host)
	if err != nil {
		return llm.Failed(err)
	}
	return wire.Stream(ctx, wire.Call{
		Provider: c.host.provider,
		Auth:     c.auth(key),
		Send:     c.send(req.Model, message, true),
		Classify: c.classify,
		Framing:  wire.SSE,
		Decoder:  func(answer wire.Answer) wire.Decoder { return &decoder{reader: c.reader(req, answer)} },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.reader(req, answer).whole() },
		Model:    req.Model,
		Warnings: message.warnings,
		Strict:   req.Strict,
	})
}

func (c *Client) auth(key llm.Secret) wire.Auth {
	return wire.Auth{Header: c.host.header, Prefix: c.host.prefix, Key: key}
}

// send makes the request through the SDK, but not through Messages.New: that refuses a large max_tokens outright, ends
// calls by a timeout of its own guess, and, if so told by the environment, copies prompts into traces.
func (c *Client) send(model string, message message, stream bool) func(context.Context) error {
	message.stream = stream
	var options []option.RequestOption
	if len(message.betas) > 0 {
		options = append(options, option.WithHeader("Anthropic-Beta", strings.Join(message.betas, ",")))
	}
	if stream {
		options = append(options, option.WithHeader("Accept", "text/event-stream"))
	}
	return func(ctx context.Context) error {
		return c.sdk.Post(ctx, c.host.path(model, stream), message, nil, options...)
	}
}

func (c *Client) classify(answer wire.Answer) *llm.Error {
	return classify(c.host.provider, answer, c.now())
}
