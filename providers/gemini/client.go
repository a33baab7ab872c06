package gemini

import (
	"context"
	"fmt"
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

var _ llm.Provider = (*Client)(nil)

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
	sdk *genaisdk.Client
	now func() time.Time
}

// New makes a client. No variable of the environment changes where it calls or with which key.
func New(cfg Config) (*Client, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	base, err := wire.BaseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("gemini: %w", err)
	}
	version := splitVersion(base)
	// What is set here the SDK does not look up in the environment. It insists on a key; the transport removes it.
	sdk, err := genaisdk.NewClient(context.Background(), &genaisdk.ClientConfig{
		APIKey:      "set-per-call",
		Backend:     genaisdk.BackendGeminiAPI,
		HTTPClient:  wire.NewClient(cfg.HTTPClient),
		HTTPOptions: genaisdk.HTTPOptions{BaseURL: base.String(), APIVersion: version},
	})
	if err != nil {
		return nil, fmt.Errorf("gemini: make the SDK's client: %w", err)
	}
	return &Client{sdk: sdk, now: time.Now}, nil
}

// splitVersion takes the version off the end of the address.
func splitVersion(base *url.URL) string {
	for _, version := range []string{"v1beta", "v1alpha", "v1"} {
		if rest, found := strings.CutSuffix(base.Path, "/"+version); found {
			base.Path = rest
			return version
		}
	}
	return defaultVersion
}

// Complete implements [llm.Provider]. An empty key sends no x-goog-api-key header.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	call, warnings, err := newCall(req)
	if err != nil {
		return llm.Response{}, err
	}
	answer, err := wire.Exchange(ctx, name, wire.Auth{Header: "X-Goog-Api-Key", Key: key}, func(ctx context.Context) error {
		_, err := c.sdk.Models.GenerateContent(ctx, call.model, nil, call.config())
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
