package openai

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// maxTexts is OpenAI's own limit on one request.
	maxTexts = 2048
	// purposes are Cohere's input types, which other vendors' models tell apart under other names.
	purposeDocument, purposeQuery, purposeClassification, purposeClustering = "search_document", "search_query", "classification", "clustering"
)

// EmbeddingsRequest is a decoded request for embeddings.
type EmbeddingsRequest struct {
	llm.Request
	// Base64 says that the client wants the vectors in OpenAI's base64 form, as its SDKs do.
	Base64 bool `json:"-"`
}

// DecodeEmbeddings reads the body of POST /v1/embeddings
// (https://platform.openai.com/docs/api-reference/embeddings/create). An error is an *[InvalidError].
func DecodeEmbeddings(body []byte) (EmbeddingsRequest, error) {
	var wire struct {
		Model           string                     `json:"model"`
		Input           json.RawMessage            `json:"input"`
		EncodingFormat  string                     `json:"encoding_format"`
		Dimensions      *int64                     `json:"dimensions"`
		User            string                     `json:"user"`
		asks                                       // extensions, as for chat completions
		InputType       string                     `json:"input_type"` // an extension, too
		ProviderOptions map[string]json.RawMessage `json:"provider_options"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wire); err != nil {
		return EmbeddingsRequest{}, explainJSON(err)
	}
	if decoder.More() {
		return EmbeddingsRequest{}, invalid("", "invalid_json", "The body holds more than one JSON value.")
	}
	wire.Model = wire.askedModel(wire.Model)
	known := []string{"", purposeDocument, purposeQuery, purposeClassification, purposeClustering}
	switch {
	case len(wire.Metadata.texts) > 16:
		return EmbeddingsRequest{}, invalid("metadata", "invalid_value", "At most 16 metadata entries are allowed.")
	case wire.Model == "":
		return EmbeddingsRequest{}, invalid("model", "missing_required_parameter", "You must provide a model parameter.")
	case wire.EncodingFormat != "" && wire.EncodingFormat != "float" && wire.EncodingFormat != "base64":
		return EmbeddingsRequest{}, invalid("encoding_format", "invalid_value", "encoding_format must be float or base64.")
	case wire.Dimensions != nil && *wire.Dimensions < 1:
		return EmbeddingsRequest{}, invalid("dimensions", "invalid_value", "dimensions must be at least 1.")
	case !slices.Contains(known, wire.InputType):
		return EmbeddingsRequest{}, invalid("input_type", "invalid_value", "input_type must be search_document, search_query, classification or clustering.")
	}
	texts, err := texts(wire.Input)
	if err != nil {
		return EmbeddingsRequest{}, err
	}
	routing, err := wire.routing(wire.Model)
	if err != nil {
		return EmbeddingsRequest{}, err
	}
	return EmbeddingsRequest{
		Request: llm.Request{
			Model: wire.Model, User: wire.User, Metadata: wire.Metadata.texts, Extras: wire.ProviderOptions,
			Routing: routing, Strict: wire.Provider.strict(),
			Embed: &llm.Embed{Texts: texts, Dimensions: wire.Dimensions, Purpose: wire.InputType},
		},
		Base64: wire.EncodingFormat == "base64",
	}, nil
}

// texts reads the input: a text or a list of texts. Lists of token numbers mean something to one vendor's tokenizer only.
func texts(input json.RawMessage) ([]string, error) {
	var one string
	var list []string
	switch {
	case len(input) == 0 || string(input) == "null":
		return nil, invalid("input", "missing_required_parameter", "You must provide an input.")
	case json.Unmarshal(input, &one) == nil:
		list = []string{one}
	case json.Unmarshal(input, &list) != nil:
		return nil, invalid("input", "unsupported_value", "input must be a text or a list of texts; token numbers are not portable between models.")
	}
	switch {
	case len(list) == 0:
		return nil, invalid("input", "empty_array", "input must not be empty.")
	case len(list) > maxTexts:
		return nil, invalid("input", "array_above_max_length", "input must hold at most %d texts.", maxTexts)
	case slices.Contains(list, ""):
		return nil, invalid("input", "invalid_value", "No text in input may be empty.")
	}
	return list, nil
}

// Embeddings is the answer object.
type Embeddings struct {
	Object   string          `json:"object"`
	Data     []Embedding     `json:"data"`
	Model    string          `json:"model"`
	Usage    EmbeddingsUsage `json:"usage"`
	Warnings []llm.Warning   `json:"warnings,omitempty"`
}

// Embedding is one vector: numbers, or their base64 form.
type Embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

// EmbeddingsUsage counts tokens.
type EmbeddingsUsage struct {
	PromptTokens int64 `json:"prompt_tokens"`
	TotalTokens  int64 `json:"total_tokens"`
}

// EncodeEmbeddings makes the answer object.
func EncodeEmbeddings(answer llm.Response, base64 bool) Embeddings {
	encoded := Embeddings{
		Object: "list", Data: make([]Embedding, 0, len(answer.Vectors)), Model: answer.Model, Warnings: answer.Warnings,
		Usage: EmbeddingsUsage{PromptTokens: answer.Usage.InputTokens, TotalTokens: answer.Usage.InputTokens},
	}
	for i, vector := range answer.Vectors {
		entry := Embedding{Object: "embedding", Index: i, Embedding: []float32(vector)}
		if base64 {
			entry.Embedding = vector.Base64()
		}
		encoded.Data = append(encoded.Data, entry)
	}
	return encoded
}
