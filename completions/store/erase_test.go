package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
	"github.com/holdfast-dev/holdfast/seal"
	"github.com/holdfast-dev/holdfast/transcript"
)

// traces counts the rows of the whole database that hold a text, in whatever column.
func (w *world) traces(t *testing.T, text string) map[string]int {
	t.Helper()
	rows, err := w.pool.Query(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`)
	require.NoError(t, err)
	var tables []string
	for rows.Next() {
		var table string
		require.NoError(t, rows.Scan(&table))
		tables = append(tables, table)
	}
	require.NoError(t, rows.Err())
	found := map[string]int{}
	for _, table := range tables {
		// A row as text has what is binary in it in hexadecimal.
		query := fmt.Sprintf(`SELECT count(*) FROM %q t WHERE t::text LIKE '%%' || $1 || '%%' OR t::text LIKE '%%' || encode(convert_to($1, 'UTF8'), 'hex') || '%%'`, table)
		if n := w.count(t, query, text); n > 0 {
			found[table] = n
		}
	}
	return found
}

// spoken is a completion in which a text stands everywhere that it can.
func (w *world) spoken(t *testing.T, text string, change ...func(*completions.Acceptance)) completions.Fence {
	t.Helper()
	fence := w.accept(t, append([]func(*completions.Acceptance){func(a *completions.Acceptance) {
		a.Request = question(text)
		a.Shown, a.Metadata, a.Recovery = []byte(`{"instructions":"`+text+`"}`), map[string]string{"about": text}, "continue"
	}}, change...)...)
	w.started(t, fence)
	piece := transcript.Of(answer(text)).Piece(0)
	require.NoError(t, w.store.KeepTranscripts(t.Context(), []completions.Checkpoint{
		{Fence: fence, Number: 1, Piece: piece}, {Fence: fence, Number: 1, Piece: piece, Whole: true},
	}))
	done := success(1, text)
	done.Turn, done.Keep = question(text).Messages, &completions.Keep{Key: []byte(fence.ID), Tenant: tenant, Route: "gpt", Fresh: time.Hour, Stale: time.Hour}
	var conversation string
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT coalesce(conversation_id, '') FROM completions WHERE id = $1`, fence.ID).Scan(&conversation))
	done.ConversationID, done.Usage = conversation, done.Answer.Usage
	recorded, err := w.store.RecordSuccess(t.Context(), fence, done)
	require.NoError(t, err)
	require.True(t, recorded)
	w.exec(t, `UPDATE attempts SET error = jsonb_build_object('kind', 'transient', 'detail', $2::text) WHERE completion_id = $1`, fence.ID, "you said "+text)
	w.exec(t, `INSERT INTO media (scope, url_sha256, mime, body) VALUES ($1, $2, 'text/plain', $3)`, fence.ID, []byte(fence.ID), []byte(text))
	return fence
}

func TestWhatIsErasedStandsNowhere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.spoken(t, "the-secret", thread)
	other := w.spoken(t, "another-secret", thread)
	require.Len(t, w.traces(t, "the-secret"), 8, "%v", w.traces(t, "the-secret"))
	require.ErrorIs(t, w.store.Erase(t.Context(), "other", fence.ID), completions.ErrNotFound)
	require.NoError(t, w.store.Erase(t.Context(), tenant, fence.ID))
	require.Empty(t, w.traces(t, "the-secret"))
	require.NotEmpty(t, w.traces(t, "another-secret"))
	require.NoError(t, w.store.Erase(t.Context(), tenant, fence.ID), "again")

	completion, attempts := w.find(t, fence.ID)
	require.NotNil(t, completion.ErasedAt)
	require.Equal(t, completions.StateSucceeded, completion.State)
	require.Equal(t, "openai", completion.Provider)
	require.EqualValues(t, 5, attempts[0].Usage.OutputTokens, "the numbers stay")
	require.Equal(t, llm.KindTransient, attempts[0].Error.Kind)
	outcome, err := w.store.Outcome(t.Context(), tenant, other.ID)
	require.NoError(t, err)
	require.NotNil(t, outcome.Answer)
}

func thread(a *completions.Acceptance) { a.Thread = true }

func after(previous completions.Fence) func(*completions.Acceptance) {
	return func(a *completions.Acceptance) { a.Thread, a.Previous = true, previous.ID }
}

func endUser(name string) func(*completions.Acceptance) {
	return func(a *completions.Acceptance) { a.EndUser = name }
}

func TestWhatRunsIsNotErased(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	require.ErrorIs(t, w.store.Erase(t.Context(), tenant, fence.ID), completions.ErrOpen)
}

