package conversations_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
	"github.com/holdfast-dev/holdfast/replay"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

type world struct {
	pool  *pgxpool.Pool
	store *conversations.Store
}

func setup(t *testing.T) *world {
	t.Helper()
	pool := pgtest.New(t)
	return &world{pool: pool, store: conversations.NewStore(pool)}
}

func (w *world) create(t *testing.T, tenant string, items ...conversations.Item) conversations.Conversation {
	t.Helper()
	c, err := w.store.Create(t.Context(), tenant, nil, items)
	require.NoError(t, err)
	return c
}

// acquire, add and release are each a transaction of their own, as their callers make them.
func (w *world) acquire(ctx context.Context, tenant, id, completion string) error {
	return postgres.Tx(ctx, w.pool, func(tx pgx.Tx) error { return conversations.AcquireTurn(ctx, tx, tenant, id, completion) })
}

func (w *world) add(ctx context.Context, id, completion string, items ...conversations.Item) error {
	return postgres.Tx(ctx, w.pool, func(tx pgx.Tx) error { return conversations.AppendTurn(ctx, tx, nil, id, completion, items) })
}

func (w *world) release(ctx context.Context, id, completion string) error {
	return postgres.Tx(ctx, w.pool, func(tx pgx.Tx) error { return conversations.ReleaseTurn(ctx, tx, id, completion) })
}

func (w *world) active(t *testing.T, tenant, id string) string {
	t.Helper()
	c, err := w.store.Find(t.Context(), tenant, id)
	require.NoError(t, err)
	return c.Active
}

func said(role llm.Role, text string) conversations.Item {
	return conversations.Item{Message: llm.Message{Role: role, Parts: []llm.Part{llm.Text(text)}}}
}

func texts(items []conversations.Item) []string {
	list := []string{}
	for _, item := range items {
		list = append(list, item.Message.Text())
	}
	return list
}

func TestANewConversationIsFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, err := w.store.Create(t.Context(), "acme", map[string]string{"ticket": "7"}, nil)
	require.NoError(t, err)
	require.True(t, conversations.ValidID(c.ID), c.ID)
	found, err := w.store.Find(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	require.Equal(t, c, found)
	require.Equal(t, map[string]string{"ticket": "7"}, found.Metadata)
	require.Empty(t, found.Active)

	plain := w.create(t, "acme")
	require.NotEqual(t, c.ID, plain.ID)
	found, err = w.store.Find(t.Context(), "acme", plain.ID)
	require.NoError(t, err)
	require.Equal(t, map[string]string{}, found.Metadata)
}

func TestWhatIsNotAConversationsIDIsRefused(t *testing.T) {
	t.Parallel()
	good := conversations.NewID()
	require.True(t, conversations.ValidID(good))
	for _, id := range []string{"", "conv_", "conv-abc", good + "!", "x" + good, good + "\n", "chatcmpl-abc"} {
		require.False(t, conversations.ValidID(id), id)
	}
}

func TestAConversationIsItsTenantsAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.create(t, "acme")
	_, err := w.store.Find(t.Context(), "other", c.ID)
	require.ErrorIs(t, err, conversations.ErrNotFound)
	_, err = w.store.Find(t.Context(), "acme", conversations.NewID())
	require.ErrorIs(t, err, conversations.ErrNotFound)
	require.ErrorIs(t, w.acquire(t.Context(), "other", c.ID, "c1"), conversations.ErrNotFound)
	require.Empty(t, w.active(t, "acme", c.ID))
}

