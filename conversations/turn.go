package conversations

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/seal"
	"github.com/holdfast-dev/holdfast/tokens"
)

// AcquireTurn reserves the conversation for one completion, within the transaction that accepts it. It fails with
// [ErrBusy] while another completion holds it and with [ErrNotFound] when the tenant has no such conversation.
func AcquireTurn(ctx context.Context, tx pgx.Tx, tenant, id, completionID string) error {
	const acquire = `UPDATE conversations SET active_completion = $3
		WHERE id = $1 AND tenant = $2 AND active_completion IS NULL`
	tag, err := tx.Exec(ctx, acquire, id, tenant, completionID)
	if err != nil {
		return fmt.Errorf("acquiring conversation %s: %w", id, err)
	}
	if tag.RowsAffected() == 1 {
		return nil
	}
	var exists bool
	const find = `SELECT EXISTS (SELECT FROM conversations WHERE id = $1 AND tenant = $2)`
	if err := tx.QueryRow(ctx, find, id, tenant).Scan(&exists); err != nil {
		return fmt.Errorf("looking for conversation %s: %w", id, err)
	}
	if !exists {
		return ErrNotFound
	}
	return ErrBusy
}

// BeginThread makes a conversation that nobody asked for, to which a response's turn belongs, and reserves it.
func BeginThread(ctx context.Context, tx pgx.Tx, tenant, id, completionID string) error {
	const insert = `INSERT INTO conversations (id, tenant, thread, active_completion) VALUES ($1, $2, true, $3)`
	if _, err := tx.Exec(ctx, insert, id, tenant, completionID); err != nil {
		return fmt.Errorf("beginning thread %s: %w", id, err)
	}
	return nil
}

// ContinueTurn goes on behind the turn of an earlier completion, within the transaction that accepts the next. If that turn is
// the last of its thread, and nobody else is at it, the thread itself goes on; else a fork with the given id does: any number of
// turns may follow on one, and a conversation that the client has made is written to by nobody who does not name it. It gives the conversation that goes on. The error is [ErrNotFound] if the
// log has no turn of the completion.
func ContinueTurn(ctx context.Context, tx pgx.Tx, tenant, previous, fork, completionID string) (id string, err error) {
	const find = `SELECT c.id, c.thread, c.next_seq, coalesce(c.active_completion, ''), t.last,
			(SELECT tokens_before + tokens FROM conversation_items WHERE conversation_id = c.id AND seq = t.last)
		FROM (SELECT conversation_id, max(seq) AS last FROM conversation_items WHERE completion_id = $1 GROUP BY conversation_id) t
		JOIN conversations c ON c.id = t.conversation_id WHERE c.tenant = $2 FOR UPDATE OF c`
	var next, last, tokensBefore int64
	var active string
	var thread bool
	err = tx.QueryRow(ctx, find, previous, tenant).Scan(&id, &thread, &next, &active, &last, &tokensBefore)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("looking for the turn of %s: %w", previous, err)
	}
	if thread && active == "" && last == next-1 {
		return id, AcquireTurn(ctx, tx, tenant, id, completionID)
	}
	const insert = `INSERT INTO conversations (id, tenant, thread, parent_id, parent_seq, next_seq, tokens, active_completion)
		VALUES ($1, $2, true, $3, $4::bigint, $4::bigint + 1, $5, $6)`
	if _, err := tx.Exec(ctx, insert, fork, tenant, id, last, tokensBefore, completionID); err != nil {
		return "", fmt.Errorf("forking %s: %w", id, err)
	}
	return fork, nil
}

// AppendTurn adds a finished turn to the log and gives the conversation back, within the transaction that records the
// completion's outcome. The error is [ErrNotFound] if the conversation is gone. A box seals it; nil does not.
func AppendTurn(ctx context.Context, tx pgx.Tx, box *seal.Box, id, completionID string, items []Item) error {
	if _, err := appendItems(ctx, tx, box, id, completionID, items); err != nil {
		return err
	}
	return ReleaseTurn(ctx, tx, id, completionID)
}

// ReleaseTurn gives the conversation back without adding to the log: the turn failed.
func ReleaseTurn(ctx context.Context, tx pgx.Tx, id, completionID string) error {
	const release = `UPDATE conversations SET active_completion = NULL WHERE id = $1 AND active_completion = $2`
	if _, err := tx.Exec(ctx, release, id, completionID); err != nil {
		return fmt.Errorf("releasing conversation %s: %w", id, err)
	}
	return nil
}

// appendItems gives the items their places, and adds them.
func appendItems(ctx context.Context, tx pgx.Tx, box *seal.Box, id, completionID string, items []Item) ([]Item, error) {
	if len(items) == 0 {
		return nil, nil
	}
	total := int64(0)
	added := make([]Item, len(items))
	for i, item := range items {
		item.CompletionID, item.ConversationID = completionID, id
		item.Tokens = tokens.Exact(llm.Request{Messages: []llm.Message{item.Message}}).About
		added[i], total = item, total+item.Tokens
	}
	var next, before int64
	const advance = `UPDATE conversations SET next_seq = next_seq + $2, tokens = tokens + $3, active_at = clock_timestamp()
		WHERE id = $1 RETURNING next_seq - $2, tokens - $3`
	err := tx.QueryRow(ctx, advance, id, len(items), total).Scan(&next, &before)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("advancing the log of %s: %w", id, err)
	}
	batch := &pgx.Batch{}
	for i := range added {
		item := &added[i]
		item.Seq, item.TokensBefore = next+int64(i), before
		before += item.Tokens
		message, err := box.Marshal(item.Message)
		if err != nil {
			return nil, fmt.Errorf("encoding an item of %s: %w", id, err)
		}
		const insert = `INSERT INTO conversation_items (conversation_id, seq, completion_id, message, provider, model, role, tokens, tokens_before)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING created_at`
		batch.Queue(insert, id, item.Seq, completionID, message, item.Provider, item.Model, item.Message.Role, item.Tokens, item.TokensBefore).
			QueryRow(func(row pgx.Row) error { return row.Scan(&item.CreatedAt) })
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("appending to the log of %s: %w", id, err)
	}
	return added, nil
}
