package anthropic

import "github.com/holdfast-dev/holdfast/llm"

// Usage counts tokens as Anthropic does: those read from and written to a prompt cache are not among the input tokens
// (https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance).
type Usage struct {
	InputTokens              int64         `json:"input_tokens"`
	CacheCreationInputTokens int64         `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     int64         `json:"cache_read_input_tokens"`
	CacheCreation            cacheCreation `json:"cache_creation"`
	OutputTokens             int64         `json:"output_tokens"`
	OutputTokensDetails      outputDetails `json:"output_tokens_details"`
	// ServerToolUse is always null: what a vendor's own tools cost is not counted here.
	ServerToolUse *struct{} `json:"server_tool_use"`
	ServiceTier   string    `json:"service_tier"`
}

type cacheCreation struct {
	Ephemeral5mInputTokens int64 `json:"ephemeral_5m_input_tokens"`
	Ephemeral1hInputTokens int64 `json:"ephemeral_1h_input_tokens"`
}

type outputDetails struct {
	ThinkingTokens int64 `json:"thinking_tokens"`
}

func encodeUsage(usage llm.Usage) Usage {
	return Usage{
		InputTokens:              max(usage.InputTokens-usage.CacheReadTokens-usage.CacheWriteTokens, 0),
		CacheCreationInputTokens: usage.CacheWriteTokens,
		CacheReadInputTokens:     usage.CacheReadTokens,
		CacheCreation: cacheCreation{
			Ephemeral5mInputTokens: max(usage.CacheWriteTokens-usage.CacheWrite1hTokens, 0), Ephemeral1hInputTokens: usage.CacheWrite1hTokens,
		},
		OutputTokens:        usage.OutputTokens,
		OutputTokensDetails: outputDetails{ThinkingTokens: usage.ReasoningTokens},
		ServiceTier:         "standard",
	}
}

// TokenCount is the answer of POST /v1/messages/count_tokens.
type TokenCount struct {
	InputTokens int64 `json:"input_tokens"`
}

// EncodeTokenCount makes the answer that counts a request's tokens.
func EncodeTokenCount(n int64) TokenCount { return TokenCount{InputTokens: n} }
