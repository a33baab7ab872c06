package tokens_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/tokens"
)

func prompt(text string) llm.Request {
	return llm.Request{Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(text)}}}}
}

func TestTextIsCountedAsOpenAIDoes(t *testing.T) {
	t.Parallel()
	// OpenAI's own example for o200k_base: "tiktoken is great!" has six tokens.
	require.Equal(t, tokens.Count{About: 6 + 4, AtLeast: 8}, tokens.Exact(prompt("tiktoken is great!")))
	require.EqualValues(t, 5, tokens.Estimate(prompt("tiktoken is great!")).About)
}

func TestEverythingThatIsSaidCounts(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("word ", 100)
	for name, request := range map[string]llm.Request{
		"text":      prompt(word),
		"tool":      {Tools: []llm.Tool{{Name: "f", Description: word}}},
		"call":      {Messages: []llm.Message{{Parts: []llm.Part{{ToolCall: &llm.ToolCall{Arguments: word}}}}}},
		"result":    {Messages: []llm.Message{{Parts: []llm.Part{{ToolResult: &llm.ToolResult{Content: word}}}}}},
		"embedding": {Embed: &llm.Embed{Texts: []string{word}}},
	} {
		require.InDelta(t, 104, tokens.Exact(request).About, 6, name)
		require.InDelta(t, 125, tokens.Estimate(request).About, 3, name)
		require.LessOrEqual(t, tokens.Estimate(request).AtLeast, tokens.Exact(request).About, name)
	}
}

func TestWhatIsTooLongToBeCountedIsEstimated(t *testing.T) {
	t.Parallel()
	long := prompt(strings.Repeat("a", 9<<20))
	require.Equal(t, tokens.Estimate(long), tokens.Exact(long))
	require.Zero(t, tokens.Exact(llm.Request{}))
}
