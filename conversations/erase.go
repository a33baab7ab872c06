package conversations

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// LockTree lists a conversation and all that fork from it, and keeps turns away from them until the transaction ends. The error
// is [ErrNotFound] if the tenant has no such conversation, and [ErrBusy], with the list, while a completion is at one of them.
func LockTree(ctx context.Context, tx pgx.Tx, tenant, id string) (tree []string, err error) {
	const query = `WITH RECURSIVE tree AS (
			SELECT id FROM conversations WHERE id = $1 AND tenant = $2
			UNION ALL
			SELECT c.id FROM conversations c JOIN tree t ON c.parent_id = t.id)
		SELECT c.id, c.active_completion IS NOT NULL AS active FROM conversations c WHERE c.id IN (SELECT id FROM tree) ORDER BY c.id FOR UPDATE`
	type node struct {
		ID     string
		Active bool
	}
	for {
		rows, _ := tx.Query(ctx, query, id, tenant)
		nodes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[node])
		if err != nil {
			return nil, fmt.Errorf("looking what follows on %s: %w", id, err)
		}
		if len(nodes) == 0 {
			return nil, ErrNotFound
		}
		// A fork may have come while the locks were waited for. Once a look finds no more than was locked, none can come.
		if len(nodes) > len(tree) {
			tree = tree[:0]
			for _, at := range nodes {
				tree = append(tree, at.ID)
			}
			continue
		}
		for _, at := range nodes {
			if at.Active {
				return tree, ErrBusy
			}
		}
		return tree, nil
	}
}

// EraseWhenIdle notes that a conversation is to be erased as soon as nobody is at it.
func EraseWhenIdle(ctx context.Context, tx pgx.Tx, id string) error {
	if _, err := tx.Exec(ctx, `UPDATE conversations SET erase_at = clock_timestamp() WHERE id = $1`, id); err != nil {
		return fmt.Errorf("noting that %s is to be erased: %w", id, err)
	}
	return nil
}

// DeleteTree deletes a conversation, with its items, its summaries and all that forks from it.
func DeleteTree(ctx context.Context, tx pgx.Tx, id string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM conversations WHERE id = $1`, id); err != nil {
		return fmt.Errorf("deleting conversation %s: %w", id, err)
	}
	return nil
}
