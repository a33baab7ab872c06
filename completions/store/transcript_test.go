package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// words is a log of one text.
func words(text ...string) *transcript.Log {
	log := &transcript.Log{}
	log.Append(llm.Event{Type: llm.EventStart, Model: "m"})
	log.Append(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}})
	for _, piece := range text {
		log.Append(llm.Event{Type: llm.EventDelta, Text: piece})
	}
	return log
}

func textOf(log *transcript.Log) string { return log.Collect().Response().Message.Text() }

func TestATranscriptIsKeptInPieces(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	other := w.accept(t)
	first := words("Hel")
	require.NoError(t, w.store.KeepTranscripts(t.Context(), []completions.Checkpoint{
		{Fence: fence, Number: 1, Piece: first.Piece(0)}, {Fence: other, Number: 1, Piece: words("Other").Piece(0)},
	}))
	kept := first.End().At
	first.Append(llm.Event{Type: llm.EventDelta, Text: "lo"})
	piece := []completions.Checkpoint{{Fence: fence, Number: 1, Piece: first.Piece(kept)}}
	require.NoError(t, w.store.KeepTranscripts(t.Context(), piece))
	require.NoError(t, w.store.KeepTranscripts(t.Context(), piece), "a repetition whose first answer was lost")
	got, err := w.store.Transcript(t.Context(), fence.ID)
	require.NoError(t, err)
	require.Equal(t, first.End(), got.End())
	require.Equal(t, "Hello", textOf(got))

	// Its last words are kept after the heir has read what there is.
	zombie := words("Hello", " fr", "om the dead")
	require.NoError(t, w.store.KeepTranscripts(t.Context(), []completions.Checkpoint{{Fence: fence, Number: 1, Piece: words("Hello", " fr").Piece(first.End().At)}}))
	heir := w.adopted(t, fence)
	require.NoError(t, w.store.KeepTranscripts(t.Context(), []completions.Checkpoint{{Fence: fence, Number: 1, Piece: zombie.Piece(first.End().At + 3)}}))
	got, err = w.store.Transcript(t.Context(), fence.ID)
	require.NoError(t, err)
	require.Equal(t, "Hello fr", textOf(got), "who was judged dead keeps nothing more")
	went := words("Hello", " again")
	require.NoError(t, w.store.KeepTranscripts(t.Context(), []completions.Checkpoint{{Fence: heir, Number: 2, Piece: went.Piece(first.End().At)}}))
	got, err = w.store.Transcript(t.Context(), fence.ID)
	require.NoError(t, err)
	require.Equal(t, "Hello again", textOf(got), "the heir's words take the place of the others")
}

func TestTheAnswerTakesThePlaceOfItsPieces(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	said := answer("yes")
	log := transcript.Of(said)
	odd := words("no")
	odd.Append(llm.Event{Type: transcript.Restart})
	for _, event := range llm.EventsOf(said) {
		odd.Append(event)
	}
	require.NoError(t, w.store.KeepTranscripts(t.Context(), []completions.Checkpoint{
		{Fence: fence, Number: 1, Piece: words("no").Piece(0)}, {Fence: fence, Number: 1, Piece: odd.Piece(odd.Base()), Whole: true},
	}))
	started, err := w.store.StartFirst(t.Context(), fence, next("one"))
	require.NoError(t, err)
	require.True(t, started)
	recorded, err := w.store.RecordSuccess(t.Context(), fence, completions.Success{Number: 1, Answer: said, AnsweredAt: moment, At: moment, Streamed: true})
	require.NoError(t, err)
	require.True(t, recorded)
	told, err := w.store.Told(t.Context(), fence.ID, said)
	require.NoError(t, err)
	require.Equal(t, odd.End(), told.End(), "an answer that was begun again keeps its places")
	require.NotEqual(t, log.End(), told.End())
	var pieces int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM completion_transcripts`).Scan(&pieces))
	require.Equal(t, 1, pieces)
}

func TestACancelIsAnnouncedToEveryProcess(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	conn, err := w.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "LISTEN "+store.CancelChannel)
	require.NoError(t, err)
	_, err = w.store.RequestCancel(t.Context(), "somebody else", fence.ID)
	require.ErrorIs(t, err, completions.ErrNotFound)
	found, err := w.store.RequestCancel(t.Context(), tenant, fence.ID)
	require.NoError(t, err)
	require.Equal(t, completions.StateOpen, found.State)
	announced, err := conn.Conn().WaitForNotification(t.Context())
	require.NoError(t, err)
	require.Equal(t, fence.ID, announced.Payload)
	asked, err := w.store.CancelRequested(t.Context(), []string{fence.ID, "chatcmpl-other"})
	require.NoError(t, err)
	require.Equal(t, []string{fence.ID}, asked)

	started, err := w.store.StartFirst(t.Context(), fence, next("one"))
	require.NoError(t, err)
	require.False(t, started, "nothing is called for it any more")
	resumed, err := w.store.Resume(t.Context(), fence, always("one"))
	require.NoError(t, err)
	require.True(t, resumed.Cancelled)
	require.Zero(t, resumed.Number)

	said := answer("what was sa")
	ended := completions.Failure{Error: llm.Error{Kind: llm.KindCancelled, Provider: "none"}, Said: &said, At: moment}
	recorded, err := w.store.RecordFailure(t.Context(), fence, ended)
	require.NoError(t, err)
	require.True(t, recorded)
	outcome, err := w.store.Outcome(t.Context(), tenant, fence.ID)
	require.NoError(t, err)
	require.Equal(t, completions.StateCancelled, outcome.Completion.State)
	require.Equal(t, "what was sa", outcome.Answer.Message.Text())
	found, err = w.store.RequestCancel(t.Context(), tenant, fence.ID)
	require.NoError(t, err)
	require.Equal(t, completions.StateCancelled, found.State, "what has its outcome is left alone")
}

func TestWhoDrivesACompletion(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	require.NoError(t, w.store.Join(t.Context(), "node-b/1", "10.0.0.2:8082", time.Hour))
	driver, err := w.store.Driver(t.Context(), fence.ID)
	require.NoError(t, err)
	require.Equal(t, completions.Driver{State: completions.StateOpen, InstanceID: alive}, driver)
	_, err = w.pool.Exec(t.Context(), `UPDATE completions SET instance_id = 'node-b/1' WHERE id = $1`, fence.ID)
	require.NoError(t, err)
	driver, err = w.store.Driver(t.Context(), fence.ID)
	require.NoError(t, err)
	require.Equal(t, "10.0.0.2:8082", driver.Address)
	_, err = w.store.Driver(t.Context(), completions.NewID())
	require.ErrorIs(t, err, completions.ErrNotFound)
	secret, err := w.store.PeerSecret(t.Context())
	require.NoError(t, err)
	require.Len(t, secret.Reveal(), 32)
}
