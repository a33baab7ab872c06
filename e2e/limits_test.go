package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// Two calls are under way at an account, and both are told to come back: at different times, the later time by the first answer or
// by the last. Nobody is called there before it, by none of the deployments that share the account; then it is called again.
func TestNobodyIsCalledBeforeTheLaterOfTwoTimes(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	const latency, sooner, later = 800 * time.Millisecond, 2, 6
	for name, waits := range map[string]struct{ slow, quick int }{ // the slow call's answer comes last
		"later-last":  {slow: later, quick: sooner},
		"later-first": {slow: sooner, quick: later},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model := "gpt-" + name
			refuse := func(seconds int, after time.Duration) {
				providers.SetFault(simulator.OpenAI, simulator.Fault{
					Match: simulator.Match{Model: model}, Status: http.StatusTooManyRequests, RetryAfter: time.Duration(seconds) * time.Second,
					Latency: after, Count: 1,
				})
			}
			refuse(waits.slow, latency)
			refuse(waits.quick, 0)
			slow := make(chan outcome, 1)
			go func() {
				got, err := holdfast.send(t.Context(), ask{route: name, prompt: name + ", slow"})
				slow <- outcome{got, err}
			}()
			require.Eventually(t, func() bool { return providers.asked(name + ", slow") }, soon, tick)
			replies := []reply{holdfast.mustSend(t, ask{route: name, prompt: name + ", quick"})}
			last := <-slow
			require.NoError(t, last.err)
			for _, got := range append(replies, last.reply) {
				require.Equal(t, "anthropic", got.header.Get("X-Holdfast-Provider"), "%s", got.body)
				found := holdfast.record(t, got.id())
				require.Len(t, found.Attempts, 2, "the second deployment of the account was called: %+v", found)
				require.Equal(t, "rate_limit", found.Attempts[0].ErrorKind)
			}

			calls := providers.clientCalls(simulator.OpenAI, model)
			require.Len(t, calls, 2)
			earliest := calls[1].Time.Add(later * time.Second) // of the quick call
			if waits.slow == later {
				earliest = calls[0].Time.Add(latency + later*time.Second)
			}
			spread(t, time.Until(earliest.Add(comingBack+longestRest)), 200*time.Millisecond, func() {
				if len(providers.clientCalls(simulator.OpenAI, model)) == 2 {
					holdfast.mustSend(t, ask{route: name, prompt: "and now?"})
				}
			})
			calls = providers.clientCalls(simulator.OpenAI, model)
			require.Greater(t, len(calls), 2, "it is not called any more")
			require.False(t, calls[2].Time.Before(earliest), "it was called %s too early", earliest.Sub(calls[2].Time))
		})
	}
}

func TestACompletionWaitsAsItsOnlyProviderAsks(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{
		Match: simulator.Match{Model: "gpt-patient"}, Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Second, Count: 1,
	})
	got := holdfast.mustSend(t, ask{route: "patient", prompt: "I can wait."})
	require.Equal(t, "[openai/gpt-patient] You said: I can wait.", got.text(t))
	calls := providers.clientCalls(simulator.OpenAI, "gpt-patient")
	require.Len(t, calls, 2)
	waited := calls[1].Time.Sub(calls[0].Time)
	require.GreaterOrEqual(t, waited, 2*time.Second)
	require.Less(t, waited, 5*time.Second)
	found := holdfast.record(t, got.id())
	require.Len(t, found.Attempts, 2, "%+v", found)
	require.Equal(t, "retry_same", found.Attempts[0].Decision)
}
