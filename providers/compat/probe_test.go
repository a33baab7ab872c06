package compat_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/compat"
	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
)

// A host's models are listed to whoever has a key; where they are listed to everybody, the key itself is asked for.
func TestEachHostIsProbedByWhatAsksForTheKey(t *testing.T) {
	t.Parallel()
	others := map[string]string{"openrouter": "/api/v1/key", "groq": "/openai/v1/models", "fireworks": "/inference/v1/models"}
	for _, profile := range compat.Profiles() {
		t.Run(profile.Name, func(t *testing.T) {
			t.Parallel()
			vendor := providertest.NewVendor(t, providertest.JSON([]byte("{}")))
			client, err := compat.New(profile.Name, compat.Config{BaseURL: vendor.URL})
			require.NoError(t, err)
			prober, ok := client.(llm.Prober)
			require.True(t, ok)
			require.NoError(t, prober.Probe(t.Context(), providertest.Key, "m"))
			want := "/v1/models"
			if other := others[profile.Name]; other != "" {
				want = other
			}
			request := vendor.One(t)
			require.Equal(t, "GET "+want, request.Method+" "+request.Path)
			require.Equal(t, "Bearer "+providertest.Key.Reveal(), request.Header.Get("Authorization"))
		})
	}
}
