package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// openAIProtocol speaks Chat Completions (platform.openai.com/docs/api-reference/chat), Responses (…/responses) and
// Embeddings (…/embeddings).
type openAIProtocol struct{}

var _ protocol = openAIProtocol{}

const (
	openAIModels = "/v1/models"
	// openRouterPath is where OpenRouter, which speaks this protocol, says what a key is good for
	// (openrouter.ai/docs/api/reference/limits).
	openRouterPath = "/v1/key"
)

func (openAIProtocol) route(r *http.Request) (Operation, string, *wireError) {
	operation, known := openAIPath(strings.TrimPrefix(r.URL.Path, "/v1"))
	switch r.URL.Path {
	case openAIModels:
		operation, known = OperationListModels, true
	case openRouterPath:
		operation, known = OperationReadKey, true
	}
	switch {
	case !known || !strings.HasPrefix(r.URL.Path, "/v1/"):
		return "", "", openAIInvalid("", "", "Invalid URL ("+r.Method+" "+r.URL.Path+")").withStatus(http.StatusNotFound)
	case operation.bodiless() != (r.Method == http.MethodGet),
		r.Method != http.MethodGet && r.Method != http.MethodPost:
		return "", "", openAIInvalid("", "", "Not allowed to "+r.Method+" on "+r.URL.Path+".").withStatus(http.StatusMethodNotAllowed)
	}
	return operation, "", nil
}

// openAIPath says what is asked for by a path behind the version or the deployment.
func openAIPath(path string) (Operation, bool) {
	switch path {
	case "/chat/completions", "/responses":
		return OperationComplete, true
	case "/embeddings":
		return OperationEmbed, true
	default:
		return "", false
	}
}

func (openAIProtocol) key(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (openAIProtocol) badKey(_ *http.Request, key string) *wireError {
	if key == "" {
		e := openAIInvalid("", "", "You didn't provide an API key. You need to provide your API key in an Authorization "+
			"header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from "+
			"https://platform.openai.com/account/api-keys.")
		return e.withStatus(http.StatusUnauthorized)
	}
	// The vendor quotes the key's ends here; this does not, so that no log ever holds a piece of one.
	return openAIInvalid("", codeInvalidKey, "Incorrect API key provided: ****. You can find your API key at "+
		"https://platform.openai.com/account/api-keys.").withStatus(http.StatusUnauthorized)
}

func (openAIProtocol) unknownModel(model string) *wireError {
	return openAIInvalid("", "model_not_found", "The model `"+model+"` does not exist or you do not have access to it.").
		withStatus(http.StatusNotFound)
}

func (openAIProtocol) requestID(mint *idSource) string { return mint.mint("req_", hexDigits, 32) }

// headers announce the limits of the account: those of [Simulator.SetLimit], or plenty of room.
func (openAIProtocol) headers(h http.Header, reply *reply, e *wireError) {
	h["Content-Type"] = []string{"application/json"}
	h["X-Request-Id"] = []string{reply.requestID}
	h["Openai-Version"] = []string{"2020-10-01"}
	h["Openai-Organization"] = []string{"holdfast-simulator"}
	h["Openai-Processing-Ms"] = []string{strconv.FormatInt(reply.processing.Milliseconds(), 10)}
	if reply.operation == OperationComplete || reply.limits != (limits{}) {
		openAILimitHeaders(h, reply, e)
	}
	if e != nil && e.retryAfter > 0 {
		h["Retry-After"] = []string{wholeSeconds(e.retryAfter)}
		h["Retry-After-Ms"] = []string{strconv.FormatInt(e.retryAfter.Milliseconds(), 10)}
	}
}

// wholeSeconds rounds up: a client that waits as told must not come too early.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func (openAIProtocol) listModels(models []string) []byte {
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	list := make([]model, 0, len(models))
	for _, id := range models {
		list = append(list, model{ID: id, Object: "model", Created: 1_744_316_542, OwnedBy: "system"})
	}
	return encode(map[string]any{"object": "list", "data": list})
}

// openRouterKey is a key without a limit.
func openRouterKey() []byte {
	return encode(map[string]any{"data": map[string]any{
		"label": "sk-or-v1-sim...ula", "limit": nil, "limit_remaining": nil, "usage": 0, "is_free_tier": false,
	}})
}

