package keys

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/alerts"
)

const (
	// lookEvery is how often it is looked whether a key must be opened again.
	lookEvery = time.Second
	// retryEvery is how often a key that could not be opened is tried again.
	retryEvery = 2 * time.Second
	// recheckEvery is how often a remote keeper, or the place that a key is read from, is asked again for a key that is open: access
	// that was taken away there ends here, and a new secret there is taken up. Where keys outlive their keeper only for a short time,
	// it is asked more often, so that one failure is not the end of them.
	recheckEvery = time.Minute
	// outage is how long nothing can be opened before operators are told.
	outage = time.Minute
)

// trouble is since when keys cannot be opened.
type trouble struct {
	mu    sync.Mutex
	since time.Time
	told  bool
}

// KeeperReachable says whether the keeper, and the places that keys are read from, gave what they were last asked for.
func (v *Vault) KeeperReachable() bool {
	v.trouble.mu.Lock()
	defer v.trouble.mu.Unlock()
	return v.trouble.since.IsZero()
}

// refresh opens again what could not be opened, and what was opened too long ago, until ctx ends. It holds nobody up.
func (v *Vault) refresh(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	tried := newTries()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		group := v.refreshOnce(ctx, tried)
		running.Go(func() { _ = group.Wait() })
	}
}

// refreshOnce does what is due: each row by itself, so that a slow one holds up no other. It gives a group to be waited
// for.
func (v *Vault) refreshOnce(ctx context.Context, tried *tries) *errgroup.Group {
	now := v.now()
	var group errgroup.Group
	group.SetLimit(unsealAtOnce)
	for _, r := range v.due(now, tried) {
		if !group.TryGo(func() error {
			a := v.attempt(ctx, r)
			tried.end(r.ID, false)
			if ctx.Err() != nil {
				return nil
			}
			v.loading.Lock()
			defer v.loading.Unlock()
			v.publish(v.merged(ctx, r, a))
			return nil
		}) {
			tried.end(r.ID, true) // the next time
		}
	}
	v.settle(ctx, v.hasTrouble(), now)
	return &group
}

// remote says whether opening a row asks somebody outside of this machine, or may give something else than before.
func (r row) remote() bool { return r.Source != "" || !strings.HasPrefix(r.Keeper, "file:") }

// due are the rows to be opened again now.
func (v *Vault) due(now time.Time, tried *tries) (due []row) {
	current := v.current.Load()
	for id, f := range current.failed {
		if tried.begin(id, now, retryEvery) {
			due = append(due, f.row)
		}
	}
	for id, o := range current.opened {
		if o.State == StateActive && o.remote() && now.Sub(o.tried) >= min(recheckEvery, v.cacheFor/4) && tried.begin(id, now, 0) {
			due = append(due, o.row)
		}
	}
	return due
}

// merged is the current snapshot with what came of opening a row again. A key that was open stays so for a time when it cannot be had
// again.
func (v *Vault) merged(ctx context.Context, r row, a attempt) *snapshot {
	before := v.current.Load()
	next := &snapshot{rows: before.rows, opened: maps.Clone(before.opened), failed: maps.Clone(before.failed)}
	o, open := next.opened[r.ID]
	f, failed := next.failed[r.ID]
	switch {
	case open && !o.unchanged(r) || failed && !f.unchanged(r) || !open && !failed: // it has been changed meanwhile
		return before
	case a.err == nil && open:
		next.opened[r.ID] = openedRow{row: o.row, secret: a.secret, checked: a.at, tried: a.at}
	case a.err == nil:
		next.opened[r.ID] = openedRow{row: f.row, secret: a.secret, checked: a.at, tried: a.at}
		delete(next.failed, r.ID)
	case open && a.at.Sub(o.checked) < v.cacheFor:
		if o.tried.Equal(o.checked) {
			v.report(ctx, r, a.err)
		}
		o.tried = a.at
		next.opened[r.ID] = o
	case open:
		v.report(ctx, r, a.err)
		delete(next.opened, r.ID)
		next.failed[r.ID] = failure{row: o.row, reason: cannot(r)}
	case f.reason != cannot(r):
		v.report(ctx, r, a.err)
		next.failed[r.ID] = failure{row: f.row, reason: cannot(r)}
	}
	next.index()
	return next
}

// tries remembers when rows were last opened again, and which are being opened: one that hangs is not asked twice.
type tries struct {
	mu    sync.Mutex
	begun map[int64]time.Time
	under map[int64]bool
}

func newTries() *tries { return &tries{begun: map[int64]time.Time{}, under: map[int64]bool{}} }

// begin says whether a row may be opened again now, and notes that it is.
func (t *tries) begin(id int64, now time.Time, pause time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.under[id] || now.Sub(t.begun[id]) < pause {
		return false
	}
	t.begun[id], t.under[id] = now, true
	return true
}

// end notes that it is not being opened any more; in vain says that it has not been at all.
func (t *tries) end(id int64, inVain bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.under, id)
	if inVain {
		delete(t.begun, id)
	}
}

// hasTrouble says whether a key cannot be had where it is kept: never at all, or not again.
func (v *Vault) hasTrouble() bool {
	current := v.current.Load()
	for _, o := range current.opened {
		if o.tried.After(o.checked) {
			return true
		}
	}
	return len(current.failed) > 0
}

// settle takes in whether keys can be had, and raises an alert where they could not be for some time.
func (v *Vault) settle(ctx context.Context, troubled bool, now time.Time) {
	v.trouble.mu.Lock()
	defer v.trouble.mu.Unlock()
	switch {
	case !troubled:
		if !v.trouble.since.IsZero() {
			v.logger.InfoContext(ctx, "all provider keys can be opened again")
		}
		v.trouble.since, v.trouble.told = time.Time{}, false
		return
	case v.trouble.since.IsZero():
		v.trouble.since = now
		v.logger.WarnContext(ctx, "a provider key cannot be had from its keeper, or from where it is kept", slog.Duration("cached_for", v.cacheFor))
	}
	if v.trouble.told || now.Sub(v.trouble.since) < outage || v.pool == nil {
		return
	}
	const block = 6 * time.Hour // of all processes that see it, and of one that sees it over and over, one is told in this time
	_, err := alerts.Raise(ctx, v.pool, alerts.Alert{
		Dedupe: fmt.Sprintf("keeper_unreachable:%s:%d", v.keeper.id, now.Unix()/int64(block.Seconds())), Kind: alerts.KindKeeperUnreachable, Severity: alerts.Critical,
		Subject: "vault", Title: "provider keys cannot be opened",
		Text: fmt.Sprintf("For more than a minute, the vault's keeper, or a place that keys are read from, has not given what it was asked for. Keys that are open work on for %s since they were last had. The log says which: \"provider key cannot be opened\".", v.cacheFor),
	})
	if err != nil {
		v.logger.WarnContext(ctx, "an alert could not be raised", slog.String("error", err.Error()))
		return
	}
	v.trouble.told = true
}
