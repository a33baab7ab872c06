package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

func TestRecordingAgainDeliversTheStandingOutcome(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	conversation := p.conversation()
	c := p.accept(conversation)
	result, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	first, err := local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)

	// Whoever comes later, from anywhere, with any news, reads what stands.
	failure := activities.RecordInput{ID: c.ID, Tenant: tenant, Epoch: 1, Failure: &llm.Error{Kind: llm.KindQuota, Provider: "x"}}
	for _, other := range []*process{p, p.another()} {
		watch := other.hub.Watch(c.ID, nil)
		again, err := local(other, other.acts.Record, failure)
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.True(t, closed(watch.Done()))
		require.Equal(t, completions.StateSucceeded, watch.Outcome().Completion.State)
		require.Equal(t, reply, watch.Outcome().Answer.Message.Text())
		watch.Close()
	}
	items, err := p.log.Items(t.Context(), conversation, 0, 0)
	require.NoError(t, err)
	require.Len(t, items, 4, "the turn is there once")
}

func TestRecordingAnAnswerAgainDeliversTheStandingOutcome(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	c := p.accept("")
	result, err := remote(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	first, err := local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	// The first was committed, and its acknowledgement, or its process, was lost.
	again, err := local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	require.Equal(t, first, again)
}

func TestAnAnswerThatDiedWithItsProcessIsLost(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	c := p.accept("")
	result, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	other := p.another()
	_, err = local(other, other.acts.Record, answered(c, result))
	refused(t, err, activities.ErrTypeAnswerLost)
	completion, attempts := p.find(c.ID)
	require.Equal(t, completions.StateOpen, completion.State)
	require.Equal(t, completions.AttemptStarted, attempts[0].State)
}

func TestAFinalFailureIsRecordedAndDelivered(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Fail(llm.KindContentPolicy))
	conversation := p.conversation()
	c := p.accept(conversation)
	_, err := local(p, p.acts.CallModel, p.prepared(c))
	failed, _ := failedAttempt(t, err)
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	in := answered(c, activities.CallResult{})
	in.Failure = failed.Error
	result, err := local(p, p.acts.Record, in)
	require.NoError(t, err)
	require.Equal(t, activities.RecordResult{State: completions.StateFailed, Attempts: 1, ErrorKind: llm.KindContentPolicy}, result)
	require.True(t, closed(watch.Done()))
	require.Equal(t, llm.KindContentPolicy, watch.Outcome().Completion.Error.Kind)
	require.Nil(t, watch.Outcome().Answer)
	head, err := p.log.Find(t.Context(), tenant, conversation)
	require.NoError(t, err)
	require.Empty(t, head.Active)
	items, err := p.log.Items(t.Context(), conversation, 0, 0)
	require.NoError(t, err)
	require.Len(t, items, 2)
}
