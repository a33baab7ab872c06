package simulator

import (
	"net/http"
	"strings"
	"time"
)

// mistralProtocol speaks the API of Mistral's platform (docs.mistral.ai/api), which looks like OpenAI's and is stricter.
type mistralProtocol struct{}

var _ protocol = mistralProtocol{}

func (mistralProtocol) route(r *http.Request) (Operation, string, *wireError) {
	want, operation := http.MethodPost, OperationComplete
	switch r.URL.Path {
	case "/v1/chat/completions":
	case "/v1/embeddings":
		operation = OperationEmbed
	case "/v1/models":
		want, operation = http.MethodGet, OperationListModels
	default:
		return "", "", &wireError{status: http.StatusNotFound, kind: mistralPlain, message: "no Route matched with those values"}
	}
	if r.Method != want {
		return "", "", &wireError{status: http.StatusMethodNotAllowed, kind: mistralDetail, message: "Method Not Allowed"}
	}
	return operation, "", nil
}

func (mistralProtocol) key(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (mistralProtocol) badKey(*http.Request, string) *wireError {
	return &wireError{status: http.StatusUnauthorized, kind: mistralDetail, message: "Unauthorized"}
}

// unknownModel is a bad request at this vendor.
func (mistralProtocol) unknownModel(model string) *wireError {
	return mistralError("invalid_model", "1500", "Invalid model: "+model)
}

func (mistralProtocol) requestID(mint *idSource) string { return mint.mint("", hexDigits, 32) }

func (mistralProtocol) headers(h http.Header, reply *reply, e *wireError) {
	h["Content-Type"] = []string{"application/json"}
	h["Mistral-Correlation-Id"] = []string{reply.requestID}
	h["X-Kong-Request-Id"] = []string{reply.requestID}
	if reply.operation == OperationComplete {
		mistralLimitHeaders(h, reply, e)
	}
	if e != nil && e.retryAfter > 0 {
		h["Retry-After"] = []string{wholeSeconds(e.retryAfter)}
	}
}

func (mistralProtocol) listModels(models []string) []byte {
	list := make([]map[string]any, 0, len(models))
	for _, id := range models {
		chat := !strings.Contains(id, "embed")
		list = append(list, map[string]any{
			"id": id, "object": "model", "created": 1_744_316_542, "owned_by": "mistralai", "name": id,
			"capabilities": map[string]any{
				"completion_chat": chat, "completion_fim": false, "function_calling": chat, "fine_tuning": false,
				"vision": chat, "classification": false,
			},
			"max_context_length": 131_072, "aliases": []string{}, "deprecation": nil, "type": "base",
		})
	}
	return encode(map[string]any{"object": "list", "data": list})
}

type mistralMessageOut struct {
	Role      string               `json:"role,omitempty"`
	ToolCalls []mistralToolCallOut `json:"tool_calls"`
	Content   any                  `json:"content"` // a string, or a list of chunks with thinking in it
}

type mistralToolCallOut struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
	Index int `json:"index"`
}

func mistralCalls(a shapedAnswer, mint *idSource) []mistralToolCallOut {
	var calls []mistralToolCallOut
	for i, call := range a.ToolCalls {
		out := mistralToolCallOut{ID: mint.mint("", base62, mistralCallID), Index: i}
		out.Function.Name, out.Function.Arguments = call.Name, call.Arguments
		calls = append(calls, out)
	}
	return calls
}

// mistralThinking is a chunk of what the model thinks (docs.mistral.ai/capabilities/reasoning).
func mistralThinking(text string) map[string]any {
	return map[string]any{"type": "thinking", "thinking": []any{map[string]any{"type": "text", "text": text}}}
}

type mistralUsageOut struct {
	PromptTokens     int `json:"prompt_tokens"`
	TotalTokens      int `json:"total_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	Details          *struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_tokens_details,omitempty"`
}

func mistralUsage(p *prompt, a shapedAnswer) mistralUsageOut {
	answered := a.OutputTokens * max(1, p.choices)
	usage := mistralUsageOut{PromptTokens: a.InputTokens, CompletionTokens: answered, TotalTokens: a.InputTokens + answered}
	if a.CachedTokens > 0 {
		usage.Details = &struct {
			CachedTokens int `json:"cached_tokens"`
		}{a.CachedTokens}
	}
	return usage
}

func (mistralProtocol) render(p *prompt, a shapedAnswer, mint *idSource, now time.Time) []byte {
	type choice struct {
		Index        int               `json:"index"`
		FinishReason string            `json:"finish_reason"`
		Message      mistralMessageOut `json:"message"`
	}
	choices := make([]choice, 0, max(1, p.choices))
	for i := range max(1, p.choices) {
		message := mistralMessageOut{Role: "assistant", Content: a.Text + a.Refusal, ToolCalls: mistralCalls(a, mint)}
		if a.Reasoning != "" {
			content := []any{mistralThinking(a.Reasoning)}
			if text := a.Text + a.Refusal; text != "" {
				content = append(content, map[string]any{"type": "text", "text": text})
			}
			message.Content = content
		}
		choices = append(choices, choice{Index: i, FinishReason: mistralFinish(a), Message: message})
	}
	return encode(map[string]any{
		"id": mint.mint("", hexDigits, 32), "object": "chat.completion", "created": now.Unix(), "model": p.model,
		"choices": choices, "usage": mistralUsage(p, a),
	})
}

func mistralFinish(a shapedAnswer) string {
	switch {
	case a.Finish != "":
		return a.Finish
	case a.finish == finishTools:
		return "tool_calls"
	case a.finish == finishLength:
		return "length"
	default: // the vendor's models refuse in words
		return "stop"
	}
}
