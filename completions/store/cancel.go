package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

// CancelChannel is where PostgreSQL announces the id of each completion that is to be cancelled.
const CancelChannel = "holdfast_cancel"

// RequestCancel notes that the completion is to be cancelled and announces it to all processes, in one transaction. It gives
// the completion as it stands: one that has its outcome is left alone.
func (s *Store) RequestCancel(ctx context.Context, tenant, id string) (completions.Completion, error) {
	const update = `UPDATE completions c SET cancel_requested_at = coalesce(c.cancel_requested_at, clock_timestamp())
		WHERE c.id = $1 AND ($2 = '' OR c.tenant = $2) AND c.state = 'open' RETURNING ` + completionColumns
	var found completions.Completion
	err := postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, update, id, tenant)
		var err error
		if found, err = pgx.CollectExactlyOneRow(rows, scanCompletion); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, $2)`, CancelChannel, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		found, _, err = s.Find(ctx, tenant, id)
		return found, err
	}
	if err != nil {
		return found, fmt.Errorf("cancelling %s: %w", id, err)
	}
	return found, nil
}

// CancelRequested lists those of the completions that are to be cancelled.
func (s *Store) CancelRequested(ctx context.Context, ids []string) ([]string, error) {
	rows, _ := s.pool.Query(ctx, `SELECT id FROM completions WHERE id = ANY ($1) AND cancel_requested_at IS NOT NULL`, ids)
	cancelled, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("looking for what is to be cancelled: %w", err)
	}
	return cancelled, nil
}
