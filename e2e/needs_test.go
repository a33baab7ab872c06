package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// What a deployment cannot do is not tried: the next one that can is called at once, and the plan says why.
func TestADeploymentThatCannotServeARequestIsPassedOver(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	tool := map[string]any{"type": "function", "function": map[string]any{"name": "weather", "parameters": map[string]any{"type": "object"}}}
	hello := []map[string]any{{"role": "user", "content": "Hello"}}
	for name, c := range map[string]struct {
		body          map[string]any
		model, answer string
		reason        string
	}{
		"a picture": {
			map[string]any{"model": "sighted", "messages": pictured("data:image/png;base64," + tinyPNG)},
			"gpt-blind", "claude-sighted", "vision",
		},
		"a tool": {
			map[string]any{"model": "handy", "messages": hello, "tools": []any{tool}},
			"gpt-handless", "claude-handy", "function calling",
		},
		"a long prompt": {
			map[string]any{"model": "short", "messages": []map[string]any{{"role": "user", "content": strings.Repeat("a word and another one ", 2000)}}},
			"gpt-short", "gemini-roomy", "the prompt does not fit",
		},
	} {
		got := holdfast.chat(t, c.body)
		require.Equal(t, http.StatusOK, got.status, "%s: %s", name, got.body)
		require.Equal(t, c.answer, got.header.Get("X-Holdfast-Model"), name)
		require.Equal(t, "1", got.header.Get("X-Holdfast-Attempts"), "%s: a call was made that could only fail", name)
		require.Zero(t, providers.ofModel(simulator.OpenAI, c.model), name)
		plan := holdfast.plan(t, got.id())
		require.Len(t, plan.Excluded, 1, name)
		require.Equal(t, c.model, plan.Excluded[0].Model)
		require.Contains(t, plan.Excluded[0].Reason, c.reason, name)
	}
	for route, model := range map[string]string{"sighted": "gpt-blind", "handy": "gpt-handless", "short": "gpt-short"} {
		got := holdfast.chat(t, map[string]any{"model": route, "messages": hello})
		require.Equal(t, model, got.header.Get("X-Holdfast-Model"), "what it can do, it is asked for")
	}
}

// plan is who was to be called for a completion, as the record keeps it.
type plan struct {
	Candidates []struct {
		Model string `json:"model"`
	} `json:"candidates"`
	Excluded []struct {
		Model  string `json:"model"`
		Reason string `json:"reason"`
	} `json:"excluded"`
}

func (i *instance) plan(t testing.TB, id string) (found plan) {
	t.Helper()
	var kept []byte
	require.NoError(t, i.database(t, "holdfast").QueryRow(within(t, soon), `SELECT plan FROM completions WHERE id = $1`, id).Scan(&kept))
	require.NoError(t, json.Unmarshal(kept, &found))
	return found
}
