package mistral

import (
	"context"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

var _ llm.Prober = (*Client)(nil)

// Probe implements [llm.Prober] by listing the models (https://docs.mistral.ai/api/endpoint/models).
func (c *Client) Probe(ctx context.Context, key llm.Secret, _ string) error {
	return wire.Probe(ctx, wire.Call{
		Provider: name, Auth: auth(key), Send: wire.Get(c.http, c.base.JoinPath("v1/models").String()),
		Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
	})
}
