package gemini

import (
	"context"

	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

var _ llm.Prober = (*Client)(nil)

// Probe implements [llm.Prober] by listing a model (https://ai.google.dev/api/models#method:-models.list). Vertex AI lists its
// models without regard to the project: the tokens of a word are counted there, at no cost
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/get-token-count).
func (c *Client) Probe(ctx context.Context, key llm.Secret, model string) error {
	send := c.list
	if c.host.vertex {
		if err := checkModel(model, c.host); err != nil {
			return err
		}
		send = func(ctx context.Context) error {
			word := []*genaisdk.Content{genaisdk.NewContentFromText("a", genaisdk.RoleUser)}
			_, err := c.sdk.Models.CountTokens(ctx, model, word, nil)
			return err
		}
	}
	return wire.Probe(ctx, wire.Call{Provider: c.host.name, Auth: c.host.auth(key), Send: send, Classify: c.classify})
}
