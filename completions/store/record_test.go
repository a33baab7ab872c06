package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestASuccessIsRecordedWhole(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	require.NoError(t, w.store.KeepAnswer(t.Context(), fence, 1, answer("yes"), answer("yes").Usage, moment.Add(time.Second)))
	recorded, err := w.store.RecordSuccess(t.Context(), fence, success(1, "yes"))
	require.NoError(t, err)
	require.True(t, recorded)

	outcome, err := w.store.Outcome(t.Context(), tenant, fence.ID)
	require.NoError(t, err)
	require.Equal(t, "yes", outcome.Answer.Message.Text())
	require.Equal(t, answer("yes"), *outcome.Answer)
	completion, attempts := w.find(t, fence.ID)
	require.Equal(t, outcome.Completion, completion)
	require.Equal(t, completions.StateSucceeded, completion.State)
	require.Equal(t, "openai", completion.Provider)
	require.Equal(t, "gpt-4.1", completion.Model)
	require.Equal(t, 2*time.Second, completion.ProviderTime)
	require.WithinDuration(t, moment.Add(3*time.Second), *completion.FinishedAt, 0)
	require.Nil(t, completion.Error)
	require.Equal(t, completions.AttemptSucceeded, attempts[0].State)
	require.EqualValues(t, 5, attempts[0].Usage.OutputTokens)
	require.WithinDuration(t, moment.Add(2*time.Second), *attempts[0].FinishedAt, 0)
	_, err = w.store.KeptAnswer(t.Context(), fence.ID, 1)
	require.ErrorIs(t, err, completions.ErrAnswerLost, "an answer is stored once")
}

func TestOfSixteenRecordersOneRecords(t *testing.T) {
	t.Parallel()
	for name, inConversation := range map[string]bool{"alone": false, "in a conversation": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			conversation := ""
			if inConversation {
				conversation = w.conversation(t)
			}
			fence := w.accept(t, in(conversation))
			w.started(t, fence)
			var recorded atomic.Int64
			atOnce(16, func(i int) {
				var ok bool
				var err error
				if i%4 == 3 {
					ok, err = w.store.RecordFailure(t.Context(), fence, ended())
				} else {
					ok, err = w.store.RecordSuccess(t.Context(), fence, turn(success(1, "yes"), conversation, question("q").Messages...))
				}
				require.NoError(t, err)
				if ok {
					recorded.Add(1)
				}
			})
			require.EqualValues(t, 1, recorded.Load())
			completion, _ := w.find(t, fence.ID)
			items := w.count(t, `SELECT count(*) FROM conversation_items`)
			answers := w.count(t, `SELECT count(*) FROM completion_answers`)
			switch {
			case completion.State == completions.StateFailed:
				require.Zero(t, items)
				require.Zero(t, answers)
			case inConversation:
				require.Equal(t, 2, items)
				require.Equal(t, 1, answers)
			default:
				require.Equal(t, 1, answers)
			}
			if inConversation {
				head, err := w.conversations.Find(t.Context(), tenant, conversation)
				require.NoError(t, err)
				require.Empty(t, head.Active)
			}
		})
	}
}

func TestAnOldEpochRecordsNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	fence := w.accept(t, in(conversation))
	w.started(t, fence)
	heir := w.adopted(t, fence)
	_, err := w.store.Resume(t.Context(), heir, always("second"))
	require.NoError(t, err)
	before, attemptsBefore := w.find(t, fence.ID)

	recorded, err := w.store.RecordSuccess(t.Context(), fence, turn(success(1, "late"), conversation, question("q").Messages...))
	require.ErrorIs(t, err, completions.ErrSuperseded)
	require.False(t, recorded)
	recorded, err = w.store.RecordFailure(t.Context(), fence, ended())
	require.ErrorIs(t, err, completions.ErrSuperseded)
	require.False(t, recorded)

	after, attemptsAfter := w.find(t, fence.ID)
	require.Equal(t, before, after)
	require.Equal(t, attemptsBefore, attemptsAfter, "the heir's attempt is still open")
	require.Zero(t, w.count(t, `SELECT count(*) FROM conversation_items`))
	require.Zero(t, w.count(t, `SELECT count(*) FROM completion_answers`))
	head, err := w.conversations.Find(t.Context(), tenant, conversation)
	require.NoError(t, err)
	require.Equal(t, fence.ID, head.Active, "the turn is still the heir's")

	recorded, err = w.store.RecordSuccess(t.Context(), heir, turn(success(2, "in time"), conversation, question("q").Messages...))
	require.NoError(t, err)
	require.True(t, recorded)
	recorded, err = w.store.RecordSuccess(t.Context(), fence, turn(success(1, "late"), conversation, question("q").Messages...))
	require.NoError(t, err, "once an outcome stands, the late one reads it")
	require.False(t, recorded)
	outcome, err := w.store.Outcome(t.Context(), tenant, fence.ID)
	require.NoError(t, err)
	require.Equal(t, "in time", outcome.Answer.Message.Text())
}

func TestATurnIsAppendedWithItsOutcome(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	fence := w.accept(t, in(conversation))
	w.started(t, fence)
	said := []llm.Message{
		{Role: llm.RoleTool, Parts: []llm.Part{llm.Result("call-1", "sunny")}},
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("and tomorrow?")}},
	}
	for _, want := range []bool{true, false, false} {
		recorded, err := w.store.RecordSuccess(t.Context(), fence, turn(success(1, "rain"), conversation, said...))
		require.NoError(t, err)
		require.Equal(t, want, recorded)
	}
	items, err := w.conversations.Items(t.Context(), conversation, 0, 0)
	require.NoError(t, err)
	require.Len(t, items, 3)
	for i, item := range items {
		require.EqualValues(t, i+1, item.Seq)
		require.Equal(t, fence.ID, item.CompletionID)
	}
	require.Equal(t, said[0], items[0].Message)
	require.Equal(t, said[1], items[1].Message)
	require.Equal(t, answer("rain").Message, items[2].Message)
	require.Empty(t, items[1].Provider)
	require.Equal(t, "openai", items[2].Provider)
	require.Equal(t, "gpt-4.1", items[2].Model)
}

func TestATurnAndItsOutcomeAreRecordedTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	nothingRecorded := func(t *testing.T, w *world, fence completions.Fence) {
		t.Helper()
		completion, attempts := w.find(t, fence.ID)
		require.Equal(t, completions.StateOpen, completion.State)
		require.Nil(t, completion.FinishedAt)
		require.Equal(t, []completions.AttemptState{completions.AttemptStarted}, states(attempts))
		require.Zero(t, w.count(t, `SELECT count(*) FROM completion_answers`))
		require.Zero(t, w.count(t, `SELECT count(*) FROM conversation_items WHERE completion_id = $1`, fence.ID))
	}
	t.Run("the log refuses an item", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		conversation := w.conversation(t)
		fence := w.accept(t, in(conversation))
		w.started(t, fence)
		// The second item's place is taken, so the first is written and the second is not.
		w.exec(t, `INSERT INTO conversation_items (conversation_id, seq, completion_id, message) VALUES ($1, 2, 'other', '{}')`, conversation)
		recorded, err := w.store.RecordSuccess(t.Context(), fence, turn(success(1, "yes"), conversation, question("q").Messages...))
		require.Error(t, err)
		require.False(t, recorded)
		nothingRecorded(t, w, fence)
		head, err := w.conversations.Find(t.Context(), tenant, conversation)
		require.NoError(t, err)
		require.Equal(t, fence.ID, head.Active)

		w.exec(t, `DELETE FROM conversation_items`)
		recorded, err = w.store.RecordSuccess(t.Context(), fence, turn(success(1, "yes"), conversation, question("q").Messages...))
		require.NoError(t, err, "the repetition succeeds")
		require.True(t, recorded)
		items, err := w.conversations.Items(t.Context(), conversation, 0, 0)
		require.NoError(t, err)
		require.Len(t, items, 2)
		require.EqualValues(t, 1, items[0].Seq, "a turn that was rolled back leaves no gap")
	})
}

