package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

// keeperOf is the keeper that has wrapped a key, or, where it is not known by its name, the one in use.
func (v *Vault) keeperOf(id string) keeper {
	for _, former := range v.former {
		if former.id == id {
			return former
		}
	}
	return v.keeper
}

// Rewrapped is what a rewrapping has done.
type Rewrapped struct {
	// Keeper is what protects them now.
	Keeper string `json:"keeper"`
	// Done were wrapped anew, and Before were already.
	Done   int `json:"done"`
	Before int `json:"before"`
	// Left could not be, each with the reason.
	Left []string `json:"left"`
	// again says that something was found that was not wrapped by the keeper.
	again bool
}

// maxPasses bounds how often the tables are gone through.
const maxPasses = 20

// table is where data keys are.
type table struct {
	name string
	// wrapped is its column of wrapped data keys.
	wrapped string
	// key tells its rows apart, and label says which one it is, both as SQL.
	key, label string
}

func wrappedTables() []table {
	return []table{
		{"provider_keys", "wrapped_key", "id::text", "'key ' || provider || '/' || name"},
		{"key_versions", "wrapped_key", "key_id::text || '/' || version::text", "'version ' || version || ' of key ' || key_id"},
		{"content_keys", "wrapped", "id::text", "'content key ' || id::text"},
	}
}

// Rewrap has the keeper wrap all data keys anew that another one protects. What is sealed stays as it is. Each row is done by
// itself: cut off, it is gone on with by calling it again, and all processes that know both keepers work on meanwhile.
func (v *Vault) Rewrap(ctx context.Context) (done Rewrapped, err error) {
	done.Keeper, done.Left = v.keeper.id, []string{}
	// A key that is replaced or restored meanwhile goes from one table to the other, so they are gone through until nothing is found.
	for pass := 0; pass == 0 || pass < maxPasses && done.again; pass++ {
		done.Before, done.Left, done.again = 0, []string{}, false
		for _, t := range wrappedTables() {
			if err := v.rewrapTable(ctx, t, &done); err != nil {
				return done, fmt.Errorf("rewrap %s: %w", t.name, err)
			}
		}
	}
	done.Before -= done.Done
	if done.Done > 0 {
		err = audit.Record(ctx, v.pool, audit.Event{Action: "vault.rewrap", Subject: "vault", After: audit.Describe(done)})
	}
	return done, err //nolint:wrapcheck // says what failed
}

type wrappedRow struct {
	Key, Label, Keeper string
	Wrapped            []byte
}

func (v *Vault) rewrapTable(ctx context.Context, t table, done *Rewrapped) error {
	rows, err := v.pool.Query(ctx, `SELECT `+t.key+`, `+t.label+`, keeper, `+t.wrapped+` FROM `+t.name+` WHERE octet_length(`+t.wrapped+`) > 0 ORDER BY 1`)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by Rewrap
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wrappedRow])
	if err != nil {
		return err //nolint:wrapcheck // wrapped by Rewrap
	}
	for _, r := range list {
		if r.Keeper == v.keeper.id {
			done.Before++
			continue
		}
		wrapped, err := v.rewrap(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err() //nolint:wrapcheck // the caller's own
		}
		if err != nil {
			done.Left = append(done.Left, r.Label+": "+err.Error())
			continue
		}
		done.again = true
		changed := false
		err = postgres.Tx(ctx, v.pool, func(tx pgx.Tx) error { // a row that was changed meanwhile is found again
			tag, err := tx.Exec(ctx, `UPDATE `+t.name+` SET `+t.wrapped+` = $2, keeper = $3 WHERE `+t.key+` = $1 AND `+t.wrapped+` = $4`, r.Key, wrapped, v.keeper.id, r.Wrapped)
			if err != nil {
				return err //nolint:wrapcheck // wrapped by Rewrap
			}
			changed = tag.RowsAffected() > 0
			_, err = tx.Exec(ctx, `SELECT pg_notify($1, '')`, channel)
			return err //nolint:wrapcheck // wrapped by Rewrap
		})
		if err != nil {
			return err
		}
		if changed {
			done.Done++
		}
	}
	return nil
}

var errNoFormer = errors.New("the keeper that protects it is none of the former keepers of this process")

// rewrap unwraps a data key by the keeper that has wrapped it, and has the one in use wrap it.
func (v *Vault) rewrap(ctx context.Context, r wrappedRow) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, unsealTimeout)
	defer cancel()
	former := v.keeperOf(r.Keeper)
	if former.id != r.Keeper {
		return nil, fmt.Errorf("%w: %s", errNoFormer, strings.TrimSpace(r.Keeper))
	}
	dataKey, err := former.Decrypt(ctx, r.Wrapped)
	if err != nil {
		return nil, fmt.Errorf("unwrap data key: %w", err)
	}
	wrapped, err := v.keeper.Encrypt(ctx, dataKey)
	if err != nil {
		return nil, fmt.Errorf("wrap data key: %w", err)
	}
	return wrapped, nil
}
