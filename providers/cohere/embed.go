package cohere

import (
	"context"
	"encoding/json"
	"slices"

	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/cohere-ai/cohere-go/v2/option"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// maxTexts is how many texts one request may hold (https://docs.cohere.com/reference/embed).
const maxTexts = 96

// Embed implements [llm.Embedder]. More than 96 texts take several requests, one after the other.
func (c *Client) Embed(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	params, extras, warnings, err := newEmbed(req)
	if err != nil {
		return llm.Response{}, render.Named(name, err)
	}
	response := llm.Response{Model: req.Model, Warnings: warnings}
	for texts := range slices.Chunk(req.Embed.Texts, maxTexts) {
		params.Texts = texts
		part, err := wire.Complete(ctx, wire.Call{
			Provider: name, Auth: auth(key),
			Send: func(ctx context.Context) error {
				_, err := c.sdk.Embed(ctx, &params, option.WithBodyProperties(extras))
				return err
			},
			Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
			Whole: func(answer wire.Answer) (llm.Response, *llm.Error) {
				whole := response
				failure := addEmbed(&whole, answer, len(texts))
				return whole, failure
			},
			Warnings: warnings, Strict: req.Strict,
		})
		if err != nil {
			return llm.Response{}, err
		}
		response = part
		response.Warnings = warnings
	}
	for _, vector := range response.Vectors {
		if len(vector) != len(response.Vectors[0]) {
			return llm.Response{}, &llm.Error{Kind: llm.KindBadOutput, Provider: name, Detail: "the answer holds vectors of unequal length"}
		}
	}
	if len(req.Embed.Texts) > maxTexts {
		response.Usage.Raw = nil // of one request among several
	}
	return response, nil
}

func newEmbed(req llm.Request) (params cohere.V2EmbedRequest, rest map[string]any, warnings []llm.Warning, err error) {
	if req.Embed == nil || len(req.Embed.Texts) == 0 {
		return params, nil, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "input", Detail: "there is nothing to embed"}
	}
	params = cohere.V2EmbedRequest{
		Model: req.Model, InputType: cohere.EmbedInputTypeSearchDocument,
		EmbeddingTypes: []cohere.EmbeddingType{cohere.EmbeddingTypeFloat},
		Truncate:       cohere.V2EmbedRequestTruncateNone.Ptr(),
	}
	if req.Embed.Purpose != "" {
		if params.InputType, err = cohere.NewEmbedInputTypeFromString(req.Embed.Purpose); err != nil {
			return params, nil, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "purpose", Detail: "an unknown purpose"}
		}
	}
	if req.Embed.Dimensions != nil {
		params.OutputDimension = new(int(*req.Embed.Dimensions))
	}
	if req.User != "" {
		warnings = append(warnings, llm.Warning{Param: "user", Message: "left out: Cohere has no field for the end user"})
	}
	extras, err := render.Extras(req, name, "model", "texts", "inputs", "images", "input_type", "embedding_types", "output_dimension", "truncate")
	if err != nil {
		return params, nil, nil, err
	}
	rest = make(map[string]any)
	for _, extra := range extras {
		if extra.Name != "max_tokens" {
			rest[extra.Name] = extra.Value
			continue
		}
		if json.Unmarshal(extra.Value, &params.MaxTokens) != nil {
			return params, nil, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "extras.cohere.max_tokens", Detail: "the parameter is no number"}
		}
	}
	return params, rest, warnings, nil
}

// addEmbed adds the vectors of one answer to the response.
func addEmbed(response *llm.Response, got wire.Answer, want int) *llm.Error {
	bad := func(detail string) *llm.Error {
		return &llm.Error{Kind: llm.KindBadOutput, Provider: name, Status: got.Status, Detail: detail}
	}
	var embedded struct {
		ID         string `json:"id"`
		Embeddings struct {
			Float []llm.Vector `json:"float"`
		} `json:"embeddings"`
		Meta struct {
			BilledUnits json.RawMessage `json:"billed_units"`
		} `json:"meta"`
	}
	if json.Unmarshal(got.Body, &embedded) != nil {
		return bad("the answer is not JSON of the expected form")
	}
	if len(embedded.Embeddings.Float) != want {
		return bad("the answer holds another number of vectors than texts were sent")
	}
	for _, vector := range embedded.Embeddings.Float {
		if len(vector) == 0 {
			return bad("the answer holds an empty vector")
		}
	}
	if response.ID == "" {
		response.ID = wire.Code(embedded.ID)
	}
	response.Vectors = append(response.Vectors, embedded.Embeddings.Float...)
	var billed struct {
		Input float64 `json:"input_tokens"`
	}
	if json.Unmarshal(embedded.Meta.BilledUnits, &billed) == nil {
		response.Usage.InputTokens += whole(billed.Input)
		response.Usage.Raw = embedded.Meta.BilledUnits
	}
	return nil
}
