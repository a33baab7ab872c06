package simulator

import (
	"net/http"
	"strconv"
)

// mistralLimitHeaders tells what is left of the minute, as seen at the vendor (github.com/mistralai/client-ts/issues/169). When it will
// be whole again it does not tell.
func mistralLimitHeaders(h http.Header, reply *reply, e *wireError) {
	tokens := allowance{limit: 2_000_000, remaining: 1_999_000}
	if e != nil && e.status == http.StatusTooManyRequests && reply.limits == (limits{}) {
		tokens.remaining = 0
	}
	for _, told := range [...]struct {
		name string
		*allowance
	}{{"Req", reply.limits.requests}, {"Tokens", or(reply.limits.tokens, &tokens)}} {
		if told.allowance != nil {
			h["X-Ratelimit-Limit-"+told.name+"-Minute"] = []string{strconv.FormatInt(told.limit, 10)}
			h["X-Ratelimit-Remaining-"+told.name+"-Minute"] = []string{strconv.FormatInt(told.remaining, 10)}
		}
	}
}
