package bedrock

import (
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

var _ llm.Prefiller = (*Client)(nil)

// Prefills implements [llm.Prefiller]: Claude up to 4.5 does
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html), and Nova
// (https://docs.aws.amazon.com/nova/latest/userguide/prompting-structured-output.html), while they do not think and answer in
// words. Models whose name does not tell what they are may do so as well, but nobody vouches for them. White space at the
// end of the beginning is not sent: Claude rejects it.
func (c *Client) Prefills(req llm.Request) bool {
	return maker.MatchString(strings.ToLower(req.Model)) && factsOf(req.Model).prefill &&
		render.PlainText(req) && !render.Thinks(req) &&
		!render.Adds(req, name, "additionalModelRequestFields", "thinking", "reasoningConfig", "tool_choice")
}
