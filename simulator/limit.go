package simulator

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"
)

// Limit is how much a vendor takes in a minute, of completions and embeddings; 0 is no limit. It is a bucket that is full at
// first and fills evenly, as with the vendors (docs.claude.com/en/api/rate-limits): a burst of all of it passes, and then a
// sixtieth of it a second. What a call asks of the tokens is known before it is answered: those of its prompt, and at OpenAI and
// Azure the most that the answer may have. A call that asks for more than there is in a minute is never taken.
type Limit struct {
	RequestsPerMinute int64 `json:"requests_per_minute"`
	TokensPerMinute   int64 `json:"tokens_per_minute"`
}

// LimitState is a vendor's limit, and what has come of it since the simulator began, whether there was one or not.
type LimitState struct {
	Limit
	// Accepted counts the completions and embeddings that were let through, to whatever answer or fault; Refused those that were
	// answered 429 for the limit.
	Accepted int64 `json:"accepted"`
	Refused  int64 `json:"refused"`
}

// ErrInvalidLimit is in the chain of every error of [Limit.Validate].
var ErrInvalidLimit = errors.New("invalid limit")

// Validate says what is wrong with the limit; nil if nothing is.
func (l Limit) Validate() error {
	if l.RequestsPerMinute < 0 || l.TokensPerMinute < 0 {
		return fmt.Errorf("%w: requests_per_minute %d and tokens_per_minute %d must not be negative", ErrInvalidLimit, l.RequestsPerMinute, l.TokensPerMinute)
	}
	return nil
}

// SetLimit gives the vendor a limit in place of the one it has, with full buckets; the zero one takes it away.
func (s *Simulator) SetLimit(vendor Vendor, limit Limit) {
	if state, ok := s.vendors[vendor]; ok {
		state.limiter.set(limit, s.now())
	}
}

// Limits tells of every vendor's limit, and how many calls it has let through and refused.
func (s *Simulator) Limits() map[Vendor]LimitState {
	limits := make(map[Vendor]LimitState, len(s.vendors))
	for vendor, state := range s.vendors {
		limits[vendor] = state.limiter.read()
	}
	return limits
}

// limiter enforces one vendor's limit.
type limiter struct {
	mu       sync.Mutex
	state    LimitState
	requests bucket
	tokens   bucket
}

// bucket is what is left of one limit. Without a size it never gets empty.
type bucket struct {
	size, level float64
	at          time.Time
}

// allowance is what the headers of an answer tell of a bucket.
type allowance struct {
	limit, remaining int64
	// reset is how long until the bucket is full again.
	reset time.Duration
}

// limits are the allowances of a vendor at one moment; nil where there is no limit.
type limits struct{ requests, tokens *allowance }

// overrun says which limit a call ran into, and how long it takes until there is room for it.
type overrun struct {
	tokens    bool // of tokens, not of requests
	limit     int64
	used      int64
	requested int64
	wait      time.Duration
}

func (l *limiter) set(limit Limit, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Limit = limit
	l.requests, l.tokens = full(limit.RequestsPerMinute, now), full(limit.TokensPerMinute, now)
}

func full(size int64, now time.Time) bucket {
	return bucket{size: float64(size), level: float64(size), at: now}
}

func (l *limiter) read() LimitState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// take lets a call through, or says what it ran into: it takes from both buckets or from none.
func (l *limiter) take(tokens int64, now time.Time) (limits, *overrun) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests.fill(now)
	l.tokens.fill(now)
	over := l.requests.lacks(1)
	if lacking := l.tokens.lacks(tokens); lacking != nil && (over == nil || lacking.wait > over.wait) {
		over = lacking
		over.tokens = true
	}
	if over == nil {
		l.requests.level--
		l.tokens.level -= float64(tokens)
		l.state.Accepted++
	} else {
		l.state.Refused++
	}
	return limits{requests: l.requests.told(), tokens: l.tokens.told()}, over
}

func (b *bucket) fill(now time.Time) {
	if passed := now.Sub(b.at); passed > 0 {
		b.level = min(b.size, b.level+b.size*passed.Minutes())
		b.at = now
	}
}

// levelSlack absorbs the rounding of what fills in so many milliseconds.
const levelSlack = 1e-6

// lacks is nil if there is room for n.
func (b *bucket) lacks(n int64) *overrun {
	if b.size == 0 || b.level+levelSlack >= float64(n) {
		return nil
	}
	return &overrun{
		limit: int64(b.size), used: int64(math.Ceil(b.size - b.level)), requested: n, wait: b.until(min(float64(n), b.size)),
	}
}

// until is how long it takes until the level is reached, in whole milliseconds, so that who waits as told does not come too early.
func (b *bucket) until(level float64) time.Duration {
	milliseconds := math.Ceil((level - b.level) / b.size * float64(time.Minute/time.Millisecond))
	return time.Duration(max(milliseconds, 0)) * time.Millisecond
}

func (b *bucket) told() *allowance {
	if b.size == 0 {
		return nil
	}
	return &allowance{limit: int64(b.size), remaining: max(0, int64(b.level+levelSlack)), reset: b.until(b.size)}
}

// limited answers a call that runs into the vendor's limit, and says whether it did.
func (x *exchange) limited() bool {
	if x.call.Operation != OperationComplete && x.call.Operation != OperationEmbed {
		return false
	}
	var over *overrun
	if x.limits, over = x.state.limiter.take(x.asks(), x.started); over == nil {
		return false
	}
	e := x.protocol.faultError(&Fault{Status: http.StatusTooManyRequests, RetryAfter: over.wait}, x.call.Model)
	if teller, ok := x.protocol.(limitTeller); ok {
		teller.tellLimit(e, over, x.call.Model)
	}
	x.writeError(e, nil)
	return true
}

// asks is how many tokens the call asks for, as far as that is known before it is answered.
func (x *exchange) asks() int64 {
	p := x.call.prompt
	if p == nil {
		return 0
	}
	tokens := int64(p.tokens)
	if x.call.Vendor == OpenAI || x.call.Vendor == AzureOpenAI {
		tokens += int64(p.maxTokens)
	}
	return tokens
}

// limitTeller is a protocol whose error says by how much a limit was missed.
type limitTeller interface {
	tellLimit(e *wireError, over *overrun, model string)
}
