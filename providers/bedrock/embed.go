package bedrock

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

const (
	// cohereBatch is how many texts Cohere's models take in one call
	// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html).
	cohereBatch = 96
	// embedCalls is how many calls one request makes at the same time.
	embedCalls = 4
)

// embedding is a family of models that make vectors.
type embedding struct {
	batch      int
	dimensions []int64 // to choose from; none if there is no choice
	body       func(req llm.Request, texts []string) map[string]any
	read       func(body []byte) (vectors []llm.Vector, tokens int64, err error)
}

// embeddingOf goes by the model's name.
func embeddingOf(model string) (embedding, bool) {
	model = strings.ToLower(model)
	switch {
	case strings.Contains(model, "titan-embed-text-v2"):
		return embedding{1, []int64{256, 512, 1024}, titanBody, readTitan}, true
	case strings.Contains(model, "titan-embed-text"), strings.Contains(model, "titan-embed-g1-text"):
		return embedding{1, nil, titanBody, readTitan}, true
	case strings.Contains(model, "cohere.embed-v4"):
		return embedding{cohereBatch, []int64{256, 512, 1024, 1536}, cohereBody, readCohere}, true
	case strings.Contains(model, "cohere.embed"):
		return embedding{cohereBatch, nil, cohereBody, readCohere}, true
	default:
		return embedding{}, false
	}
}

// Embed implements [llm.Embedder]. Titan takes one text a call, so that there are as many calls as texts, a few at a time;
// if one fails the request does.
func (c *Client) Embed(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	via, err := c.access(key, req.Model)
	if err != nil {
		return llm.Response{}, err
	}
	family, bodies, warnings, err := newEmbedding(req)
	if err != nil {
		return llm.Response{}, render.Named(name, err)
	}
	response, err := withKeys(ctx, c, via, func(keys keys) (llm.Response, error) {
		return c.invokeAll(ctx, via.region, keys, req, family, bodies, warnings)
	})
	if err != nil {
		return llm.Response{}, err
	}
	response.Warnings = warnings
	return response, nil
}

// newEmbedding renders req: one body a call. Its error is an *[llm.Error] without a provider.
func newEmbedding(req llm.Request) (embedding, [][]byte, []llm.Warning, error) {
	family, ok := embeddingOf(req.Model)
	if !ok {
		return family, nil, nil, render.Unsupported("model", "of Bedrock's models Titan's and Cohere's are known to make embeddings of text")
	}
	if req.Embed == nil || len(req.Embed.Texts) == 0 {
		return family, nil, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "input", Detail: "there is nothing to embed"}
	}
	if size := req.Embed.Dimensions; size != nil && !slices.Contains(family.dimensions, *size) {
		return family, nil, nil, render.Unsupported("dimensions", "this model makes no vectors of that length")
	}
	extras, err := render.Extras(req, name, "inputText", "texts", "input_type", "embedding_types", "dimensions", "output_dimension", "images", "inputs", "model", "modelId")
	if err != nil {
		return family, nil, nil, err
	}
	var warnings []llm.Warning
	if req.User != "" {
		warnings = append(warnings, llm.Warning{Param: "user", Message: "left out: Bedrock has no place for the end user's id"})
	}
	var bodies [][]byte
	for texts := range slices.Chunk(req.Embed.Texts, family.batch) {
		members := family.body(req, texts)
		for _, extra := range extras {
			members[extra.Name] = extra.Value
		}
		body, err := json.Marshal(members)
		if err != nil {
			return family, nil, nil, &llm.Error{Kind: llm.KindCallerFault, Param: "extras." + name, Detail: "the extras are no JSON"}
		}
		bodies = append(bodies, body)
	}
	return family, bodies, warnings, nil
}