func TestARepetitionOfWhatWasErasedIsToldSo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.acceptance()
	_, err := w.accepts(t, a)
	require.NoError(t, err)
	w.exec(t, `UPDATE completions SET state = 'succeeded' WHERE id = $1`, a.ID)
	require.NoError(t, w.store.Erase(t.Context(), tenant, a.ID))
	_, err = w.accepts(t, a)
	require.ErrorIs(t, err, completions.ErrErased)
}

func TestAConversationIsErasedWithItsBranches(t *testing.T) {
	t.Parallel()
	w := setup(t)
	trunk := w.spoken(t, "the-secret", thread)
	w.spoken(t, "the-secret", after(trunk))
	w.spoken(t, "the-secret", after(trunk)) // a branch
	kept := w.spoken(t, "another", thread)
	id := conversations.ThreadID(trunk.ID)
	_, err := w.store.EraseConversation(t.Context(), "other", id)
	require.ErrorIs(t, err, conversations.ErrNotFound)
	erased, err := w.store.EraseConversation(t.Context(), tenant, id)
	require.NoError(t, err)
	require.Equal(t, completions.Erasure{Conversations: 2, Completions: 3}, erased)
	require.Empty(t, w.traces(t, "the-secret"))
	require.Equal(t, 1, w.count(t, `SELECT count(*) FROM conversations WHERE id = $1`, conversations.ThreadID(kept.ID)))
}

func TestAnEndUserIsErasedEverywhere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	shared := w.conversation(t)
	w.spoken(t, "the-secret of anna-7", endUser("anna-7"))
	mine := w.spoken(t, "the-secret of anna-7", thread, endUser("anna-7"))
	w.spoken(t, "the-secret of anna-7", after(mine), endUser("anna-7"))
	w.spoken(t, "the-secret of anna-7", in(shared), endUser("anna-7"))
	w.spoken(t, "bob's own", in(shared), endUser("bob"))
	running := w.accept(t, endUser("anna-7"))
	w.spoken(t, "of another tenant", func(a *completions.Acceptance) { a.Tenant, a.EndUser = "other", "anna-7" })

	erased, err := w.store.EraseUser(t.Context(), tenant, "anna-7")
	require.NoError(t, err)
	require.Equal(t, completions.Erasure{Conversations: 1, Completions: 4, Running: 1}, erased)
	require.Empty(t, w.traces(t, "the-secret"))
	require.NotEmpty(t, w.traces(t, "bob's own"))
	require.NotEmpty(t, w.traces(t, "of another tenant"))
	items, err := w.conversations.Items(t.Context(), shared, 0, 0)
	require.NoError(t, err)
	require.Len(t, items, 2, "what bob said, and was told, stays")

	_, err = w.store.RecordFailure(t.Context(), running, ended())
	require.NoError(t, err)
	gone, err := w.store.EraseExpired(t.Context(), completions.Expiry{})
	require.NoError(t, err)
	require.Equal(t, 1, gone.Completions, "what was running goes when it has ended")
	require.Equal(t, map[string]int{"completions": 1}, w.traces(t, "anna-7"), "the other tenant's")
}

// sweep erases what is too old until nothing is.
func (w *world) sweep(t *testing.T, expiry completions.Expiry) (all completions.Erasure) {
	t.Helper()
	for range 100 {
		erased, err := w.store.EraseExpired(t.Context(), expiry)
		require.NoError(t, err)
		if erased == (completions.Erasure{}) {
			return all
		}
		all.Add(erased)
	}
	t.Fatal("there is no end to it")
	return all
}

