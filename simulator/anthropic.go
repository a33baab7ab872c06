package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// anthropicProtocol speaks Messages (docs.claude.com/en/api/messages).
type anthropicProtocol struct{}

var _ protocol = anthropicProtocol{}

const (
	anthropicMessages    = "/v1/messages"
	anthropicCountTokens = "/v1/messages/count_tokens"
	anthropicModels      = "/v1/models"
)

func (anthropicProtocol) route(r *http.Request) (Operation, string, *wireError) {
	operation, method := Operation(""), http.MethodPost
	switch r.URL.Path {
	case anthropicMessages:
		operation = OperationComplete
	case anthropicCountTokens:
		operation = OperationCountTokens
	case anthropicModels:
		operation, method = OperationListModels, http.MethodGet
	default:
		return "", "", &wireError{status: http.StatusNotFound, kind: "not_found_error", message: "Not Found"}
	}
	if r.Method != method {
		return "", "", anthropicInvalid("Method Not Allowed").withStatus(http.StatusMethodNotAllowed)
	}
	return operation, "", nil
}

// key reads an API key, or the bearer token of an OAuth login.
func (anthropicProtocol) key(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (anthropicProtocol) badKey(_ *http.Request, key string) *wireError {
	message := "invalid x-api-key"
	if key == "" {
		message = "x-api-key header is required"
	}
	return &wireError{status: http.StatusUnauthorized, kind: "authentication_error", message: message}
}

func (anthropicProtocol) unknownModel(model string) *wireError {
	return &wireError{status: http.StatusNotFound, kind: "not_found_error", message: "model: " + model}
}

func (anthropicProtocol) requestID(mint *idSource) string { return mint.mint("req_011C", base62, 20) }

// headers announce the limits of the account: those of [Simulator.SetLimit], or plenty of room.
func (anthropicProtocol) headers(h http.Header, reply *reply, e *wireError) {
	h["Content-Type"] = []string{"application/json"}
	h["Request-Id"] = []string{reply.requestID}
	h["Anthropic-Organization-Id"] = []string{"5f0c2c1e-7d0b-4f5e-9a55-0b6c1f3a2d10"}
	if reply.operation == OperationComplete {
		anthropicLimitHeaders(h, reply, e)
	}
	if e == nil {
		return
	}
	if e.retryAfter > 0 {
		h["Retry-After"] = []string{wholeSeconds(e.retryAfter)}
	}
	h["X-Should-Retry"] = []string{strconv.FormatBool(e.status == http.StatusTooManyRequests || e.status >= 500)}
}

func (anthropicProtocol) listModels(models []string) []byte {
	type model struct {
		Type           string `json:"type"`
		ID             string `json:"id"`
		DisplayName    string `json:"display_name"`
		CreatedAt      string `json:"created_at"`
		MaxInputTokens int    `json:"max_input_tokens"`
		MaxTokens      int    `json:"max_tokens"`
	}
	list := make([]model, 0, len(models))
	for _, id := range models {
		list = append(list, model{
			Type: "model", ID: id, DisplayName: strings.ReplaceAll(id, "-", " "), CreatedAt: "2026-02-24T00:00:00Z",
			MaxInputTokens: 200_000, MaxTokens: 64_000,
		})
	}
	page := map[string]any{"data": list, "has_more": false, "first_id": nil, "last_id": nil}
	if len(list) > 0 {
		page["first_id"], page["last_id"] = list[0].ID, list[len(list)-1].ID
	}
	return encode(page)
}

type anthropicMessageOut struct {
	Model        string              `json:"model"`
	ID           string              `json:"id"`
	Type         string              `json:"type"`
	Role         string              `json:"role"`
	Content      []anthropicBlockOut `json:"content"`
	StopReason   any                 `json:"stop_reason"`
	StopSequence *string             `json:"stop_sequence"`
	Usage        anthropicUsageOut   `json:"usage"`
}

// anthropicBlockOut is a text, a tool_use, a thinking or a redacted_thinking block, whichever parts are set.
type anthropicBlockOut struct {
	Type      string          `json:"type"`
	Text      *string         `json:"text,omitempty"`
	Thinking  *string         `json:"thinking,omitempty"`
	Signature *string         `json:"signature,omitempty"`
	Data      string          `json:"data,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
}

// anthropicUsageOut counts cached tokens apart from InputTokens, as the vendor does.
type anthropicUsageOut struct {
	InputTokens              int `json:"input_tokens"`
	CacheCreationInputTokens int `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     int `json:"cache_read_input_tokens"`
	CacheCreation            struct {
		Ephemeral5m int `json:"ephemeral_5m_input_tokens"`
		Ephemeral1h int `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
	OutputTokens int    `json:"output_tokens"`
	ServiceTier  string `json:"service_tier"`
}

func (anthropicProtocol) render(p *prompt, a shapedAnswer, mint *idSource, _ time.Time) []byte {
	message := anthropicMessage(p, a, mint)
	message.Content = anthropicBlocks(p, a, mint)
	return encode(message)
}

// anthropicMessage is the answer without its content.
func anthropicMessage(p *prompt, a shapedAnswer, mint *idSource) anthropicMessageOut {
	message := anthropicMessageOut{
		Model: p.model, ID: mint.mint("msg_01", base62, 22), Type: "message", Role: "assistant",
		Content: []anthropicBlockOut{}, StopReason: anthropicStop(a),
	}
	if p.vendor == VertexAI {
		message.ID = mint.mint("msg_vrtx_01", base62, 22)
	}
	if a.finish == finishSequence && a.Finish == "" {
		message.StopSequence = &a.sequence
	}
	message.Usage = anthropicUsageOut{
		InputTokens: a.InputTokens - a.CachedTokens, CacheReadInputTokens: a.CachedTokens,
		OutputTokens: a.OutputTokens, ServiceTier: "standard",
	}
	return message
}

// anthropicBlocks lists the content of the answer, thinking first.
func anthropicBlocks(p *prompt, a shapedAnswer, mint *idSource) []anthropicBlockOut {
	blocks := []anthropicBlockOut{}
	if a.Reasoning != "" {
		blocks = append(blocks, anthropicThought(p, a))
	}
	if text := a.Text + a.Refusal; text != "" {
		blocks = append(blocks, anthropicBlockOut{Type: "text", Text: &text})
	}
	for _, call := range a.ToolCalls {
		id := mint.mint("toolu_01", base62, 22)
		if p.vendor == VertexAI {
			id = mint.mint("toolu_vrtx_01", base62, 22)
		}
		blocks = append(blocks, anthropicBlockOut{Type: "tool_use", ID: id, Name: call.Name, Input: call.object()})
	}
	return blocks
}

func anthropicStop(a shapedAnswer) string {
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
		return "refusal"
	default:
		return "end_turn"
	}
}
