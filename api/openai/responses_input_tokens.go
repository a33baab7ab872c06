package openai

import (
	"encoding/json"
	"slices"

	"github.com/holdfast-dev/holdfast/api/dialect"
)

// InputTokens says how much the input of a response would be.
type InputTokens struct {
	Object      string `json:"object"`
	InputTokens int64  `json:"input_tokens"`
}

// EncodeInputTokens makes the answer to POST /v1/responses/input_tokens.
func EncodeInputTokens(n int64) InputTokens {
	return InputTokens{Object: "response.input_tokens", InputTokens: n}
}

// DecodeInputTokens reads the body of POST /v1/responses/input_tokens
// (https://platform.openai.com/docs/api-reference/responses/input-tokens): what of a request for a response counts. Errors are as
// those of [DecodeResponse].
func DecodeInputTokens(body []byte, find ItemFinder) (dialect.Request, error) {
	counted := []string{
		"model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "truncation",
		"conversation", "previous_response_id", "models", "fallbacks", "provider", "tags", "provider_options", "holdfast",
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) == nil {
		for name := range members {
			if !slices.Contains(counted, name) {
				return dialect.Request{}, invalid(name, "unknown_parameter", "Unknown or unsupported parameter: '%s'.", name)
			}
		}
	}
	return DecodeResponse(body, find)
}