func TestWhatIsTooOldGoesAndNothingElse(t *testing.T) {
	t.Parallel()
	w := setup(t)
	old := time.Now().Add(-48 * time.Hour)
	for i := range 3 {
		fence := w.spoken(t, fmt.Sprintf("old-%d", i))
		w.exec(t, `UPDATE completions SET accepted_at = $2 WHERE id = $1`, fence.ID, old)
	}
	aged := w.spoken(t, "old-thread", thread)
	w.exec(t, `UPDATE completions SET accepted_at = $2 WHERE id = $1`, aged.ID, old)
	alive := w.spoken(t, "kept-thread", thread)
	w.exec(t, `UPDATE completions SET accepted_at = $2 WHERE id = $1`, alive.ID, old)
	branch := w.spoken(t, "kept-branch", after(alive))
	w.spoken(t, "kept-branch", after(alive))
	w.exec(t, `UPDATE conversations SET active_at = $2 WHERE id <> $1`, conversations.ThreadID(branch.ID), old)
	w.exec(t, `UPDATE conversations SET active_at = now() WHERE parent_id IS NOT NULL`)
	young := w.spoken(t, "kept-new")
	w.exec(t, `UPDATE completions SET accepted_at = now() WHERE id = $1`, young.ID)
	open := w.accept(t)
	w.exec(t, `UPDATE completions SET accepted_at = $2 WHERE id = $1`, open.ID, old)
	theirs := w.spoken(t, "kept-archive", func(a *completions.Acceptance) { a.Tenant = "archive" })
	w.exec(t, `UPDATE completions SET accepted_at = $2 WHERE id = $1`, theirs.ID, old)
	hasty := w.spoken(t, "hasty", func(a *completions.Acceptance) { a.Tenant = "hasty" })
	w.exec(t, `UPDATE completions SET accepted_at = $2 WHERE id = $1`, hasty.ID, time.Now().Add(-time.Hour))

	erased := w.sweep(t, completions.Expiry{
		Before: time.Now().Add(-24 * time.Hour), Tenants: map[string]time.Time{"archive": {}, "hasty": time.Now().Add(-30 * time.Minute)},
	})
	require.Equal(t, completions.Erasure{Conversations: 1, Completions: 5}, erased)
	require.Empty(t, w.traces(t, "old-"))
	require.Empty(t, w.traces(t, "hasty-"))
	for _, text := range []string{"kept-thread", "kept-branch", "kept-new", "kept-archive"} {
		require.NotEmpty(t, w.traces(t, text), text)
	}
	require.Zero(t, w.sweep(t, completions.Expiry{}).Completions)
}

func TestWhatIsNotToBeKeptGoesWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	until := func(at time.Time) func(*completions.Acceptance) {
		return func(a *completions.Acceptance) { a.Stored, a.ContentUntil = completions.StoredNo, &at }
	}
	w.spoken(t, "gone", until(time.Now().Add(-time.Second)))
	w.spoken(t, "waits", until(time.Now().Add(time.Hour)))
	require.Equal(t, completions.Erasure{Completions: 1}, w.sweep(t, completions.Expiry{}))
	require.Empty(t, w.traces(t, "gone"))
	require.NotEmpty(t, w.traces(t, "waits"))
}

func TestAllOfAConversationIsExported(t *testing.T) {
	t.Parallel()
	w := setup(t)
	shared := w.conversation(t)
	w.spoken(t, "one", in(shared), endUser("anna"))
	w.spoken(t, "two", in(shared), endUser("bob"))
	own := w.spoken(t, "three", thread, endUser("anna"))
	var kinds []string
	export := func(line store.ExportLine) error {
		kinds = append(kinds, line.Type)
		return nil
	}
	require.NoError(t, w.store.ExportConversation(t.Context(), tenant, shared, export))
	require.Equal(t, []string{"conversation", "item", "item", "item", "item", "completion", "completion"}, kinds)
	require.ErrorIs(t, w.store.ExportConversation(t.Context(), "other", shared, export), conversations.ErrNotFound)
	kinds = nil
	var ids []string
	require.NoError(t, w.store.ExportUser(t.Context(), tenant, "anna", func(line store.ExportLine) error {
		if line.Completion != nil {
			ids = append(ids, line.Completion.ID)
			require.NotNil(t, line.Completion.Request)
			require.NotNil(t, line.Completion.Answer)
		}
		return export(line)
	}))
	require.Equal(t, []string{"conversation", "item", "item", "completion", "completion"}, kinds, "of a shared conversation, anna's completions")
	require.Contains(t, ids, own.ID)
}

func TestStoredCompletionsAreListed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var kept []string
	for i := range 5 {
		fence := w.spoken(t, "kept", func(a *completions.Acceptance) {
			a.Stored, a.Metadata = completions.StoredYes, map[string]string{"n": fmt.Sprint(i % 2), "of": "me"}
			a.AcceptedAt = a.AcceptedAt.Add(time.Duration(i) * time.Second)
		})
		kept = append(kept, fence.ID)
	}
	w.spoken(t, "not asked for")
	ask := store.Stored{Tenant: tenant, Dialect: "openai.chat", Limit: 2, Ascending: true}
	var listed []string
	for {
		page, err := w.store.ListStored(t.Context(), ask)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, outcome := range page {
			listed = append(listed, outcome.Completion.ID)
			require.Equal(t, "kept", outcome.Answer.Message.Text())
		}
		ask.After = listed[len(listed)-1]
	}
	require.Equal(t, kept, listed)
	page, err := w.store.ListStored(t.Context(), store.Stored{Tenant: tenant, Dialect: "openai.chat", Limit: 9, Metadata: map[string]string{"n": "1"}})
	require.NoError(t, err)
	require.Len(t, page, 2)
	require.NoError(t, w.store.SetMetadata(t.Context(), tenant, kept[0], map[string]string{"n": "1"}))
	page, err = w.store.ListStored(t.Context(), store.Stored{Tenant: tenant, Dialect: "openai.chat", Limit: 9, Metadata: map[string]string{"n": "1"}})
	require.NoError(t, err)
	require.Len(t, page, 3)
	require.ErrorIs(t, w.store.SetMetadata(t.Context(), "other", kept[0], nil), completions.ErrNotFound)
	page, err = w.store.ListStored(t.Context(), store.Stored{Tenant: tenant, Dialect: "openai.chat", Limit: 9, Model: "nobody"})
	require.NoError(t, err)
	require.Empty(t, page)
}

func TestASealedDatabaseSaysNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	box, err := seal.Open(t.Context(), w.pool, plainKeeper{}, true)
	require.NoError(t, err)
	w.store, w.conversations = w.store.Sealed(box), w.conversations.Sealed(box)
	fence := w.spoken(t, "the-secret", thread)
	kept, err := w.store.CachedAnswer(t.Context(), []byte(fence.ID))
	require.NoError(t, err)
	require.Equal(t, "the-secret", kept.Answer.Message.Text())
	outcome, err := w.store.Outcome(t.Context(), tenant, fence.ID)
	require.NoError(t, err)
	require.Equal(t, "the-secret", outcome.Answer.Message.Text())
	request, err := w.store.Request(t.Context(), fence.ID)
	require.NoError(t, err)
	require.Equal(t, question("the-secret"), request)
	shown, err := w.store.Shown(t.Context(), fence.ID)
	require.NoError(t, err)
	require.JSONEq(t, `{"instructions":"the-secret"}`, string(shown))
	log, err := w.store.Transcript(t.Context(), fence.ID)
	require.NoError(t, err)
	require.Equal(t, "the-secret", log.Collect().Response().Message.Text())
	items, err := w.conversations.Items(t.Context(), conversations.ThreadID(fence.ID), 0, 0)
	require.NoError(t, err)
	require.Equal(t, "the-secret", items[0].Message.Text())
	// In clear are the notes that lists are filtered by, what vendors said of errors, and the file that this test has put there.
	require.Equal(t, map[string]int{"completions": 1, "attempts": 1, "media": 1}, w.traces(t, "the-secret"))
}

type plainKeeper struct{}

func (plainKeeper) Wrap(_ context.Context, dataKey []byte) ([]byte, string, error) {
	return dataKey, "plain", nil
}

func (plainKeeper) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) { return wrapped, nil }

// A branch that begins while its conversation is erased is erased with it, or keeps it from being erased; its completion has an
// outcome either way.
func TestABranchAndAnErasureAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for round := range 25 {
		marker := fmt.Sprintf("round-%d-", round)
		first := w.spoken(t, marker, thread)
		w.spoken(t, marker, after(first))
		root := conversations.ThreadID(first.ID)
		a := w.acceptance()
		a.Request, a.Thread, a.Previous = question(marker), true, first.ID
		var accepted completions.Accepted
		var acceptErr, eraseErr error
		atOnce(2, func(i int) {
			if i == 0 {
				accepted, acceptErr = w.store.Accept(t.Context(), a)
				return
			}
			_, eraseErr = w.store.EraseConversation(t.Context(), tenant, root)
		})
		if acceptErr != nil {
			require.ErrorIs(t, acceptErr, completions.ErrNoPrevious)
			require.NoError(t, eraseErr)
			continue
		}
		require.ErrorIs(t, eraseErr, conversations.ErrBusy, "the branch was there first")
		fence := completions.Fence{ID: a.ID, Epoch: 1, InstanceID: a.InstanceID}
		w.started(t, fence)
		done := success(1, marker)
		done.ConversationID, done.Turn = accepted.ConversationID, a.Request.Messages
		recorded, err := w.store.RecordSuccess(t.Context(), fence, done)
		require.NoError(t, err)
		require.True(t, recorded)
		_, err = w.store.EraseConversation(t.Context(), tenant, root)
		require.NoError(t, err)
	}
	require.Empty(t, w.traces(t, "round-"))
}

func TestAnOutcomeStandsThoughItsConversationIsGone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	fence := w.accept(t, in(conversation))
	w.started(t, fence)
	w.exec(t, `DELETE FROM conversations WHERE id = $1`, conversation)
	done := success(1, "the-secret")
	done.ConversationID, done.Turn = conversation, question("q").Messages
	recorded, err := w.store.RecordSuccess(t.Context(), fence, done)
	require.NoError(t, err)
	require.True(t, recorded)
	w.sweep(t, completions.Expiry{})
	require.Empty(t, w.traces(t, "the-secret"))
}

