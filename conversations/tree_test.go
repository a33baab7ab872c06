package conversations_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
)

// begin, follow and fail play a response that begins a thread, one that follows on another, and one that has no answer.
func (w *world) begin(t *testing.T, completion string) string {
	t.Helper()
	id := conversations.ThreadID("chatcmpl-" + completion)
	require.NoError(t, postgres.Tx(t.Context(), w.pool, func(tx pgx.Tx) error {
		return conversations.BeginThread(t.Context(), tx, "acme", id, completion)
	}))
	return id
}

func (w *world) follow(ctx context.Context, previous, completion string) (id string, err error) {
	err = postgres.Tx(ctx, w.pool, func(tx pgx.Tx) error {
		id, err = conversations.ContinueTurn(ctx, tx, "acme", previous, conversations.ThreadID("chatcmpl-"+completion), completion)
		return err
	})
	return id, err
}

// turn plays a whole response that follows on another, or on none.
func (w *world) turn(t *testing.T, previous, completion string) string {
	t.Helper()
	var id string
	if previous == "" {
		id = w.begin(t, completion)
	} else {
		var err error
		id, err = w.follow(t.Context(), previous, completion)
		require.NoError(t, err)
	}
	answer := said(llm.RoleAssistant, "answer "+completion)
	answer.Provider, answer.Model = "openai", "model-"+completion
	require.NoError(t, w.add(t.Context(), id, completion, said(llm.RoleUser, "question "+completion), answer))
	return id
}

func (w *world) log(t *testing.T, id string) []string {
	t.Helper()
	forward, err := w.store.Items(t.Context(), id, 0, 0)
	require.NoError(t, err)
	backward, err := w.store.ItemsBackward(t.Context(), id, 0, 0)
	require.NoError(t, err)
	require.Len(t, backward, len(forward))
	for i := range forward {
		require.Equal(t, forward[i], backward[len(backward)-1-i])
		if i > 0 {
			require.Greater(t, forward[i].Seq, forward[i-1].Seq, "places along a path grow")
			require.Equal(t, forward[i-1].TokensBefore+forward[i-1].Tokens, forward[i].TokensBefore)
		}
	}
	return texts(forward)
}

func TestAResponseFollowsOnThePreviousOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.turn(t, "", "a")
	require.Equal(t, a, w.turn(t, "a", "b"), "the end of a thread is gone on from in place")
	require.Equal(t, []string{"question a", "answer a", "question b", "answer b"}, w.log(t, a))

	_, err := w.follow(t.Context(), "never", "c")
	require.ErrorIs(t, err, conversations.ErrNotFound)
	err = postgres.Tx(t.Context(), w.pool, func(tx pgx.Tx) error {
		_, err := conversations.ContinueTurn(t.Context(), tx, "other", "a", "thread_x", "c")
		return err
	})
	require.ErrorIs(t, err, conversations.ErrNotFound, "another tenant's response")
}

func TestAnyNumberOfResponsesFollowOnOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	trunk := w.turn(t, "", "a")
	w.turn(t, "a", "b")
	w.turn(t, "b", "c")
	fork := w.turn(t, "a", "x")
	require.NotEqual(t, trunk, fork)
	require.Equal(t, fork, w.turn(t, "x", "y"))
	deeper := w.turn(t, "x", "z")
	require.Equal(t, []string{"question a", "answer a", "question b", "answer b", "question c", "answer c"}, w.log(t, trunk))
	require.Equal(t, []string{"question a", "answer a", "question x", "answer x", "question y", "answer y"}, w.log(t, fork))
	require.Equal(t, []string{"question a", "answer a", "question x", "answer x", "question z", "answer z"}, w.log(t, deeper))
	for id, model := range map[string]string{trunk: "model-c", fork: "model-y", deeper: "model-z"} {
		loaded, err := w.store.Load(t.Context(), id, 0)
		require.NoError(t, err)
		require.Equal(t, model, loaded.LastModel)
		c, err := w.store.Find(t.Context(), "acme", id)
		require.NoError(t, err)
		items, err := w.store.Items(t.Context(), id, 0, 0)
		require.NoError(t, err)
		end := items[len(items)-1]
		require.Equal(t, end.TokensBefore+end.Tokens, c.Tokens, "the tokens of a path")
	}
	empty, err := w.follow(t.Context(), "y", "failed")
	require.NoError(t, err)
	require.NoError(t, w.release(t.Context(), empty, "failed"))
	forked := w.turn(t, "x", "w")
	loaded, err := w.store.Load(t.Context(), forked, 0)
	require.NoError(t, err)
	require.Equal(t, "model-w", loaded.LastModel)
	listed, err := w.store.List(t.Context(), "acme", 10, "")
	require.NoError(t, err)
	require.Empty(t, listed, "threads are nobody's to list")
}

