package conversations

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
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

// AppendTurn adds a finished turn to the log and gives the conversation back, within the transaction that records the
// completion's outcome.
func AppendTurn(ctx context.Context, tx pgx.Tx, id, completionID string, items []Item) error {
	if err := appendItems(ctx, tx, id, completionID, items); err != nil {
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

func appendItems(ctx context.Context, tx pgx.Tx, id, completionID string, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	var next int64
	const advance = `UPDATE conversations SET next_seq = next_seq + $2 WHERE id = $1 RETURNING next_seq - $2`
	if err := tx.QueryRow(ctx, advance, id, len(items)).Scan(&next); err != nil {
		return fmt.Errorf("advancing the log of %s: %w", id, err)
	}
	batch := &pgx.Batch{}
	for i, item := range items {
		message, err := json.Marshal(item.Message)
		if err != nil {
			return fmt.Errorf("encoding an item of %s: %w", id, err)
		}
		const insert = `INSERT INTO conversation_items (conversation_id, seq, completion_id, message, provider, model)
			VALUES ($1, $2, $3, $4, $5, $6)`
		batch.Queue(insert, id, next+int64(i), completionID, message, item.Provider, item.Model)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("appending to the log of %s: %w", id, err)
	}
	return nil
}
