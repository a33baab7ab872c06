package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/rotation"
)

const (
	// verifyFirst is how long after a refusal a key is tried again, and verifyLatest how long at most between two tries: a vendor's
	// front door errs at times, and a key that is good must not be missed for long.
	verifyFirst  = 30 * time.Second
	verifyLatest = 15 * time.Minute
	// steady is how long a key must have been good again for its next refusal to be taken for a new one.
	steady = time.Hour
	// alertAgain is how often at most operators are told of one key.
	alertAgain = time.Hour
)

// verifyAfter is how long a key that has been tried in vain so often is left alone.
func verifyAfter(tries int) time.Duration {
	pause := verifyFirst
	for range tries {
		if pause *= 2; pause >= verifyLatest {
			return verifyLatest
		}
	}
	return pause
}

// Quarantine takes a key that its provider has refused out of use, in every process, and raises an alert. The mark says which key
// was refused: one that is in its place by now stays. Quarantined says whether the key is it now, by this call.
func (v *Vault) Quarantine(ctx context.Context, provider, name, refused, why string) (quarantined bool, err error) {
	if key, ok := v.key(provider, name); ok && key.Mark != refused {
		return false, nil // known to be another one, without asking
	}
	_, err = v.change(ctx, provider, name, change{action: "key.quarantine", reason: why}, func(ctx context.Context, tx pgx.Tx, now held) error {
		var revision int
		if err := tx.QueryRow(ctx, `SELECT revision FROM provider_keys WHERE id = $1`, now.ID).Scan(&revision); err != nil {
			return err //nolint:wrapcheck // wrapped by change
		}
		own, _, _ := strings.Cut(refused, "@")
		if now.State != StateActive || mark(now.Fingerprint, revision) != own {
			return errUnchanged
		}
		back, err := goBack(ctx, tx, now, why)
		if err == nil && !back {
			err = isolate(ctx, tx, now, why)
		}
		if err != nil {
			return err
		}
		quarantined = true
		_, err = alerts.Raise(ctx, tx, v.refusedAlert(now, why, back))
		return err //nolint:wrapcheck // says what failed
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return quarantined && err == nil, err
}

// refusedAlert tells of a key that was refused; back says that its former version is in use again.
func (v *Vault) refusedAlert(key held, why string, back bool) alerts.Alert {
	text := fmt.Sprintf("%s. The key is out of use on every worker, and is tried again by itself. If it does not come back, put another in its place: holdfast keys set %s %s",
		why, key.Provider, key.Name)
	if back {
		text = fmt.Sprintf("%s. It was minted by a rotation that is under way; the former key is in use again on every worker", why)
	}
	return alerts.Alert{
		Dedupe: fmt.Sprintf("key_refused:%s:%d:%d", key.Subject(), key.Version, v.now().Unix()/int64(alertAgain.Seconds())),
		Kind:   alerts.KindKeyRefused, Severity: alerts.Critical, Subject: key.Subject(), Title: fmt.Sprintf("%s refuses key %s", key.Provider, key.Name), Text: text,
	}
}

// isolate quarantines a key. One that was refused a while ago is left alone for longer each time, also where it was put back into
// use between: a key may be refused for some calls only.
func isolate(ctx context.Context, tx pgx.Tx, now held, why string) error {
	var tries int
	err := tx.QueryRow(ctx, `UPDATE provider_keys SET state = 'quarantined', reason = $2,
		verify_tries = CASE WHEN verify_at > clock_timestamp() - $3::interval THEN verify_tries + 1 ELSE 0 END
		WHERE id = $1 RETURNING verify_tries`, now.ID, why, steady).Scan(&tries)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE provider_keys SET verify_at = clock_timestamp() + $2 WHERE id = $1`, now.ID, verifyAfter(tries))
	}
	return err //nolint:wrapcheck // wrapped by change
}

// goBack puts the former version of a key back into use that was promoted a moment ago, if its provider took that one. Its rotation
// sees what has become of it.
func goBack(ctx context.Context, tx pgx.Tx, now held, why string) (back bool, err error) {
	var former int
	err = tx.QueryRow(ctx, `SELECT r.former FROM key_rotations r JOIN key_versions o ON o.key_id = r.key_id AND o.version = r.former
		WHERE r.key_id = $1 AND r.version = $2 AND r.state = 'running' AND r.former_works AND o.state = 'draining' AND o.sealed IS NOT NULL`, now.ID, now.Version).Scan(&former)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err //nolint:wrapcheck // wrapped by change
	}
	return true, swapTo(ctx, tx, now, former, why)
}

// Verified takes in what came of trying a quarantined version of a key: it is in use again, or is tried again later.
func (v *Vault) Verified(ctx context.Context, key rotation.Key, works bool, why string) error {
	if !works {
		_, err := v.pool.Exec(ctx, `UPDATE provider_keys SET verify_tries = verify_tries + 1,
			verify_at = clock_timestamp() + least($4::interval, $5::interval * power(2, least(verify_tries + 1, 10)))
			WHERE provider = $1 AND name = $2 AND version = $3 AND state = 'quarantined'`, key.Provider, key.Name, key.Version, verifyLatest, verifyFirst)
		if err != nil {
			return fmt.Errorf("put off the next try: %w", err)
		}
		return nil
	}
	_, err := v.change(ctx, key.Provider, key.Name, change{action: "key.readmit", reason: why}, func(ctx context.Context, tx pgx.Tx, now held) error {
		if now.State != StateQuarantined || now.Version != key.Version {
			return errUnchanged
		}
		_, err := tx.Exec(ctx, `UPDATE provider_keys SET state = 'active', reason = '', verify_at = clock_timestamp(), revision = revision + 1 WHERE id = $1`, now.ID)
		return err //nolint:wrapcheck // wrapped by change
	})
	return err
}
