package anthropic

import (
	"encoding/json"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// cacheControl asks for the prompt to be cached up to where it stands. Further members (a scope) are hints that other vendors
// know nothing of.
type cacheControl struct {
	Type  string          `json:"type"`
	TTL   string          `json:"ttl"`
	Scope json.RawMessage `json:"scope"`
}

func (c *cacheControl) decode(at string) (*llm.CacheHint, error) {
	switch {
	case c == nil:
		return nil, nil //nolint:nilnil // no hint, and nothing wrong
	case c.Type != "ephemeral":
		return nil, invalid(under(at, "type"), codeValue, "Input should be 'ephemeral'.")
	case c.TTL != "" && c.TTL != "5m" && c.TTL != "1h":
		return nil, invalid(under(at, "ttl"), codeValue, "Input should be '5m' or '1h'.")
	default:
		return &llm.CacheHint{TTL: c.TTL}, nil
	}
}

// cacheLast puts a hint for the whole request on the last part that can carry one, unless that has one already. Thoughts
// cannot (https://platform.claude.com/docs/en/build-with-claude/prompt-caching#automatic-caching).
func cacheLast(messages []llm.Message, hint *llm.CacheHint) {
	if hint == nil {
		return
	}
	for _, message := range slices.Backward(messages) {
		for i, part := range slices.Backward(message.Parts) {
			if part.Type == llm.PartReasoning {
				continue
			}
			if part.Cache == nil {
				message.Parts[i].Cache = hint
			}
			return
		}
	}
}
