package e2e_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// Everything is down, and requests come that need no answer at once: they are parked, and finish by themselves when the providers
// are back.
func TestParkedCompletionsFinishWhenProvidersAreBack(t *testing.T) {
	t.Parallel()
	long(t)
	const requests, outage = 6, 12 * time.Second
	holdfast, providers := watched.use(t)
	faults := map[simulator.Vendor]string{}
	for vendor, model := range map[simulator.Vendor]string{simulator.OpenAI: "gpt-parked", simulator.Anthropic: "claude-parked"} {
		faults[vendor] = providers.SetFault(vendor, simulator.Fault{Match: simulator.Match{Model: model}, Status: http.StatusServiceUnavailable})
	}
	down := time.Now()
	var ids []string
	for i := range requests {
		got, err := holdfast.send(within(t, soon), ask{route: "parked", prompt: fmt.Sprint("Whenever you can, ", i), key: fmt.Sprint("parked-", i), async: true})
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, got.status, "%s", got.body)
		ids = append(ids, got.id())
	}
	pass(t, time.Until(down.Add(outage)))
	for _, id := range ids {
		require.Equal(t, "open", holdfast.record(t, id).State)
	}
	for vendor, fault := range faults {
		require.True(t, providers.ClearFault(vendor, fault))
	}
	back := time.Now()
	require.Eventually(t, func() bool {
		for _, id := range ids {
			if holdfast.record(t, id).State == "open" {
				return false
			}
		}
		return true
	}, late, 2*tick, "they wait though everything is back")
	t.Logf("all %d were answered %s after the outage of %s", requests, time.Since(back).Round(time.Millisecond), outage)
	parked := 0
	for i, id := range ids {
		found := holdfast.record(t, id)
		require.Equal(t, "succeeded", found.State, "%+v", found)
		for _, attempt := range found.Attempts {
			if attempt.Decision == "park" {
				parked++
			}
		}
		got := holdfast.mustSend(t, ask{route: "parked", prompt: fmt.Sprint("Whenever you can, ", i), key: fmt.Sprint("parked-", i)})
		require.Contains(t, got.text(t), fmt.Sprint("Whenever you can, ", i))
	}
	require.Positive(t, parked, "no record says that its completion was parked")
	calls := len(providers.clientCalls(simulator.OpenAI, "gpt-parked")) + len(providers.clientCalls(simulator.Anthropic, "claude-parked"))
	t.Logf("%d calls were made for them", calls)
	require.Less(t, calls, 6*requests, "those that wait do not ask again and again")
}

// Whoever waits for an answer, on a route that does not let him wait for long, is told when to come back, and nothing of who
// is down: when calls have failed, and when none is made because nobody can be called.
func TestWhoCannotWaitIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	for vendor, model := range map[simulator.Vendor]string{simulator.OpenAI: "gpt-unparked", simulator.Anthropic: "claude-unparked"} {
		providers.SetFault(vendor, simulator.Fault{Match: simulator.Match{Model: model}, Status: http.StatusServiceUnavailable})
	}
	uncalled := 0
	for i := range 12 {
		got, err := holdfast.send(within(t, late), ask{route: "unparked", prompt: fmt.Sprint("Now or never, ", i)})
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, got.status, "%s", got.body)
		seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
		require.NoError(t, err)
		require.Positive(t, seconds)
		require.LessOrEqual(t, seconds, 10)
		require.NotEmpty(t, got.id())
		require.Contains(t, string(got.body), got.id())
		for _, word := range []string{"openai", "anthropic", "gpt", "claude", "127.0.0.1", "breaker"} {
			require.NotContains(t, string(got.body), word)
		}
		found := holdfast.record(t, got.id())
		require.Equal(t, "failed", found.State)
		if len(found.Attempts) == 0 {
			uncalled++
		}
	}
	require.Positive(t, uncalled, "calls were made though every breaker is open")
}
