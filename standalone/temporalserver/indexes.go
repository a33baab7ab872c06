package temporalserver

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// keepIndex tells which indexes of the visibility table stay on a database of our own. The table has more than seventy, each
// written three times a workflow, for columns that Holdfast never fills. Which keyword column a search attribute is given is
// left to chance, so all ten stay.
func keepIndex(name string) bool {
	switch name {
	case "executions_visibility_pkey", "default_idx", "by_workflow_id", "by_workflow_type", "by_status", divisionIndex:
		return true
	}
	return strings.HasPrefix(name, "by_keyword_") && !strings.HasPrefix(name, "by_keyword_list_")
}

// divisionIndex finds schedules, which are few, among completions, which have no division and so cost nothing here.
const divisionIndex = "holdfast_by_division"

const (
	createPrunedTable = `CREATE TABLE IF NOT EXISTS holdfast_pruned_indexes (name text PRIMARY KEY, definition text NOT NULL)`

	createDivisionIndex = `CREATE INDEX IF NOT EXISTS ` + divisionIndex + ` ON executions_visibility
		(namespace_id, TemporalNamespaceDivision, (COALESCE(close_time, '9999-12-31 23:59:59')) DESC, start_time DESC, run_id)
		WHERE TemporalNamespaceDivision IS NOT NULL`

	selectIndexes = `SELECT indexname, indexdef FROM pg_indexes
		WHERE schemaname = 'public' AND tablename = 'executions_visibility' ORDER BY indexname`

	insertPruned = `INSERT INTO holdfast_pruned_indexes (name, definition) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET definition = excluded.definition`

	selectPruned = `SELECT name, definition FROM holdfast_pruned_indexes ORDER BY name`
)

// index is one row of pg_indexes.
type index struct{ Name, Definition string }

// pruneIndexes drops the indexes that nothing here uses and remembers how to make them again.
func (d *database) pruneIndexes(ctx context.Context) error {
	conn, err := d.connect(ctx, visibilityDatabase)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is pending
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, statement := range []string{createPrunedTable, createDivisionIndex} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		all, err := collectIndexes(ctx, tx, selectIndexes)
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for _, i := range all {
			if !keepIndex(i.Name) {
				batch.Queue(insertPruned, i.Name, i.Definition)
				batch.Queue("DROP INDEX " + pgx.Identifier{i.Name}.Sanitize())
			}
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return fmt.Errorf("prune visibility indexes: %w", err)
	}
	return nil
}

// restoreIndexes makes the pruned indexes again: a schema upgrade may drop or alter them by name.
func restoreIndexes(ctx context.Context, conn *pgx.Conn) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, statement := range []string{createPrunedTable, "DROP INDEX IF EXISTS " + divisionIndex} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		pruned, err := collectIndexes(ctx, tx, selectPruned)
		if err != nil {
			return err
		}
		for _, i := range pruned {
			if _, err := tx.Exec(ctx, strings.Replace(i.Definition, "CREATE INDEX ", "CREATE INDEX IF NOT EXISTS ", 1)); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "DELETE FROM holdfast_pruned_indexes")
		return err
	})
	if err != nil {
		return fmt.Errorf("restore visibility indexes: %w", err)
	}
	return nil
}

func collectIndexes(ctx context.Context, tx pgx.Tx, query string) ([]index, error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[index])
}
