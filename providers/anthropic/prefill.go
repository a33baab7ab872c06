package anthropic

import (
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

var _ llm.Prefiller = (*Client)(nil)

// Prefills implements [llm.Prefiller]. See the function of that name.
func (c *Client) Prefills(req llm.Request) bool { return Prefills(req, c.host.provider) }

// Prefills reports whether req's Claude goes on with an answer that was begun for it: up to 4.5, while it does not think
// (https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility) and answers in words.
// Models of other names may do so as well ([SupportsPrefill]), but nobody vouches for them. White space at the end of the
// beginning is not sent: the API rejects it. Provider is whose extras count.
func Prefills(req llm.Request, provider string) bool {
	return strings.Contains(bare(req.Model), "claude-") && SupportsPrefill(req.Model) &&
		render.PlainText(req) && !render.Thinks(req) &&
		!render.Adds(req, provider, "thinking", "output_config", "output_format", "tool_choice")
}
