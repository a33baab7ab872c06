package providers_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers"
	"github.com/holdfast-dev/holdfast/simulator"
)

// probed is a side that can be probed, and the simulator behind it.
func probed(t *testing.T, s side) (probe func(llm.Secret) error, sim *simulator.Simulator) {
	t.Helper()
	sim = simulator.New(simulator.Options{Seed: 7, RequireKeys: []string{"good-key"}})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim.Handler(s.vendor))
	t.Cleanup(server.Close)
	s.config.BaseURL = server.URL + s.path
	provider, err := providers.New(s.provider, s.config)
	require.NoError(t, err)
	prober, ok := provider.(llm.Prober)
	require.True(t, ok)
	return func(key llm.Secret) error { return prober.Probe(t.Context(), key, s.model) }, sim
}

// Every provider is asked by a call that its simulated vendor knows, and that costs nothing.
func TestAProbeTellsOfKeyAndVendorAtNoCost(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			probe, sim := probed(t, s)
			require.NoError(t, probe("good-key"))
			require.Equal(t, llm.KindCredential, llm.KindOf(probe("bad-key")))
			require.Equal(t, llm.KindCredential, llm.KindOf(probe("")))
			for _, call := range sim.Calls(s.vendor) {
				require.NotContains(t, []simulator.Operation{simulator.OperationComplete, simulator.OperationEmbed}, call.Operation)
			}

			sim.SetFault(s.vendor, simulator.Fault{Status: 503, Count: 1})
			require.NoError(t, probe("good-key"), "what is scripted for so many completions is not met")
			require.Zero(t, sim.Faults()[s.vendor][0].Applied)
			sim.ClearFaults("")
			sim.SetFault(s.vendor, simulator.Fault{Status: 429})
			require.NoError(t, probe("good-key"), "a limit on completions is not one on what is free")
			sim.ClearFaults("")
			sim.SetFault(s.vendor, simulator.Fault{Status: 503})
			require.Contains(t, []llm.Kind{llm.KindOverloaded, llm.KindTransient}, llm.KindOf(probe("good-key")))
			sim.ClearFaults("")
			sim.SetFault(s.vendor, simulator.Fault{Code: "invalid_api_key"})
			require.Equal(t, llm.KindCredential, llm.KindOf(probe("good-key")))
			sim.ClearFaults("")
			require.NoError(t, probe("good-key"))
		})
	}
}
