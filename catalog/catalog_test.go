package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/catalog"
)

func TestAModelIsFoundWhereverItIsHosted(t *testing.T) {
	t.Parallel()
	const unknown = -1
	for _, test := range []struct {
		provider, model string
		window          int64
		input, output   int64 // millionths of a dollar for a million tokens
	}{
		// The vendor's own names.
		{"openai", "gpt-4.1", 1047576, 2_000_000, 8_000_000},
		{"openai", "GPT-4.1", 1047576, 2_000_000, 8_000_000},
		{"openai", "gpt-4", 8192, 30_000_000, 60_000_000},
		{"anthropic", "claude-3-5-sonnet-20240620", 200000, 3_000_000, 15_000_000},
		{"deepseek", "deepseek-v4-pro", 1000000, 435_000, 870_000},
		{"openai", "text-embedding-3-small", 8191, 20_000, 0},
		{"groq", "qwen/qwen3-32b", 131072, 290_000, 590_000},
		// Its snapshots, and its names for the newest.
		{"openai", "gpt-4o-2024-08-06", 128000, 2_500_000, 10_000_000},
		{"openai", "gpt-4o-2024-05-13", 128000, unknown, unknown},
		{"openai", "gpt-4-0613", 8192, unknown, unknown},
		{"anthropic", "claude-sonnet-4-5", 200000, 3_000_000, 15_000_000},
		{"anthropic", "claude-3-5-sonnet-latest", 200000, 3_000_000, 15_000_000},
		{"anthropic", "claude-3-5-sonnet-20241022", 200000, unknown, unknown},
		{"anthropic", "claude-sonnet-4-0", 200000, 3_000_000, 15_000_000},
		{"gemini", "gemini-2.0-flash-001", 1048576, unknown, unknown},
		{"mistral", "mistral-large-latest", 131072, 2_000_000, 6_000_000},
		{"mistral", "mistral-large-2411", 131072, unknown, unknown},
		{"cohere", "command-a", 256000, 2_500_000, 10_000_000},
		{"openai", "ft:gpt-4o-mini-2024-07-18:acme::x1", 128000, unknown, unknown},
		// Other hosts, with a row of their own and without.
		{"azure", "gpt-4o-2024-11-20", 128000, 2_500_000, 10_000_000},
		{"azure", "azure/gpt-4.1", 1047576, 2_000_000, 8_000_000},
		{"azure", "gpt-4-turbo", 128000, unknown, unknown},
		{"bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 200000, 3_000_000, 15_000_000},
		{"bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 200000, 3_300_000, 16_500_000},
		{"bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", 200000, unknown, unknown},
		{"bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0", 200000, unknown, unknown},
		{"bedrock", "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-opus-4-6-v1", 1000000, 5_500_000, 27_500_000},
		{"vertex", "claude-sonnet-4-5@20250929", 200000, 3_000_000, 15_000_000},
		{"vertex", "claude-opus-4-1@20250805", 200000, unknown, unknown},
		{"vertex", "gemini-2.5-pro", 1048576, 1_250_000, 10_000_000},
		{"vertex", "publishers/google/models/gemini-2.0-flash-001", 1048576, unknown, unknown},
		{"openrouter", "openai/gpt-4.1", 1047576, unknown, unknown},
		{"openrouter", "anthropic/claude-sonnet-4.5:beta", 200000, unknown, unknown},
		{"openrouter", "qwen/qwen3-32b", 131072, unknown, unknown},
		{"ollama", "gpt-oss:120b", 131072, unknown, unknown},
		{"vllm", "Qwen/Qwen3-32B", 131072, unknown, unknown},
		{"fireworks", "accounts/fireworks/models/gpt-oss-120b", 131072, unknown, unknown},
	} {
		t.Run(test.provider+" "+test.model, func(t *testing.T) {
			t.Parallel()
			found, ok := catalog.Find(test.provider, test.model)
			require.True(t, ok)
			require.Equal(t, test.window, found.ContextWindow)
			for _, price := range []struct {
				want int64
				got  *int64
			}{{test.input, found.InputPrice}, {test.output, found.OutputPrice}} {
				if price.want == unknown {
					require.Nil(t, price.got)
					continue
				}
				require.NotNil(t, price.got)
				require.Equal(t, price.want, *price.got)
			}
			if test.input == unknown {
				require.Nil(t, found.CacheReadPrice)
				require.Nil(t, found.CacheWritePrice)
			}
		})
	}
}

func TestWhatIsNotInTheTableIsNotFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ provider, model string }{
		{"openai", "gpt-9"},
		{"openai", ""},
		{"azure", "gpt-prod"},
		{"gemini", "gemini-2.5-flash-preview-04-17"}, // a preview is another model
		{"openai", "gpt-4o-realtime-preview-2024-12-17"},
		{"gemini", "gemini-embedding-002"}, // vectors of its own
		{"bedrock", "amazon.nova-lite-v1:0"},
		{"litellm", "gpt-4.1"}, // a route of another gateway may be anything
		{"holdfast", "gpt-4"},
	} {
		found, ok := catalog.Find(test.provider, test.model)
		require.False(t, ok, "%s %s", test.provider, test.model)
		require.Zero(t, found)
	}
}

func TestUnknownIsNotZeroAndNotNo(t *testing.T) {
	t.Parallel()
	found, ok := catalog.Find("openai", "gpt-5.5-pro")
	require.True(t, ok)
	require.NotNil(t, found.InputPrice)
	require.Nil(t, found.CacheReadPrice)

	thinks, ok := catalog.Find("anthropic", "claude-sonnet-4-5")
	require.True(t, ok)
	require.True(t, *thinks.Reasons)
	require.True(t, *thinks.Images)
	require.EqualValues(t, 300_000, *thinks.CacheReadPrice)
	require.EqualValues(t, 3_750_000, *thinks.CacheWritePrice)
	require.EqualValues(t, 64000, thinks.MaxOutput)
}

// Groq's qwen3-32b does not think and stops after 10,000 tokens; that is no word on the model in the house.
func TestOneHostSaysLittleOfAnother(t *testing.T) {
	t.Parallel()
	here, ok := catalog.Find("groq", "qwen/qwen3-32b")
	require.True(t, ok)
	require.False(t, *here.Reasons)
	require.NotZero(t, here.MaxOutput)

	there, ok := catalog.Find("ollama", "qwen3:32b")
	require.True(t, ok)
	require.Equal(t, here.ContextWindow, there.ContextWindow)
	require.Nil(t, there.Reasons)
	require.Zero(t, there.MaxOutput)

	thinks, ok := catalog.Find("ollama", "gpt-oss:120b")
	require.True(t, ok)
	require.True(t, *thinks.Reasons)
}

func TestPricesAreReadExactly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		dollars string
		tokens  int64
		want    int64
		err     string
	}{
		{"0.003625", 1_000_000, 3625, ""},
		{"30", 1_000_000, 30_000_000, ""},
		{"0.0000025", 1, 2_500_000, ""},
		{"2.5e-06", 1, 2_500_000, ""},
		{"1E-7", 1, 100_000, ""},
		{"0.1", 1_000_000, 100_000, ""}, // no binary fraction
		{"0", 1, 0, ""},
		{"1e-13", 1, 0, "finer"},
		{"-1", 1, 0, "must be a number"},
		{"1e999999999", 1, 0, "must be a number"},
		{".0000025", 1, 2_500_000, ""},
		{".", 1, 0, "must be a number"},
		{"1/2", 1, 0, "must be a number"},
		{"0x10", 1, 0, "must be a number"},
		{"99999999999", 1, 0, "too large"},
		{"", 1, 0, "must be a number"},
	} {
		got, err := catalog.Price(test.dollars, test.tokens)
		if test.err != "" {
			require.ErrorContains(t, err, test.err, test.dollars)
			continue
		}
		require.NoError(t, err, test.dollars)
		require.Equal(t, test.want, got, test.dollars)
	}
}
