package mistral

import (
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

var _ llm.Prefiller = (*Client)(nil)

// Prefills implements [llm.Prefiller]: a last assistant message with prefix set makes "the model to start its answer by the
// content of the message" (https://docs.mistral.ai/api/endpoint/chat, AssistantMessage). Models that think do so before
// their first word, and are left out.
func (c *Client) Prefills(req llm.Request) bool {
	thinks := alwaysThinks(req.Model) || takesEffort(req.Model) && render.Thinks(req)
	return !thinks && render.PlainText(req) && !render.Adds(req, name, "prompt_mode", "reasoning_effort", "response_format", "tool_choice")
}

// repetition takes out of an answer the beginning that it was given. Mistral says it again, in the first piece of a stream
// or in several (https://github.com/vercel/ai/pull/3256, https://github.com/SillyTavern/SillyTavern/issues/2557), where other
// vendors go on behind it.
type repetition struct {
	begun string // what may come; empty when that is decided
	held  string // what has come of it
}

// begun is the text that the answer to messages will repeat.
func begun(messages []message) string {
	last := messages[len(messages)-1]
	if !last.Prefix {
		return ""
	}
	switch content := last.Content.(type) {
	case string:
		return content
	case []any:
		var text strings.Builder
		for _, piece := range content {
			if words, ok := piece.(chunk); ok {
				text.WriteString(words.Text)
			}
		}
		return text.String()
	default:
		return ""
	}
}

// take gives what is new in text, as far as it can be told.
func (r *repetition) take(text string) string {
	if r.begun == "" {
		return text
	}
	r.held += text
	if len(r.held) < len(r.begun) && strings.HasPrefix(r.begun, r.held) {
		return ""
	}
	return r.rest()
}

// rest decides about what was held back. White space at the end of the beginning may be missing in the repetition.
func (r *repetition) rest() string {
	held, begun := r.held, r.begun
	r.held, r.begun = "", ""
	if after, ok := strings.CutPrefix(held, begun); ok {
		return after
	}
	if bare := strings.TrimRight(begun, " \t\r\n"); bare != "" {
		return strings.TrimPrefix(held, bare)
	}
	return held
}
