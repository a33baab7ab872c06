package anthropic

import (
	"context"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

var _ llm.Prober = (*Client)(nil)

// Probe implements [llm.Prober] by listing a model (https://platform.claude.com/docs/en/api/models/list). Google lists none of
// Claude's: the tokens of a word are counted there, at no cost
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens).
func (c *Client) Probe(ctx context.Context, key llm.Secret, model string) error {
	send := func(ctx context.Context) error { return c.sdk.Get(ctx, "v1/models?limit=1", nil, nil) }
	if c.host.vertex {
		body, err := oneWord(model)
		if err != nil {
			return render.Named(c.host.provider, err)
		}
		send = func(ctx context.Context) error { return c.sdk.Post(ctx, c.host.path(countTokens, false), body, nil) }
	}
	return wire.Probe(ctx, wire.Call{Provider: c.host.provider, Auth: c.auth(key), Send: send, Classify: c.classify})
}

// countTokens stands at Google in the place of a model; the model stands in the body.
const countTokens = "count-tokens"

// oneWord is the least that tokens can be counted of. Raw JSON is sent as it is.
func oneWord(model string) ([]byte, error) {
	return render.Plain(map[string]any{
		"anthropic_version": vertexVersion, "model": bare(model),
		"messages": []any{map[string]any{"role": "user", "content": "a"}},
	})
}
