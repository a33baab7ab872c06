package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// anthropicLimitHeaders tells of each limit how much is left, and when it will be whole again, to the second
// (docs.claude.com/en/api/rate-limits). A limit on tokens is one on those of the prompts. An account without limits has plenty
// of room, which a fault may take from it.
func anthropicLimitHeaders(h http.Header, reply *reply, e *wireError) {
	set := func(name string, told *allowance, plenty allowance) {
		if told == nil {
			told = &plenty
		}
		h["Anthropic-Ratelimit-"+name+"-Limit"] = []string{strconv.FormatInt(told.limit, 10)}
		h["Anthropic-Ratelimit-"+name+"-Remaining"] = []string{strconv.FormatInt(told.remaining, 10)}
		h["Anthropic-Ratelimit-"+name+"-Reset"] = []string{reply.now.Add(told.reset + time.Second - 1).UTC().Format(time.RFC3339)}
	}
	room := func(limit, remaining int64) allowance {
		if e != nil && e.status == http.StatusTooManyRequests && e.retryAfter > 0 && reply.limits == (limits{}) {
			return allowance{limit: limit, reset: e.retryAfter}
		}
		return allowance{limit: limit, remaining: remaining}
	}
	set("Requests", reply.limits.requests, room(4_000, 3_999))
	set("Tokens", reply.limits.tokens, room(2_400_000, 2_399_000))
	set("Input-Tokens", reply.limits.tokens, room(2_000_000, 1_999_000))
	set("Output-Tokens", nil, room(400_000, 399_000))
}
