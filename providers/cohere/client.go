package cohere

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cohere-ai/cohere-go/v2/option"
	coheresdk "github.com/cohere-ai/cohere-go/v2/v2"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// DefaultBaseURL is Cohere's own endpoint.
const DefaultBaseURL = "https://api.cohere.com"

// name is what errors and reports call this provider.
const name = "cohere"

// noToken keeps the SDK from looking for a key in the environment. The transport removes it.
const noToken = "none"

var (
	_ llm.Provider = (*Client)(nil)
	_ llm.Embedder = (*Client)(nil)
)

// Config says where a [Client] calls. Its zero value calls Cohere.
type Config struct {
	// BaseURL is the endpoint, with or without a version or the path of a call at its end.
	BaseURL string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
}

// Client completes requests at one endpoint. It is safe for concurrent use and holds no key: each call brings its own.
type Client struct {
	sdk  *coheresdk.Client
	http *http.Client
	base *url.URL
	now  func() time.Time
}

// New makes a client. It reads nothing from the environment.
func New(cfg Config) (*Client, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	base, err := wire.BaseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("cohere: %w", err)
	}
	for _, ending := range []string{"/chat", "/embed", "/v1", "/v2"} {
		base.Path = strings.TrimSuffix(base.Path, ending)
	}
	client := wire.NewClient(cfg.HTTPClient)
	return &Client{
		http: client, base: base,
		sdk: coheresdk.NewClient(
			option.WithBaseURL(base.String()),
			option.WithHTTPClient(client),
			option.WithMaxAttempts(1),
			option.WithToken(noToken),
		),
		now: time.Now,
	}, nil
}

// Complete implements [llm.Provider]. An empty key sends no Authorization header.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	call, err := newCall(req)
	if err != nil {
		return llm.Response{}, err
	}
	return wire.Complete(ctx, wire.Call{
		Provider: name, Auth: auth(key),
		Send: func(ctx context.Context) error {
			_, err := c.sdk.Chat(ctx, call.params, option.WithBodyProperties(call.extras))
			return err
		},
		Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.fromAnswer(answer, call.origin) },
		Model:    req.Model, Warnings: call.warnings, Strict: req.Strict, // the API does not say the model
	})
}

// Stream implements [llm.Provider].
func (c *Client) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	call, err := newCall(req)
	if err != nil {
		return llm.Failed(err)
	}
	params := streamed(call.params)
	return wire.Stream(ctx, wire.Call{
		Provider: name, Auth: auth(key),
		Send: func(ctx context.Context) error {
			stream, err := c.sdk.ChatStream(ctx, params, option.WithBodyProperties(call.extras))
			if err != nil {
				return err
			}
			return stream.Close() // the transport has kept the answer; this is its stand-in
		},
		Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
		Framing:  wire.SSE,
		Decoder:  func(answer wire.Answer) wire.Decoder { return newDecoder(answer, call.origin, c.now) },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.fromAnswer(answer, call.origin) },
		Model:    req.Model, Warnings: call.warnings, Strict: req.Strict,
	})
}

func auth(key llm.Secret) wire.Auth {
	return wire.Auth{Header: "Authorization", Prefix: "Bearer ", Key: key}
}
