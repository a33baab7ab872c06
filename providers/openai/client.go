package openai

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	sdkresponses "github.com/openai/openai-go/v3/responses"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// DefaultBaseURL is OpenAI's own endpoint.
const DefaultBaseURL = "https://api.openai.com/v1"

var (
	_ llm.Provider = (*Client)(nil)
	_ llm.Embedder = (*Client)(nil)
)

// Config says where a [Client] calls. Its zero value calls the profile's own endpoint.
type Config struct {
	// BaseURL is the endpoint up to and including its version, as LiteLLM's api_base: requests go to
	// {BaseURL}/chat/completions. An address without a path gets the profile's (OpenAI's own /v1); the path of a call at its
	// end is taken off.
	BaseURL string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
	// API is the form of the calls: "chat" or "responses" for all of them; empty leaves it to the model and the host (see
	// [ResponsesUse]).
	API string
}

// Client completes requests at one endpoint. It is safe for concurrent use and holds no key: each call brings its own.
type Client struct {
	profile     Profile
	base        *url.URL
	own         bool // the endpoint is the profile's own
	api         string
	http        *http.Client
	completions openaisdk.ChatCompletionService
	responses   sdkresponses.ResponseService
	embeddings  openaisdk.EmbeddingService
	now         func() time.Time
}

// New makes a client for OpenAI and for hosts of which nothing else is known. It reads nothing from the environment: neither
// OPENAI_API_KEY nor OPENAI_BASE_URL nor any other.
func New(cfg Config) (*Client, error) { return NewWith(OpenAI(), cfg) }

// NewWith makes a client for a host with a profile. The profile must not be changed afterwards.
func NewWith(profile Profile, cfg Config) (*Client, error) {
	switch cfg.API {
	case "", apiChat, apiResponses:
	default:
		return nil, fmt.Errorf("%s: unknown API %q (known: %s, %s)", profile.Name, cfg.API, apiChat, apiResponses)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = profile.BaseURL
	}
	if cfg.BaseURL == "" {
		return nil, fmt.Errorf("%s: a base URL is needed: there is no endpoint of its own", profile.Name)
	}
	base, err := wire.BaseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", profile.Name, err)
	}
	for _, ending := range []string{"/chat/completions", "/responses", "/embeddings"} { // the address of a call, copied whole
		base.Path = strings.TrimRight(strings.TrimSuffix(base.Path, ending), "/")
	}
	if base.Path == "" {
		if base.Path = profile.Path; base.Path == "" {
			base.Path = "/v1"
		}
	}
	home := hostOf(profile.BaseURL)
	own := home != "" && (base.Host == home || strings.HasSuffix(base.Host, "."+home)) // such as eu.api.openai.com
	if profile.Account == "" && base.Host != home {
		profile.Account = base.Hostname()
	}
	// The services, unlike the SDK's client, take no defaults from the environment.
	client := wire.NewClient(cfg.HTTPClient)
	opts := []option.RequestOption{
		option.WithBaseURL(base.String()),
		option.WithHTTPClient(client),
		option.WithMaxRetries(0),
	}
	return &Client{
		profile: profile, base: base, own: own, api: cfg.API, http: client,
		completions: openaisdk.NewChatCompletionService(opts...),
		responses:   sdkresponses.NewResponseService(opts...),
		embeddings:  openaisdk.NewEmbeddingService(opts...),
		now:         time.Now,
	}, nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// call is a request that has been rendered: how it is sent, and how its answer is read.
type call struct {
	model    string
	warnings []llm.Warning
	send     func(ctx context.Context, opts ...option.RequestOption) error
	read     func(wire.Answer) (llm.Response, *llm.Error)
	decoder  func(wire.Answer) wire.Decoder
	// streaming are the options by which an answer is streamed.
	streaming []option.RequestOption
}

// Complete implements [llm.Provider]. An empty key sends no Authorization header.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	call, err := c.render(req)
	if err != nil {
		return llm.Response{}, c.named(err)
	}
	auth, err := c.auth(ctx, key)
	if err != nil {
		return llm.Response{}, err
	}
	return wire.Complete(ctx, wire.Call{
		Provider: c.profile.Name, Auth: auth, Model: call.model, Warnings: call.warnings, Strict: req.Strict,
		Send:     func(ctx context.Context) error { return call.send(ctx) },
		Classify: func(answer wire.Answer) *llm.Error { return wire.Scrub(c.classify(answer), key) },
		Whole: func(answer wire.Answer) (llm.Response, *llm.Error) {
			response, failure := call.read(answer)
			if failure != nil {
				return llm.Response{}, wire.Scrub(failure, key)
			}
			return response, nil
		},
	})
}

// Stream implements [llm.Provider].
func (c *Client) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	call, err := c.render(req)
	if err != nil {
		return llm.Failed(c.named(err))
	}
	return func(yield func(llm.Event, error) bool) {
		auth, err := c.auth(ctx, key)
		if err != nil {
			yield(llm.Event{}, err)
			return
		}
		stream := wire.Stream(ctx, wire.Call{
			Provider: c.profile.Name, Auth: auth, Model: call.model, Warnings: call.warnings, Strict: req.Strict,
			Send:     func(ctx context.Context) error { return call.send(ctx, call.streaming...) },
			Classify: func(answer wire.Answer) *llm.Error { return wire.Scrub(c.classify(answer), key) },
			Framing:  wire.SSE,
			Decoder:  call.decoder,
			Whole:    call.read,
		})
		stream(yield)
	}
}

// render makes the call of the API that the model is to be called by.
func (c *Client) render(req llm.Request) (*call, error) {
	use, err := c.choose(&req)
	if err != nil {
		return nil, err
	}
	if use == apiResponses {
		return c.renderResponses(req)
	}
	return c.renderChat(req)
}

// auth is what a call with key is authorized by.
func (c *Client) auth(ctx context.Context, key llm.Secret) (wire.Auth, error) {
	switch {
	case c.profile.Auth != nil:
		auth, err := c.profile.Auth(ctx, key)
		if err == nil {
			return auth, nil
		}
		if _, ok := errors.AsType[*llm.Error](err); ok {
			return wire.Auth{}, c.named(err)
		}
		return wire.Auth{}, (&llm.Error{Kind: llm.KindCredential, Provider: c.profile.Name, Detail: "the credential could not be used"}).WithCause(err)
	case c.profile.AuthHeader != "":
		return wire.Auth{Header: c.profile.AuthHeader, Prefix: c.profile.AuthPrefix, Key: key}, nil
	default:
		return wire.Auth{Header: "Authorization", Prefix: "Bearer ", Key: key}, nil
	}
}

// at are the options that lead an operation to its address.
func (c *Client) at(operation, model string) []option.RequestOption {
	if c.profile.Endpoint == nil {
		return nil
	}
	path, query := c.profile.Endpoint(operation, model)
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	return []option.RequestOption{option.WithMiddleware(func(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		req.URL, req.Host = target, ""
		return next(req)
	})}
}

// named puts the profile's name on an error from shared rendering.
func (c *Client) named(err error) error {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		e.Provider = c.profile.Name
	}
	return err
}
