package ollama

import (
	"context"
	"encoding/json"

	"github.com/ollama/ollama/api"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// Embed implements [llm.Embedder] (https://docs.ollama.com/api/embed).
func (c *Client) Embed(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	body, warnings, err := newEmbed(req)
	if err != nil {
		return llm.Response{}, render.Named(name, err)
	}
	return wire.Complete(ctx, wire.Call{
		Provider: name, Auth: auth(key), Send: c.send("api/embed", body),
		Classify: func(answer wire.Answer) *llm.Error { return classify(answer, c.now()) },
		Whole:    func(answer wire.Answer) (llm.Response, *llm.Error) { return fromEmbed(answer, len(req.Embed.Texts)) },
		Model:    req.Model, Warnings: warnings, Strict: req.Strict,
	})
}

func newEmbed(req llm.Request) ([]byte, []llm.Warning, error) {
	if req.Embed == nil || len(req.Embed.Texts) == 0 {
		return nil, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "input", Detail: "there is nothing to embed"}
	}
	no := false
	params := api.EmbedRequest{Model: req.Model, Input: req.Embed.Texts, Truncate: &no}
	if req.Embed.Dimensions != nil {
		params.Dimensions = int(*req.Embed.Dimensions)
	}
	var warnings []llm.Warning
	if req.Embed.Purpose != "" {
		warnings = append(warnings, llm.Warning{Param: "purpose", Message: "left out: Ollama's models do not tell purposes apart"})
	}
	if req.User != "" {
		warnings = append(warnings, llm.Warning{Param: "user", Message: "left out: Ollama has no field for the end user"})
	}
	extras, err := render.Extras(req, name, "model", "input", "truncate")
	if err != nil {
		return nil, nil, err
	}
	var members map[string]json.RawMessage
	body, err := render.Plain(params)
	if err == nil {
		err = json.Unmarshal(body, &members)
	}
	if err != nil {
		return nil, nil, &llm.Error{Kind: llm.KindCallerFault, Detail: "the request could not be encoded"}
	}
	if string(members["options"]) == "null" { // the vendor's type writes it even so
		delete(members, "options")
	}
	for _, extra := range extras {
		members[extra.Name] = extra.Value
	}
	body, err = render.Plain(members)
	return body, warnings, err
}

func fromEmbed(answer wire.Answer, want int) (llm.Response, *llm.Error) {
	bad := func(detail string) *llm.Error {
		return &llm.Error{Kind: llm.KindBadOutput, Provider: name, Status: answer.Status, Detail: detail}
	}
	var embedded struct {
		Model      string      `json:"model"`
		Embeddings [][]float32 `json:"embeddings"`
		metrics
	}
	if json.Unmarshal(answer.Body, &embedded) != nil {
		return llm.Response{}, bad("the answer is not JSON of the expected form")
	}
	if len(embedded.Embeddings) != want {
		return llm.Response{}, bad("the answer holds another number of vectors than texts were sent")
	}
	response := llm.Response{Model: embedded.Model, Usage: embedded.usage()}
	for _, vector := range embedded.Embeddings {
		if len(vector) == 0 || len(vector) != len(embedded.Embeddings[0]) {
			return llm.Response{}, bad("the answer holds vectors that are empty or of unequal length")
		}
		response.Vectors = append(response.Vectors, vector)
	}
	return response, nil
}
