package gemini

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// DefaultBaseURL is Google AI Studio's own endpoint.
const DefaultBaseURL = "https://generativelanguage.googleapis.com"

// name is what errors and reports call this provider.
const name = "gemini"

// defaultVersion is the version that knows all of what is sent here.
const defaultVersion = "v1beta"

var (
	_ llm.Provider = (*Client)(nil)
	_ llm.Embedder = (*Client)(nil)
)

// Config says where a [Client] calls. Its zero value calls Google AI Studio.
type Config struct {
	// BaseURL is the endpoint, with or without a version (/v1, /v1beta or /v1alpha) at its end: requests go to
	// {BaseURL}/{version}/models/{model}:generateContent.
	BaseURL string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
}

// Client completes requests at one endpoint. It is safe for concurrent use and holds no key: each call brings its own.
type Client struct {
	sdk  *genaisdk.Client
	now  func() time.Time
	host host
	// list is the Send that lists a model, of which the SDK's own would complain in the process's log: it is handed an empty answer.
	// Vertex AI is probed in another way.
	list func(context.Context) error
}

// host is what differs between the two that speak this API.
type host struct {
	name    string // of the provider
	account string // of origins
	vertex  bool
	auth    func(key llm.Secret) wire.Auth
}

// New makes a client of Google AI Studio. No variable of the environment changes where it calls or with which key.
func New(cfg Config) (*Client, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	base, err := wire.BaseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("gemini: %w", err)
	}
	version := splitVersion(base, defaultVersion, "v1beta", "v1alpha", "v1")
	// What is set here the SDK does not look up in the environment. It insists on a key; the transport removes it.
	client := wire.NewClient(cfg.HTTPClient)
	sdk, err := genaisdk.NewClient(context.Background(), &genaisdk.ClientConfig{
		APIKey:      "set-per-call",
		Backend:     genaisdk.BackendGeminiAPI,
		HTTPClient:  client,
		HTTPOptions: genaisdk.HTTPOptions{BaseURL: base.String(), APIVersion: version},
	})
	if err != nil {
		return nil, fmt.Errorf("gemini: make the SDK's client: %w", err)
	}
	models := base.JoinPath(version, "models")
	models.RawQuery = "pageSize=1"
	return &Client{
		sdk: sdk, now: time.Now, host: host{name: name, auth: apiKey}, list: wire.Get(client, models.String()),
	}, nil
}

func apiKey(key llm.Secret) wire.Auth { return wire.Auth{Header: "X-Goog-Api-Key", Key: key} }

// splitVersion takes the version off the end of the address, if it is one of the known.
func splitVersion(base *url.URL, otherwise string, known ...string) string {
	for _, version := range known {
		if rest, found := strings.CutSuffix(base.Path, "/"+version); found {
			base.Path = rest
			return version
		}
	}
	return otherwise
}

// Complete implements [llm.Provider]. An empty key sends no credential.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	call, warnings, err := newCall(req, c.host)
	if err != nil {
		return llm.Response{}, err
	}
	return wire.Complete(ctx, wire.Call{
		Provider: c.host.name,
		Auth:     c.host.auth(key),
		Send: func(ctx context.Context) error {
			_, err := c.sdk.Models.GenerateContent(ctx, call.model, nil, call.config())
			return err
		},
		Classify: c.classify,
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.whole(req.Model, answer) },
		Model:    req.Model,
		Warnings: warnings,
		Strict:   req.Strict,
	})
}

// Stream implements [llm.Provider].
func (c *Client) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	call, warnings, err := newCall(req, c.host)
	if err != nil {
		return llm.Failed(err)
	}
	return wire.Stream(ctx, wire.Call{
		Provider: c.host.name,
		Auth:     c.host.auth(key),
		Send: func(ctx context.Context) error {
			for _, err := range c.sdk.Models.GenerateContentStream(ctx, call.model, nil, call.config()) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		Classify: c.classify,
		Framing:  frames,
		Decoder:  func(answer wire.Answer) wire.Decoder { return c.decoder(req.Model, answer) },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return c.whole(req.Model, answer) },
		Model:    req.Model,
		Warnings: warnings,
		Strict:   req.Strict,
	})
}

func (c *Client) classify(answer wire.Answer) *llm.Error {
	return classify(c.host.name, answer, c.now())
}

func (c *Client) decoder(model string, answer wire.Answer) *decoder {
	return &decoder{host: c.host, now: c.now, answer: answer, origin: llm.Origin{Provider: c.host.name, Model: model, Account: c.host.account}}
}

// whole reads an answer in one piece: it is a stream of one frame, so that both ways of asking give the same.
func (c *Client) whole(model string, answer wire.Answer) (llm.Response, *llm.Error) {
	d := c.decoder(model, answer)
	d.whole = true
	events, failure := d.Decode(wire.Frame{Data: answer.Body})
	if failure != nil {
		return llm.Response{}, failure
	}
	last, failure := d.End()
	if failure != nil {
		return llm.Response{}, failure
	}
	var collector llm.Collector
	for _, event := range append(events, last...) {
		collector.Add(event)
	}
	response := collector.Response()
	if response.Model == "" {
		response.Model = model
	}
	return response, nil
}