func TestConversationsAreListedNewestFirstPageByPage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var want []string
	for range 7 {
		want = append([]string{w.create(t, "acme").ID}, want...)
	}
	foreign := w.create(t, "other")
	// Two of the same instant must not be lost between pages.
	_, err := w.pool.Exec(t.Context(), `UPDATE conversations SET created_at = '2030-01-01' WHERE id = ANY($1)`, want[2:5])
	require.NoError(t, err)
	all, err := w.store.List(t.Context(), "acme", 100, "")
	require.NoError(t, err)
	require.Len(t, all, 7)
	var paged []conversations.Conversation
	before := ""
	for {
		page, err := w.store.List(t.Context(), "acme", 2, before)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
		before = page[len(page)-1].ID
	}
	require.Equal(t, all, paged)
	for i := 1; i < len(all); i++ {
		require.False(t, all[i].CreatedAt.After(all[i-1].CreatedAt))
	}
	require.ElementsMatch(t, want[2:5], []string{all[0].ID, all[1].ID, all[2].ID})
	require.Equal(t, []string{want[0], want[1], want[5], want[6]}, []string{all[3].ID, all[4].ID, all[5].ID, all[6].ID})

	page, err := w.store.List(t.Context(), "acme", 10, foreign.ID)
	require.NoError(t, err)
	require.Empty(t, page, "another tenant's conversation is no place to continue from")
}

func TestTheLogKeepsItsOrderAndIsReadBothWays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.create(t, "acme", said(llm.RoleSystem, "s"), said(llm.RoleUser, "0"))
	for turn := range 4 {
		completion := fmt.Sprintf("completion-%d", turn)
		require.NoError(t, w.acquire(t.Context(), "acme", c.ID, completion))
		answer := said(llm.RoleAssistant, fmt.Sprintf("a%d", turn))
		answer.Provider, answer.Model = "openai", "gpt-4.1"
		require.NoError(t, w.add(t.Context(), c.ID, completion, said(llm.RoleUser, fmt.Sprintf("q%d", turn)), answer))
	}
	neighbour := w.create(t, "acme", said(llm.RoleUser, "of another conversation"))

	all, err := w.store.Items(t.Context(), c.ID, 0, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"s", "0", "q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"}, texts(all))
	for i, item := range all {
		require.EqualValues(t, i+1, item.Seq)
	}
	require.Equal(t, "completion-1", all[5].CompletionID)
	require.Equal(t, "openai", all[5].Provider)
	require.Equal(t, "gpt-4.1", all[5].Model)
	require.Empty(t, all[4].Provider)
	require.Empty(t, all[0].CompletionID)

	forward, place := []string{}, int64(0)
	for {
		page, err := w.store.Items(t.Context(), c.ID, place, 3)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		require.LessOrEqual(t, len(page), 3)
		forward, place = append(forward, texts(page)...), page[len(page)-1].Seq
	}
	require.Equal(t, texts(all), forward)

	backward, place := []string{}, int64(0)
	for {
		page, err := w.store.ItemsBackward(t.Context(), c.ID, place, 3)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		require.LessOrEqual(t, len(page), 3)
		for _, text := range texts(page) {
			backward = append([]string{text}, backward...)
		}
		place = page[len(page)-1].Seq
		if place == 1 {
			break // "before 0" would begin from the end again
		}
	}
	require.Equal(t, texts(all), backward)
	other, err := w.store.Items(t.Context(), neighbour.ID, 0, 0)
	require.NoError(t, err)
	require.Len(t, other, 1)
	require.EqualValues(t, 1, other[0].Seq)
}

func TestASecondTurnIsRefusedWhileOneIsInFlight(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.create(t, "acme")
	require.NoError(t, w.acquire(t.Context(), "acme", c.ID, "first"))
	require.Equal(t, "first", w.active(t, "acme", c.ID))
	require.ErrorIs(t, w.acquire(t.Context(), "acme", c.ID, "second"), conversations.ErrBusy)
	require.Equal(t, "first", w.active(t, "acme", c.ID))

	require.NoError(t, w.release(t.Context(), c.ID, "second"), "who does not hold it changes nothing")
	require.Equal(t, "first", w.active(t, "acme", c.ID))
	require.NoError(t, w.release(t.Context(), c.ID, "first"))
	require.NoError(t, w.acquire(t.Context(), "acme", c.ID, "second"))
	require.NoError(t, w.add(t.Context(), c.ID, "second", said(llm.RoleUser, "q")))
	require.Empty(t, w.active(t, "acme", c.ID), "an appended turn gives the conversation back")
}

