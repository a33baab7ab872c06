package openai

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// shownRequest is what a response shows of the request that it answers: what was said, as it was said, without what was not.
type shownRequest struct {
	Background           bool              `json:"background,omitempty"`
	InConversation       bool              `json:"in_conversation,omitempty"`
	Include              []string          `json:"include,omitempty"`
	Instructions         *string           `json:"instructions,omitempty"`
	MaxOutputTokens      *int64            `json:"max_output_tokens,omitempty"`
	MaxToolCalls         *int64            `json:"max_tool_calls,omitempty"`
	Metadata             map[string]string `json:"metadata,omitempty"`
	ParallelToolCalls    *bool             `json:"parallel_tool_calls,omitempty"`
	PreviousResponseID   *string           `json:"previous_response_id,omitempty"`
	PromptCacheKey       string            `json:"prompt_cache_key,omitempty"`
	PromptCacheRetention string            `json:"prompt_cache_retention,omitempty"`
	Reasoning            *reasoningConfig  `json:"reasoning,omitempty"`
	SafetyIdentifier     string            `json:"safety_identifier,omitempty"`
	ServiceTier          string            `json:"service_tier,omitempty"`
	Store                *bool             `json:"store,omitempty"`
	Temperature          *float64          `json:"temperature,omitempty"`
	Text                 *textConfig       `json:"text,omitempty"`
	ToolChoice           json.RawMessage   `json:"tool_choice,omitempty"`
	Tools                []json.RawMessage `json:"tools,omitempty"`
	TopLogprobs          *int64            `json:"top_logprobs,omitempty"`
	TopP                 *float64          `json:"top_p,omitempty"`
	Truncation           string            `json:"truncation,omitempty"`
	User                 string            `json:"user,omitempty"`
}

// shown is what is kept of the request for its response to show.
func (r *responseRequest) shown() json.RawMessage {
	shown := shownRequest{
		Background: r.Background != nil && *r.Background, InConversation: r.Conversation != nil, Include: r.Include,
		Instructions: r.Instructions, MaxOutputTokens: r.MaxOutputTokens, MaxToolCalls: r.MaxToolCalls, Metadata: r.Metadata.texts,
		ParallelToolCalls: r.ParallelToolCalls, PreviousResponseID: r.PreviousResponseID, PromptCacheKey: r.PromptCacheKey,
		PromptCacheRetention: r.PromptCacheRetention, Reasoning: r.Reasoning, SafetyIdentifier: r.SafetyIdentifier,
		ServiceTier: r.ServiceTier, Store: r.Store, Temperature: r.Temperature, Text: r.Text, ToolChoice: r.ToolChoice, Tools: r.Tools,
		TopLogprobs: r.TopLogprobs, TopP: r.TopP, Truncation: r.Truncation, User: r.User,
	}
	content, err := json.Marshal(shown)
	if err != nil { // all of it has been read from JSON
		return json.RawMessage("{}")
	}
	return content
}

// readShown reads what is kept; of what another version wrote, what can be read.
func readShown(content json.RawMessage) shownRequest {
	var shown shownRequest
	if len(content) > 0 && json.Unmarshal(content, &shown) != nil {
		return shownRequest{}
	}
	return shown
}

// encrypted says whether the client wants to take what is opaque with it.
func (s *shownRequest) encrypted() bool { return slices.Contains(s.Include, includeEncrypted) }

// show puts into a response what was asked, or what OpenAI takes where nothing was said.
func (s *shownRequest) show(r *Response) {
	r.Background, r.Instructions, r.MaxOutputTokens, r.MaxToolCalls = s.Background, s.Instructions, s.MaxOutputTokens, s.MaxToolCalls
	r.ParallelToolCalls, r.Store = orElse(s.ParallelToolCalls, true), orElse(s.Store, true)
	r.Temperature, r.TopP, r.TopLogprobs = orElse(s.Temperature, 1), orElse(s.TopP, 1), orElse(s.TopLogprobs, 0)
	r.PreviousResponseID, r.PromptCacheKey, r.User = s.PreviousResponseID, said(s.PromptCacheKey), said(s.User)
	r.PromptCacheRetention, r.SafetyIdentifier = said(s.PromptCacheRetention), said(s.SafetyIdentifier)
	r.ServiceTier, r.Truncation = cmp.Or(s.ServiceTier, "auto"), cmp.Or(s.Truncation, "disabled")
	if r.Metadata = s.Metadata; r.Metadata == nil {
		r.Metadata = map[string]string{}
	}
	if s.Reasoning != nil {
		r.Reasoning = responseReasoning{Effort: said(string(s.Reasoning.Effort)), Summary: said(cmp.Or(s.Reasoning.Summary, s.Reasoning.GenerateSummary))}
	}
	if s.Text != nil {
		r.Text = *s.Text
	}
	if r.Text.Format == nil {
		r.Text.Format = &textFormat{Type: "text"}
	}
	r.Text.Verbosity = cmp.Or(r.Text.Verbosity, "medium")
	if r.ToolChoice = s.ToolChoice; len(r.ToolChoice) == 0 || string(r.ToolChoice) == "null" {
		r.ToolChoice = json.RawMessage(`"auto"`)
	}
	r.Tools = []responseTool{}
	for _, raw := range s.Tools {
		var f functionTool
		if json.Unmarshal(raw, &f) == nil {
			r.Tools = append(r.Tools, f.shown())
		}
	}
}

// shown is a function with every member that SDKs expect.
func (f functionTool) shown() responseTool {
	tool := responseTool{Type: f.Type, Name: f.Name, Description: said(f.Description), Parameters: f.Parameters, Strict: f.Strict}
	if len(bytes.TrimSpace(tool.Parameters)) == 0 {
		tool.Parameters = json.RawMessage("null")
	}
	return tool
}

// orElse is a value, or what stands for it where there is none.
func orElse[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// said is a text, or nil for none.
func said(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
