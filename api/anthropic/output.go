package anthropic

import (
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
)

// minBudget is the least budget for thoughts that Anthropic takes.
const minBudget = 1024

// formatName stands for the name of a schema, which Anthropic's have none of and other vendors demand.
const formatName = "response"

// thinking says whether, and how, the model is to think.
type thinking struct {
	Type         string `json:"type"`
	BudgetTokens *int64 `json:"budget_tokens"`
	Display      string `json:"display"`
	// BlockBinding says what becomes of thoughts that do not fit the conversation: they are left out here.
	BlockBinding json.RawMessage `json:"block_binding"`
}

type outputConfig struct {
	Effort     llm.Effort      `json:"effort"`
	Format     json.RawMessage `json:"format"`
	TaskBudget json.RawMessage `json:"task_budget"`
}

// decodeOutput reads what is asked of the answer as a whole: its thinking, its effort and its form. A budget for the thoughts
// counts more than an effort, of which a request has one of both.
func (r *messagesRequest) decodeOutput(request *llm.Request) error {
	var config outputConfig
	if !absent(r.OutputConfig) {
		if err := read("output_config", r.OutputConfig, &config); err != nil {
			return err
		}
	}
	switch config.Effort {
	case "", llm.EffortLow, llm.EffortMedium, llm.EffortHigh, llm.EffortXHigh, llm.EffortMax:
	default:
		return invalid("output_config.effort", codeValue, "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'.")
	}
	if !absent(config.TaskBudget) {
		return invalid("output_config.task_budget", codeParameter, "Unsupported parameter. Budgets for a whole task are Anthropic's own.")
	}
	at, format := "output_config.format", config.Format
	switch {
	case absent(format):
		at, format = "output_format", r.OutputFormat
	case !absent(r.OutputFormat):
		return invalid("output_format", codeValue, "Give one of output_config.format and output_format.")
	}
	var err error
	if request.ResponseFormat, err = decodeFormat(at, format); err != nil {
		return err
	}
	request.Reasoning, err = r.decodeThinking(config.Effort)
	return err
}

// decodeThinking brings thinking and effort into one. Adaptive thinking has the effort high unless another is given, as at
// Anthropic (https://platform.claude.com/docs/en/build-with-claude/effort). Thoughts are shown unless display forbids it.
func (r *messagesRequest) decodeThinking(effort llm.Effort) (*llm.Reasoning, error) {
	if absent(r.Thinking) {
		if effort == "" {
			return nil, nil //nolint:nilnil // nothing was said, and nothing is wrong
		}
		return &llm.Reasoning{Effort: effort}, nil
	}
	var t thinking
	if err := read("thinking", r.Thinking, &t); err != nil {
		return nil, err
	}
	wanted := &llm.Reasoning{Summary: "auto"}
	switch t.Display {
	case "", "summarized", "updates":
	case "omitted":
		wanted.Summary = ""
	default:
		return nil, invalid("thinking.display", codeValue, "Input should be 'summarized' or 'omitted'.")
	}
	switch t.Type {
	case "enabled":
		switch {
		case t.BudgetTokens == nil:
			return nil, required("thinking.budget_tokens")
		case *t.BudgetTokens < minBudget:
			return nil, invalid("thinking.budget_tokens", codeValue, "Input should be greater than or equal to %d.", minBudget)
		}
		wanted.BudgetTokens = t.BudgetTokens
	case "adaptive":
		wanted.Effort = effort
		if effort == "" {
			wanted.Effort = llm.EffortHigh
		}
	case "disabled", "between_tools": // thinking between calls alone is what some models have for none
		return &llm.Reasoning{Effort: llm.EffortNone}, nil
	default:
		return nil, invalid("thinking.type", codeValue, "Input should be 'enabled', 'adaptive' or 'disabled'.")
	}
	return wanted, nil
}

func decodeFormat(at string, raw json.RawMessage) (*llm.ResponseFormat, error) {
	if absent(raw) {
		return nil, nil //nolint:nilnil // nothing was said, and nothing is wrong
	}
	var format struct {
		Type   string          `json:"type"`
		Schema json.RawMessage `json:"schema"`
	}
	if err := read(at, raw, &format); err != nil {
		return nil, err
	}
	if format.Type != "json_schema" {
		return nil, invalid(under(at, "type"), codeValue, "Input should be 'json_schema'.")
	}
	if absent(format.Schema) {
		return nil, required(under(at, "schema"))
	}
	var schema map[string]json.RawMessage
	if err := readKnown(under(at, "schema"), format.Schema, &schema); err != nil {
		return nil, err
	}
	strict := true // Anthropic holds every answer to its schema
	return &llm.ResponseFormat{Type: llm.FormatJSONSchema, Name: formatName, Schema: format.Schema, Strict: &strict}, nil
}
