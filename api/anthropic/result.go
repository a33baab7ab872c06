package anthropic

import "github.com/holdfast-dev/holdfast/llm"

// toolResult reads a tool's result. A text that it begins with is its content, and the rest follows in order.
func (b block) toolResult() (llm.Part, error) {
	if b.ToolUseID == "" {
		return llm.Part{}, required(under(b.at, "tool_use_id"))
	}
	result := llm.Result(b.ToolUseID, "")
	result.ToolResult.IsError = b.IsError
	blocks, err := blocksOf(under(b.at, "content"), b.Content)
	if err != nil {
		return llm.Part{}, err
	}
	var inner *llm.CacheHint
	for i, each := range blocks {
		if each.Type == "tool_reference" { // of a search among tools, all of which have been declared
			each.Type, each.Text = "text", "["+each.ToolName+"]"
		}
		parts, err := each.shown()
		if err != nil {
			return llm.Part{}, err
		}
		for _, part := range parts { // a result is cached as a whole
			if part.Cache != nil {
				inner = part.Cache
			}
			part.Cache = nil
			if i == 0 && len(parts) == 1 && part.Type == llm.PartText {
				result.ToolResult.Content = part.Text
				continue
			}
			result.ToolResult.Parts = append(result.ToolResult.Parts, part)
		}
	}
	result, err = b.hinted(result)
	if result.Cache == nil {
		result.Cache = inner
	}
	return result, err
}
