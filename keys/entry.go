package keys

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/keys/source"
	"github.com/holdfast-dev/holdfast/llm"
)

// Entry is a key to be put into the vault.
type Entry struct {
	Provider, Name string
	// Key is the key itself; one trailing line break is not part of it. Source is where it is to be read from instead, a URL as
	// package source knows them.
	Key    llm.Secret
	Source string
	Attributes
}

// Former says what becomes of a key in whose place another is put.
type Former int

const (
	// FormerErased erases it: nothing can bring it back.
	FormerErased Former = iota
	// FormerKept keeps it sealed, out of use, so that [Vault.Restore] can bring it back.
	FormerKept
)

// Add seals a new key. It returns [ErrExists], [ErrBadName], [ErrBadKey] or [ErrBadAttribute] where that is what is wrong.
func (v *Vault) Add(ctx context.Context, entry Entry) (Info, error) {
	return v.put(ctx, entry, "key.add", func(ctx context.Context, tx pgx.Tx, now held, e envelope) error {
		if now.ID != 0 {
			return ErrExists
		}
		_, err := tx.Exec(ctx, `INSERT INTO provider_keys (provider, name, sealed, wrapped_key, keeper, fingerprint, source)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, entry.Provider, entry.Name, e.sealed, e.wrappedKey, e.keeper, e.fingerprint, entry.Source)
		return err //nolint:wrapcheck // wrapped by change
	})
}

// Set is [Vault.Add] that takes the place of a key of the same provider and name, if there is one: its rank among the provider's
// keys stays, and one that was out of use is in use again.
func (v *Vault) Set(ctx context.Context, entry Entry, former Former) (Info, error) {
	return v.put(ctx, entry, "key.set", func(ctx context.Context, tx pgx.Tx, now held, e envelope) error {
		if now.ID == 0 {
			_, err := tx.Exec(ctx, `INSERT INTO provider_keys (provider, name, sealed, wrapped_key, keeper, fingerprint, source)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`, entry.Provider, entry.Name, e.sealed, e.wrappedKey, e.keeper, e.fingerprint, entry.Source)
			return err //nolint:wrapcheck // wrapped by change
		}
		if err := shelve(ctx, tx, now.ID, former, "another was put in its place"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE provider_keys SET sealed = $2, wrapped_key = $3, keeper = $4, fingerprint = $5, source = $6,
			version = 1 + greatest(version, (SELECT max(version) FROM key_versions WHERE key_id = $1)), version_at = clock_timestamp(),
			state = 'active', reason = '', handle = '', expires_at = NULL, verify_at = NULL, verify_tries = 0 WHERE id = $1`,
			now.ID, e.sealed, e.wrappedKey, e.keeper, e.fingerprint, entry.Source)
		return err //nolint:wrapcheck // wrapped by change
	})
}

// shelve copies the version in use to those that are not.
func shelve(ctx context.Context, tx pgx.Tx, id int64, former Former, reason string) error {
	query := `INSERT INTO key_versions (key_id, version, state, keeper, fingerprint, source, handle, expires_at, created_at, reason)
		SELECT id, version, 'revoked', keeper, fingerprint, source, handle, expires_at, version_at, $2 FROM provider_keys WHERE id = $1`
	if former == FormerKept {
		query = `INSERT INTO key_versions (key_id, version, state, sealed, wrapped_key, keeper, fingerprint, source, handle, expires_at, created_at, reason)
			SELECT id, version, 'draining', sealed, wrapped_key, keeper, fingerprint, source, handle, expires_at, version_at, $2 FROM provider_keys WHERE id = $1`
	}
	_, err := tx.Exec(ctx, query, id, reason)
	return err //nolint:wrapcheck // wrapped by change
}

// put seals an entry's key and stores it by do, in one transaction with its attributes.
func (v *Vault) put(ctx context.Context, entry Entry, action string, do func(context.Context, pgx.Tx, held, envelope) error) (Info, error) {
	if !validName.MatchString(entry.Provider) || !validName.MatchString(entry.Name) {
		return Info{}, ErrBadName
	}
	e, err := v.envelope(ctx, entry)
	if err != nil {
		return Info{}, err
	}
	return v.change(ctx, entry.Provider, entry.Name, change{action: action, missing: true}, func(ctx context.Context, tx pgx.Tx, now held) error {
		if err := do(ctx, tx, now, e); err != nil {
			return err
		}
		return entry.apply(ctx, tx, entry.Provider, entry.Name)
	})
}

// envelope seals the entry's key. A reference has nothing to be sealed.
func (v *Vault) envelope(ctx context.Context, entry Entry) (envelope, error) {
	if entry.Source != "" {
		if entry.Key != "" {
			return envelope{}, fmt.Errorf("%w: it is given, and so is where it is to be read from", ErrBadKey)
		}
		if err := source.Check(entry.Source); err != nil {
			return envelope{}, fmt.Errorf("%w: %w", ErrBadKey, err)
		}
		return reference()
	}
	key, err := clean(entry.Key)
	if err != nil {
		return envelope{}, err
	}
	e, err := v.keeper.seal(ctx, entry.Provider, entry.Name, key)
	if err != nil {
		return envelope{}, fmt.Errorf("seal key %s/%s: %w", entry.Provider, entry.Name, err)
	}
	return e, nil
}

// Edit changes attributes of a key. It returns [ErrNotFound] or [ErrBadAttribute] where that is what is wrong.
func (v *Vault) Edit(ctx context.Context, provider, name string, attributes Attributes) (Info, error) {
	return v.change(ctx, provider, name, change{action: "key.edit"}, func(ctx context.Context, tx pgx.Tx, _ held) error {
		return attributes.apply(ctx, tx, provider, name)
	})
}

// Disable takes a key out of use in every process; [Vault.Set] and [Vault.Enable] bring one back. It returns [ErrNotFound] where
// there is none.
func (v *Vault) Disable(ctx context.Context, provider, name string) (Info, error) {
	return v.change(ctx, provider, name, change{action: "key.disable"}, func(ctx context.Context, tx pgx.Tx, now held) error {
		_, err := tx.Exec(ctx, `UPDATE provider_keys SET state = 'disabled', reason = '', verify_at = NULL WHERE id = $1`, now.ID)
		return err //nolint:wrapcheck // wrapped by change
	})
}

// Enable puts a key that is out of use into use again. It returns [ErrNotFound] where there is none.
func (v *Vault) Enable(ctx context.Context, provider, name string) (Info, error) {
	return v.change(ctx, provider, name, change{action: "key.enable"}, func(ctx context.Context, tx pgx.Tx, now held) error {
		return readmit(ctx, tx, now.ID)
	})
}

// readmit puts a key into use. What was known against it does not hold any more.
func readmit(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE provider_keys SET state = 'active', reason = '', verify_at = NULL, verify_tries = 0, revision = revision + 1
		WHERE id = $1 AND state <> 'active'`, id)
	return err //nolint:wrapcheck // wrapped by change
}

const listKeys = `SELECT ` + infoColumns + ` FROM provider_keys ORDER BY provider, created_at, id`

// List describes all keys, by provider and the oldest first.
func (v *Vault) List(ctx context.Context) ([]Info, error) {
	rows, err := v.pool.Query(ctx, listKeys)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	infos, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Info])
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return infos, nil
}
