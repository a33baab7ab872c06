package worker

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// LeaseTTL is how long a process is taken to be alive after its last renewal.
	LeaseTTL = 4 * time.Second
	// renewEvery leaves room for three failed renewals.
	renewEvery = time.Second
)

// LeaseStore keeps the table of the living. Package completions/store implements it.
type LeaseStore interface {
	Join(ctx context.Context, instanceID, address string, ttl time.Duration) error
	Renew(ctx context.Context, instanceID string, ttl time.Duration) (held bool, err error)
	Leave(ctx context.Context, instanceID string) error
}

// Lease is this process's place among the living. It is safe for concurrent use.
type Lease struct {
	store   LeaseStore
	node    string
	address string
	logger  *slog.Logger

	mu     sync.Mutex
	id     string
	held   context.Context //nolint:containedctx // it is the lease's own lifetime, handed to calls made under it
	lose   context.CancelFunc
	last   time.Time // of the last successful renewal
	steady time.Time // since when renewals have come without a gap
}

// NewLease joins the living. Node begins the instance's id and stays the same over restarts on one data directory; address
// is where other processes reach this one and may be empty.
func NewLease(ctx context.Context, store LeaseStore, node, address string, logger *slog.Logger) (*Lease, error) {
	l := &Lease{store: store, node: node, address: address, logger: logger}
	if err := l.join(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Lease) join(ctx context.Context) error {
	id := l.node + "/" + rand.Text()[:10]
	if err := l.store.Join(ctx, id, l.address, LeaseTTL); err != nil {
		return fmt.Errorf("taking a lease: %w", err)
	}
	held, lose := context.WithCancel(context.WithoutCancel(ctx))
	now := time.Now()
	l.mu.Lock()
	l.id, l.held, l.lose, l.last, l.steady = id, held, lose, now, now
	l.mu.Unlock()
	return nil
}

// Current is this process's instance id, and a context that ends when another process has judged it dead.
func (l *Lease) Current() (instanceID string, held context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id, l.held
}

// Run renews the lease until the context ends. A process that finds itself judged dead (it was paused, say) joins anew
// under another id; the calls made under the old one are cancelled, for another process repeats them.
func (l *Lease) Run(ctx context.Context) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.renew(ctx)
		}
	}
}

func (l *Lease) renew(ctx context.Context) {
	id, _ := l.Current()
	attempt, cancel := context.WithTimeout(ctx, LeaseTTL)
	defer cancel()
	held, err := l.store.Renew(attempt, id, LeaseTTL)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			l.logger.WarnContext(ctx, "lease not renewed", "instance", id, "error", err)
		}
	case held:
		l.mu.Lock()
		now := time.Now()
		if now.Sub(l.last) > LeaseTTL/2 {
			l.steady = now
		}
		l.last = now
		l.mu.Unlock()
	default:
		l.logger.WarnContext(ctx, "judged dead by another process: what this one was doing is done elsewhere", "instance", id)
		l.mu.Lock()
		l.lose()
		l.mu.Unlock()
		if err := l.join(attempt); err != nil {
			l.logger.ErrorContext(ctx, "joining again failed", "error", err)
		}
	}
}

// MayJudge says whether this process may declare others dead: only after a full lease of renewals without a gap, so that
// an outage of PostgreSQL, or a pause of this very process, is not taken for the death of everyone else.
func (l *Lease) MayJudge() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return now.Sub(l.last) < LeaseTTL/2 && now.Sub(l.steady) >= LeaseTTL
}

// Leave gives the lease back: whatever is still open here is re-driven elsewhere at once.
func (l *Lease) Leave(ctx context.Context) error {
	id, _ := l.Current()
	l.mu.Lock()
	l.lose()
	l.mu.Unlock()
	return l.store.Leave(ctx, id)
}
