package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/config"
)

// Whatever the bytes, Parse gives a usable configuration or says what is wrong, and never both or neither.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/*/*.yaml", "demo.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Add([]byte("a: &a {<<: *a}\nmodel_list: *a\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Add([]byte("model_list: !!binary aGk=\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		loaded, err := config.Parse("fuzz.yaml", data)
		if err != nil {
			var problems *config.Error
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems.Problems)
			require.NotEmpty(t, err.Error())
			require.Nil(t, loaded)
			return
		}
		require.NotEmpty(t, loaded.Routes)
		require.NotEmpty(t, loaded.Strategy)
		require.GreaterOrEqual(t, loaded.Breaker.MaxCooldown, loaded.Breaker.Cooldown)
		require.Positive(t, loaded.Breaker.ErrorRate)
		require.Positive(t, loaded.Probes.Every)
		ids := map[string]bool{}
		for _, route := range loaded.Routes {
			require.NotEmpty(t, route.Name)
			require.NotEmpty(t, route.Deployments)
			require.NotEmpty(t, route.OnLimit)
			require.NotEmpty(t, route.WhenDown.Park)
			require.NotEqual(t, route.Name, route.WhenDown.Local)
			require.True(t, route.Cache == nil || route.Cache.TTL > 0)
			require.True(t, route.Hedge == nil || route.Hedge.After >= 0 && route.Hedge.AtLeast >= 0)
			sums := map[int]float64{}
			for _, d := range route.Deployments {
				require.NotEmpty(t, d.Provider)
				require.NotEmpty(t, d.Model)
				require.False(t, ids[d.ID])
				ids[d.ID] = true
				sums[d.Order] += d.Weight
				require.NotEmpty(t, d.Mode)
				require.True(t, d.InputPrice == nil || *d.InputPrice >= 0)
				require.True(t, d.Cooldown == nil || *d.Cooldown >= 0)
			}
			for _, sum := range sums {
				require.Positive(t, sum)
			}
		}
	})
}