func TestAFailureIsRecordedWhole(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	fence := w.accept(t, in(conversation))
	w.started(t, fence)
	require.NoError(t, w.store.Fail(t.Context(), fence, failedAt(1, retry, moment.Add(time.Second))))
	_, err := w.store.Resume(t.Context(), fence, always("second"))
	require.NoError(t, err)

	for _, want := range []bool{true, false} {
		recorded, err := w.store.RecordFailure(t.Context(), fence, completions.Failure{
			Error: *overloaded(), ProviderTime: 1500 * time.Millisecond, Failovers: 1, At: moment.Add(5 * time.Second),
		})
		require.NoError(t, err)
		require.Equal(t, want, recorded)
	}
	outcome, err := w.store.Outcome(t.Context(), tenant, fence.ID)
	require.NoError(t, err)
	require.Nil(t, outcome.Answer)
	completion, attempts := w.find(t, fence.ID)
	require.Equal(t, completions.StateFailed, completion.State)
	require.Equal(t, overloaded(), completion.Error)
	require.Equal(t, 1, completion.Failovers)
	require.Equal(t, 2, completion.Attempts)
	require.Equal(t, 1500*time.Millisecond, completion.ProviderTime)
	require.WithinDuration(t, moment.Add(5*time.Second), *completion.FinishedAt, 0)
	require.Equal(t, []completions.AttemptState{completions.AttemptFailed, completions.AttemptPossiblyBilled}, states(attempts))
	require.NotNil(t, attempts[1].FinishedAt)
	require.NotEmpty(t, attempts[1].Reason)
	require.Equal(t, retry.Reason, attempts[0].Reason)

	require.Zero(t, w.count(t, `SELECT count(*) FROM conversation_items`), "a failed turn leaves nothing in the log")
	head, err := w.conversations.Find(t.Context(), tenant, conversation)
	require.NoError(t, err)
	require.Empty(t, head.Active)
}

func TestALaterFailureDoesNotGiveAwayTheNextTurn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	first := w.accept(t, in(conversation))
	w.started(t, first)
	_, err := w.store.RecordSuccess(t.Context(), first, turn(success(1, "yes"), conversation))
	require.NoError(t, err)
	second := w.accept(t, in(conversation))
	recorded, err := w.store.RecordFailure(t.Context(), first, ended())
	require.NoError(t, err)
	require.False(t, recorded)
	head, err := w.conversations.Find(t.Context(), tenant, conversation)
	require.NoError(t, err)
	require.Equal(t, second.ID, head.Active)
	outcome, err := w.store.Outcome(t.Context(), tenant, first.ID)
	require.NoError(t, err)
	require.Equal(t, completions.StateSucceeded, outcome.Completion.State)
	require.Nil(t, outcome.Completion.Error)
}

func TestRecordingAnErasedCompletionSaysThatItIsNotFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := completions.Fence{ID: completions.NewID(), Epoch: 1, InstanceID: alive}
	_, err := w.store.RecordSuccess(t.Context(), fence, success(1, "yes"))
	require.ErrorIs(t, err, completions.ErrNotFound)
	_, err = w.store.RecordFailure(t.Context(), fence, ended())
	require.ErrorIs(t, err, completions.ErrNotFound)
}

func TestNoAttemptStaysOpenBesideAnOutcome(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	// The workflow task timed out, so a second process began again at the same epoch; then the first one answered.
	resumed, err := w.store.Resume(t.Context(), fence, always("second"))
	require.NoError(t, err)
	require.Equal(t, 2, resumed.Number)
	recorded, err := w.store.RecordSuccess(t.Context(), fence, success(1, "yes"))
	require.NoError(t, err)
	require.True(t, recorded)
	_, attempts := w.find(t, fence.ID)
	require.Equal(t, []completions.AttemptState{completions.AttemptSucceeded, completions.AttemptPossiblyBilled}, states(attempts))
}
