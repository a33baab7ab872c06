package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/rotation"
)

const rotationColumns = `r.id, k.provider, k.name, r.state, r.step, r.because, r.dry_run, r.former, r.version, r.error, r.started_at, r.ended_at`

// Begin writes down that a rotation begins, with a version that is to be minted. Begun again, it gives what stands. There is one
// workflow a key, so another rotation that stands as running was ended from outside, and is taken for failed. It returns
// [ErrNotFound], [ErrChanged] for a key that is out of use by an operator's will, or [ErrElsewhere].
func (v *Vault) Begin(ctx context.Context, r rotation.Rotation) (begun rotation.Rotation, err error) {
	_, err = v.change(ctx, r.Provider, r.Name, change{action: "key.rotate", reason: r.Because}, func(ctx context.Context, tx pgx.Tx, now held) error {
		var err error
		if begun, err = rotationOf(ctx, tx, r.ID); err == nil {
			return errUnchanged
		}
		switch {
		case !errors.Is(err, ErrNotFound):
			return err
		case now.State != StateActive && now.State != StateQuarantined:
			return ErrChanged
		case now.Source != "":
			return ErrElsewhere
		}
		if err := abandon(ctx, tx, now); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRow(ctx, `SELECT 1 + greatest($2::int, (SELECT max(version) FROM key_versions WHERE key_id = $1))`, now.ID, now.Version).Scan(&version); err != nil {
			return err //nolint:wrapcheck // wrapped by change
		}
		_, err = tx.Exec(ctx, `INSERT INTO key_rotations (id, key_id, state, because, dry_run, former, version) VALUES ($1, $2, 'running', $3, $4, $5, $6)`,
			r.ID, now.ID, r.Because, r.DryRun, now.Version, version)
		if _, unique := postgres.UniqueViolation(err); unique {
			return ErrRotating
		}
		if err != nil {
			return err //nolint:wrapcheck // wrapped by change
		}
		if _, err := tx.Exec(ctx, `INSERT INTO key_versions (key_id, version, state, rotation) VALUES ($1, $2, 'pending', $3)`, now.ID, version, r.ID); err != nil {
			return err //nolint:wrapcheck // wrapped by change
		}
		begun, err = rotationOf(ctx, tx, r.ID)
		return err
	})
	return begun, err
}

// abandon ends the rotation of a key that stands as running and is not, and raises an alert.
func abandon(ctx context.Context, tx pgx.Tx, key held) error {
	var id string
	err := tx.QueryRow(ctx, `UPDATE key_rotations SET state = 'failed', ended_at = clock_timestamp(), error = $2
		WHERE key_id = $1 AND state = 'running' RETURNING id`, key.ID, endedOutside).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // wrapped by change
	}
	left, err := rotationOf(ctx, tx, id)
	if err != nil {
		return err
	}
	_, err = alerts.Raise(ctx, tx, alertOf(left))
	return err //nolint:wrapcheck // says what failed
}

