package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/config"
)

// LiteLLM shares traffic by rpm, or else by tpm, where no weight is given.
func TestLimitsAreSharesWhereNoWeightIsGiven(t *testing.T) {
	t.Parallel()
	weights := func(params ...string) (list []float64) {
		text := "model_list:\n"
		for _, p := range params {
			text += "  - {model_name: m, litellm_params: {model: openai/gpt-4.1" + p + "}}\n"
		}
		cfg, err := config.Parse("test.yaml", []byte(text))
		require.NoError(t, err)
		for _, d := range cfg.Routes[0].Deployments {
			list = append(list, d.Weight)
		}
		return list
	}
	require.Equal(t, []float64{900, 300}, weights(", rpm: 900, tpm: 5", ", rpm: 300, tpm: 6"))
	require.Equal(t, []float64{5, 6}, weights(", tpm: 5, rpm: 900", ", tpm: 6"))
	require.Equal(t, []float64{2, 1}, weights(", rpm: 900, weight: 2", ", rpm: 300"), "a weight counts more")
	require.Equal(t, []float64{1, 1}, weights(", rpm: 900", ""), "nobody is left without")
	require.Equal(t, []float64{900, 7}, weights(", rpm: 900, order: 1", ", tpm: 7, order: 2"))
}
