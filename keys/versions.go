package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/rotation"
)

// Open gives a version of a key, whether it is in use or not. Its secret is empty if there is none, or none any more. It returns
// [ErrNotFound] for a version that never was.
func (v *Vault) Open(ctx context.Context, provider, name string, version int) (rotation.Version, error) {
	rows, err := v.pool.Query(ctx, `
		SELECT version, state, handle, sealed, wrapped_key, keeper, source FROM provider_keys WHERE provider = $1 AND name = $2 AND version = $3
		UNION ALL
		SELECT o.version, o.state, o.handle, o.sealed, o.wrapped_key, o.keeper, o.source
		FROM key_versions o JOIN provider_keys k ON k.id = o.key_id WHERE k.provider = $1 AND k.name = $2 AND o.version = $3
		LIMIT 1`, provider, name, version)
	if err != nil {
		return rotation.Version{}, fmt.Errorf("read version: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[struct {
		Number             int
		State              string
		Handle             string
		Sealed, WrappedKey []byte
		Keeper, Source     string
	}])
	if errors.Is(err, pgx.ErrNoRows) {
		return rotation.Version{}, ErrNotFound
	}
	if err != nil {
		return rotation.Version{}, fmt.Errorf("read version: %w", err)
	}
	opened := rotation.Version{Number: found.Number, State: found.State, Handle: found.Handle}
	if found.Source == "" && len(found.Sealed) == 0 {
		return opened, nil
	}
	opened.Secret, err = v.unseal(ctx, row{Provider: provider, Name: name, Sealed: found.Sealed, WrappedKey: found.WrappedKey, Keeper: found.Keeper, Source: found.Source})
	return opened, err
}

// Describe is what is known of a key; [ErrNotFound] if there is none.
func (v *Vault) Describe(ctx context.Context, provider, name string) (Info, error) {
	rows, err := v.pool.Query(ctx, `SELECT `+infoColumns+` FROM provider_keys WHERE provider = $1 AND name = $2`, provider, name)
	if err != nil {
		return Info{}, fmt.Errorf("read key: %w", err)
	}
	info, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Info])
	if errors.Is(err, pgx.ErrNoRows) {
		return Info{}, ErrNotFound
	}
	if err != nil {
		return Info{}, fmt.Errorf("read key: %w", err)
	}
	return info, nil
}

// History is what a key has been through: its versions that are not in use, its rotations, and who changed what, the latest first.
type History struct {
	Versions  []Version           `json:"versions"`
	Rotations []rotation.Rotation `json:"rotations"`
	Events    []audit.Event       `json:"events"`
}

// historyLimit bounds each list of a [History].
const historyLimit = 100

// History gives what a key has been through; [ErrNotFound] if there is none.
func (v *Vault) History(ctx context.Context, provider, name string) (history History, err error) {
	if _, err := v.Describe(ctx, provider, name); err != nil {
		return History{}, err
	}
	rows, err := v.pool.Query(ctx, `SELECT o.version, o.state, o.reason, o.handle, o.rotation, o.expires_at, o.created_at, o.updated_at
		FROM key_versions o JOIN provider_keys k ON k.id = o.key_id WHERE k.provider = $1 AND k.name = $2 ORDER BY o.version DESC LIMIT $3`, provider, name, historyLimit)
	if err != nil {
		return History{}, fmt.Errorf("read versions: %w", err)
	}
	if history.Versions, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Version]); err != nil {
		return History{}, fmt.Errorf("read versions: %w", err)
	}
	if history.Rotations, err = v.Rotations(ctx, provider, name, historyLimit); err != nil {
		return History{}, err
	}
	history.Events, err = audit.List(ctx, v.pool, audit.Filter{Subject: provider + "/" + name, Limit: historyLimit})
	return history, err //nolint:wrapcheck // says what failed
}
