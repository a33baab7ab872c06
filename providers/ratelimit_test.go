package providers_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers"
	"github.com/holdfast-dev/holdfast/simulator"
)

// A vendor that has had enough says so, and some say before how much there is left.
func TestEveryVendorsLimitIsUnderstood(t *testing.T) {
	t.Parallel()
	told := map[simulator.Vendor]bool{simulator.OpenAI: true, simulator.AzureOpenAI: true, simulator.Anthropic: true, simulator.Mistral: true}
	for _, s := range sides() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			sim := simulator.New(simulator.Options{Seed: 7})
			t.Cleanup(sim.Close)
			server := httptest.NewServer(sim.Handler(s.vendor))
			t.Cleanup(server.Close)
			s.config.BaseURL = server.URL + s.path
			provider, err := providers.New(s.provider, s.config)
			require.NoError(t, err)
			sim.SetLimit(s.vendor, simulator.Limit{RequestsPerMinute: 2})
			req := llm.Request{Model: s.model, Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hello")}}}}

			whole, err := provider.Complete(t.Context(), "ya29.test-key", req)
			require.NoError(t, err)
			streamed, err := llm.Collect(provider.Stream(t.Context(), "ya29.test-key", req))
			require.NoError(t, err)
			_, err = provider.Complete(t.Context(), "ya29.test-key", req)
			var refused *llm.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, llm.KindRateLimit, refused.Kind)
			require.Equal(t, simulator.LimitState{Limit: simulator.Limit{RequestsPerMinute: 2}, Accepted: 2, Refused: 1}, sim.Limits()[s.vendor])
			if !told[s.vendor] {
				return
			}
			require.Positive(t, refused.RetryAfter)
			for i, limit := range []*llm.RateLimit{whole.RateLimit, streamed.RateLimit, refused.RateLimit} {
				require.NotNil(t, limit)
				require.EqualValues(t, 2, limit.Requests.Limit)
				require.EqualValues(t, max(0, 1-i), limit.Requests.Remaining)
				require.NotNil(t, limit.Tokens)
			}
		})
	}
}
