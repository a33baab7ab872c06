package wire_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	const year = 366 * 24 * time.Hour
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "", 0},
		{"Retry-After", "20", 20 * time.Second},
		{"retry-after", " 0.5 ", 500 * time.Millisecond},
		{"Retry-After", "7200", 2 * time.Hour},
		{"Retry-After", "-1", 0},
		{"Retry-After", "NaN", 0},
		{"Retry-After", "Inf", year},
		{"Retry-After", "1e300", year},
		{"Retry-After", "soon", 0},
		{"Retry-After", "Tue, 10 Mar 2026 12:01:30 GMT", 90 * time.Second},
		{"Retry-After", "Tue, 10 Mar 2026 11:00:00 GMT", 0},
		{"retry-after-ms", "1500", 1500 * time.Millisecond},
	} {
		header := http.Header{}
		header.Set(c.name, c.value)
		require.Equal(t, c.want, wire.RetryAfter(header, now), "%s: %s", c.name, c.value)
	}
	require.Equal(t, 2*time.Second, wire.RetryAfter(http.Header{"Retry-After-Ms": {"soon"}, "Retry-After": {"2"}}, now))
}

func TestOnlyWordsAreKept(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"", "rate_limit_exceeded", "messages[3].content", "RESOURCE_EXHAUSTED", "req_011C:a/b-c"} {
		require.Equal(t, word, wire.Code(word))
	}
	for _, prose := range []string{"you said: hello", "a\nb", "é", "\x00", strings.Repeat("x", 65), `"`} {
		require.Empty(t, wire.Code(prose))
	}
	require.NotEmpty(t, wire.Param(strings.Repeat("x", 128)))
	require.Empty(t, wire.Param(strings.Repeat("x", 129)))
}

func TestARequestOutsideAnExchangeIsRefused(t *testing.T) {
	t.Parallel()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:1/", nil)
	require.NoError(t, err)
	resp, err := wire.NewClient(nil).Do(req)
	if resp != nil {
		_ = resp.Body.Close()
	}
	require.ErrorContains(t, err, "outside an exchange")
}

func TestARequestThatIsNeverMadeIsTheCallersFault(t *testing.T) {
	t.Parallel()
	_, err := wire.Complete(t.Context(), wire.Call{Provider: "x", Send: func(context.Context) error { return nil }})
	require.Equal(t, llm.KindCallerFault, llm.KindOf(err))
}

func TestKindOfStatusKnowsEveryStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]llm.Kind{
		302: llm.KindUnknown, 400: llm.KindCallerFault, 401: llm.KindCredential, 402: llm.KindQuota, 403: llm.KindModelAccess,
		404: llm.KindModelGone, 408: llm.KindTransient, 409: llm.KindTransient, 410: llm.KindModelGone, 413: llm.KindCallerFault,
		422: llm.KindCallerFault, 429: llm.KindRateLimit, 451: llm.KindRegionBlocked, 499: llm.KindTransient, 500: llm.KindTransient,
		502: llm.KindTransient, 503: llm.KindOverloaded, 504: llm.KindTransient, 520: llm.KindTransient, 529: llm.KindOverloaded,
	} {
		require.Equal(t, want, wire.KindOfStatus(status), "%d", status)
	}
}
