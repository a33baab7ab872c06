package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// bedrockProtocol speaks Converse, ConverseStream and, for embeddings, InvokeModel
// (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
type bedrockProtocol struct{}

var _ protocol = bedrockProtocol{}

// route takes the model from the path, where it is one segment: the slash of an ARN must come escaped.
func (bedrockProtocol) route(r *http.Request) (Operation, string, *wireError) {
	if r.URL.Path == "/foundation-models" && r.Method == http.MethodGet { // of the control plane, on the same port here
		return OperationListModels, "", nil
	}
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	unknown := bedrockError(http.StatusNotFound, "UnknownOperationException", "")
	if len(segments) != 3 || segments[0] != "model" || r.Method != http.MethodPost {
		return "", "", unknown
	}
	model, err := url.PathUnescape(segments[1])
	if err != nil || model == "" {
		return "", "", unknown
	}
	switch segments[2] {
	case "converse", "converse-stream":
		return OperationComplete, model, nil
	case "invoke":
		return OperationEmbed, model, nil
	case bedrockCount:
		return OperationCountTokens, model, nil
	default:
		return "", "", unknown
	}
}

// key is the access key id of a signature, or a Bedrock API key.
func (bedrockProtocol) key(r *http.Request) string {
	header := r.Header.Get("Authorization")
	if signature, ok := strings.CutPrefix(header, awsAlgorithm); ok {
		credential, _, _ := strings.Cut(awsParameters(signature)["Credential"], "/")
		return credential
	}
	return strings.TrimPrefix(header, "Bearer ")
}

func (bedrockProtocol) badKey(r *http.Request, key string) *wireError {
	switch {
	case key == "":
		return bedrockError(http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
	case r != nil && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		return bedrockError(http.StatusForbidden, "AccessDeniedException", "Authentication failed: Please make sure your API "+
			"Key is valid.")
	default:
		return bedrockError(http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is "+
			"invalid.")
	}
}

func (bedrockProtocol) unknownModel(string) *wireError {
	return bedrockError(http.StatusNotFound, "ResourceNotFoundException", "Could not resolve the foundation model from the "+
		"provided model identifier.")
}

func (bedrockProtocol) requestID(mint *idSource) string {
	return mint.mint("", hexDigits, 8) + mint.mint("-", hexDigits, 4) + mint.mint("-4", hexDigits, 3) +
		mint.mint("-a", hexDigits, 3) + mint.mint("-", hexDigits, 12)
}

// headers announces no limits: the vendor gives neither those nor a Retry-After.
func (bedrockProtocol) headers(h http.Header, reply *reply, e *wireError) {
	h["Content-Type"] = []string{"application/json"}
	h["X-Amzn-Requestid"] = []string{reply.requestID}
	if e != nil {
		h["X-Amzn-Errortype"] = []string{e.kind}
	}
}

// listModels answers ListFoundationModels.
func (bedrockProtocol) listModels(models []string) []byte {
	type model struct {
		Arn        string   `json:"modelArn"`
		ID         string   `json:"modelId"`
		Name       string   `json:"modelName"`
		Provider   string   `json:"providerName"`
		Input      []string `json:"inputModalities"`
		Output     []string `json:"outputModalities"`
		Streaming  bool     `json:"responseStreamingSupported"`
		Inference  []string `json:"inferenceTypesSupported"`
		Customized []string `json:"customizationsSupported"`
	}
	list := make([]model, 0, len(models))
	for _, id := range models {
		provider, _, _ := strings.Cut(id, ".")
		output := "TEXT"
		if strings.Contains(id, "embed") {
			output = "EMBEDDING"
		}
		list = append(list, model{
			Arn: "arn:aws:bedrock:us-east-1::foundation-model/" + id, ID: id, Name: id, Provider: provider,
			Input: []string{"TEXT"}, Output: []string{output}, Streaming: output == "TEXT",
			Inference: []string{"ON_DEMAND"}, Customized: []string{},
		})
	}
	return encode(map[string]any{"modelSummaries": list})
}

type bedrockUsageOut struct {
	InputTokens           int `json:"inputTokens"`
	OutputTokens          int `json:"outputTokens"`
	TotalTokens           int `json:"totalTokens"`
	CacheReadInputTokens  int `json:"cacheReadInputTokens"`
	CacheWriteInputTokens int `json:"cacheWriteInputTokens"`
}

// bedrockUsage counts cached tokens apart from the input, and in the total, as the vendor does
// (docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html).
func bedrockUsage(a shapedAnswer) bedrockUsageOut {
	return bedrockUsageOut{
		InputTokens: a.InputTokens - a.CachedTokens, OutputTokens: a.OutputTokens,
		TotalTokens: a.InputTokens + a.OutputTokens, CacheReadInputTokens: a.CachedTokens,
	}
}

type bedrockToolUseOut struct {
	ToolUseID string          `json:"toolUseId"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
}

func (bedrockProtocol) render(p *prompt, a shapedAnswer, mint *idSource, _ time.Time) []byte {
	content := []any{}
	if a.Reasoning != "" {
		content = append(content, map[string]any{"reasoningContent": bedrockThoughtOut(p.model, a, mint)})
	}
	if text := a.Text + a.Refusal; text != "" {
		content = append(content, map[string]any{"text": text})
	}
	for _, call := range a.ToolCalls {
		content = append(content, map[string]any{"toolUse": bedrockToolUseOut{
			ToolUseID: bedrockCallID(mint), Name: call.Name, Input: call.object(),
		}})
	}
	return encode(map[string]any{
		"output":     map[string]any{"message": map[string]any{"role": "assistant", "content": content}},
		"stopReason": bedrockStop(a),
		"usage":      bedrockUsage(a),
		"metrics":    map[string]any{"latencyMs": 1},
	})
}

func bedrockCallID(mint *idSource) string { return mint.mint("tooluse_", base62, 22) }

func bedrockStop(a shapedAnswer) string {
	switch {
	case a.Finish != "":
		return a.Finish
	case a.finish == finishTools:
		return "tool_use"
	case a.finish == finishLength:
		return "max_tokens"
	case a.finish == finishSequence:
		return "stop_sequence"
	case a.finish == finishRefusal:
		return "content_filtered"
	default:
		return "end_turn"
	}
}
