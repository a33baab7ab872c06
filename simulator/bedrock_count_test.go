package simulator_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

func TestBedrockCountsTheTokensOfSomeModels(t *testing.T) {
	t.Parallel()
	const one = `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hello"}]}]}}}`
	for _, c := range []struct {
		name, model, body string
		status            int
		says              string
	}{
		{"Claude", "anthropic.claude-sonnet-4-5-20250929-v1:0", one, 200, `{"inputTokens":`},
		{"an inference profile", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", one, 400, "doesn't support counting tokens"},
		{"another's", "amazon.nova-pro-v1:0", one, 400, "doesn't support counting tokens"},
		{"nothing to count", "anthropic.claude-sonnet-4-5-20250929-v1:0", `{}`, 400, "Value null at 'input'"},
		{"an invalid conversation", "anthropic.claude-sonnet-4-5-20250929-v1:0", `{"input":{"converse":{"messages":[]}}}`, 400, "ValidationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, simulator.Options{})
			r := request(t.Context(), t, w.urls[simulator.Bedrock]+"/model/"+c.model+"/count-tokens", strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer "+testKey)
			got := w.do(t, r)
			require.Equal(t, c.status, got.status, "%s", got.body)
			require.Contains(t, string(got.body)+got.header.Get("X-Amzn-Errortype"), c.says)
			require.Equal(t, simulator.OperationCountTokens, w.sim.Calls(simulator.Bedrock)[0].Operation)
		})
	}
}
