package vertex

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/anthropic"
	"github.com/holdfast-dev/holdfast/providers/gemini"
	"github.com/holdfast-dev/holdfast/providers/internal/credential"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// name is what errors and reports call this provider.
const name = "vertex"

// DefaultLocation is where requests go if no location is configured.
const DefaultLocation = "global"

// maxProjects bounds how many projects a client keeps at hand; they come from credentials.
const maxProjects = 256

var (
	_ llm.Provider = (*Client)(nil)
	_ llm.Embedder = (*Client)(nil)
)

// Config says where a [Client] calls. Its zero value calls Google in [DefaultLocation], for the project of the credential.
type Config struct {
	// BaseURL is the endpoint: with or without a version (/v1 or /v1beta1) at its end, and with or without
	// /projects/{project}/locations/{location} after that, which say what Project and Location do not. Empty is Google's
	// own endpoint for the location.
	BaseURL string
	// Project is the id of the Google Cloud project that pays; empty takes that of the credential.
	Project string
	// Location is a region such as "us-central1", a multi-region ("us", "eu") or "global".
	Location string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
}

// Client completes requests at Vertex AI. It is safe for concurrent use. It holds no credential beyond the tokens that it
// got for those of the calls.
type Client struct {
	cfg    Config
	tokens *credential.Source
	now    func() time.Time

	mu       sync.Mutex
	projects map[string]*models
}

// models are the clients for one project.
type models struct {
	gemini *gemini.Client
	claude *anthropic.Client // nil in express mode
}

// resource is the end of an address that names project and location.
var resource = regexp.MustCompile(`/projects/([^/]+)/locations/([^/]+)$`)

// New makes a client. It calls nobody, and no variable of the environment changes where it calls or with which credential.
func New(cfg Config) (*Client, error) {
	if cfg.BaseURL != "" {
		base, err := wire.BaseURL(cfg.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("vertex: %w", err)
		}
		if found := resource.FindStringSubmatch(base.Path); found != nil {
			base.Path = strings.TrimSuffix(base.Path, found[0])
			cfg.Project, cfg.Location = or(cfg.Project, found[1]), or(cfg.Location, found[2])
		}
		cfg.BaseURL = base.String()
	}
	cfg.Location = or(cfg.Location, DefaultLocation)
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = wire.NewHTTPClient()
	}
	c := &Client{cfg: cfg, now: time.Now, projects: make(map[string]*models)}
	c.tokens = credential.New(c.fetch, func() time.Time { return c.now() })
	if _, err := c.open(or(cfg.Project, "a-project")); err != nil { // to find out what is wrong now, not at the first call
		return nil, err
	}
	return c, nil
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// open makes the clients for a project, or, if it is empty, for express mode.
func (c *Client) open(project string) (*models, error) {
	base := c.cfg.BaseURL
	location := c.cfg.Location
	if project == "" {
		location = ""
		base = or(base, anthropic.VertexBaseURL("global"))
	}
	base = or(base, anthropic.VertexBaseURL(location))
	google, err := gemini.NewVertex(gemini.VertexConfig{BaseURL: base, Project: project, Location: location, HTTPClient: c.cfg.HTTPClient})
	if err != nil || project == "" {
		return &models{gemini: google}, err
	}
	claude, err := anthropic.NewVertex(anthropic.VertexConfig{
		BaseURL: strings.TrimSuffix(base, "/v1beta1"), Project: project, Location: location, HTTPClient: c.cfg.HTTPClient,
	})
	if err != nil {
		return nil, err
	}
	return &models{gemini: google, claude: claude}, nil
}

// of gives the clients for a project.
func (c *Client) of(project string) (*models, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.projects[project]; ok {
		return known, nil
	}
	opened, err := c.open(project)
	if err != nil {
		return nil, &llm.Error{Kind: llm.KindCredential, Provider: name, Detail: "the credential's project cannot be one"}
	}
	if len(c.projects) >= maxProjects {
		clear(c.projects)
	}
	c.projects[project] = opened
	return opened, nil
}

// target is who answers a call, and how its key becomes a token.
type target struct {
	provider llm.Provider
	embedder llm.Embedder
	prober   llm.Prober
	parsed   parsed
}

func (c *Client) target(key llm.Secret, model string) (target, error) {
	known, err := parse(key)
	if err != nil {
		return target{}, err
	}
	project := or(c.cfg.Project, known.project())
	express := project == ""
	if express && !known.apiKey {
		return target{}, &llm.Error{Kind: llm.KindCredential, Provider: name, Detail: "neither the configuration nor the credential names a project"}
	}
	clients, err := c.of(project)
	if err != nil {
		return target{}, err
	}
	if !isClaude(model) {
		return target{provider: clients.gemini, embedder: clients.gemini, prober: clients.gemini, parsed: known}, nil
	}
	if known.apiKey {
		return target{}, &llm.Error{Kind: llm.KindCredential, Provider: name, Detail: "an API key serves for Google's own models only"}
	}
	return target{provider: clients.claude, prober: clients.claude, parsed: known}, nil
}

// isClaude reports whether a model is Anthropic's.
func isClaude(model string) bool {
	return strings.HasPrefix(model[strings.LastIndexByte(model, '/')+1:], "claude-") || strings.HasPrefix(model, "publishers/anthropic/")
}

// Complete implements [llm.Provider]. An empty key sends no credential.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	to, err := c.target(key, req.Model) //nolint:contextcheck // to make a client calls nobody
	if err != nil {
		return llm.Response{}, err
	}
	if !to.parsed.exchanged() {
		return to.provider.Complete(ctx, key, req)
	}
	response, err := credential.Use(ctx, c.tokens, key, func(token credential.Token) (llm.Response, error) {
		return to.provider.Complete(ctx, token.Value, req)
	})
	return response, render.Named(name, err)
}

// Stream implements [llm.Provider].
func (c *Client) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	to, err := c.target(key, req.Model) //nolint:contextcheck // to make a client calls nobody
	if err != nil {
		return llm.Failed(err)
	}
	if !to.parsed.exchanged() {
		return to.provider.Stream(ctx, key, req)
	}
	return func(yield func(llm.Event, error) bool) {
		stream := credential.UseStream(ctx, c.tokens, key, func(token credential.Token) iter.Seq2[llm.Event, error] {
			return to.provider.Stream(ctx, token.Value, req)
		})
		for event, err := range stream {
			if !yield(event, render.Named(name, err)) {
				return
			}
		}
	}
}

// Embed implements [llm.Embedder]. Claude makes no embeddings.
func (c *Client) Embed(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	to, err := c.target(key, req.Model) //nolint:contextcheck // to make a client calls nobody
	if err != nil {
		return llm.Response{}, err
	}
	if to.embedder == nil {
		return llm.Response{}, render.Named(name, render.Unsupported("model", "Claude makes no embeddings"))
	}
	if !to.parsed.exchanged() {
		return to.embedder.Embed(ctx, key, req)
	}
	response, err := credential.Use(ctx, c.tokens, key, func(token credential.Token) (llm.Response, error) {
		return to.embedder.Embed(ctx, token.Value, req)
	})
	return response, render.Named(name, err)
}