// invokeAll makes the calls and puts their vectors in order.
func (c *Client) invokeAll(ctx context.Context, region string, keys keys, req llm.Request, family embedding, bodies [][]byte, warnings []llm.Warning) (llm.Response, error) {
	batches := make([]llm.Response, len(bodies))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(embedCalls)
	for i, body := range bodies {
		group.Go(func() error {
			want := min(family.batch, len(req.Embed.Texts)-i*family.batch)
			var err error
			batches[i], err = c.invoke(ctx, region, keys, family, body, want, wire.Call{Model: req.Model, Warnings: warnings, Strict: req.Strict})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return llm.Response{}, err
	}
	whole := llm.Response{ID: batches[0].ID, Model: req.Model}
	for _, batch := range batches {
		whole.Vectors = append(whole.Vectors, batch.Vectors...)
		whole.Usage.InputTokens += batch.Usage.InputTokens
		whole.RateLimit = batch.RateLimit
	}
	for _, vector := range whole.Vectors {
		if len(vector) != len(whole.Vectors[0]) {
			return llm.Response{}, &llm.Error{Kind: llm.KindBadOutput, Provider: name, RequestID: whole.ID, Detail: "the vectors differ in length"}
		}
	}
	return whole, nil
}

// invoke makes one call for want vectors. The call says what it is for, and of what the client is warned.
func (c *Client) invoke(ctx context.Context, region string, keys keys, family embedding, body []byte, want int, call wire.Call) (llm.Response, error) {
	call.Provider, call.Auth = name, c.auth(region, keys)
	call.Send = func(ctx context.Context) error {
		_, err := c.sdk.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
			ModelId: aws.String(call.Model), Body: body, ContentType: aws.String("application/json"), Accept: aws.String("application/json"),
		}, inRegion(region))
		return err
	}
	call.Classify = func(answer wire.Answer) *llm.Error { return keys.scrub(classify(answer, c.now())) }
	call.Whole = func(answer wire.Answer) (llm.Response, *llm.Error) {
		response, failure := c.fromVectors(answer, family, want)
		if failure != nil {
			return llm.Response{}, keys.scrub(failure)
		}
		return response, nil
	}
	return wire.Complete(ctx, call)
}

// fromVectors reads the answer to one call for want vectors.
func (c *Client) fromVectors(answer wire.Answer, family embedding, want int) (llm.Response, *llm.Error) {
	vectors, tokens, err := family.read(answer.Body)
	if detail := badVectors(vectors, want, err); detail != "" {
		if saysError(answer) {
			answer.Status = http.StatusBadGateway // an error under a status of success
			return llm.Response{}, classify(answer, c.now())
		}
		return llm.Response{}, badOutput(answer, "", detail)
	}
	if tokens == 0 { // Cohere's bodies do not count
		tokens, _ = strconv.ParseInt(answer.Header.Get("X-Amzn-Bedrock-Input-Token-Count"), 10, 64)
	}
	return llm.Response{ID: requestID(answer.Header), Vectors: vectors, Usage: llm.Usage{InputTokens: max(tokens, 0)}}, nil
}

// badVectors is what is wrong with vectors; empty if nothing is.
func badVectors(vectors []llm.Vector, want int, err error) string {
	switch {
	case err != nil:
		return "the answer is not JSON of the expected form"
	case len(vectors) != want:
		return "the answer has too few vectors, or too many"
	case slices.ContainsFunc(vectors, func(vector llm.Vector) bool { return len(vector) == 0 }):
		return "a vector is empty"
	default:
		return ""
	}
}

// titanBody follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html.
func titanBody(req llm.Request, texts []string) map[string]any {
	body := map[string]any{"inputText": texts[0]}
	if req.Embed.Dimensions != nil {
		body["dimensions"] = *req.Embed.Dimensions
	}
	return body
}

func readTitan(body []byte) ([]llm.Vector, int64, error) {
	var answer struct {
		Embedding []float32 `json:"embedding"`
		Tokens    int64     `json:"inputTextTokenCount"`
	}
	err := json.Unmarshal(body, &answer)
	return []llm.Vector{answer.Embedding}, answer.Tokens, err
}

// cohereBody follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html.
func cohereBody(req llm.Request, texts []string) map[string]any {
	purpose := req.Embed.Purpose
	if purpose == "" {
		purpose = "search_document"
	}
	body := map[string]any{"texts": texts, "input_type": purpose, "embedding_types": []string{"float"}}
	if req.Embed.Dimensions != nil {
		body["output_dimension"] = *req.Embed.Dimensions
	}
	return body
}

// readCohere takes both forms: vectors by type, as asked for, or vectors alone.
func readCohere(body []byte) ([]llm.Vector, int64, error) {
	var answer struct {
		Embeddings json.RawMessage `json:"embeddings"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, 0, err
	}
	var typed struct {
		Float []llm.Vector `json:"float"`
	}
	if json.Unmarshal(answer.Embeddings, &typed) == nil {
		return typed.Float, 0, nil
	}
	err := json.Unmarshal(answer.Embeddings, &typed.Float)
	return typed.Float, 0, err
}
