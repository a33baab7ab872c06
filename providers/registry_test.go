package providers_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/providers"
)

func TestEveryNameOpens(t *testing.T) {
	t.Parallel()
	names := providers.Names()
	require.Equal(t, []string{"anthropic", "gemini", "openai"}, names)
	require.True(t, slices.IsSorted(names))
	shared := providers.HTTPClient()
	require.Zero(t, shared.Timeout, "the context carries the deadline")
	for _, name := range names {
		require.Contains(t, providers.DefaultBaseURL(name), "https://")
		for _, base := range []string{"", providers.DefaultBaseURL(name)} {
			provider, err := providers.New(name, providers.Config{BaseURL: base, HTTPClient: shared})
			require.NoError(t, err)
			require.NotNil(t, provider)
		}
		provider, err := providers.New(name, providers.Config{BaseURL: "not an address"})
		require.ErrorContains(t, err, name)
		require.Nil(t, provider, "no provider that holds a nil client")
	}
}

func TestAnUnknownNameListsTheKnown(t *testing.T) {
	t.Parallel()
	_, err := providers.New("skynet", providers.Config{})
	require.EqualError(t, err, `unknown provider "skynet" (known: anthropic, gemini, openai)`)
	require.Empty(t, providers.DefaultBaseURL("skynet"))
}
