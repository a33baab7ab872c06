package completions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestFailoverSeesEachAttemptAsItEnded(t *testing.T) {
	t.Parallel()
	ended := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	limited := &llm.Error{Kind: llm.KindRateLimit, RetryAfter: 3 * time.Second}
	attempts := []completions.Attempt{
		{Deployment: "a", State: completions.AttemptFailed, Error: limited, FinishedAt: &ended},
		{Deployment: "b", State: completions.AttemptFailed, FinishedAt: &ended},
		{Deployment: "c", State: completions.AttemptPossiblyBilled, FinishedAt: &ended, Error: limited},
		{Deployment: "d", State: completions.AttemptStarted},
		{Deployment: "e", State: completions.AttemptSucceeded, FinishedAt: &ended},
		{Deployment: "f", State: "of a later version"},
	}
	require.Equal(t, []failover.Failure{
		{Deployment: "a", Kind: llm.KindRateLimit, RetryAfter: 3 * time.Second, At: ended},
		{Deployment: "b", Kind: llm.KindUnknown, At: ended},
		{Deployment: "c", Lost: true, At: ended},
	}, completions.Failures(attempts))
	require.Nil(t, completions.Failures(nil))
}

func TestFailoversCountMovesNotRetries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		deployments string
		want        int
	}{{"", 0}, {"a", 0}, {"a a a", 0}, {"a b", 1}, {"a a b b a", 2}} {
		var attempts []completions.Attempt
		for name := range strings.FieldsSeq(c.deployments) {
			attempts = append(attempts, completions.Attempt{Deployment: name})
		}
		require.Equal(t, c.want, completions.Failovers(attempts), c.deployments)
	}
}

func TestLatencyIsZeroUntilTheAttemptEnds(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	ended := started.Add(1500 * time.Millisecond)
	require.Zero(t, completions.Attempt{StartedAt: started}.Latency())
	require.Equal(t, 1500*time.Millisecond, completions.Attempt{StartedAt: started, FinishedAt: &ended}.Latency())
}

func TestAnsweredIsTheAttemptThatSucceeded(t *testing.T) {
	t.Parallel()
	require.Zero(t, completions.Resumed{Prior: []completions.Attempt{
		{Number: 1, State: completions.AttemptFailed}, {Number: 2, State: completions.AttemptPossiblyBilled},
	}}.Answered())
	require.Equal(t, 2, completions.Resumed{Prior: []completions.Attempt{
		{Number: 1, State: completions.AttemptFailed}, {Number: 2, State: completions.AttemptSucceeded},
	}}.Answered())
}