func TestOfManyTurnsAtOnceOneIsTaken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.create(t, "acme")
	var mu sync.Mutex
	var group sync.WaitGroup
	taken, busy := []string{}, 0
	for i := range 16 {
		group.Go(func() {
			name := fmt.Sprint(i)
			err := w.acquire(t.Context(), "acme", c.ID, name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				taken = append(taken, name)
			case errors.Is(err, conversations.ErrBusy):
				busy++
			}
		})
	}
	group.Wait()
	require.Len(t, taken, 1)
	require.Equal(t, 15, busy)
	require.Equal(t, taken[0], w.active(t, "acme", c.ID))
}

func TestAppendsAtOnceNeverShareAPlace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.create(t, "acme")
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			name := fmt.Sprint(i)
			require.NoError(t, w.add(t.Context(), c.ID, name, said(llm.RoleUser, "q"+name), said(llm.RoleAssistant, "a"+name)))
		})
	}
	group.Wait()
	items, err := w.store.Items(t.Context(), c.ID, 0, 0)
	require.NoError(t, err)
	require.Len(t, items, 24)
	for i := 0; i < len(items); i += 2 {
		require.EqualValues(t, i+1, items[i].Seq)
		require.Equal(t, items[i].CompletionID, items[i+1].CompletionID, "a turn is not split by another")
		require.Equal(t, "q"+items[i].CompletionID, items[i].Message.Text())
		require.Equal(t, "a"+items[i].CompletionID, items[i+1].Message.Text())
	}
}

func TestATurnThatFailsHalfWayIsNotInTheLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.create(t, "acme")
	require.NoError(t, w.acquire(t.Context(), "acme", c.ID, "first"))
	broken := errors.New("broken")
	err := postgres.Tx(t.Context(), w.pool, func(tx pgx.Tx) error {
		if err := conversations.AppendTurn(t.Context(), tx, nil, c.ID, "first", []conversations.Item{said(llm.RoleUser, "q")}); err != nil {
			return err
		}
		return broken
	})
	require.ErrorIs(t, err, broken)
	items, err := w.store.Items(t.Context(), c.ID, 0, 0)
	require.NoError(t, err)
	require.Empty(t, items)
	require.Equal(t, "first", w.active(t, "acme", c.ID))
	require.Error(t, w.add(t.Context(), conversations.NewID(), "first", said(llm.RoleUser, "q")), "a conversation that is gone")
}

func (w *world) replay(t *testing.T, id string) []llm.Message {
	t.Helper()
	loaded, err := w.store.Load(t.Context(), id, 0)
	require.NoError(t, err)
	return replay.Messages(loaded.Items)
}

func TestTheWholeLogIsReplayed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.create(t, "acme", said(llm.RoleUser, "q1"), said(llm.RoleAssistant, "a1"))
	want := []llm.Message{said(llm.RoleUser, "q1").Message, said(llm.RoleAssistant, "a1").Message}
	require.Equal(t, want, w.replay(t, c.ID))
	require.Equal(t, want, w.replay(t, c.ID), "reading adds nothing to the log")
	require.Empty(t, w.replay(t, w.create(t, "acme").ID))
	_, err := w.store.Load(t.Context(), conversations.NewID(), 0)
	require.ErrorIs(t, err, conversations.ErrNotFound)
}

func TestEveryKindOfMessageIsReplayedAsItWasSaid(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, c := range llmtest.Cases(t) {
		var items []conversations.Item
		for _, message := range c.Request.Messages {
			items = append(items, conversations.Item{Message: message})
		}
		conversation := w.create(t, "acme", items...)
		messages := w.replay(t, conversation.ID)
		want, err := json.Marshal(c.Request.Messages)
		require.NoError(t, err)
		have, err := json.Marshal(messages)
		require.NoError(t, err)
		require.Equal(t, string(want), string(have), c.Name)
	}
}
