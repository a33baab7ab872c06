package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

// held is a key whose row is locked. Its ID is 0 if there is none.
type held struct {
	ID int64
	Info
}

// change is how a key is changed.
type change struct {
	action string
	reason string
	// missing allows that there is no such key yet.
	missing bool
}

const holdKey = `SELECT id, ` + infoColumns + ` FROM provider_keys WHERE provider = $1 AND name = $2 FOR UPDATE`

// errUnchanged is for what has been done before: nothing is written down.
var errUnchanged = errors.New("nothing is to be changed")

// change holds a key's row, has it changed, writes that down and notifies, in one transaction.
func (v *Vault) change(
	ctx context.Context, provider, name string, what change, do func(ctx context.Context, tx pgx.Tx, now held) error,
) (after Info, err error) {
	err = postgres.Tx(ctx, v.pool, func(tx pgx.Tx) error {
		before, err := hold(ctx, tx, provider, name)
		if err != nil {
			return err
		}
		if before.ID == 0 && !what.missing {
			return ErrNotFound
		}
		after = before.Info
		if err := do(ctx, tx, before); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE provider_keys SET updated_at = clock_timestamp() WHERE provider = $1 AND name = $2`, provider, name); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		now, err := hold(ctx, tx, provider, name)
		if err != nil {
			return err
		}
		after = now.Info
		event := audit.Event{Action: what.action, Subject: provider + "/" + name, After: audit.Describe(after), Reason: what.reason}
		if before.ID != 0 {
			event.Before = audit.Describe(before.Info)
		}
		if err := audit.Record(ctx, tx, event); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, '')`, channel)
		return err //nolint:wrapcheck // wrapped below
	})
	if errors.Is(err, errUnchanged) {
		return after, nil
	}
	_, unique := postgres.UniqueViolation(err)
	switch {
	case errors.Is(err, ErrExists), errors.Is(err, ErrNotFound), errors.Is(err, ErrChanged), errors.Is(err, ErrBadAttribute), errors.Is(err, ErrRotating), errors.Is(err, ErrElsewhere):
		return Info{}, err
	case unique:
		return Info{}, ErrExists
	case err != nil:
		return Info{}, fmt.Errorf("change key %s/%s: %w", provider, name, err)
	}
	return after, nil
}

func hold(ctx context.Context, tx pgx.Tx, provider, name string) (held, error) {
	rows, err := tx.Query(ctx, holdKey, provider, name)
	if err != nil {
		return held{}, err //nolint:wrapcheck // wrapped by change
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[held])
	if errors.Is(err, pgx.ErrNoRows) {
		return held{}, nil
	}
	return found, err //nolint:wrapcheck // wrapped by change
}
