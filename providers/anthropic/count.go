package anthropic

import (
	"context"
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

var _ llm.Counter = (*Client)(nil)

// counted are the members of a request that its tokens are counted by; others are refused
// (https://platform.claude.com/docs/en/api/messages-count-tokens).
var counted = []string{"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"} //nolint:gochecknoglobals // a list that never changes

// CountTokens implements [llm.Counter] at Anthropic's own endpoint.
func (c *Client) CountTokens(ctx context.Context, key llm.Secret, req llm.Request) (int64, error) {
	if c.host.vertex {
		return 0, &llm.Error{Kind: llm.KindUnsupported, Provider: c.host.provider, Detail: "tokens are counted at Anthropic's own endpoint only"}
	}
	message, err := newMessage(req, c.host)
	if err != nil {
		return 0, err
	}
	body, err := countable(message)
	if err != nil {
		return 0, &llm.Error{Kind: llm.KindUnknown, Provider: c.host.provider, Detail: err.Error()}
	}
	answer, err := wire.Complete(ctx, wire.Call{
		Provider: c.host.provider, Auth: c.auth(key), Classify: c.classify, Model: req.Model,
		Send: func(ctx context.Context) error { return c.sdk.Post(ctx, "v1/messages/count_tokens", body, nil) },
		Whole: func(answer wire.Answer) (llm.Response, *llm.Error) {
			var count struct {
				InputTokens *int64 `json:"input_tokens"`
			}
			if json.Unmarshal(answer.Body, &count) != nil || count.InputTokens == nil {
				return llm.Response{}, &llm.Error{Kind: llm.KindBadOutput, Provider: c.host.provider, Detail: "no count in the answer"}
			}
			return llm.Response{Usage: llm.Usage{InputTokens: *count.InputTokens}}, nil
		},
	})
	return answer.Usage.InputTokens, err
}

// countable is the request without what tokens are not counted by.
func countable(m message) ([]byte, error) {
	whole, err := m.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(whole, &members); err != nil {
		return nil, err
	}
	kept := map[string]json.RawMessage{}
	for _, name := range counted {
		if value, ok := members[name]; ok {
			kept[name] = value
		}
	}
	return json.Marshal(kept)
}