type openAIMessageOut struct {
	Role        string              `json:"role"`
	Content     *string             `json:"content"`
	ToolCalls   []openAIToolCallOut `json:"tool_calls,omitempty"`
	Refusal     *string             `json:"refusal"`
	Annotations []struct{}          `json:"annotations"`
}

type openAIToolCallOut struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type openAIChoiceOut struct {
	Index        int              `json:"index"`
	Message      openAIMessageOut `json:"message"`
	Logprobs     *openAILogprobs  `json:"logprobs"`
	FinishReason string           `json:"finish_reason"`
	Filter       any              `json:"content_filter_results,omitempty"` // Azure's
}

type openAICompletionOut struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	Created           int64             `json:"created"`
	Model             string            `json:"model"`
	Choices           []openAIChoiceOut `json:"choices"`
	Usage             openAIUsageOut    `json:"usage"`
	ServiceTier       string            `json:"service_tier"`
	SystemFingerprint string            `json:"system_fingerprint"`
	PromptFilter      any               `json:"prompt_filter_results,omitempty"` // Azure's
}

type openAIUsageOut struct {
	PromptTokens            int                  `json:"prompt_tokens"`
	CompletionTokens        int                  `json:"completion_tokens"`
	TotalTokens             int                  `json:"total_tokens"`
	PromptTokensDetails     openAIPromptUsageOut `json:"prompt_tokens_details"`
	CompletionTokensDetails openAIAnswerUsageOut `json:"completion_tokens_details"`
}

type openAIPromptUsageOut struct {
	CachedTokens int `json:"cached_tokens"`
	AudioTokens  int `json:"audio_tokens"`
}

type openAIAnswerUsageOut struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens"`
}

func (openAIProtocol) render(p *prompt, a shapedAnswer, mint *idSource, now time.Time) []byte {
	if p.dialect == dialectResponses {
		return openAIResponse(p, a, mint, now)
	}
	return encode(openAICompletion(p, a, mint, now))
}

func openAICompletion(p *prompt, a shapedAnswer, mint *idSource, now time.Time) openAICompletionOut {
	completion := openAICompletionOut{
		ID: mint.mint("chatcmpl-", base62, 29), Object: "chat.completion", Created: now.Unix(), Model: p.model,
		ServiceTier: "default", SystemFingerprint: "fp_b3f1157249",
	}
	choices := max(1, p.choices)
	for i := range choices {
		choice := openAIChoiceOut{Index: i, Message: openAIMessage(a, mint), FinishReason: openAIFinish(a)}
		if a.Logprobs {
			choice.Logprobs = makeLogprobs(a.Text, p.topLogprobs)
		}
		completion.Choices = append(completion.Choices, choice)
	}
	completion.Usage = openAIUsage(a, choices)
	return completion
}

func openAIUsage(a shapedAnswer, choices int) openAIUsageOut {
	answered := a.OutputTokens * choices
	return openAIUsageOut{
		PromptTokens: a.InputTokens, CompletionTokens: answered, TotalTokens: a.InputTokens + answered,
		PromptTokensDetails:     openAIPromptUsageOut{CachedTokens: a.CachedTokens},
		CompletionTokensDetails: openAIAnswerUsageOut{ReasoningTokens: a.reasoningTokens},
	}
}

func openAIMessage(a shapedAnswer, mint *idSource) openAIMessageOut {
	message := openAIMessageOut{Role: "assistant", Annotations: []struct{}{}}
	if a.Text != "" || len(a.ToolCalls) == 0 && a.Refusal == "" {
		message.Content = &a.Text
	}
	if a.Refusal != "" {
		message.Refusal = &a.Refusal
	}
	for _, call := range a.ToolCalls {
		out := openAIToolCallOut{ID: mint.mint("call_", base62, 24), Type: "function"}
		out.Function.Name, out.Function.Arguments = call.Name, call.Arguments
		message.ToolCalls = append(message.ToolCalls, out)
	}
	return message
}

func openAIFinish(a shapedAnswer) string {
	switch {
	case a.Finish != "":
		return a.Finish
	case a.finish == finishTools:
		return "tool_calls"
	case a.finish == finishLength:
		return "length"
	default: // a refusal also ends with "stop"
		return "stop"
	}
}

// encode marshals what this package builds itself, which always can be.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return data
}