func rotationOf(ctx context.Context, db querier, id string) (rotation.Rotation, error) {
	rows, err := db.Query(ctx, `SELECT `+rotationColumns+` FROM key_rotations r JOIN provider_keys k ON k.id = r.key_id WHERE r.id = $1`, id)
	if err != nil {
		return rotation.Rotation{}, fmt.Errorf("read rotation: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[rotation.Rotation])
	if errors.Is(err, pgx.ErrNoRows) {
		return rotation.Rotation{}, ErrNotFound
	}
	if err != nil {
		return rotation.Rotation{}, fmt.Errorf("read rotation: %w", err)
	}
	return found, nil
}

// InUse is the version of a key in use.
func (v *Vault) InUse(ctx context.Context, provider, name string) (int, error) {
	info, err := v.Describe(ctx, provider, name)
	return info.Version, err
}

// Abandoned is the rotation of the key before this one, if its workflow was ended from outside and something may be left of it.
func (v *Vault) Abandoned(ctx context.Context, r rotation.Rotation) (left rotation.Rotation, ok bool, err error) {
	rows, err := v.pool.Query(ctx, `SELECT `+rotationColumns+` FROM key_rotations r JOIN provider_keys k ON k.id = r.key_id
		WHERE k.provider = $1 AND k.name = $2 AND r.id <> $3 AND r.started_at < $4 ORDER BY r.started_at DESC LIMIT 1`, r.Provider, r.Name, r.ID, r.StartedAt)
	if err == nil {
		left, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[rotation.Rotation])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return rotation.Rotation{}, false, nil
	}
	if err != nil {
		return rotation.Rotation{}, false, fmt.Errorf("read the rotation before: %w", err)
	}
	return left, left.State == rotation.Failed && left.Error == endedOutside, nil
}

// endedOutside is the problem of a rotation whose workflow ended and did not say so.
const endedOutside = "its workflow was ended from outside; the next rotation takes away what is left"

// Rotations gives the latest rotations of a key, or of all where provider is empty, the latest first.
func (v *Vault) Rotations(ctx context.Context, provider, name string, limit int) ([]rotation.Rotation, error) {
	rows, err := v.pool.Query(ctx, `SELECT `+rotationColumns+` FROM key_rotations r JOIN provider_keys k ON k.id = r.key_id
		WHERE ($1 = '' OR (k.provider = $1 AND k.name = $2)) ORDER BY r.started_at DESC LIMIT $3`, provider, name, limit)
	if err != nil {
		return nil, fmt.Errorf("read rotations: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rotation.Rotation])
	if err != nil {
		return nil, fmt.Errorf("read rotations: %w", err)
	}
	return list, nil
}

// Step writes down which step of a rotation is under way. What is being undone has no other any more.
func (v *Vault) Step(ctx context.Context, id string, step rotation.Step) error {
	if _, err := v.pool.Exec(ctx, `UPDATE key_rotations SET step = $2 WHERE id = $1 AND state = 'running' AND step <> 'undo'`, id, step); err != nil {
		return fmt.Errorf("write down step %s: %w", step, err)
	}
	return nil
}

// Keep seals what was minted for a rotation. It is not in use yet.
func (v *Vault) Keep(ctx context.Context, r rotation.Rotation, minted rotation.Minted) error {
	key, err := clean(minted.Key)
	if err != nil {
		return err
	}
	e, err := v.keeper.seal(ctx, r.Provider, r.Name, key)
	if err != nil {
		return fmt.Errorf("seal key %s: %w", r.Subject(), err)
	}
	_, err = v.change(ctx, r.Provider, r.Name, change{action: "key.mint", reason: "rotation " + r.ID}, func(ctx context.Context, tx pgx.Tx, now held) error {
		tag, err := tx.Exec(ctx, `UPDATE key_versions SET sealed = $3, wrapped_key = $4, keeper = $5, fingerprint = $6, handle = $7, expires_at = $8, updated_at = clock_timestamp()
			WHERE key_id = $1 AND version = $2 AND state = 'pending'`, now.ID, r.Version, e.sealed, e.wrappedKey, e.keeper, e.fingerprint, minted.Handle, nullable(minted.ExpiresAt))
		if err == nil && tag.RowsAffected() == 0 {
			return ErrChanged
		}
		if err == nil && minted.Former != "" {
			_, err = tx.Exec(ctx, `UPDATE provider_keys SET handle = $3 WHERE id = $1 AND version = $2 AND handle = ''`, now.ID, r.Former, minted.Former)
		}
		return err //nolint:wrapcheck // wrapped by change
	})
	return err
}

// Final says that an error of the vault's is one that another try cannot mend.
func (v *Vault) Final(err error) bool {
	return slices.ContainsFunc([]error{ErrNotFound, ErrRotating, ErrChanged, ErrElsewhere, ErrBadKey, ErrBadName}, func(final error) bool { return errors.Is(err, final) })
}

// End writes down what came of a rotation, and raises an alert if that is not what was to come of it. Whoever ends it first has the
// last word.
func (v *Vault) End(ctx context.Context, id string, state rotation.State, problem string) (ended rotation.Rotation, err error) {
	err = postgres.Tx(ctx, v.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE key_rotations SET state = $2, error = $3, ended_at = clock_timestamp() WHERE id = $1 AND state = 'running'`, id, state, problem)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		if ended, err = rotationOf(ctx, tx, id); err != nil || ended.Error == "" {
			return err
		}
		_, err = alerts.Raise(ctx, tx, alertOf(ended))
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return rotation.Rotation{}, fmt.Errorf("end rotation: %w", err)
	}
	return ended, nil
}

// alertOf tells of a rotation that did not come to its end.
func alertOf(r rotation.Rotation) alerts.Alert {
	alert := alerts.Alert{Dedupe: "rotation_failed:" + r.ID, Kind: alerts.KindRotationFailed, Severity: alerts.Warning, Subject: r.Subject()}
	seen := fmt.Sprintf(" See the workflow key-rotation/%s, or: holdfast keys history %s %s", r.Subject(), r.Provider, r.Name)
	switch r.State {
	case rotation.Done:
		alert.Title = fmt.Sprintf("key %s was rotated, and its former version is left", r.Subject())
	case rotation.Failed:
		alert.Severity = alerts.Critical
		alert.Title = fmt.Sprintf("key %s was not rotated, and a new key may be left at its provider", r.Subject())
	default:
		alert.Title = fmt.Sprintf("key %s was not rotated", r.Subject())
	}
	alert.Text = fmt.Sprintf("At step %s: %s.%s", r.Step, r.Error, seen)
	return alert
}

const watchedKeys = `SELECT k.provider, k.name, k.state, k.version, k.version_at, k.expires_at, k.source <> '',
	k.state = 'quarantined' AND k.verify_at <= clock_timestamp(),
	(SELECT count(*) FROM key_rotations r WHERE r.key_id = k.id AND r.state IN ('undone', 'failed') AND NOT r.dry_run AND r.ended_at > k.version_at),
	(SELECT max(r.ended_at) FROM key_rotations r WHERE r.key_id = k.id AND r.state IN ('undone', 'failed') AND NOT r.dry_run),
	EXISTS (SELECT FROM key_rotations r WHERE r.key_id = k.id AND r.state = 'running' AND r.started_at > clock_timestamp() - interval '27 hours')
	FROM provider_keys k ORDER BY k.provider, k.created_at, k.id`

// Watched gives what is known of all keys, for deciding what is to be done about them, and the time by the same clock.
func (v *Vault) Watched(ctx context.Context) (list []rotation.Key, now time.Time, err error) {
	rows, err := v.pool.Query(ctx, watchedKeys)
	if err == nil {
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[rotation.Key])
	}
	if err == nil {
		err = v.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read keys: %w", err)
	}
	return list, now, nil
}

// Others gives what providers call all other keys of the vault, in use or not, and whether another one is the same credential.
func (v *Vault) Others(ctx context.Context, r rotation.Rotation) (handles []string, shared bool, err error) {
	rows, err := v.pool.Query(ctx, `
		SELECT handle FROM provider_keys WHERE handle <> '' AND (provider, name) <> ($1, $2)
		UNION SELECT o.handle FROM key_versions o JOIN provider_keys k ON k.id = o.key_id
		WHERE o.handle <> '' AND o.state <> 'revoked' AND (k.provider, k.name) <> ($1, $2)`, r.Provider, r.Name)
	if err == nil {
		handles, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, false, fmt.Errorf("read handles: %w", err)
	}
	own, _ := v.key(r.Provider, r.Name)
	for _, o := range v.current.Load().opened {
		if o.secret == own.Secret && own.Secret != "" && (o.Provider != r.Provider || o.Name != r.Name) {
			return handles, true, nil
		}
	}
	return handles, false, nil
}

// Expiring raises an alert that a key ends within a span, once for each span and version. A key that ends within a day is critical.
func (v *Vault) Expiring(ctx context.Context, key rotation.Key, span time.Duration, rotated bool) error {
	severity := alerts.Warning
	if span <= 24*time.Hour {
		severity = alerts.Critical
	}
	text := fmt.Sprintf("It ends at %s. Put another in its place: holdfast keys set %s %s", key.ExpiresAt.UTC().Format(time.RFC3339), key.Provider, key.Name)
	if rotated {
		text = fmt.Sprintf("It ends at %s, and is to be rotated before; see holdfast keys history %s %s for why it has not been", key.ExpiresAt.UTC().Format(time.RFC3339), key.Provider, key.Name)
	}
	_, err := alerts.Raise(ctx, v.pool, alerts.Alert{
		Dedupe: fmt.Sprintf("key_expiring:%s:%d:%s:%d", key.Subject(), key.Version, span, key.ExpiresAt.Unix()), Kind: alerts.KindKeyExpiring, Severity: severity, Subject: key.Subject(),
		Title: fmt.Sprintf("key %s ends within %s", key.Subject(), days(span)), Text: text,
	})
	return err //nolint:wrapcheck // says what failed
}

// days says a span as a person would.
func days(span time.Duration) string {
	if n := int(span.Hours() / 24); n > 1 {
		return fmt.Sprintf("%d days", n)
	}
	if span == 24*time.Hour {
		return "a day"
	}
	return span.String()
}
