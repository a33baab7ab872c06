package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// The first provider is silent for longer than the route waits: a second call is begun beside the first, whichever says its first
// word first answers, and the other ends at its provider. A client reads one answer, from one of them.
func TestASlowCallIsOvertakenByASecond(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	const slow = 20 * time.Second
	for _, c := range []struct {
		name, route, model, want string
		ask                      func(route string) (text, id string)
	}{
		{"whole", "hedged", "gpt-hedged", "[anthropic/claude-hedged] You said: Who is quicker?", func(route string) (text, id string) {
			got := holdfast.mustSend(t, ask{route: route, prompt: "Who is quicker?"})
			return got.text(t), got.id()
		}},
		{"streamed", "hedged-stream", "gpt-hedged-stream", "[anthropic/claude-hedged-stream] You said: " + story, func(route string) (text, id string) {
			got := holdfast.ask(t, streamBody(route, story, nil))
			require.True(t, got.done)
			require.Zero(t, got.restarts)
			got.requireOrder(t)
			return got.text, got.id
		}},
	} {
		providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: c.model}, Latency: slow, Count: 1})
		begun := time.Now()
		text, id := c.ask(c.route)
		took := time.Since(begun)
		require.Equal(t, c.want, text, c.name)
		t.Logf("%s: answered after %s", c.name, took.Round(time.Millisecond))
		require.Less(t, took, slow/4, c.name)
		require.GreaterOrEqual(t, took, 300*time.Millisecond, c.name)
		require.Eventually(t, func() bool { return providers.lastDone(simulator.OpenAI, c.model) }, slow/4, tick, "%s: the other call goes on", c.name)

		found := holdfast.record(t, id)
		require.Len(t, found.Attempts, 2, "%+v", found)
		require.Equal(t, "possibly_billed", found.Attempts[0].State, "%+v", found)
		require.Equal(t, "openai", found.Attempts[0].Provider)
		require.Equal(t, "succeeded", found.Attempts[1].State)
		require.Equal(t, "anthropic", found.Attempts[1].Provider)
		require.Contains(t, found.Attempts[1].ChosenBecause, "hedge")
		require.Equal(t, "anthropic", found.Provider)

		providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: c.model}, Latency: 10 * time.Millisecond, Count: 1})
		text, id = c.ask(c.route)
		require.Contains(t, text, "[openai/"+c.model+"]", "%s: one that is in time answers", c.name)
		require.Len(t, holdfast.record(t, id).Attempts, 1, c.name)
	}
}
