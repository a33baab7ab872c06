package keys

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// pollEvery is how often the table is read while nothing can be listened to.
	pollEvery = time.Second
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
	// Mark changes when the key is replaced, or put into use again; it says nothing of the key.
	Mark string
	// Account, Weight and Tenants are as in [Info].
	Account string
	Weight  int
	Tenants []string
}

// Serves says whether a tenant's calls may be made with the key. Who asks for no tenant asks about all of them.
func (k Key) Serves(tenant string) bool {
	return tenant == "" || len(k.Tenants) == 0 || slices.Contains(k.Tenants, tenant)
}

// mark tells one key from the next, and what is known against it from what was.
func mark(fingerprint string, revision int) string {
	if revision == 0 {
		return fingerprint
	}
	return fmt.Sprintf("%s.%d", fingerprint, revision)
}

// snapshot is what the vault knew at one time. It is never changed.
type snapshot struct {
	rows       []row
	byProvider map[string][]Key
	// opened are the keys that are in use and could be opened, by their rows' ids; failed are the others.
	opened map[int64]openedRow
	failed map[int64]failure
}

func newSnapshot(rows []row) *snapshot {
	return &snapshot{rows: rows, opened: map[int64]openedRow{}, failed: map[int64]failure{}}
}

// row is a key as the table holds it.
type row struct {
	ID          int64
	Provider    string
	Name        string
	State       State
	Reason      string
	Sealed      []byte
	WrappedKey  []byte
	Keeper      string
	Fingerprint string
	Revision    int
	Source      string
	Account     string
	Weight      int
	Tenants     []string
}

// openedRow is a row with its key.
type openedRow struct {
	row
	secret llm.Secret
	// checked is when its keeper, or the place it is read from, last gave it; tried is when it was last asked.
	checked, tried time.Time
}

// mark is as [Key.Mark]. What is read from elsewhere may become another key by itself, so it is part of its mark.
func (o openedRow) mark() string {
	own := mark(o.Fingerprint, o.Revision)
	if o.Source == "" {
		return own
	}
	return own + "@" + fingerprint([]byte(o.Fingerprint), o.secret)
}

// failure is a row that could not be opened.
type failure struct {
	row
	reason string
}

// Ready is closed once the keys were read for the first time, even if there are none.
func (v *Vault) Ready() <-chan struct{} { return v.ready }

// Keys gives the provider's active keys, the oldest first, as of the last change heard of. It takes no lock; the caller must
// not change the slice. It is empty until [Vault.Ready].
func (v *Vault) Keys(provider string) []Key { return v.current.Load().byProvider[provider] }

// key finds a key that is in use.
func (v *Vault) key(provider, name string) (Key, bool) {
	for _, key := range v.Keys(provider) {
		if key.Name == name {
			return key, true
		}
	}
	return Key{}, false
}

// Unusable says of a provider without a usable key why it has none; empty if there is none at all.
func (v *Vault) Unusable(provider string) string {
	now := v.current.Load()
	var reasons []string
	for _, r := range now.rows {
		if r.Provider != provider {
			continue
		}
		switch f, failed := now.failed[r.ID]; {
		case failed:
			reasons = append(reasons, r.Name+": "+f.reason)
		case r.State != StateActive && r.Reason != "":
			reasons = append(reasons, fmt.Sprintf("%s is %s: %s", r.Name, r.State, r.Reason))
		case r.State != StateActive:
			reasons = append(reasons, fmt.Sprintf("%s is %s", r.Name, r.State))
		}
	}
	return strings.Join(reasons, "; ")
}

// publish puts a snapshot in place.
func (v *Vault) publish(next *snapshot) { v.current.Store(next) }

// querier is what a reading of the table needs: the pool or the listening connection.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// Run keeps the keys in memory up to date until ctx ends, and returns its error. It listens on a connection of its own;
// without one it polls, and serves what it has while the database is away.
func (v *Vault) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var refreshing sync.WaitGroup
	refreshing.Go(func() { v.refresh(ctx) })
	defer refreshing.Wait()
	defer cancel()
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
	waiting, cancel := context.WithTimeout(ctx, checkEvery)
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

const liveKeys = `SELECT id, provider, name, state, reason, sealed, wrapped_key, keeper, fingerprint, revision, source, account, weight, tenants
FROM provider_keys WHERE state <> 'revoked' ORDER BY provider, created_at, id`

// reload reads the table and puts a new snapshot in place. Only rows that changed cost a call of the keeper.
func (v *Vault) reload(ctx context.Context, db querier) error {
	loading, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	v.loading.Lock()
	defer v.loading.Unlock()
	rows, err := db.Query(loading, liveKeys)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	live, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	next := v.openAll(ctx, live)
	if ctx.Err() != nil {
		return ctx.Err() //nolint:wrapcheck // the caller's own
	}
	v.publish(next)
	v.readyOnce.Do(func() { close(v.ready) })
	return nil
}

// Reload reads the table now.
func (v *Vault) Reload(ctx context.Context) error { return v.reload(ctx, v.pool) }

// index sorts the keys in use by their providers, in the order of the rows.
func (s *snapshot) index() {
	s.byProvider = map[string][]Key{}
	for _, r := range s.rows {
		if o, ok := s.opened[r.ID]; ok && r.State == StateActive {
			s.byProvider[r.Provider] = append(s.byProvider[r.Provider], Key{
				Name: r.Name, Secret: o.secret, Mark: o.mark(), Account: r.Account, Weight: r.Weight, Tenants: r.Tenants,
			})
		}
	}
	for provider, list := range s.byProvider {
		s.byProvider[provider] = slices.Clip(list) // an append by a caller copies
	}
}

func (r row) unchanged(other row) bool {
	return r.Provider == other.Provider && r.Name == other.Name && r.Source == other.Source && r.Fingerprint == other.Fingerprint &&
		bytes.Equal(r.Sealed, other.Sealed) && bytes.Equal(r.WrappedKey, other.WrappedKey)
}
