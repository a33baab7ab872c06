package providertest

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
)

// probe makes a probe and returns its error as the canonical one; nil if there is none.
func (c Contract) probe(ctx context.Context, t *testing.T, baseURL string, key llm.Secret) *llm.Error {
	t.Helper()
	prober, ok := c.Open(t, baseURL, nil).(llm.Prober)
	require.True(t, ok, "the adapter is no llm.Prober")
	err := prober.Probe(ctx, key, c.Model)
	if err == nil {
		return nil
	}
	var e *llm.Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.Provider)
	require.NotContains(t, fmt.Sprintf("%+v", *e), Key.Reveal())
	return e
}

func (c Contract) probes(t *testing.T) {
	t.Parallel()
	good := NewVendor(t, JSON([]byte("{}")))
	require.Nil(t, c.probe(t.Context(), t, good.URL, Key))
	request := good.One(t)
	require.Equal(t, []string{c.AuthPrefix + Key.Reveal()}, request.Header.Values(c.AuthHeader))
	require.Equal(t, []string{c.AuthHeader}, credentials(request.Header))
	require.NotContains(t, request.Query+string(request.Body), Key.Reveal())
	require.Less(t, len(request.Body), 300, "it costs nothing")

	for status, kinds := range map[int][]llm.Kind{
		http.StatusUnauthorized:        {llm.KindCredential},
		http.StatusTooManyRequests:     {llm.KindRateLimit},
		http.StatusInternalServerError: {llm.KindTransient},
		http.StatusServiceUnavailable:  {llm.KindOverloaded, llm.KindTransient},
		http.StatusFound:               {llm.KindUnknown},
	} {
		vendor := NewVendor(t, fmt.Appendf(nil, "HTTP/1.1 %d Bad\r\nLocation: %s\r\nX-Ratelimit-Remaining-Requests: 0\r\nX-Should-Retry: true\r\n\r\n", status, good.URL))
		e := c.probe(t.Context(), t, vendor.URL, Key)
		require.NotNil(t, e, "%d", status)
		require.Contains(t, kinds, e.Kind, "%d", status)
		require.Equal(t, status, e.Status)
		require.Equal(t, &llm.RateLimit{Requests: &llm.Allowance{}}, e.RateLimit)
		vendor.One(t) // it is not tried again
	}
	require.Len(t, good.Received(), 1, "a redirect was followed")
	refused := c.probe(t.Context(), t, good.URL, "key\r\nX-Evil: 1")
	require.NotNil(t, refused)
	require.Equal(t, llm.KindCredential, refused.Kind)
}

func (c Contract) probeEnds(t *testing.T) {
	t.Parallel()
	url, entered := silent(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-entered
		cancel()
	}()
	e := c.probe(ctx, t, url, Key)
	require.NotNil(t, e)
	require.Equal(t, llm.KindCancelled, e.Kind)
	require.ErrorIs(t, e, context.Canceled)

	url, _ = silent(t)
	late, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	e = c.probe(late, t, url, Key)
	require.NotNil(t, e)
	require.Equal(t, llm.KindTimeout, e.Kind)
}
