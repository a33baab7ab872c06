package wire_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

func headers(pairs map[string]string) http.Header {
	h := http.Header{}
	for name, value := range pairs {
		h.Set(name, value)
	}
	return h
}

// noon is when the answers of these tests come.
var noon = time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)

func TestRateLimitsAreReadFromEveryVendorsHeaders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers map[string]string
		want    *llm.RateLimit
	}{
		"nothing": {map[string]string{"Retry-After": "3"}, nil},
		"openai": {
			map[string]string{
				"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s",
				"x-ratelimit-limit-tokens": "150000", "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6m0s",
			},
			&llm.RateLimit{
				Requests: &llm.Allowance{Limit: 60, Remaining: 59, ResetAfter: time.Second},
				Tokens:   &llm.Allowance{Limit: 150000, Remaining: 149984, ResetAfter: 6 * time.Minute},
			},
		},
		"groq": {
			map[string]string{"x-ratelimit-remaining-tokens": "17997", "x-ratelimit-reset-tokens": "7.66s", "x-ratelimit-limit-tokens": "18000"},
			&llm.RateLimit{Tokens: &llm.Allowance{Limit: 18000, Remaining: 17997, ResetAfter: 7660 * time.Millisecond}},
		},
		"azure tells no reset, or seconds": {
			map[string]string{"x-ratelimit-remaining-requests": "9", "x-ratelimit-remaining-tokens": "985", "x-ratelimit-reset-tokens": "5"},
			&llm.RateLimit{Requests: &llm.Allowance{Remaining: 9}, Tokens: &llm.Allowance{Remaining: 985, ResetAfter: 5 * time.Second}},
		},
		"azure does not know": {map[string]string{"x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "-1"}, nil},
		"milliseconds": {
			map[string]string{"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms"},
			&llm.RateLimit{Requests: &llm.Allowance{ResetAfter: 20 * time.Millisecond}},
		},
		"anthropic": {
			map[string]string{
				"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49", "anthropic-ratelimit-requests-reset": "2026-03-10T12:00:30Z",
				"anthropic-ratelimit-tokens-limit": "40000", "anthropic-ratelimit-tokens-remaining": "39000", "anthropic-ratelimit-tokens-reset": "2026-03-10T12:01:00Z",
				"anthropic-ratelimit-input-tokens-limit": "32000", "anthropic-ratelimit-input-tokens-remaining": "31000", "anthropic-ratelimit-input-tokens-reset": "2026-03-10T14:00:45+02:00",
			},
			&llm.RateLimit{
				Requests: &llm.Allowance{Limit: 50, Remaining: 49, ResetAfter: 30 * time.Second},
				Tokens:   &llm.Allowance{Limit: 32000, Remaining: 31000, ResetAfter: 45 * time.Second},
			},
		},
		"anthropic, all tokens scarcer": {
			map[string]string{"anthropic-ratelimit-tokens-remaining": "10", "anthropic-ratelimit-input-tokens-remaining": "31000"},
			&llm.RateLimit{Tokens: &llm.Allowance{Remaining: 10}},
		},
		"mistral": {
			map[string]string{
				"x-ratelimit-limit-req-minute": "720", "x-ratelimit-remaining-req-minute": "717",
				"x-ratelimit-limit-tokens-minute": "5000000", "x-ratelimit-remaining-tokens-minute": "4999911", "x-ratelimit-tokens-query-cost": "52",
			},
			&llm.RateLimit{Requests: &llm.Allowance{Limit: 720, Remaining: 717}, Tokens: &llm.Allowance{Limit: 5000000, Remaining: 4999911}},
		},
		"mistral by size": {
			map[string]string{"ratelimitbysize-limit": "500000", "ratelimitbysize-remaining": "499000", "ratelimitbysize-reset": "17"},
			&llm.RateLimit{Tokens: &llm.Allowance{Limit: 500000, Remaining: 499000, ResetAfter: 17 * time.Second}},
		},
		"cerebras": {
			map[string]string{"x-ratelimit-remaining-requests-minute": "84", "x-ratelimit-reset-requests-minute": "30s"},
			&llm.RateLimit{Requests: &llm.Allowance{Remaining: 84, ResetAfter: 30 * time.Second}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, wire.RateLimit(headers(c.headers), noon))
		})
	}
}

func TestWhatCannotBeALimitIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, remaining := range []string{"", "-1", "NaN", "Inf", "1e3", "many", "99999999999999999999", "9223372036854775807", "0x10", "1.5"} {
		require.Nil(t, wire.RateLimit(headers(map[string]string{"x-ratelimit-remaining-requests": remaining}), noon), remaining)
	}
	for reset, want := range map[string]time.Duration{
		"-5": 0, "9999999h": 0, "-5s": 0, "NaN": 0, "soon": 0, "1e300": 0, "1773144000": 0, "Inf": 0, "48h": 24 * time.Hour,
		"2026-03-10T11:00:00Z": 0, "2126-03-10T11:00:00Z": 24 * time.Hour, " 2 ": 2 * time.Second, "0": 0,
	} {
		limit := wire.RateLimit(headers(map[string]string{"x-ratelimit-remaining-requests": "1", "x-ratelimit-limit-requests": "-7", "x-ratelimit-reset-requests": reset}), noon)
		require.Equal(t, &llm.RateLimit{Requests: &llm.Allowance{Remaining: 1, ResetAfter: want}}, limit, reset)
	}
}

func FuzzRateLimit(f *testing.F) {
	f.Add("60", "59", "1s")
	f.Add("-1", "NaN", "2126-03-10T11:00:00Z")
	f.Fuzz(func(t *testing.T, limit, remaining, reset string) {
		h := headers(map[string]string{
			"anthropic-ratelimit-tokens-limit": limit, "anthropic-ratelimit-tokens-remaining": remaining, "anthropic-ratelimit-tokens-reset": reset,
		})
		got := wire.RateLimit(h, noon)
		if got == nil {
			return
		}
		require.Nil(t, got.Requests)
		require.GreaterOrEqual(t, got.Tokens.Limit, int64(0))
		require.GreaterOrEqual(t, got.Tokens.Remaining, int64(0))
		require.GreaterOrEqual(t, got.Tokens.ResetAfter, time.Duration(0))
		require.LessOrEqual(t, got.Tokens.ResetAfter, 24*time.Hour)
	})
}

// Of every answer it is told in the one place that all adapters share: whole, streamed, an error, or cut.
func TestEveryAnswerTellsItsLimits(t *testing.T) {
	t.Parallel()
	want := &llm.RateLimit{Requests: &llm.Allowance{Limit: 60, Remaining: 7, ResetAfter: 20 * time.Millisecond}}
	told := headers(map[string]string{"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "20ms"})
	answer := func(status int, body string) wire.Call {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), told)
			w.Header().Set("Content-Type", "text/event-stream")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		made := call(wire.NewClient(server.Client()), server.URL)
		made.Whole = func(wire.Answer) (llm.Response, *llm.Error) { return llm.Response{}, nil }
		return made
	}
	limitOf := func(err error) *llm.RateLimit {
		var e *llm.Error
		require.ErrorAs(t, err, &e)
		return e.RateLimit
	}
	response, err := wire.Complete(t.Context(), answer(http.StatusOK, "{}"))
	require.NoError(t, err)
	require.Equal(t, want, response.RateLimit)
	_, err = wire.Complete(t.Context(), answer(http.StatusTooManyRequests, "{}"))
	require.Equal(t, want, limitOf(err))

	response, err = llm.Collect(wire.Stream(t.Context(), answer(http.StatusOK, "data: a\n\ndata: END\n\n")))
	require.NoError(t, err)
	require.Equal(t, want, response.RateLimit)
	_, err = llm.Collect(wire.Stream(t.Context(), answer(http.StatusTooManyRequests, "{}")))
	require.Equal(t, want, limitOf(err))
	_, err = llm.Collect(wire.Stream(t.Context(), answer(http.StatusOK, "data: a\n\n")))
	require.Equal(t, want, limitOf(err))

	require.Equal(t, want, limitOf(wire.Probe(t.Context(), answer(http.StatusUnauthorized, "{}"))))
}

func TestAStrictCallIsNotMadeWithWarnings(t *testing.T) {
	t.Parallel()
	warned := wire.Call{
		Provider: "x", Strict: true, Warnings: []llm.Warning{{Param: "seed", Message: "left out"}, {Param: "user", Message: "left out"}},
		Send: func(context.Context) error { panic("it was sent") },
	}
	_, err := wire.Complete(t.Context(), warned)
	_, streamed := llm.Collect(wire.Stream(t.Context(), warned))
	for _, err := range []error{err, streamed} {
		var e *llm.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, llm.Error{Kind: llm.KindUnsupported, Provider: "x", Param: "seed", Detail: "the request is strict: left out"}, *e)
	}
}
