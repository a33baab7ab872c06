package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// clock is a time that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestALimitLetsABurstThroughAndThenWhatFills(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, vendor simulator.Vendor) {
		t.Helper()
		clock := newClock()
		w := setup(t, simulator.Options{Now: clock.time})
		w.sim.SetLimit(vendor, simulator.Limit{RequestsPerMinute: 3})
		require.Equal(t, []int{200, 200, 200, 429, 429}, w.statuses(t, vendor, 5))
		clock.pass(19 * time.Second)
		require.Equal(t, []int{429}, w.statuses(t, vendor, 1))
		clock.pass(time.Second)
		require.Equal(t, []int{200, 429}, w.statuses(t, vendor, 2))
		clock.pass(time.Hour)
		require.Equal(t, []int{200, 200, 200, 429}, w.statuses(t, vendor, 4), "it holds no more than a minute's")
		require.Equal(t, simulator.LimitState{Limit: simulator.Limit{RequestsPerMinute: 3}, Accepted: 7, Refused: 5}, w.sim.Limits()[vendor])

		w.sim.SetLimit(vendor, simulator.Limit{})
		require.Equal(t, []int{200, 200}, w.statuses(t, vendor, 2))
		require.EqualValues(t, 9, w.sim.Limits()[vendor].Accepted)
	})
}

func TestALimitIsToldAsItsVendorTellsIt(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := setup(t, simulator.Options{Now: clock.time})
	for _, vendor := range simulator.DemoVendors() {
		w.sim.SetLimit(vendor, simulator.Limit{RequestsPerMinute: 2, TokensPerMinute: 1000})
	}
	told := func(a answer, names ...string) []string {
		values := make([]string, 0, len(names))
		for _, name := range names {
			values = append(values, a.header.Get(name))
		}
		return values
	}

	openai := []string{
		"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests", "X-Ratelimit-Limit-Tokens",
		"X-Ratelimit-Remaining-Tokens", "Retry-After", "Retry-After-Ms",
	}
	require.Equal(t, []string{"2", "1", "30s", "1000", "992", "", ""}, told(w.hello(t, simulator.OpenAI), openai...))
	w.hello(t, simulator.OpenAI)
	refused := w.hello(t, simulator.OpenAI)
	require.Equal(t, []string{"2", "0", "1m0s", "1000", "984", "30", "30000"}, told(refused, openai...))
	require.Contains(t, refused.errorMessage(t), "requests per min (RPM): Limit 2, Used 2, Requested 1. Please try again in 30s.")

	anthropic := []string{
		"Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset",
		"Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Remaining", "Retry-After",
	}
	require.Equal(t, []string{"2", "1", "2026-03-10T12:00:30Z", "1000", "995", ""}, told(w.hello(t, simulator.Anthropic), anthropic...))
	w.hello(t, simulator.Anthropic)
	require.Equal(t, []string{"2", "0", "2026-03-10T12:01:00Z", "1000", "990", "30"}, told(w.hello(t, simulator.Anthropic), anthropic...))

	w.hello(t, simulator.Gemini)
	w.hello(t, simulator.Gemini)
	refused = w.hello(t, simulator.Gemini)
	var body struct {
		Error struct {
			Status  string `json:"status"`
			Details []struct {
				Type       string `json:"@type"`
				RetryDelay string `json:"retryDelay"`
			} `json:"details"`
		} `json:"error"`
	}
	require.NoError(t, json.Unmarshal(refused.body, &body))
	require.Equal(t, "RESOURCE_EXHAUSTED", body.Error.Status)
	delay := ""
	for _, detail := range body.Error.Details {
		if strings.HasSuffix(detail.Type, "RetryInfo") {
			delay = detail.RetryDelay
		}
	}
	require.Equal(t, "30s", delay)
}

func TestTokensAreLimitedByWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := setup(t, simulator.Options{Now: clock.time})
	w.sim.SetLimit(simulator.OpenAI, simulator.Limit{TokensPerMinute: 600})
	ask := func(most string) answer {
		return w.post(t, simulator.OpenAI, "/v1/chat/completions", `{"model":"gpt-4.1","max_tokens":`+most+`,"messages":[{"role":"user","content":"hello"}]}`)
	}
	require.Equal(t, 200, ask("500").status)
	refused := ask("500")
	require.Equal(t, 429, refused.status)
	require.Contains(t, refused.errorMessage(t), "tokens per min (TPM): Limit 600, Used 508, Requested 508.")
	require.Contains(t, string(refused.body), `"type":"tokens"`)
	require.Equal(t, "41600", refused.header.Get("Retry-After-Ms"))
	require.Equal(t, 200, ask("10").status, "there is room for less")
	clock.pass(time.Minute)
	require.Equal(t, 200, ask("500").status)
	clock.pass(time.Hour)
	require.Equal(t, 429, ask("1000").status, "more than there is in a minute")
}

func TestWhatIsFreeIsOutsideOfTheLimit(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{RequireKeys: []string{testKey}})
	w.sim.SetLimit(simulator.OpenAI, simulator.Limit{RequestsPerMinute: 1})
	for range 3 {
		_, err := w.openai.Models.List(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, 401, w.hello(t, simulator.OpenAI).status, "nor does it know who has no key")
	require.Equal(t, simulator.LimitState{Limit: simulator.Limit{RequestsPerMinute: 1}}, w.sim.Limits()[simulator.OpenAI])
}

func TestOfManyCallsAtOnceAsManyPassAsMay(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := setup(t, simulator.Options{Now: clock.time})
	w.sim.SetLimit(simulator.OpenAI, simulator.Limit{RequestsPerMinute: 10})
	path, body := hello(simulator.OpenAI)
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w.sim.Handler(simulator.OpenAI).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	calls.Wait()
	state := w.sim.Limits()[simulator.OpenAI]
	require.EqualValues(t, 10, state.Accepted)
	require.EqualValues(t, 40, state.Refused)
}

func TestLimitsAreSetOverTheControlAPI(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	server := httptest.NewServer(w.sim.ControlHandler())
	t.Cleanup(server.Close)
	client := simulator.Client{BaseURL: server.URL, HTTPClient: server.Client()}
	limit := simulator.Limit{RequestsPerMinute: 1, TokensPerMinute: 500}
	require.NoError(t, client.SetLimit(t.Context(), simulator.Anthropic, limit))
	require.Equal(t, []int{200, 429}, w.statuses(t, simulator.Anthropic, 2))
	limits, err := client.Limits(t.Context())
	require.NoError(t, err)
	require.Equal(t, simulator.LimitState{Limit: limit, Accepted: 1, Refused: 1}, limits[simulator.Anthropic])
	require.Zero(t, limits[simulator.OpenAI])
	require.NoError(t, client.SetLimit(t.Context(), simulator.Anthropic, simulator.Limit{}))
	require.Equal(t, []int{200}, w.statuses(t, simulator.Anthropic, 1))

	require.ErrorIs(t, client.SetLimit(t.Context(), simulator.OpenAI, simulator.Limit{RequestsPerMinute: -1}), simulator.ErrInvalidLimit)
	require.ErrorIs(t, client.SetLimit(t.Context(), "nobody", limit), simulator.ErrControl)
	for body, status := range map[string]int{`{"requests_per_minute":-1}`: 400, `{"rpm":1}`: 400, `[]`: 400, `{"requests_per_minute":1}`: 204} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/limits/openai", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		require.Equal(t, status, w.do(t, r).status, body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, server.URL+"/limits/openai", nil)
	require.NoError(t, err)
	require.Equal(t, 204, w.do(t, r).status)
	require.Zero(t, w.sim.Limits()[simulator.OpenAI].Limit)
}
