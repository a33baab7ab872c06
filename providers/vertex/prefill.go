package vertex

import (
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/anthropic"
)

var _ llm.Prefiller = (*Client)(nil)

// Prefills implements [llm.Prefiller]: Claude's models are Anthropic's, and Gemini's do not.
func (c *Client) Prefills(req llm.Request) bool {
	return isClaude(req.Model) && anthropic.Prefills(req, name)
}
