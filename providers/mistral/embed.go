package mistral

import (
	"context"
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// embedRequest is EmbeddingRequest of the API. The length of the vectors can be chosen for codestral-embed only.
type embedRequest struct {
	Model           string   `json:"model"`
	Input           []string `json:"input"`
	OutputDimension *int64   `json:"output_dimension,omitempty"`
}

// Embed implements [llm.Embedder] (https://docs.mistral.ai/capabilities/embeddings).
func (c *Client) Embed(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	body, warnings, err := newEmbed(req)
	if err != nil {
		return llm.Response{}, render.Named(name, err)
	}
	return wire.Complete(ctx, wire.Call{
		Provider: name, Auth: auth(key), Send: c.send("v1/embeddings", body),
		Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return fromEmbed(answer, len(req.Embed.Texts)) },
		Model:    req.Model, Warnings: warnings, Strict: req.Strict,
	})
}

func newEmbed(req llm.Request) ([]byte, []llm.Warning, error) {
	if req.Embed == nil || len(req.Embed.Texts) == 0 {
		return nil, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "input", Detail: "there is nothing to embed"}
	}
	var warnings []llm.Warning
	if req.Embed.Purpose != "" {
		warnings = append(warnings, llm.Warning{Param: "purpose", Message: "left out: Mistral's models do not tell purposes apart"})
	}
	if req.User != "" {
		warnings = append(warnings, llm.Warning{Param: "user", Message: "left out: Mistral has no field for the end user"})
	}
	extras, err := render.Extras(req, name, "model", "input", "encoding_format", "output_dtype")
	if err != nil {
		return nil, nil, err
	}
	body, err := render.Body(embedRequest{Model: req.Model, Input: req.Embed.Texts, OutputDimension: req.Embed.Dimensions}, extras)
	if err != nil {
		return nil, nil, &llm.Error{Kind: llm.KindCallerFault, Detail: "the request could not be encoded"}
	}
	return body, warnings, nil
}

func fromEmbed(answer wire.Answer, want int) (llm.Response, *llm.Error) {
	bad := func(detail string) *llm.Error {
		return &llm.Error{Kind: llm.KindBadOutput, Provider: name, Status: answer.Status, Detail: detail}
	}
	var embedded struct {
		ID    string `json:"id"`
		Model string `json:"model"`
		Data  []struct {
			Index     *int       `json:"index"`
			Embedding llm.Vector `json:"embedding"`
		} `json:"data"`
		Usage json.RawMessage `json:"usage"`
	}
	if json.Unmarshal(answer.Body, &embedded) != nil {
		return llm.Response{}, bad("the answer is not JSON of the expected form")
	}
	response := llm.Response{ID: wire.Code(embedded.ID), Model: embedded.Model, Vectors: make([]llm.Vector, want)}
	for i, one := range embedded.Data {
		if one.Index != nil {
			i = *one.Index
		}
		if i < 0 || i >= want || response.Vectors[i] != nil {
			return llm.Response{}, bad("the answer holds another number of vectors than texts were sent")
		}
		response.Vectors[i] = one.Embedding
	}
	for _, vector := range response.Vectors {
		if len(vector) == 0 || len(vector) != len(response.Vectors[0]) {
			return llm.Response{}, bad("the answer holds too few vectors, or some that are empty or of unequal length")
		}
	}
	response.Usage, _ = fromUsage(embedded.Usage)
	return response, nil
}
