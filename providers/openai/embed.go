package openai

import (
	"context"
	"encoding/json"
	"slices"

	openaisdk "github.com/openai/openai-go/v3"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// Embed implements [llm.Embedder]. Vectors are asked for in base64, which is a third of the size, and taken in either form
// (https://platform.openai.com/docs/api-reference/embeddings/create).
func (c *Client) Embed(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	params, warnings, err := c.newEmbedding(req)
	if err != nil {
		return llm.Response{}, c.named(err)
	}
	auth, err := c.auth(ctx, key)
	if err != nil {
		return llm.Response{}, err
	}
	return wire.Complete(ctx, wire.Call{
		Provider: c.profile.Name, Auth: auth, Model: req.Model, Warnings: warnings, Strict: req.Strict,
		Send: func(ctx context.Context) error {
			_, err := c.embeddings.New(ctx, params, c.at("embeddings", req.Model)...)
			return err
		},
		Classify: func(answer wire.Answer) *llm.Error { return wire.Scrub(c.classify(answer), key) },
		Whole: func(answer wire.Answer) (llm.Response, *llm.Error) {
			response, failure := c.fromEmbedding(answer, len(req.Embed.Texts))
			if failure != nil {
				return llm.Response{}, wire.Scrub(failure, key)
			}
			return response, nil
		},
	})
}

func (c *Client) newEmbedding(req llm.Request) (openaisdk.EmbeddingNewParams, []llm.Warning, error) {
	var none openaisdk.EmbeddingNewParams
	facts := c.profile.facts(req.Model, c.own)
	switch {
	case req.Embed == nil || len(req.Embed.Texts) == 0:
		return none, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "input", Detail: "there is nothing to embed"}
	case facts.lack(Embeddings):
		return none, nil, render.Unsupported("model", "this provider makes no embeddings")
	}
	r := &renderer{req: req, profile: &c.profile, facts: facts, extra: map[string]any{}}
	if !facts.lack(Base64) {
		r.extra["encoding_format"] = "base64"
	}
	for _, s := range []setting{{name: "dimensions", value: req.Embed.Dimensions}, {name: "user", value: req.User}} {
		if s.value == any("") || s.value == any((*int64)(nil)) {
			continue
		}
		if slices.Contains(facts.drops, s.name) {
			if s.name == "dimensions" { // vectors of another length fit nowhere
				return none, nil, render.Unsupported(s.name, "vectors cannot be shortened")
			}
			r.drop(s, "left out: "+c.profile.Name+" does not take it")
			continue
		}
		r.put(s.name, s.value)
	}
	if req.Embed.Purpose != "" {
		r.warn("purpose", "left out: the vectors are the same for every purpose")
	}
	extras, err := render.Extras(req, c.profile.Name, "model", "input", "encoding_format")
	if err != nil {
		return none, nil, err
	}
	for _, extra := range extras {
		r.extra[extra.Name] = extra.Value
	}
	params := openaisdk.EmbeddingNewParams{Model: req.Model, Input: openaisdk.EmbeddingNewParamsInputUnion{OfArrayOfStrings: req.Embed.Texts}}
	params.SetExtraFields(r.extra)
	return params, r.warnings, nil
}

// fromEmbedding reads an answer to a request for n vectors. They come in any order, with their places.
func (c *Client) fromEmbedding(answer wire.Answer, n int) (llm.Response, *llm.Error) {
	var list struct {
		ID    string `json:"id"`
		Model string `json:"model"`
		Data  []struct {
			Index     *int       `json:"index"`
			Embedding llm.Vector `json:"embedding"`
		} `json:"data"`
		Usage json.RawMessage `json:"usage"`
	}
	if err := json.Unmarshal(answer.Body, &list); err != nil {
		return llm.Response{}, c.badOutput(answer, "", "the answer is not JSON of the expected form")
	}
	if len(list.Data) == 0 {
		if inBand, ok := inBandError(answer); ok {
			return llm.Response{}, c.classify(inBand)
		}
	}
	if len(list.Data) != n {
		return llm.Response{}, c.badOutput(answer, "", "the answer holds another number of vectors than of texts")
	}
	vectors := make([]llm.Vector, n)
	for place, each := range list.Data {
		if each.Index != nil { // some hosts leave it out
			place = *each.Index
		}
		if place < 0 || place >= n || vectors[place] != nil || len(each.Embedding) == 0 || len(each.Embedding) != len(list.Data[0].Embedding) {
			return llm.Response{}, c.badOutput(answer, "", "the vectors are empty, unequal or out of place")
		}
		vectors[place] = each.Embedding
	}
	return llm.Response{ID: list.ID, Model: list.Model, Vectors: vectors, Usage: fromUsage(list.Usage)}, nil
}