func TestTwoAtOnceOnOneResponseAreTwoForks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	trunk := w.turn(t, "", "a")
	first, err := w.follow(t.Context(), "a", "b")
	require.NoError(t, err)
	second, err := w.follow(t.Context(), "a", "c")
	require.NoError(t, err)
	require.Equal(t, trunk, first)
	require.NotEqual(t, trunk, second)
	require.NoError(t, w.add(t.Context(), first, "b", said(llm.RoleUser, "b")))
	require.NoError(t, w.add(t.Context(), second, "c", said(llm.RoleUser, "c")))
	require.Equal(t, []string{"question a", "answer a", "b"}, w.log(t, first))
	require.Equal(t, []string{"question a", "answer a", "c"}, w.log(t, second))
}

func TestAConversationIsErasedWithAllThatFollowsOnIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	trunk := w.turn(t, "", "a")
	w.turn(t, "a", "b")
	fork := w.turn(t, "a", "x")
	kept := w.turn(t, "", "k")
	busy, err := w.follow(t.Context(), "x", "running")
	require.NoError(t, err)
	erase := func() (tree []string, err error) {
		err = postgres.Tx(t.Context(), w.pool, func(tx pgx.Tx) error {
			if tree, err = conversations.LockTree(t.Context(), tx, "acme", trunk); err != nil {
				return err
			}
			return conversations.DeleteTree(t.Context(), tx, trunk)
		})
		return tree, err
	}
	_, err = erase()
	require.ErrorIs(t, err, conversations.ErrBusy, "a turn is running on a fork")
	require.NoError(t, w.release(t.Context(), busy, "running"))
	tree, err := erase()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{trunk, fork}, tree)
	var left int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM conversation_items WHERE conversation_id <> $1`, kept).Scan(&left))
	require.Zero(t, left)
	_, err = erase()
	require.ErrorIs(t, err, conversations.ErrNotFound)
}

func TestOnlyTheEndOfALongLogIsRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var items []conversations.Item
	for i := range 600 {
		role := llm.RoleUser
		switch {
		case i%300 == 0:
			role = llm.RoleSystem
		case i%2 == 1:
			role = llm.RoleAssistant
		}
		items = append(items, said(role, fmt.Sprintf("message %d of a long conversation", i)))
	}
	c := w.create(t, "acme", items...)
	whole, err := w.store.Load(t.Context(), c.ID, 0)
	require.NoError(t, err)
	require.Len(t, whole.Items, 600)
	require.Zero(t, whole.Before)
	require.EqualValues(t, 600, whole.Count)
	end, err := w.store.Load(t.Context(), c.ID, 500)
	require.NoError(t, err)
	require.Less(t, len(end.Items), 130)
	require.Equal(t, whole.Items[600-len(end.Items):], end.Items)
	read := int64(0)
	for _, item := range end.Items {
		read += item.Tokens
	}
	require.GreaterOrEqual(t, read, int64(500))
	require.Equal(t, whole.Tokens, end.Before+read)
	require.Equal(t, []string{"message 0 of a long conversation", "message 300 of a long conversation"}, texts(end.System))
	more, err := w.store.Load(t.Context(), c.ID, whole.Tokens*2)
	require.NoError(t, err)
	require.Zero(t, more.Before, "more than there is")
}

func TestWhatIsTakenOutIsNotSaidAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	answer := conversations.Item{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("one"), llm.Text("two"), llm.Call("c", "f", "{}")}}}
	c := w.create(t, "acme", said(llm.RoleUser, "q"), answer)
	item, err := w.store.Item(t.Context(), c.ID, 2)
	require.NoError(t, err)
	parts := func(indexes ...int) func(llm.Message) []int { return func(llm.Message) []int { return indexes } }
	require.Len(t, item.Message.Parts, 3)
	require.ErrorIs(t, w.store.RemoveItem(t.Context(), "other", c.ID, 2, parts(0)), conversations.ErrNotFound)
	require.ErrorIs(t, w.store.RemoveItem(t.Context(), "acme", c.ID, 2, parts()), conversations.ErrNotFound)
	require.NoError(t, w.store.RemoveItem(t.Context(), "acme", c.ID, 2, parts(0, 1)))
	require.Equal(t, []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("q")}}, {Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("c", "f", "{}")}}}, w.replay(t, c.ID))
	item, err = w.store.Item(t.Context(), c.ID, 2)
	require.NoError(t, err)
	require.Len(t, item.Message.Parts, 2, "the call keeps its number")
	require.Equal(t, replay.Erased, item.Message.Parts[0].Type)
	require.NoError(t, w.store.RemoveItem(t.Context(), "acme", c.ID, 2, parts(1)))
	_, err = w.store.Item(t.Context(), c.ID, 2)
	require.ErrorIs(t, err, conversations.ErrNotFound)
	require.NoError(t, w.acquire(t.Context(), "acme", c.ID, "running"))
	require.ErrorIs(t, w.store.RemoveItem(t.Context(), "acme", c.ID, 1, parts(0)), conversations.ErrBusy)
	_, err = w.store.Append(t.Context(), "acme", c.ID, []conversations.Item{said(llm.RoleUser, "x")})
	require.ErrorIs(t, err, conversations.ErrBusy)
}
