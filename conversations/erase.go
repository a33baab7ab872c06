package conversations

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// LockTree lists a conversation and all that fork from it, and keeps turns away from them until the transaction ends. The error
// is [ErrNotFound] if the tenant has no such conversation, and [ErrBusy] while a completion is at one of them.
func LockTree(ctx context.Context, tx pgx.Tx, tenant, id string) ([]string, error) {
	const query = `WITH RECURSIVE tree AS (
			SELECT id FROM conversations WHERE id = $1 AND tenant = $2
			UNION ALL
			SELECT c.id FROM conversations c JOIN tree t ON c.parent_id = t.id)
		SELECT c.id, c.active_completion IS NOT NULL AS active FROM conversations c WHERE c.id IN (SELECT id FROM tree) ORDER BY c.id FOR UPDATE`
	rows, _ := tx.Query(ctx, query, id, tenant)
	type node struct {
		ID     string
		Active bool
	}
	nodes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[node])
	if err != nil {
		return nil, fmt.Errorf("looking what follows on %s: %w", id, err)
	}
	if len(nodes) == 0 {
		return nil, ErrNotFound
	}
	tree := make([]string, 0, len(nodes))
	for _, at := range nodes {
		if at.Active {
			return nil, ErrBusy
		}
		tree = append(tree, at.ID)
	}
	return tree, nil
}

// DeleteTree deletes a conversation, with its items, its summaries and all that forks from it.
func DeleteTree(ctx context.Context, tx pgx.Tx, id string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM conversations WHERE id = $1`, id); err != nil {
		return fmt.Errorf("deleting conversation %s: %w", id, err)
	}
	return nil
}