// summarised keeps a summary of a conversation, written by a completion of its own.
func (w *world) summarised(t *testing.T, conversation, text string, open bool) completions.Fence {
	t.Helper()
	fence := w.accept(t, func(a *completions.Acceptance) {
		a.About, a.Dialect, a.Request = conversation, completions.DialectSummary, question(text)
	})
	if open {
		return fence
	}
	w.started(t, fence)
	_, err := w.store.RecordSuccess(t.Context(), fence, success(1, text))
	require.NoError(t, err)
	w.keepSummary(t, conversation, fence.ID, text)
	return fence
}

func (w *world) keepSummary(t *testing.T, conversation, completion, text string) {
	t.Helper()
	require.NoError(t, w.conversations.KeepSummary(t.Context(), conversation, replay.Summary{
		FromSeq: 3, CompletionID: completion, Message: llm.Message{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(text)}},
	}))
}

func TestWhatWasWrittenOfAnErasedTurnGoesToo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first := w.spoken(t, "the-secret", thread)
	w.spoken(t, "second", after(first))
	branch := w.spoken(t, "branch", after(first))
	var fork string
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT conversation_id FROM completions WHERE id = $1`, branch.ID).Scan(&fork))
	root := conversations.ThreadID(first.ID)
	require.NotEqual(t, root, fork)
	w.summarised(t, root, "they said the-secret", false)
	w.summarised(t, fork, "they said the-secret", false)
	running := w.summarised(t, fork, "they said the-secret", true)
	require.NoError(t, w.store.Erase(t.Context(), tenant, first.ID))
	require.Equal(t, map[string]int{"completion_requests": 1}, w.traces(t, "the-secret"), "but for what is being written")
	w.started(t, running)
	_, err := w.store.RecordSuccess(t.Context(), running, success(1, "they said the-secret"))
	require.NoError(t, err)
	w.keepSummary(t, fork, running.ID, "they said the-secret")
	w.sweep(t, completions.Expiry{})
	require.Empty(t, w.traces(t, "the-secret"))
}

func TestAnItemThatIsTakenOutIsInNoSummary(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	_, err := w.conversations.Append(t.Context(), tenant, conversation, []conversations.Item{
		{Message: question("the-secret").Messages[0]}, {Message: question("else").Messages[0]},
	})
	require.NoError(t, err)
	w.summarised(t, conversation, "they said the-secret", false)
	require.NoError(t, w.conversations.RemoveItem(t.Context(), tenant, conversation, 1, func(m llm.Message) []int { return []int{0} }))
	w.sweep(t, completions.Expiry{})
	require.Empty(t, w.traces(t, "the-secret"))
}

func TestAnEndUsersConversationGoesWhenNobodyIsAtItAnyMore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conversation := w.conversation(t)
	w.spoken(t, "the-secret", in(conversation), endUser("carol"))
	running := w.accept(t, in(conversation), endUser("carol"))
	erased, err := w.store.EraseUser(t.Context(), tenant, "carol")
	require.NoError(t, err)
	require.Equal(t, completions.Erasure{Completions: 1, Running: 1}, erased)
	require.Zero(t, w.sweep(t, completions.Expiry{}).Conversations)
	_, err = w.store.RecordFailure(t.Context(), running, ended())
	require.NoError(t, err)
	require.Equal(t, 1, w.sweep(t, completions.Expiry{}).Conversations)
	_, err = w.conversations.Find(t.Context(), tenant, conversation)
	require.ErrorIs(t, err, conversations.ErrNotFound)
}

// An export that cannot read something breaks off: it never leaves it out in silence.
func TestAnExportLeavesNothingOutInSilence(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.spoken(t, "said", endUser("anna"))
	w.exec(t, `UPDATE completion_requests SET body = '{"holdfast_sealed":"gone:AAAA"}' WHERE completion_id = $1`, fence.ID)
	lines := 0
	require.Error(t, w.store.ExportUser(t.Context(), tenant, "anna", func(store.ExportLine) error { lines++; return nil }))
	require.Zero(t, lines)
	w.exec(t, `DELETE FROM completion_requests WHERE completion_id = $1`, fence.ID)
	require.NoError(t, w.store.ExportUser(t.Context(), tenant, "anna", func(store.ExportLine) error { lines++; return nil }))
	require.Equal(t, 1, lines, "one that is erased meanwhile is not held up")
}
