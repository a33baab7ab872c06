package azure

import (
	"context"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/credential"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

var _ llm.Prober = (*Client)(nil)

// Probe implements [llm.Prober] by listing the models of the resource
// (https://learn.microsoft.com/rest/api/azureopenai/models/list). Of a deployment nothing can be asked at no cost.
func (c *Client) Probe(ctx context.Context, key llm.Secret, model string) error {
	if !isPrincipal(key) {
		return c.openai.Probe(ctx, key, model)
	}
	_, err := credential.Use(ctx, c.tokens, key, func(token credential.Token) (struct{}, error) {
		return struct{}{}, c.openai.Probe(ctx, bearer(token), model)
	})
	return render.Named(name, err)
}
