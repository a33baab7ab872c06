package bedrock

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/credential"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// name is what errors and reports call this provider.
const name = "bedrock"

var (
	_ llm.Provider = (*Client)(nil)
	_ llm.Embedder = (*Client)(nil)
)

// Config says where a [Client] calls. Its zero value calls AWS in the region that the credential names.
type Config struct {
	// BaseURL is the endpoint, for a VPC or a proxy; requests go to {BaseURL}/model/{model}/converse. Empty stands for AWS's
	// own endpoint in the region.
	BaseURL string
	// Region is the AWS region, such as "us-east-1". Empty leaves it to the credential, the endpoint or the model's ARN.
	Region string
	// STSEndpoint is where roles are assumed; empty stands for AWS's own in the region.
	STSEndpoint string
	// HTTPClient is shared by all calls; nil stands for one of its own.
	HTTPClient *http.Client
}

// Client completes requests at one endpoint. It is safe for concurrent use and holds no key: each call brings its own.
type Client struct {
	sdk    *bedrockruntime.Client
	signer aws4
	roles  *credential.Source
	sts    assumer
	region string
	now    func() time.Time
}

// New makes a client. It reads no credential, region or address from the environment, nor from AWS's configuration files.
func New(cfg Config) (*Client, error) {
	if cfg.Region != "" && !isRegion(cfg.Region) {
		return nil, fmt.Errorf("bedrock: region %q is none", cfg.Region)
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = wire.NewHTTPClient()
	}
	c := &Client{region: cfg.Region, now: time.Now, signer: newSigner()}
	var endpoint, sts *string
	if cfg.BaseURL != "" {
		base, err := wire.BaseURL(cfg.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("bedrock: %w", err)
		}
		base.Path = strings.TrimSuffix(base.Path, "/model")
		endpoint = aws.String(base.String())
		if c.region == "" {
			c.region = regionOfHost(base.Hostname())
		}
	}
	if cfg.STSEndpoint != "" {
		base, err := wire.BaseURL(cfg.STSEndpoint)
		if err != nil {
			return nil, fmt.Errorf("bedrock: STS: %w", err)
		}
		sts = aws.String(base.String())
	}
	c.sdk = newSDK(endpoint, wire.NewClient(cfg.HTTPClient))
	c.sts = newAssumer(sts, c.region, cfg.HTTPClient)
	c.roles = credential.New(c.sts.assume, func() time.Time { return c.now() })
	return c, nil
}

// Complete implements [llm.Provider]. See the package's documentation for what key may hold.
func (c *Client) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	via, err := c.access(key, req.Model)
	if err != nil {
		return llm.Response{}, err
	}
	rendered, err := newConversation(req, via.region)
	if err != nil {
		return llm.Response{}, render.Named(name, err)
	}
	return withKeys(ctx, c, via, func(keys keys) (llm.Response, error) {
		return c.converse(ctx, via.region, keys, req, rendered)
	})
}

func (c *Client) converse(ctx context.Context, region string, keys keys, req llm.Request, rendered conversation) (llm.Response, error) {
	return wire.Complete(ctx, wire.Call{
		Provider: name,
		Auth:     c.auth(region, keys),
		Send: func(ctx context.Context) error {
			_, err := c.sdk.Converse(ctx, rendered.input(), inRegion(region), rendered.options)
			return err
		},
		Classify: func(answer wire.Answer) *llm.Error { return keys.scrub(classify(answer, c.now())) },
		Whole: func(answer wire.Answer) (llm.Response, *llm.Error) {
			response, failure := fromAnswer(answer, rendered.origin(req.Model, region), rendered.format, c.now())
			if failure != nil {
				return llm.Response{}, keys.scrub(failure)
			}
			return response, nil
		},
		Model:    req.Model,
		Warnings: rendered.warnings,
		Strict:   req.Strict,
	})
}

// Stream implements [llm.Provider].
func (c *Client) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	via, err := c.access(key, req.Model)
	if err != nil {
		return llm.Failed(err)
	}
	rendered, err := newConversation(req, via.region)
	if err != nil {
		return llm.Failed(render.Named(name, err))
	}
	if rendered.whole {
		return c.inOnePiece(ctx, via, req, rendered)
	}
	return withKeysStream(ctx, c, via, func(keys keys) iter.Seq2[llm.Event, error] {
		return c.converseStream(ctx, via.region, keys, req, rendered)
	})
}

func (c *Client) converseStream(ctx context.Context, region string, keys keys, req llm.Request, rendered conversation) iter.Seq2[llm.Event, error] {
	origin := rendered.origin(req.Model, region)
	stream := wire.Stream(ctx, wire.Call{
		Provider: name,
		Auth:     c.auth(region, keys),
		Send: func(ctx context.Context) error {
			_, err := c.sdk.ConverseStream(ctx, rendered.streamInput(), inRegion(region), rendered.options)
			return err
		},
		Classify: func(answer wire.Answer) *llm.Error { return keys.scrub(classify(answer, c.now())) },
		Framing:  frames,
		Decoder: func(answer wire.Answer) wire.Decoder {
			return &decoder{answer: answer, origin: origin, format: rendered.format}
		},
		Whole: func(answer wire.Answer) (llm.Response, *llm.Error) {
			return fromAnswer(answer, origin, rendered.format, c.now())
		},
		Model:    req.Model,
		Warnings: rendered.warnings,
		Strict:   req.Strict,
	})
	return stream
}

// inOnePiece streams an answer that the model does not stream.
func (c *Client) inOnePiece(ctx context.Context, via access, req llm.Request, rendered conversation) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		rendered.warnings = append(rendered.warnings, llm.Warning{Param: "stream", Message: "answered in one piece: this model does not stream tool calls"})
		response, err := withKeys(ctx, c, via, func(keys keys) (llm.Response, error) {
			return c.converse(ctx, via.region, keys, req, rendered)
		})
		if err != nil {
			yield(llm.Event{}, err)
			return
		}
		for event, err := range llm.Events(response) {
			if !yield(event, err) {
				return
			}
		}
	}
}
