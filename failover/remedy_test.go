package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestARefusedSignatureIsLeftOutOnce(t *testing.T) {
	t.Parallel()
	refused := failover.Failure{Deployment: "d1", Kind: llm.KindCallerFault, Remedy: llm.RemedyPlain, At: start}
	state := failover.State{Candidates: candidates(2, 0), Failures: []failover.Failure{refused}, Deadline: start.Add(time.Minute)}
	decision := failover.Decide(state, start)
	require.Equal(t, failover.ActionRetry, decision.Action)
	require.Zero(t, decision.Candidate)
	require.Zero(t, decision.Delay)
	require.True(t, decision.Plain)

	state.Failures = append(state.Failures, refused)
	require.Equal(t, failover.ActionGiveUp, failover.Decide(state, start).Action, "refused again: the request is wrong")

	other := failover.Failure{Deployment: "d1", Kind: llm.KindOverloaded, At: start}
	state.Failures = []failover.Failure{refused, other}
	decision = failover.Decide(state, start)
	require.Equal(t, failover.ActionNext, decision.Action)
	require.False(t, decision.Plain, "another target has not refused anything")

	state.Candidates = candidates(1, 2)
	decision = failover.Decide(state, start)
	require.Equal(t, failover.ActionRetry, decision.Action)
	require.True(t, decision.Plain, "what it refused once is not sent to it again")
}

func TestEmbeddingsStayWithOneModel(t *testing.T) {
	t.Parallel()
	targets := failover.SameModel([]failover.Target{
		{Deployment: "b", Model: "text-embedding-3-small", Order: 1},
		{Deployment: "a", Model: "openai/text-embedding-3-SMALL", Order: 0},
		{Deployment: "c", Model: "my-deployment", BaseModel: "text-embedding-3-small"},
		{Deployment: "d", Model: "embed-v4.0"},
		{Deployment: "e", Model: "embed-v4.0", Ineligible: "no key"},
	})
	var reasons []string
	for _, target := range targets {
		reasons = append(reasons, target.Ineligible)
	}
	require.Equal(t, []string{"", "", "", "vectors of embed-v4.0 do not mix with those of text-embedding-3-small", "no key"}, reasons)
	require.Empty(t, failover.SameModel(nil))
}
