package openai

import (
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
)

// textConfig says what form an answer's text has, and how much there is to be of it.
type textConfig struct {
	Format    *textFormat `json:"format,omitempty"`
	Verbosity string      `json:"verbosity,omitempty"`
}

// textFormat is structured output in the form of the Responses API, where a schema's name stands beside its type.
type textFormat struct {
	Type        llm.ResponseFormatType `json:"type"`
	Name        string                 `json:"name,omitempty"`
	Description *string                `json:"description,omitempty"`
	Schema      json.RawMessage        `json:"schema,omitempty"`
	Strict      *bool                  `json:"strict,omitempty"`
}

// decode gives the form of the text, and its verbosity.
func (t *textConfig) decode() (*llm.ResponseFormat, string, error) {
	if t == nil {
		return nil, "", nil
	}
	switch t.Verbosity {
	case "", "low", "medium", "high":
	default:
		return nil, "", invalid("text.verbosity", "invalid_value", "text.verbosity must be low, medium or high.")
	}
	format, err := t.Format.decode()
	return format, t.Verbosity, err
}

func (f *textFormat) decode() (*llm.ResponseFormat, error) {
	switch {
	case f == nil, f.Type == llm.FormatText:
		return nil, nil //nolint:nilnil // text is what there is without a format
	case f.Type == llm.FormatJSONObject:
		return &llm.ResponseFormat{Type: llm.FormatJSONObject}, nil
	case f.Type != llm.FormatJSONSchema:
		return nil, invalid("text.format.type", "invalid_value", "text.format.type must be text, json_object or json_schema.")
	}
	var schema map[string]json.RawMessage
	switch {
	case f.Name == "":
		return nil, invalid("text.format.name", "missing_required_parameter", "text.format of type json_schema needs a name.")
	case json.Unmarshal(f.Schema, &schema) != nil || schema == nil:
		return nil, invalid("text.format.schema", "invalid_type", "text.format.schema must be a JSON Schema object.")
	}
	format := &llm.ResponseFormat{Type: llm.FormatJSONSchema, Name: f.Name, Schema: f.Schema, Strict: f.Strict}
	if f.Description != nil {
		format.Description = *f.Description
	}
	return format, nil
}

// reasoningConfig says how a model should think.
type reasoningConfig struct {
	Effort  llm.Effort `json:"effort,omitempty"`
	Summary string     `json:"summary,omitempty"`
	// GenerateSummary is the older name of Summary.
	GenerateSummary string `json:"generate_summary,omitempty"`
}

func (r *reasoningConfig) decode() (*llm.Reasoning, error) {
	if r == nil || *r == (reasoningConfig{}) {
		return nil, nil //nolint:nilnil // nothing was said, and nothing is wrong
	}
	wanted := llm.Reasoning{Effort: r.Effort, Summary: r.Summary}
	if wanted.Summary == "" {
		wanted.Summary = r.GenerateSummary
	}
	switch wanted.Effort {
	case "", llm.EffortNone, llm.EffortMinimal, llm.EffortLow, llm.EffortMedium, llm.EffortHigh, llm.EffortXHigh, llm.EffortMax:
	default:
		return nil, invalid("reasoning.effort", "invalid_value", "reasoning.effort must be none, minimal, low, medium, high, xhigh or max.")
	}
	switch wanted.Summary {
	case "", "auto", "concise", "detailed":
		return &wanted, nil
	default:
		return nil, invalid("reasoning.summary", "invalid_value", "reasoning.summary must be auto, concise or detailed.")
	}
}
