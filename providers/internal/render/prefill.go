package render

import (
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// PlainText reports whether the answer to req begins with words: no tool must be called, and no schema or other form is
// asked for. Only such an answer can be begun by somebody else.
func PlainText(req llm.Request) bool {
	if choice := req.ToolChoice; choice != nil && (choice.Mode == llm.ToolChoiceRequired || choice.Mode == llm.ToolChoiceTool) {
		return false
	}
	format := req.ResponseFormat
	return format == nil || format.Type == llm.FormatText || format.Type == ""
}

// Thinks reports whether req asks the model to think.
func Thinks(req llm.Request) bool {
	reasoning := req.Reasoning
	return reasoning != nil && !reasoning.Off() && (reasoning.Effort != "" || reasoning.BudgetTokens != nil)
}

// Adds reports whether one of the named members is among req's extras for a provider.
func Adds(req llm.Request, provider string, names ...string) bool {
	extras, _ := Extras(req, provider) // what is wrong with them is told when the request is made
	for _, extra := range extras {
		if slices.Contains(names, extra.Name) {
			return true
		}
	}
	return false
}
