package keys

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/llm"
)

// openAll opens the rows in use that the current snapshot has not tried to open. One that cannot be opened does not hide the
// others; it is tried again by [Vault.refresh].
func (v *Vault) openAll(ctx context.Context, live []row) *snapshot {
	before := v.current.Load()
	next := newSnapshot(live)
	var fresh []row
	for _, r := range live {
		if known, ok := before.opened[r.ID]; ok && known.unchanged(r) && r.State != StateDisabled { // a quarantined one may be back at any time
			known.row = r
			next.opened[r.ID] = known
			continue
		}
		if r.State != StateActive {
			continue
		}
		if known, ok := before.failed[r.ID]; ok && known.unchanged(r) {
			next.failed[r.ID] = failure{row: r, reason: known.reason}
			continue
		}
		fresh = append(fresh, r)
	}
	attempts := v.attemptAll(ctx, fresh)
	for _, r := range fresh {
		switch a, done := attempts[r.ID]; {
		case !done:
			next.failed[r.ID] = failure{row: r, reason: "it is being opened"}
		case a.err != nil:
			next.failed[r.ID] = failure{row: r, reason: cannot(r)}
			v.report(ctx, r, a.err)
		default:
			next.opened[r.ID] = openedRow{row: r, secret: a.secret, checked: a.at, tried: a.at}
		}
	}
	next.index()
	return next
}

// patience is how long a change waits for keys to be opened. What takes longer is left to [Vault.refresh], and holds up nothing.
const patience = 500 * time.Millisecond

// attemptAll opens rows, and gives what came of it within [patience].
func (v *Vault) attemptAll(ctx context.Context, rows []row) map[int64]attempt {
	if len(rows) == 0 {
		return nil
	}
	var mu sync.Mutex
	attempts, done := make(map[int64]attempt, len(rows)), make(chan struct{})
	go func() {
		defer close(done)
		var group errgroup.Group
		group.SetLimit(unsealAtOnce)
		for _, r := range rows {
			if ctx.Err() != nil {
				break
			}
			group.Go(func() error {
				a := v.attempt(ctx, r)
				mu.Lock()
				defer mu.Unlock()
				attempts[r.ID] = a
				return nil
			})
		}
		_ = group.Wait() // failures are kept by row
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(attempts)
}

// attempt is what came of opening a row.
type attempt struct {
	secret llm.Secret
	err    error
	at     time.Time
}

func (v *Vault) attempt(ctx context.Context, r row) attempt {
	secret, err := v.unseal(ctx, r)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return attempt{secret: secret, err: err, at: v.now()}
}

// unseal opens a row by the keeper that has wrapped it, or reads what it refers to.
func (v *Vault) unseal(ctx context.Context, r row) (llm.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, unsealTimeout)
	defer cancel()
	if r.Source != "" {
		secret, err := v.read(ctx, r.Source)
		if err != nil {
			return "", err
		}
		return clean(secret)
	}
	return v.keeperOf(r.Keeper).open(ctx, r.Provider, r.Name, envelope{sealed: r.Sealed, wrappedKey: r.WrappedKey})
}

// report says once that a row cannot be opened.
func (v *Vault) report(ctx context.Context, r row, err error) {
	if ctx.Err() != nil {
		return
	}
	v.logger.ErrorContext(ctx, "provider key cannot be opened", slog.String("provider", r.Provider), slog.String("key_name", r.Name),
		slog.String("sealed_by", r.Keeper), slog.String("source", r.Source), slog.String("keeper", v.keeper.id), slog.String("error", err.Error()))
}

// cannot says, for whoever administers keys, what is wrong with a row that could not be opened.
func cannot(r row) string {
	if r.Source != "" {
		return "it cannot be read from where it is kept"
	}
	return "the vault's keeper cannot open it, or cannot be reached"
}
