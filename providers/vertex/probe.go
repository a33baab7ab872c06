package vertex

import (
	"context"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/credential"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

var _ llm.Prober = (*Client)(nil)

// Probe implements [llm.Prober] by counting the tokens of a word for model.
func (c *Client) Probe(ctx context.Context, key llm.Secret, model string) error {
	to, err := c.target(key, model) //nolint:contextcheck // to make a client calls nobody
	if err != nil {
		return err
	}
	if !to.parsed.exchanged() {
		return to.prober.Probe(ctx, key, model)
	}
	_, err = credential.Use(ctx, c.tokens, key, func(token credential.Token) (struct{}, error) {
		return struct{}{}, to.prober.Probe(ctx, token.Value, model)
	})
	return render.Named(name, err)
}
