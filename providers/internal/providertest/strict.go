package providertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
)

// requireStrict checks that a request whose rendering gives warnings is not sent if it is strict, whole or streamed, and that one
// without any is sent as it is.
func requireStrict(t *testing.T, open Open, answer []byte, req llm.Request, warnings []llm.Warning) {
	t.Helper()
	vendor := NewVendor(t, JSON(answer))
	provider := open(t, vendor.URL, nil)
	req.Strict = true
	_, err := provider.Complete(t.Context(), Key, req)
	if len(warnings) == 0 {
		require.NoError(t, err)
		vendor.One(t)
		return
	}
	_, streamed := llm.Collect(provider.Stream(t.Context(), Key, req))
	for _, err := range []error{err, streamed} {
		var e *llm.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, llm.KindUnsupported, e.Kind)
		require.Equal(t, warnings[0].Param, e.Param)
		require.NotEmpty(t, e.Provider)
		require.Contains(t, e.Detail, warnings[0].Message)
	}
	require.Empty(t, vendor.Received())
}

// requireStrictEmbed checks that a strict request for embeddings is refused if its rendering gives warnings.
func requireStrictEmbed(t *testing.T, open Open, baseURL string, req llm.Request, warnings []llm.Warning) {
	t.Helper()
	if len(warnings) == 0 {
		return
	}
	embedder, ok := open(t, baseURL, nil).(llm.Embedder)
	require.True(t, ok)
	req.Strict = true
	_, err := embedder.Embed(t.Context(), Key, req)
	var e *llm.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, llm.KindUnsupported, e.Kind)
	require.Equal(t, warnings[0].Param, e.Param)
}
