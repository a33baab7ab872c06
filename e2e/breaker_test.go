package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	sdkclient "go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/simulator"
)

// A provider fails until its breaker opens. Then no client's request reaches it; a workflow tries it, and when it answers again
// it is called again.
func TestAProviderThatFailsIsLeftAloneUntilAProbeSucceeds(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := watched.use(t)
	for _, c := range []struct {
		route, model, beside string
		vendor               simulator.Vendor
		status               int
	}{
		{"shedding", "claude-shedding", "openai", simulator.Anthropic, 529},
		{"outage", "gpt-outage", "anthropic", simulator.OpenAI, http.StatusServiceUnavailable},
	} {
		t.Run(c.route, func(t *testing.T) {
			t.Parallel()
			domain := string(c.vendor) + "/" + c.model
			db := holdfast.database(t, "holdfast")
			fault := providers.SetFault(c.vendor, simulator.Fault{Match: simulator.Match{Model: c.model}, Status: c.status})
			send := func() reply { return holdfast.mustSend(t, ask{route: c.route, prompt: "Are you well?"}) }
			require.Eventually(t, func() bool {
				require.Equal(t, c.beside, send().header.Get("X-Holdfast-Provider"))
				return healthOf(t, db, domain).State == "open"
			}, soon, tick, "the breaker does not open")
			require.Equal(t, "error_rate", healthOf(t, db, domain).Cause)
			failed := len(providers.clientCalls(c.vendor, c.model))
			require.LessOrEqual(t, failed, 6)

			temporal := holdfast.temporal(t)
			require.Eventually(t, func() bool {
				got := send()
				require.Equal(t, c.beside, got.header.Get("X-Holdfast-Provider"))
				require.Equal(t, "1", got.header.Get("X-Holdfast-Attempts"), "a call was made that could only fail")
				return activitiesOf(t, temporal, "provider-health/"+domain, "ProbeDomain") >= 2
			}, late, 2*tick, "no workflow tries it")
			require.Len(t, providers.clientCalls(c.vendor, c.model), failed, "it was called though its breaker is open")
			require.NotEqual(t, "closed", healthOf(t, db, domain).State)

			require.True(t, providers.ClearFault(c.vendor, fault))
			cleared := time.Now()
			require.Eventually(t, func() bool { return healthOf(t, db, domain).State == "closed" }, soon, tick, "the breaker does not close")
			require.Eventually(t, func() bool { return send().header.Get("X-Holdfast-Provider") == string(c.vendor) }, soon, tick, "its traffic does not come back")
			t.Logf("called again %s after the fault", time.Since(cleared).Round(time.Millisecond))
			require.Less(t, time.Since(cleared), 2*longestRest+comingBack)
			require.GreaterOrEqual(t, activitiesOf(t, temporal, "provider-health/"+domain, "PublishHealth"), 3, "the history does not tell the story")
		})
	}
}

// activitiesOf counts the activities of a type that a workflow has scheduled.
func activitiesOf(t testing.TB, c sdkclient.Client, workflowID, name string) int {
	t.Helper()
	n := 0
	for _, event := range historyOf(t, c, workflowID) {
		if event.GetEventType() == enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED && event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == name {
			n++
		}
	}
	return n
}

// Every second call fails for as long as it takes: the breaker opens, and opens again for longer each time, but does not flap.
func TestABreakerDoesNotFlap(t *testing.T) {
	t.Parallel()
	long(t)
	const lasts, pace = 25 * time.Second, 100 * time.Millisecond
	holdfast, providers := watched.use(t)
	changes := announced(t, holdfast.database(t, "holdfast"), "openai/gpt-half")
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-half"}, Status: http.StatusServiceUnavailable, Share: 0.5})
	asked := 0
	spread(t, lasts, pace, func() {
		holdfast.mustSend(t, ask{route: "half", prompt: "Do you answer?"})
		asked++
	})
	opened, closed := changes.count("open"), changes.count("closed")
	failed := len(providers.clientCalls(simulator.OpenAI, "gpt-half"))
	t.Logf("%d asked, %d reached the provider; opened %d times, closed %d times: %v", asked, failed, opened, closed, changes.states())
	require.Positive(t, opened)
	// Rests of 1, 2, 4, 4, … s: no more than these fit in the time, with one row begun anew.
	require.LessOrEqual(t, opened, 3+int(lasts/longestRest))
	require.LessOrEqual(t, closed, 2, "it was taken for well again and again")
	require.Less(t, failed, asked/4, "most requests do not wait for a provider that fails half of the time")
}
