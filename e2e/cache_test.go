package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// The same request is answered from what is kept, for its tenant alone; and from what is kept for longer than it is good, when
// no provider can be called.
func TestTheSameRequestIsAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	question := ask{route: "kept", prompt: "What was that again?"}
	first := holdfast.mustSend(t, question)
	kept := time.Now()
	again := holdfast.mustSend(t, question)
	require.Equal(t, first.text(t), again.text(t))
	require.NotEqual(t, first.id(), again.id(), "it is a completion of its own")
	require.Len(t, providers.clientCalls(simulator.OpenAI, "gpt-kept"), 1, "the provider was asked again")
	found := holdfast.record(t, again.id())
	require.Equal(t, "hit", found.ServedFrom)
	require.Equal(t, "hit", again.header.Get("X-Holdfast-Cache"))
	require.Equal(t, "succeeded", found.State)
	require.Empty(t, found.Attempts)
	require.Empty(t, first.header.Get("X-Holdfast-Cache"))

	other := holdfast.client
	other.token = strings.TrimSpace(command(t, "", nil, "tokens", "create", "--tenant", "another", "--quiet", "--data", holdfast.dir))
	got := other.mustSend(t, question)
	require.Empty(t, other.record(t, got.id()).ServedFrom, "a tenant was given another's answer")
	require.Len(t, providers.clientCalls(simulator.OpenAI, "gpt-kept"), 2)

	for vendor, model := range map[simulator.Vendor]string{simulator.OpenAI: "gpt-kept", simulator.Anthropic: "claude-kept"} {
		providers.SetFault(vendor, simulator.Fault{Match: simulator.Match{Model: model}, Status: http.StatusServiceUnavailable})
	}
	pass(t, time.Until(kept.Add(5*time.Second))) // it is good for four
	stale := holdfast.mustSend(t, question)
	require.Equal(t, first.text(t), stale.text(t))
	require.Equal(t, "stale", holdfast.record(t, stale.id()).ServedFrom)
	require.Equal(t, "stale", stale.header.Get("X-Holdfast-Cache"), "a client cannot tell that its answer is old")
	require.Greater(t, len(providers.clientCalls(simulator.OpenAI, "gpt-kept")), 2, "no provider was asked first")
	never, err := holdfast.send(within(t, late), ask{route: "kept", prompt: "Something that was never asked."})
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, never.status, "%s", never.body)
}

func TestAStreamFromTheCacheIsWhole(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	body := streamBody("kept-stream", story, nil)
	first := holdfast.ask(t, body)
	again := holdfast.ask(t, body)
	for _, got := range []*reading{first, again} {
		require.Equal(t, "[openai/gpt-kept-stream] You said: "+story, got.text)
		require.Equal(t, "stop", got.finish)
		require.True(t, got.done)
		require.Positive(t, got.tokens)
	}
	require.Len(t, providers.clientCalls(simulator.OpenAI, "gpt-kept-stream"), 1, "the provider was asked again")
	require.Equal(t, "hit", holdfast.record(t, again.id).ServedFrom)
	resumed := &reading{id: again.id}
	require.NoError(t, holdfast.resume(within(t, soon), resumed, nil))
	require.Equal(t, first.text, resumed.text, "and can be read again as any other")
}
