package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Beginner starts a transaction: a pool, a connection, or a transaction (which makes a savepoint).
type Beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// Tx runs do in one transaction: committed when do returns nil, rolled back when it returns an error or panics. The error
// of do is returned as it is; that of the commit says that nothing, or at worst an unknown outcome, was recorded, which is
// why every write of ours is one that can be repeated.
func Tx(ctx context.Context, db Beginner, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db, do)
}
