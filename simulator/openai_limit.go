package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

var _ limitTeller = openAIProtocol{}

// tellLimit writes the numbers into the message, and the kind of limit into the type (platform.openai.com/docs/guides/rate-limits).
func (openAIProtocol) tellLimit(e *wireError, over *overrun, model string) {
	name := "requests per min (RPM)"
	if over.tokens {
		e.kind, name = "tokens", "tokens per min (TPM)"
	}
	e.message = fmt.Sprintf("Rate limit reached for %s in organization org-simulator on %s: Limit %d, Used %d, Requested %d. "+
		"Please try again in %s. Visit https://platform.openai.com/account/rate-limits to learn more.",
		model, name, over.limit, over.used, over.requested, over.wait)
}

// tellLimit leaves the resource's own words, which hold no numbers.
func (azureProtocol) tellLimit(*wireError, *overrun, string) {}

// openAILimitHeaders sets the headers of limits. An account without any has plenty of room, which a fault may take from it.
func openAILimitHeaders(h http.Header, reply *reply, e *wireError) {
	reset := 6 * time.Millisecond
	requests := allowance{limit: 10_000, remaining: 9_999, reset: reset}
	tokens := allowance{limit: 2_000_000, remaining: 1_999_000, reset: reset}
	if e != nil && e.status == http.StatusTooManyRequests && e.retryAfter > 0 && reply.limits == (limits{}) {
		requests.remaining, tokens.remaining = 0, 0
		requests.reset, tokens.reset = e.retryAfter, e.retryAfter
	}
	for _, told := range [...]struct {
		name string
		*allowance
	}{{"Requests", or(reply.limits.requests, &requests)}, {"Tokens", or(reply.limits.tokens, &tokens)}} {
		h["X-Ratelimit-Limit-"+told.name] = []string{strconv.FormatInt(told.limit, 10)}
		h["X-Ratelimit-Remaining-"+told.name] = []string{strconv.FormatInt(told.remaining, 10)}
		h["X-Ratelimit-Reset-"+told.name] = []string{told.reset.String()}
	}
}

// or is what is told of a limit, if there is one.
func or(told, otherwise *allowance) *allowance {
	if told != nil {
		return told
	}
	return otherwise
}
