package mistral

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// DefaultBaseURL is Mistral's own endpoint.
const DefaultBaseURL = "https://api.mistral.ai"

// name is what errors and reports call this provider.
const name = "mistral"

var (
	_ llm.Provider = (*Client)(nil)
	_ llm.Embedder = (*Client)(nil)
)

// Config says where a [Client] calls. Its zero value calls Mistral.
type Config struct {
	// BaseURL is the endpoint, with or without /v1 or the path of a call at its end.
	BaseURL string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
}

// Client completes requests at one endpoint. It is safe for concurrent use and holds no key: each call brings its own.
type Client struct {
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
		return nil, fmt.Errorf("mistral: %w", err)
	}
	for _, ending := range []string{"/chat/completions", "/embeddings", "/v1"} {
		base.Path = strings.TrimSuffix(base.Path, ending)
	}
	return &Client{http: wire.NewClient(cfg.HTTPClient), base: base, now: time.Now}, nil
}

// Complete implements [llm.Provider]. An empty key sends no Authorization header.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	sent, err := newRendering(req, false)
	if err != nil {
		return llm.Response{}, err
	}
	return wire.Complete(ctx, wire.Call{
		Provider: name, Auth: auth(key), Send: c.send("v1/chat/completions", sent.body),
		Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.fromAnswer(answer, sent) },
		Model:    req.Model, Warnings: sent.warnings, Strict: req.Strict,
	})
}

// Stream implements [llm.Provider].
func (c *Client) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	sent, err := newRendering(req, true)
	if err != nil {
		return llm.Failed(err)
	}
	return wire.Stream(ctx, wire.Call{
		Provider: name, Auth: auth(key), Send: c.send("v1/chat/completions", sent.body),
		Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
		Framing:  wire.SSE,
		Decoder:  func(answer wire.Answer) wire.Decoder { return newDecoder(answer, sent, c.now) },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.fromAnswer(answer, sent) },
		Model:    req.Model, Warnings: sent.warnings, Strict: req.Strict,
	})
}

func auth(key llm.Secret) wire.Auth {
	return wire.Auth{Header: "Authorization", Prefix: "Bearer ", Key: key}
}

// send posts body to path.
func (c *Client) send(path string, body []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath(path).String(), bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := c.http.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body) // the transport has kept the answer; this is its stand-in
		return resp.Body.Close()
	}
}
