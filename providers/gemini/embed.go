package gemini

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"
	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// Limits on one request for embeddings: batchEmbedContents takes 100 texts; Vertex AI's predict 250 with 20,000 tokens
// in all, except gemini-embedding-001, which takes one as does embedContent
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings).
const (
	maxBatch         = 100
	maxPredict       = 250
	maxPredictLength = 20000 // bytes: no text has more tokens than bytes
	atATime          = 8     // requests
)

// Embed implements [llm.Embedder]: by batchEmbedContents at Google AI Studio, by predict or embedContent at Vertex AI. It
// makes several requests where one does not take all texts.
func (c *Client) Embed(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	form, warnings, err := newEmbedding(req, c.host)
	if err != nil {
		return llm.Response{}, err
	}
	batches := form.batches(req.Embed.Texts)
	parts := make([]llm.Response, len(batches))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atATime)
	for i, texts := range batches {
		group.Go(func() error {
			var err error
			parts[i], err = c.embed(ctx, key, form, texts, wire.Call{Model: req.Model, Warnings: warnings, Strict: req.Strict})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return llm.Response{}, err
	}
	response := llm.Response{Model: req.Model, Warnings: warnings}
	for _, part := range parts {
		response.Vectors = append(response.Vectors, part.Vectors...)
		response.Usage.InputTokens += part.Usage.InputTokens
		response.Usage.InputImageTokens += part.Usage.InputImageTokens
		response.RateLimit = part.RateLimit
	}
	if len(parts) == 1 {
		response.Usage.Raw = parts[0].Usage.Raw
	}
	for _, vector := range response.Vectors {
		if len(vector) != len(response.Vectors[0]) {
			return llm.Response{}, &llm.Error{Kind: llm.KindBadOutput, Provider: c.host.name, Status: http.StatusOK, Detail: "the vectors differ in length"}
		}
	}
	return response, nil
}

// embedding is how one model is asked for vectors.
type embedding struct {
	host       host
	model      string
	purpose    string
	dimensions *int64
	extras     []render.Extra
	predict    bool // Vertex AI's older way
	single     bool // one text a request
}

func newEmbedding(req llm.Request, h host) (embedding, []llm.Warning, error) {
	if err := checkModel(req.Model, h); err != nil {
		return embedding{}, nil, err
	}
	if req.Embed == nil || len(req.Embed.Texts) == 0 {
		return embedding{}, nil, &llm.Error{Kind: llm.KindCallerFault, Provider: h.name, Param: "input", Detail: "there is nothing to embed"}
	}
	extras, err := render.Extras(req, h.name, "model", "requests", "instances", "content")
	if err != nil {
		return embedding{}, nil, render.Named(h.name, err)
	}
	base := req.Model[strings.LastIndexByte(req.Model, '/')+1:]
	form := embedding{host: h, model: req.Model, dimensions: req.Embed.Dimensions, extras: extras}
	if h.vertex {
		form.predict = !vertexEmbedContent(base)
		form.single = !form.predict || base == "gemini-embedding-001"
		// The SDK goes by the bare name only.
		if bare, found := strings.CutPrefix(req.Model, "publishers/google/models/"); found {
			form.model = bare
		}
	}
	var warnings []llm.Warning
	if form.purpose, err = purpose(req.Embed.Purpose, h); err != nil {
		return embedding{}, nil, err
	}
	if form.purpose != "" && strings.HasPrefix(base, "gemini-embedding-") && base != "gemini-embedding-001" {
		// https://ai.google.dev/gemini-api/docs/embeddings#task-types
		form.purpose = ""
		warnings = append(warnings, llm.Warning{Param: "input_type", Message: "left out: this model takes its task from the text's own words"})
	}
	if req.User != "" {
		warnings = append(warnings, llm.Warning{Param: "user", Message: "left out: Gemini takes no user id"})
	}
	return form, warnings, nil
}

// vertexEmbedContent reports whether Vertex AI has a model under embedContent; the SDK decides by the same rule.
func vertexEmbedContent(base string) bool {
	return strings.Contains(base, "gemini") && base != "gemini-embedding-001" || strings.Contains(base, "maas")
}

// purpose is a canonical purpose as a taskType (https://ai.google.dev/api/embeddings#v1beta.TaskType).
func purpose(canonical string, h host) (string, error) {
	switch canonical {
	case "":
		return "", nil
	case "search_document":
		return "RETRIEVAL_DOCUMENT", nil
	case "search_query":
		return "RETRIEVAL_QUERY", nil
	case "classification":
		return "CLASSIFICATION", nil
	case "clustering":
		return "CLUSTERING", nil
	default:
		return "", &llm.Error{Kind: llm.KindCallerFault, Provider: h.name, Param: "input_type", Detail: "unknown purpose"}
	}
}

// batches splits texts into what one request takes.
func (e embedding) batches(texts []string) [][]string {
	var batches [][]string
	length := 0
	for _, text := range texts {
		last := len(batches) - 1
		full := last < 0 || e.single || !e.host.vertex && len(batches[last]) == maxBatch ||
			e.host.vertex && (len(batches[last]) == maxPredict || length+len(text) > maxPredictLength)
		if full {
			batches = append(batches, []string{text})
			length = len(text)
			continue
		}
		batches[last] = append(batches[last], text)
		length += len(text)
	}
	return batches
}

// body renders a request for the vectors of texts.
func (e embedding) body(texts []string) map[string]any {
	options := map[string]any{}
	body := map[string]any{}
	switch {
	case e.predict:
		var instances []any
		for _, text := range texts {
			instance := map[string]any{"content": text}
			if e.purpose != "" {
				instance["task_type"] = e.purpose
			}
			instances = append(instances, instance)
		}
		body["instances"] = instances
		set(options, "outputDimensionality", e.dimensions)
		if len(options) > 0 {
			body["parameters"] = options
		}
		e.extend(body)
	case e.host.vertex:
		body["content"] = textContent(texts[0])
		set(options, "outputDimensionality", e.dimensions)
		if len(options) > 0 {
			body["embedContentConfig"] = options
		}
		e.extend(body)
	default:
		var requests []any
		model := e.model
		if !strings.Contains(model, "/") {
			model = "models/" + model
		}
		for _, text := range texts {
			request := map[string]any{"model": model, "content": textContent(text)}
			if e.purpose != "" {
				request["taskType"] = e.purpose
			}
			set(request, "outputDimensionality", e.dimensions)
			e.extend(request) // the batch itself has no members but these
			requests = append(requests, request)
		}
		body["requests"] = requests
	}
	return body
}

func (e embedding) extend(object map[string]any) {
	for _, extra := range e.extras {
		merge(object, spelt(object, extra.Name), extra.Value)
	}
}

func textContent(text string) content { return content{Parts: []any{textPart{Text: text}}} }

// embed makes one request. The call says of what the client is warned.
func (c *Client) embed(ctx context.Context, key llm.Secret, form embedding, texts []string, made wire.Call) (llm.Response, error) {
	request := call{model: form.model, body: form.body(texts)}
	made.Provider, made.Auth, made.Classify = c.host.name, c.host.auth(key), c.classify
	made.Send = func(ctx context.Context) error {
		dummy := []*genaisdk.Content{{Parts: []*genaisdk.Part{{Text: "-"}}}} // the body takes its place
		_, err := c.sdk.Models.EmbedContent(ctx, request.model, dummy, &genaisdk.EmbedContentConfig{HTTPOptions: request.options()})
		return err
	}
	made.Whole = func(answer wire.Answer) (llm.Response, *llm.Error) { return fromEmbedded(c.host, answer, len(texts)) }
	return wire.Complete(ctx, made)
}

// vector is a ContentEmbedding, of either host.
type vector struct {
	Values     llm.Vector `json:"values"`
	Statistics struct {
		Tokens float64 `json:"token_count"` // Vertex AI writes 5.0
	} `json:"statistics"`
}

// fromEmbedded reads the answers of batchEmbedContents (https://ai.google.dev/api/embeddings), embedContent and predict.
func fromEmbedded(h host, answer wire.Answer, want int) (llm.Response, *llm.Error) {
	var body struct {
		Embeddings    []vector        `json:"embeddings"`
		Embedding     *vector         `json:"embedding"`
		UsageMetadata json.RawMessage `json:"usageMetadata"`
		Predictions   []struct {
			Embeddings vector `json:"embeddings"`
		} `json:"predictions"`
	}
	bad := func(detail string) *llm.Error {
		return &llm.Error{Kind: llm.KindBadOutput, Provider: h.name, Status: answer.Status, Detail: detail}
	}
	if json.Unmarshal(answer.Body, &body) != nil {
		return llm.Response{}, bad("the answer is not JSON of the expected form")
	}
	vectors := body.Embeddings
	for _, prediction := range body.Predictions {
		vectors = append(vectors, prediction.Embeddings)
	}
	if body.Embedding != nil {
		vectors = append(vectors, *body.Embedding)
	}
	if len(vectors) != want {
		return llm.Response{}, bad(fmt.Sprintf("the answer holds %d vectors, not %d", len(vectors), want))
	}
	result := llm.Response{Usage: fromUsage(body.UsageMetadata)}
	for _, v := range vectors {
		if len(v.Values) == 0 {
			return llm.Response{}, bad("the answer holds a vector without numbers")
		}
		result.Vectors = append(result.Vectors, v.Values)
		if tokens := v.Statistics.Tokens; tokens > 0 && tokens < 1e12 {
			result.Usage.InputTokens += int64(tokens)
		}
	}
	return result, nil
}
