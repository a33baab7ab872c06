package conversations_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
)

func ids(list []conversations.Standing) []string {
	found := []string{}
	for _, at := range list {
		found = append(found, at.ID)
	}
	return found
}

func TestOperatorsSeeWhatHasBecomeOfAConversation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	root := w.turn(t, "", "a")
	require.Equal(t, root, w.turn(t, "a", "b"))
	fork := w.turn(t, "a", "c")
	second := w.turn(t, "c", "d")
	require.Equal(t, fork, second)

	at, err := w.store.Standing(t.Context(), "", root)
	require.NoError(t, err)
	require.Equal(t, []any{int64(4), []string{fork}, "openai", "model-b", "", true}, []any{at.Items, at.Forks, at.LastProvider, at.LastModel, at.Parent, at.Thread})

	at, err = w.store.Standing(t.Context(), "acme", fork)
	require.NoError(t, err)
	require.Equal(t, []any{int64(6), root, "model-d"}, []any{at.Items, at.Parent, at.LastModel}, "what it forked from counts")
	require.Empty(t, at.Forks)

	_, err = w.store.Standing(t.Context(), "other", fork)
	require.ErrorIs(t, err, conversations.ErrNotFound)
	_, err = w.store.Standing(t.Context(), "", "thread_none")
	require.ErrorIs(t, err, conversations.ErrNotFound)
}

func TestOperatorsListEverybodysConversations(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first, other := w.create(t, "acme", said(llm.RoleUser, "hi")), w.create(t, "other")
	thread := w.turn(t, "", "a")
	last := w.create(t, "acme")
	list := func(ask conversations.Listing) []conversations.Standing {
		if ask.Limit == 0 {
			ask.Limit = 10
		}
		found, err := w.store.ListStanding(t.Context(), ask)
		require.NoError(t, err)
		return found
	}
	require.Equal(t, []string{last.ID, other.ID, first.ID}, ids(list(conversations.Listing{})))
	require.Equal(t, []string{last.ID, thread, other.ID, first.ID}, ids(list(conversations.Listing{Threads: true})))
	require.Equal(t, []string{last.ID, first.ID}, ids(list(conversations.Listing{Tenant: "acme"})))
	require.Equal(t, []string{other.ID}, ids(list(conversations.Listing{After: last.ID, Limit: 1})))
	require.Equal(t, int64(1), list(conversations.Listing{After: other.ID})[0].Items)
}

func TestAThreadsIDIsKnownFromAnother(t *testing.T) {
	t.Parallel()
	require.True(t, conversations.ValidThreadID(conversations.ThreadID("chatcmpl-0123456789abcdefghjkmnpqrs")))
	for _, id := range []string{"", "thread_", conversations.NewID(), "thread_a\x00", "thread_A"} {
		require.False(t, conversations.ValidThreadID(id), id)
	}
}
