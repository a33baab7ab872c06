package keys

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// pollEvery is how often the table is read while nothing can be listened to, or while a key could not be opened.
	pollEvery = 2 * time.Second
	// checkEvery is how often it is read anyway: it finds a dead connection, and makes up for a notification that was lost.
	checkEvery = 10 * time.Second
	// loadTimeout bounds one reading of the table, unsealTimeout one call of the keeper.
	loadTimeout   = 10 * time.Second
	unsealTimeout = 10 * time.Second
	// unsealAtOnce bounds the calls of the keeper in flight.
	unsealAtOnce = 8
)

// Key is a provider's key in clear.
type Key struct {
	Name   string
	Secret llm.Secret
	// Mark changes when the key is replaced; it says nothing of the key.
	Mark string
}

// snapshot is what the vault knew at one time. It is never changed.
type snapshot struct {
	byProvider map[string][]Key
	opened     []openedRow
	failed     map[int64][]byte // the sealed bytes of rows that could not be opened, by id
}

// row is an active key as the table holds it.
type row struct {
	ID          int64
	Provider    string
	Name        string
	Sealed      []byte
	WrappedKey  []byte
	Keeper      string
	Fingerprint string
}

// openedRow is a row with its key.
type openedRow struct {
	row
	secret llm.Secret
}

// Ready is closed once the keys were read for the first time, even if there are none.
func (v *Vault) Ready() <-chan struct{} { return v.ready }

// Keys gives the provider's active keys, the oldest first, as of the last change heard of. It takes no lock; the caller must
// not change the slice. It is empty until [Vault.Ready].
func (v *Vault) Keys(provider string) []Key { return v.current.Load().byProvider[provider] }

// querier is what a reading of the table needs: the pool or the listening connection.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// Run keeps the keys in memory up to date until ctx ends, and returns its error. It listens on a connection of its own;
// without one it polls, and serves what it has while the database is away.
func (v *Vault) Run(ctx context.Context) error {
	down := false
	for {
		err := v.follow(ctx, func() {
			if down {
				v.logger.InfoContext(ctx, "provider keys are followed again")
			}
			down = false
		})
		if ctx.Err() != nil {
			return ctx.Err() //nolint:wrapcheck // the caller's own
		}
		if !down {
			down = true
			v.logger.WarnContext(ctx, "provider keys cannot be followed; polling", slog.String("error", err.Error()))
		}
		// There may be no connection to be had for listening while the pool holds live ones.
		if err := v.reload(ctx, v.pool); err != nil {
			v.logger.DebugContext(ctx, "provider keys could not be polled", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // the caller's own
		case <-time.After(pollEvery):
		}
	}
}

// follow reloads at every notification until the connection fails. It listens before it reads, so that no change falls
// between.
func (v *Vault) follow(ctx context.Context, up func()) error {
	config := v.pool.Config().ConnConfig.Copy()
	config.RuntimeParams["application_name"] = "holdfast keys"
	connecting, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(connecting, config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing) // nothing is lost with it
	}()
	if _, err := conn.Exec(connecting, "LISTEN "+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	for {
		if err := v.reload(ctx, conn); err != nil {
			return err
		}
		up()
		if err := v.awaitChange(ctx, conn); err != nil {
			return err
		}
	}
}

// awaitChange returns at the next notification, or when it is time to look anyway.
func (v *Vault) awaitChange(ctx context.Context, conn *pgx.Conn) error {
	wait := checkEvery
	if len(v.current.Load().failed) > 0 {
		wait = pollEvery
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	_, err := conn.WaitForNotification(waiting)
	if err != nil && ctx.Err() == nil && pgconn.Timeout(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait for notification: %w", err)
	}
	return nil
}

const activeKeys = `SELECT id, provider, name, sealed, wrapped_key, keeper, fingerprint
FROM provider_keys WHERE state = 'active' ORDER BY provider, created_at, id`

// reload reads the table and puts a new snapshot in place. Only rows that changed cost a call of the keeper.
func (v *Vault) reload(ctx context.Context, db querier) error {
	loading, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	rows, err := db.Query(loading, activeKeys)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	active, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	next := v.openAll(ctx, active)
	if ctx.Err() != nil {
		return ctx.Err() //nolint:wrapcheck // the caller's own
	}
	v.current.Store(next)
	v.readyOnce.Do(func() { close(v.ready) })
	return nil
}

// openAll opens the rows that the current snapshot has not opened. One that cannot be opened does not hide the others.
func (v *Vault) openAll(ctx context.Context, active []row) *snapshot {
	before := v.current.Load()
	known := make(map[int64]openedRow, len(before.opened))
	for _, opened := range before.opened {
		known[opened.ID] = opened
	}
	opened := make([]openedRow, len(active))
	failures := make([]error, len(active))
	var group errgroup.Group
	group.SetLimit(unsealAtOnce)
	for i, r := range active {
		if k, ok := known[r.ID]; ok && k.unchanged(r) {
			opened[i] = k
			continue
		}
		group.Go(func() error {
			unsealing, cancel := context.WithTimeout(ctx, unsealTimeout)
			defer cancel()
			secret, err := v.keeper.open(unsealing, r.Provider, r.Name, envelope{sealed: r.Sealed, wrappedKey: r.WrappedKey})
			opened[i], failures[i] = openedRow{row: r, secret: secret}, err
			return nil
		})
	}
	_ = group.Wait() // failures are kept by row

	next := &snapshot{byProvider: map[string][]Key{}, failed: map[int64][]byte{}}
	for i, o := range opened {
		if err := failures[i]; err != nil {
			next.failed[o.ID] = o.Sealed
			if ctx.Err() == nil && !bytes.Equal(before.failed[o.ID], o.Sealed) { // said once
				v.logger.ErrorContext(ctx, "provider key cannot be opened", slog.String("provider", o.Provider),
					slog.String("key_name", o.Name), slog.String("sealed_by", o.Keeper),
					slog.String("keeper", v.keeper.id), slog.String("error", err.Error()))
			}
			continue
		}
		next.opened = append(next.opened, o)
		next.byProvider[o.Provider] = append(next.byProvider[o.Provider], Key{Name: o.Name, Secret: o.secret, Mark: o.Fingerprint})
	}
	for provider, list := range next.byProvider {
		next.byProvider[provider] = slices.Clip(list) // an append by a caller copies
	}
	return next
}

func (o openedRow) unchanged(r row) bool {
	return o.Provider == r.Provider && o.Name == r.Name && bytes.Equal(o.Sealed, r.Sealed) &&
		bytes.Equal(o.WrappedKey, r.WrappedKey)
}
