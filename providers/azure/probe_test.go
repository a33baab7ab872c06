package azure_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/azure"
	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
)

func TestAProbeOfAServicePrincipalGetsATokenAnewOnce(t *testing.T) {
	t.Parallel()
	for refusals, want := range map[int]llm.Kind{0: "", 1: "", 2: llm.KindCredential} {
		c := &cloud{answer: []byte("{}"), kind: "application/json", refuse: refusals}
		provider := opened(t, azure.Config{BaseURL: "https://x.openai.azure.com", HTTPClient: &http.Client{Transport: c}})
		err := provider.Probe(t.Context(), principal, "")
		if want == "" {
			require.NoError(t, err)
		} else {
			require.Equal(t, want, llm.KindOf(err))
			require.ErrorContains(t, err, "azure:")
		}
		require.Len(t, c.calls, min(refusals+1, 2))
	}
}

func TestAProbeAsksTheResourceNotADeployment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, version, want string
	}{
		"v1":           {"", "", "/openai/v1/models?"},
		"preview":      {"", "preview", "/openai/v1/models?api-version=preview"},
		"dated":        {"", "2024-10-21", "/openai/models?api-version=2024-10-21"},
		"a deployment": {"/openai/deployments/mine", "2025-04-01-preview", "/openai/models?api-version=2025-04-01-preview"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vendor := providertest.NewVendor(t, providertest.JSON([]byte("{}")))
			provider := opened(t, azure.Config{BaseURL: vendor.URL + c.path, APIVersion: c.version})
			require.NoError(t, provider.Probe(t.Context(), providertest.Key, "any deployment"))
			request := vendor.One(t)
			require.Equal(t, c.want, request.Path+"?"+request.Query)
		})
	}
}
