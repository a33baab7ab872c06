package openai

import (
	"context"
	"net/url"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

var _ llm.Prober = (*Client)(nil)

// Probe implements [llm.Prober] by listing the models (https://platform.openai.com/docs/api-reference/models/list), or by what
// the host has in its place.
func (c *Client) Probe(ctx context.Context, key llm.Secret, model string) error {
	auth, err := c.auth(ctx, key)
	if err != nil {
		return err
	}
	operation := c.profile.Probe
	if operation == "" {
		operation = "models"
	}
	return wire.Probe(ctx, wire.Call{
		Provider: c.profile.Name, Auth: auth, Send: wire.Get(c.http, c.address(operation, model)),
		Classify: func(answer wire.Answer) *llm.Error { return wire.Scrub(c.classify(answer), key) },
	})
}

// address is where an operation is.
func (c *Client) address(operation, model string) string {
	path, query := operation, url.Values(nil)
	if c.profile.Endpoint != nil {
		path, query = c.profile.Endpoint(operation, model)
	}
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	return target.String()
}
