package wire

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// maxReset bounds what is believed of a reset: the longest limits that are told of in headers are those of a day.
	maxReset = 24 * time.Hour
	// maxAllowance is more than any account has of anything, in a day.
	maxAllowance = 1e15
)

// allowanceHeaders are the three headers that tell of one limit.
type allowanceHeaders struct{ limit, remaining, reset string }

// The headers' names in their canonical form. OpenAI's are those of Azure, Groq, Together, Fireworks and many more
// (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers); some hosts put the window behind them, as
// Cerebras does. Mistral tells no reset of its limits a minute, and one of the older ones by size
// (https://docs.mistral.ai/deployment/laplateforme/tier). Anthropic's are at https://platform.claude.com/docs/en/api/rate-limits.
//
//nolint:gochecknoglobals // tables that never change, and are read with every answer
var (
	requestHeaders = []allowanceHeaders{
		{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
		{"X-Ratelimit-Limit-Requests-Minute", "X-Ratelimit-Remaining-Requests-Minute", "X-Ratelimit-Reset-Requests-Minute"},
		{"X-Ratelimit-Limit-Req-Minute", "X-Ratelimit-Remaining-Req-Minute", "X-Ratelimit-Reset-Req-Minute"},
		{"Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
	}
	tokenHeaders = []allowanceHeaders{
		{"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
		{"X-Ratelimit-Limit-Tokens-Minute", "X-Ratelimit-Remaining-Tokens-Minute", "X-Ratelimit-Reset-Tokens-Minute"},
		{"Ratelimitbysize-Limit", "Ratelimitbysize-Remaining", "Ratelimitbysize-Reset"},
		{"X-Ratelimitbysize-Limit-Minute", "X-Ratelimitbysize-Remaining-Minute", "Ratelimitbysize-Reset"},
		{"Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
		{"Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	}
)

// RateLimit is what the headers of an answer say of the account's limits; nil if they say nothing that can be believed.
func RateLimit(h http.Header, now time.Time) *llm.RateLimit {
	requests, tokens := scarcest(h, requestHeaders, now), scarcest(h, tokenHeaders, now)
	if requests == nil && tokens == nil {
		return nil
	}
	return &llm.RateLimit{Requests: requests, Tokens: tokens}
}

// scarcest is the allowance of which the least remains: where a vendor tells of several, a call must fit into each.
func scarcest(h http.Header, families []allowanceHeaders, now time.Time) *llm.Allowance {
	var least *llm.Allowance
	for _, names := range families {
		remaining, ok := amount(h.Get(names.remaining))
		if !ok || least != nil && least.Remaining <= remaining {
			continue
		}
		limit, _ := amount(h.Get(names.limit)) // 0 is: not told
		least = &llm.Allowance{Limit: limit, Remaining: remaining, ResetAfter: untilReset(h.Get(names.reset), now)}
	}
	return least
}

// amount reads how much of something there is. Azure sends -1 for what it does not know.
func amount(text string) (int64, bool) {
	number, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || number < 0 || number > maxAllowance {
		return 0, false
	}
	return number, true
}

// untilReset reads a duration ("6m0s", "20ms"), a number of seconds, or a time (RFC 3339); 0 if it is none. A number that is
// longer than any reset is a time by an unknown clock, and says nothing.
func untilReset(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0
	}
	if seconds, ok := scaled(text, time.Second); ok {
		if seconds > maxReset {
			return 0
		}
		return seconds
	}
	wait, err := time.ParseDuration(text)
	if err != nil {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return 0
		}
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxReset)
}
