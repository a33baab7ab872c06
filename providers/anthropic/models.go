package anthropic

import (
	"regexp"
	"strconv"
	"strings"
)

// fallbackMaxTokens is sent for models that are not in the table: the most that every Claude ever sold takes.
const fallbackMaxTokens = 4096

// size is what the models whose names begin so take and give, in tokens. The API has no default for max_tokens, and
// rejects one over the model's maximum or, with the prompt, over its window
// (https://platform.claude.com/docs/en/about-claude/models/overview).
type size struct {
	prefix string
	output int64
	window int64
}

// sizes go from the particular to the general: the first prefix that fits counts.
func sizes() []size {
	return []size{
		{"claude-opus-4-5", 64000, 200000},
		{"claude-opus-4-6", 128000, 200000},
		{"claude-opus-4-1", 32000, 200000},
		{"claude-opus-4-0", 32000, 200000},
		{"claude-opus-4-2", 32000, 200000}, // claude-opus-4-20250514
		{"claude-opus-4-", 128000, 1000000},
		{"claude-sonnet-4-6", 128000, 200000},
		{"claude-sonnet-4", 64000, 200000},
		{"claude-haiku-4", 64000, 200000},
		{"claude-opus-5", 128000, 1000000},
		{"claude-sonnet-5", 128000, 1000000},
		{"claude-fable-5", 128000, 1000000},
		{"claude-mythos-5", 128000, 1000000},
		{"claude-3-7-sonnet", 64000, 200000},
		{"claude-3-5", 8192, 200000},
	}
}

// bytesPerToken errs on the low side, so that the prompt's size in tokens is guessed too large rather than too small.
const bytesPerToken = 3

// maxTokens is the default for requests without a limit: the model's largest output, or what room the prompt leaves in
// the window, but never under the fallback.
func maxTokens(model string, promptBytes int) int64 {
	model = bare(model)
	for _, size := range sizes() {
		if strings.HasPrefix(model, size.prefix) {
			room := size.window - int64(promptBytes)/bytesPerToken
			return max(min(size.output, room), fallbackMaxTokens)
		}
	}
	return fallbackMaxTokens
}

// versioned finds the version in names such as claude-opus-4-7, claude-sonnet-4-5-20250929 and claude-fable-5.
var versioned = regexp.MustCompile(`^claude-([a-z]+)-(\d{1,2})(?:-(\d{1,2}))?(?:-|$)`)

// fixedSampling reports whether the model rejects temperature and top_p, as all do from Opus 4.7 on
// (https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7#sampling-parameters-removed).
func fixedSampling(model string) bool {
	match := versioned.FindStringSubmatch(bare(model))
	if match == nil {
		return false
	}
	major, _ := strconv.Atoi(match[2]) // two digits at most
	minor, _ := strconv.Atoi(match[3]) // the same, or nothing
	return major >= 5 || match[1] == "opus" && major == 4 && minor >= 7
}

// bare is the model's name without the prefix that aggregators put before it.
func bare(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }
