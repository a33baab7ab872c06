package store_test

import (
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

func TestAnAcceptedRequestIsOnRecord(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	a := w.acceptance()
	a.ConversationID = conversation
	created, err := w.accepts(t, a)
	require.NoError(t, err)
	require.True(t, created)

	completion, attempts := w.find(t, a.ID)
	require.Empty(t, attempts)
	require.WithinDuration(t, a.AcceptedAt, completion.AcceptedAt, 0)
	require.WithinDuration(t, a.Deadline, completion.Deadline, 0)
	completion.AcceptedAt, completion.Deadline = time.Time{}, time.Time{}
	require.Equal(t, completions.Completion{
		ID: a.ID, Tenant: tenant, WorkflowID: a.WorkflowID, Dialect: a.Dialect, Route: a.Route, ConversationID: conversation,
		State: completions.StateOpen, InstanceID: alive, Epoch: 1,
	}, completion)
	head, err := w.conversations.Find(t.Context(), tenant, conversation)
	require.NoError(t, err)
	require.Equal(t, a.ID, head.Active)
}

func TestEveryKindOfRequestIsReadAsItWasAccepted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, c := range llmtest.Cases(t) {
		fence := w.accept(t, func(a *completions.Acceptance) { a.Request = c.Request })
		got, err := w.store.Request(t.Context(), fence.ID)
		require.NoError(t, err)
		want, err := json.Marshal(c.Request)
		require.NoError(t, err)
		have, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, string(want), string(have), c.Name)
	}
	_, err := w.store.Request(t.Context(), completions.NewID())
	require.ErrorIs(t, err, completions.ErrNotFound)
}

func TestASecondRequestWithTheSameBodyAttaches(t *testing.T) {
	t.Parallel()
	for name, conversation := range map[string]bool{"alone": false, "in a conversation": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			a := w.acceptance()
			if conversation {
				a.ConversationID = w.conversation(t)
			}
			for _, want := range []bool{true, false, false} {
				created, err := w.accepts(t, a)
				require.NoError(t, err)
				require.Equal(t, want, created)
			}
			// What came second changes nothing, not even the instance or the deadline.
			again := a
			again.InstanceID, again.Deadline = "node-b/1", a.Deadline.Add(time.Hour)
			created, err := w.accepts(t, again)
			require.NoError(t, err)
			require.False(t, created)
			completion, _ := w.find(t, a.ID)
			require.Equal(t, alive, completion.InstanceID)
			require.WithinDuration(t, a.Deadline, completion.Deadline, 0)

			fence := completions.Fence{ID: a.ID, Epoch: 1, InstanceID: alive}
			_, err = w.store.RecordFailure(t.Context(), fence, ended())
			require.NoError(t, err)
			created, err = w.accepts(t, a)
			require.NoError(t, err, "attaching to a finished completion")
			require.False(t, created)
		})
	}
}

func TestAnotherBodyUnderTheSameKeyIsRefused(t *testing.T) {
	t.Parallel()
	for name, conversation := range map[string]bool{"alone": false, "in a conversation": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			a := w.acceptance()
			if conversation {
				a.ConversationID = w.conversation(t)
			}
			_, err := w.accepts(t, a)
			require.NoError(t, err)
			other := a
			other.Fingerprint, other.Request = []byte{9}, question("another")
			created, err := w.accepts(t, other)
			require.ErrorIs(t, err, completions.ErrKeyReused)
			require.False(t, created)
			request, err := w.store.Request(t.Context(), a.ID)
			require.NoError(t, err)
			require.Equal(t, a.Request, request)
		})
	}
}

func TestAnotherTenantCannotAttach(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.acceptance()
	_, err := w.accepts(t, a)
	require.NoError(t, err)
	a.Tenant = "other"
	created, err := w.accepts(t, a)
	require.ErrorIs(t, err, completions.ErrKeyReused)
	require.False(t, created)
}

func TestAConversationTakesOneTurnAtATime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	first := w.accept(t, in(conversation))
	second := w.acceptance()
	second.ConversationID = conversation
	_, err := w.accepts(t, second)
	require.ErrorIs(t, err, conversations.ErrBusy)
	_, _, err = w.store.Find(t.Context(), tenant, second.ID)
	require.ErrorIs(t, err, completions.ErrNotFound, "what was refused must not be on record")
	require.Zero(t, w.count(t, `SELECT count(*) FROM completion_requests WHERE completion_id = $1`, second.ID))

	w.started(t, first)
	recorded, err := w.store.RecordSuccess(t.Context(), first, turn(success(1, "yes"), conversation))
	require.NoError(t, err)
	require.True(t, recorded)
	created, err := w.accepts(t, second)
	require.NoError(t, err, "a success gives the conversation back")
	require.True(t, created)

	fence := completions.Fence{ID: second.ID, Epoch: 1, InstanceID: alive}
	recorded, err = w.store.RecordFailure(t.Context(), fence, ended())
	require.NoError(t, err)
	require.True(t, recorded)
	w.accept(t, in(conversation)) // a failure gives it back too
}

func TestAConversationThatTheTenantDoesNotHaveIsNotFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	foreign, err := w.conversations.Create(t.Context(), "other", nil, nil)
	require.NoError(t, err)
	for _, id := range []string{conversations.NewID(), foreign.ID} {
		a := w.acceptance()
		a.ConversationID = id
		_, err := w.accepts(t, a)
		require.ErrorIs(t, err, conversations.ErrNotFound)
		_, _, err = w.store.Find(t.Context(), "", a.ID)
		require.ErrorIs(t, err, completions.ErrNotFound)
	}
	head, err := w.conversations.Find(t.Context(), "other", foreign.ID)
	require.NoError(t, err)
	require.Empty(t, head.Active)
}

func TestARefusedRequestIsNotSaidToBeCreated(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	w.accept(t, in(conversation))
	second := w.acceptance()
	second.ConversationID = conversation
	created, err := w.accepts(t, second)
	require.ErrorIs(t, err, conversations.ErrBusy)
	require.False(t, created)
}

func TestOfTwentyAcceptsAtOnceOneCreates(t *testing.T) {
	t.Parallel()
	for name, conversation := range map[string]bool{"alone": false, "in a conversation": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			a := w.acceptance()
			if conversation {
				a.ConversationID = w.conversation(t)
			}
			var created atomic.Int64
			atOnce(20, func(int) {
				ok, err := w.accepts(t, a)
				require.NoError(t, err)
				if ok {
					created.Add(1)
				}
			})
			require.EqualValues(t, 1, created.Load())
			require.Equal(t, 1, w.count(t, `SELECT count(*) FROM completions`))
			require.Equal(t, 1, w.count(t, `SELECT count(*) FROM completion_requests`))
		})
	}
}

func TestOfTwentyTurnsAtOnceOneIsTaken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	var taken, busy atomic.Int64
	atOnce(20, func(int) {
		a := w.acceptance()
		a.ConversationID = conversation
		switch _, err := w.accepts(t, a); {
		case err == nil:
			taken.Add(1)
		case errors.Is(err, conversations.ErrBusy):
			busy.Add(1)
		}
	})
	require.EqualValues(t, 1, taken.Load())
	require.EqualValues(t, 19, busy.Load())
	require.Equal(t, 1, w.count(t, `SELECT count(*) FROM completions`))
}

// atOnce runs do n times together.
func atOnce(n int, do func(i int)) {
	var ready, group sync.WaitGroup
	gate := make(chan struct{})
	ready.Add(n)
	for i := range n {
		group.Go(func() {
			ready.Done()
			<-gate
			do(i)
		})
	}
	ready.Wait()
	close(gate)
	group.Wait()
}

func TestWhatIsListedIsTheTenantsNewestFirst(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var ids []string
	for range 5 {
		ids = append(ids, w.accept(t).ID)
	}
	w.accept(t, func(a *completions.Acceptance) { a.Tenant = "other" })
	failed := completions.Fence{ID: ids[1], Epoch: 1, InstanceID: alive}
	_, err := w.store.RecordFailure(t.Context(), failed, ended())
	require.NoError(t, err)

	list := func(of string, state completions.State, limit int, before string) []string {
		found, err := w.store.List(t.Context(), of, state, limit, before)
		require.NoError(t, err)
		names := []string{}
		for _, c := range found {
			names = append(names, c.ID)
		}
		return names
	}
	require.Equal(t, []string{ids[4], ids[3]}, list(tenant, "", 2, ""))
	require.Equal(t, []string{ids[2], ids[1]}, list(tenant, "", 2, ids[3]))
	require.Equal(t, []string{ids[0]}, list(tenant, "", 2, ids[1]))
	require.Equal(t, []string{ids[1]}, list(tenant, completions.StateFailed, 10, ""))
	require.Len(t, list("", "", 10, ""), 6, "operators see every tenant's")
	require.Empty(t, list("nobody", "", 10, ""))
}

func TestACompletionIsItsTenantsAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.accept(t).ID
	_, _, err := w.store.Find(t.Context(), "other", id)
	require.ErrorIs(t, err, completions.ErrNotFound)
	_, err = w.store.Outcome(t.Context(), "other", id)
	require.ErrorIs(t, err, completions.ErrNotFound)
	_, _, err = w.store.Find(t.Context(), "", id)
	require.NoError(t, err)
	outcome, err := w.store.Outcome(t.Context(), tenant, id)
	require.NoError(t, err)
	require.Nil(t, outcome.Answer)
	require.Equal(t, completions.StateOpen, outcome.Completion.State)
}
