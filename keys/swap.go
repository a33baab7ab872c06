package keys

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/rotation"
)

// swapIn puts a version that is not in use in the place of the one that is. A key that an operator has disabled stays so.
const swapIn = `UPDATE provider_keys k SET version = o.version, sealed = o.sealed, wrapped_key = o.wrapped_key, keeper = o.keeper, fingerprint = o.fingerprint,
	source = o.source, handle = o.handle, expires_at = o.expires_at, version_at = clock_timestamp(), revision = k.revision + 1,
	state = CASE k.state WHEN 'disabled' THEN 'disabled' ELSE 'active' END, reason = '', verify_at = NULL, verify_tries = 0
	FROM key_versions o WHERE k.id = $1 AND o.key_id = k.id AND o.version = $2 AND (o.sealed IS NOT NULL OR o.source <> '')`

// swapTo replaces the version in use by another, and keeps it.
func swapTo(ctx context.Context, tx pgx.Tx, now held, to int, reason string) error {
	if err := shelve(ctx, tx, now.ID, FormerKept, reason); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, swapIn, now.ID, to)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by change
	}
	if tag.RowsAffected() == 0 { // there is nothing to be put into use
		return ErrChanged
	}
	_, err = tx.Exec(ctx, `DELETE FROM key_versions WHERE key_id = $1 AND version = $2`, now.ID, to)
	return err //nolint:wrapcheck // wrapped by change
}

// Promote puts the minted version into use, in every process, in the place of the former one, which drains, and notes whether its
// provider takes the former one as before. Promoted again, it changes nothing. It returns [ErrChanged] if the key in use is not the
// former one any more, or is disabled, or if the rotation is being undone, or has ended.
func (v *Vault) Promote(ctx context.Context, r rotation.Rotation, formerWorks bool) error {
	_, err := v.change(ctx, r.Provider, r.Name, change{action: "key.promote", reason: "rotation " + r.ID}, func(ctx context.Context, tx pgx.Tx, now held) error {
		tag, err := tx.Exec(ctx, `UPDATE key_rotations SET former_works = $2 WHERE id = $1 AND state = 'running' AND step <> 'undo'`, r.ID, formerWorks)
		switch {
		case err != nil:
			return err //nolint:wrapcheck // wrapped by change
		case tag.RowsAffected() == 0:
			return ErrChanged
		case now.Version == r.Version:
			return errUnchanged
		case now.Version != r.Former || now.State == StateDisabled:
			return ErrChanged
		}
		return swapTo(ctx, tx, now, r.Version, "calls in flight end on it")
	})
	return err
}

// Undo puts the former version into use again, in the place of the one that a rotation has minted. It returns [ErrChanged] if that is
// not in use.
func (v *Vault) Undo(ctx context.Context, r rotation.Rotation, why string) error {
	_, err := v.change(ctx, r.Provider, r.Name, change{action: "key.undo", reason: why}, func(ctx context.Context, tx pgx.Tx, now held) error {
		if now.Version != r.Version {
			return ErrChanged
		}
		return swapTo(ctx, tx, now, r.Former, why)
	})
	return err
}

// Restore puts a version that was kept into use again. The one in its place is kept, too. It returns [ErrNotFound], or [ErrChanged]
// if nothing is left of the version.
func (v *Vault) Restore(ctx context.Context, provider, name string, version int) (Info, error) {
	if version < 1 || version > math.MaxInt32 {
		return Info{}, ErrChanged
	}
	return v.change(ctx, provider, name, change{action: "key.restore"}, func(ctx context.Context, tx pgx.Tx, now held) error {
		if now.Version == version {
			return readmit(ctx, tx, now.ID)
		}
		var state State
		err := tx.QueryRow(ctx, `SELECT state FROM key_versions WHERE key_id = $1 AND version = $2`, now.ID, version).Scan(&state)
		switch {
		case errors.Is(err, pgx.ErrNoRows), err == nil && state != StateDraining:
			return ErrChanged
		case err != nil:
			return err //nolint:wrapcheck // wrapped by change
		}
		if err := swapTo(ctx, tx, now, version, "another was restored in its place"); err != nil {
			return err
		}
		return readmit(ctx, tx, now.ID)
	})
}

const eraseVersion = `UPDATE key_versions SET state = 'revoked', sealed = NULL, wrapped_key = NULL, source = '', reason = $3, updated_at = clock_timestamp()
	WHERE key_id = $1 AND version = $2`

// Retire erases the former version, so that nobody can put it back into use while its provider is told to revoke it. It returns
// [ErrChanged] if the version in use is not the one that the rotation has minted: then the former one may be wanted.
func (v *Vault) Retire(ctx context.Context, r rotation.Rotation, why string) error {
	_, err := v.change(ctx, r.Provider, r.Name, change{action: "key.retire", reason: why}, func(ctx context.Context, tx pgx.Tx, now held) error {
		if now.Version != r.Version {
			return ErrChanged
		}
		_, err := tx.Exec(ctx, eraseVersion, now.ID, r.Former, why)
		return err //nolint:wrapcheck // wrapped by change
	})
	return err
}

// Erase makes a version that is not in use worthless: what it was is gone, and why stands beside it. It returns [ErrChanged] for the
// version in use.
func (v *Vault) Erase(ctx context.Context, provider, name string, version int, why string) error {
	_, err := v.change(ctx, provider, name, change{action: "key.erase", reason: why}, func(ctx context.Context, tx pgx.Tx, now held) error {
		tag, err := tx.Exec(ctx, eraseVersion, now.ID, version, why)
		if err == nil && tag.RowsAffected() == 0 {
			return ErrChanged
		}
		return err //nolint:wrapcheck // wrapped by change
	})
	return err
}
