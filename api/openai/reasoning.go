package openai

import (
	"encoding/json"
	"slices"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// reasoning is OpenRouter's way to say how a model should think.
type reasoning struct {
	Effort    llm.Effort `json:"effort"`
	MaxTokens *int64     `json:"max_tokens"`
	Enabled   *bool      `json:"enabled"`
	Exclude   bool       `json:"exclude"`
	Summary   string     `json:"summary"`
}

// thinking is Anthropic's.
type thinking struct {
	Type         string `json:"type"`
	BudgetTokens *int64 `json:"budget_tokens"`
}

// thoughts brings the three ways to say it into one.
func (r *chatRequest) thoughts() (*llm.Reasoning, error) {
	efforts := []llm.Effort{llm.EffortNone, llm.EffortMinimal, llm.EffortLow, llm.EffortMedium, llm.EffortHigh, llm.EffortXHigh, llm.EffortMax}
	wanted := llm.Reasoning{Effort: r.ReasoningEffort}
	said := 0
	if r.ReasoningEffort != "" {
		said++
	}
	if o := r.Reasoning; o != nil {
		said++
		wanted.Effort, wanted.BudgetTokens, wanted.Summary = o.Effort, o.MaxTokens, o.Summary
		switch {
		case o.Effort != "" && o.MaxTokens != nil:
			return nil, invalid("reasoning", "invalid_value", "reasoning takes effort or max_tokens, not both.")
		case o.Enabled != nil && !*o.Enabled:
			wanted = llm.Reasoning{Effort: llm.EffortNone}
		case o.Enabled != nil && o.Effort == "" && o.MaxTokens == nil:
			wanted.Effort = llm.EffortMedium
		}
		if !o.Exclude && wanted.Summary == "" && !wanted.Off() {
			wanted.Summary = "auto"
		}
	}
	if t := r.Thinking; t != nil {
		said++
		switch {
		case t.Type == "disabled":
			wanted.Effort = llm.EffortNone
		case t.Type == "adaptive":
			wanted.Effort = llm.EffortHigh
		case t.Type == "enabled" && t.BudgetTokens != nil:
			wanted.BudgetTokens, wanted.Summary = t.BudgetTokens, "auto"
		default:
			return nil, invalid("thinking", "invalid_value", "thinking is {\"type\": \"enabled\", \"budget_tokens\": N}, or of type adaptive or disabled.")
		}
	}
	switch {
	case said == 0:
		return nil, nil //nolint:nilnil // nothing was said, and nothing is wrong
	case said > 1:
		return nil, invalid("reasoning_effort", "invalid_value", "Give one of reasoning_effort, reasoning and thinking.")
	case wanted.Effort != "" && !slices.Contains(efforts, wanted.Effort):
		return nil, invalid("reasoning_effort", "invalid_value", "The effort must be none, minimal, low, medium, high, xhigh or max.")
	case wanted.BudgetTokens != nil && *wanted.BudgetTokens < 0:
		return nil, invalid("reasoning", "invalid_value", "The budget must not be negative.")
	}
	return &wanted, nil
}

// detailFormat marks the details that this package wrote.
const detailFormat = "holdfast-v1"

// reasoningDetail carries a thought with what its vendor wants back, in the shape of OpenRouter's reasoning_details. A client
// that sends an assistant's message back as it came keeps the model's train of thought.
type reasoningDetail struct {
	Type   string `json:"type"`
	Text   string `json:"text,omitempty"`
	Data   string `json:"data,omitempty"`
	Format string `json:"format"`
	Index  int    `json:"index"`
}

func encodeReasoning(m llm.Message) []reasoningDetail {
	var details []reasoningDetail
	for _, part := range m.Parts {
		if part.Type != llm.PartReasoning {
			continue
		}
		detail := reasoningDetail{Type: "reasoning.text", Text: part.Text, Data: dialect.Seal(part.Opaque), Format: detailFormat, Index: len(details)}
		if part.Text == "" {
			detail.Type = "reasoning.encrypted"
		}
		details = append(details, detail)
	}
	return details
}

// decodeReasoning reads back what encodeReasoning wrote. What other gateways wrote is passed over.
func decodeReasoning(raw json.RawMessage) []llm.Part {
	var details []reasoningDetail
	if json.Unmarshal(raw, &details) != nil {
		return nil
	}
	var parts []llm.Part
	for _, detail := range details {
		if opaque := dialect.Unseal(detail.Data); detail.Format == detailFormat && (opaque != nil || detail.Text != "") {
			parts = append(parts, llm.Part{Type: llm.PartReasoning, Text: detail.Text, Opaque: opaque})
		}
	}
	return parts
}
