package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

// AdmissionConfig bounds how fast completions are started. Calls in flight are cheap and not bounded here; starts are
// what fells a Temporal server when too many come at once.
type AdmissionConfig struct {
	// MinStarts and MaxStarts are the range in which the limit on concurrent starts adapts.
	MinStarts, MaxStarts int
	// QueueSize is how many requests may wait for their start, QueueTimeout for how long.
	QueueSize    int
	QueueTimeout time.Duration
}

// admission admits starts. The limit follows the observed time from a start to its first provider call.
type admission struct {
	cfg     AdmissionConfig
	limiter adaptivelimiter.AdaptiveLimiter[any]
	waiting atomic.Int64
}

func newAdmission(cfg AdmissionConfig) *admission {
	initial := min(max(cfg.MinStarts, 16), cfg.MaxStarts)
	return &admission{cfg: cfg, limiter: adaptivelimiter.NewBuilder[any]().
		WithLimits(uint(cfg.MinStarts), uint(cfg.MaxStarts), uint(initial)).
		WithMaxLimitStabilizationWindow(10 * time.Second).
		Build()}
}

// permit is a start under way. Done or Abandon ends it; later calls of either do nothing.
type permit struct {
	once sync.Once
	held adaptivelimiter.Permit
}

// Done says that the start went through: its duration teaches the limiter.
func (p *permit) Done() { p.once.Do(p.held.Record) }

// Abandon says that nothing can be learnt from the start.
func (p *permit) Abandon() { p.once.Do(p.held.Drop) }

// acquire waits for the right to start, in a bounded queue for a bounded time.
func (a *admission) acquire(ctx context.Context) (*permit, error) {
	if held, ok := a.limiter.TryAcquirePermit(); ok {
		return &permit{held: held}, nil
	}
	defer a.waiting.Add(-1)
	if a.waiting.Add(1) > int64(a.cfg.QueueSize) {
		return nil, overloaded()
	}
	held, err := a.limiter.AcquirePermitWithMaxWait(ctx, a.cfg.QueueTimeout)
	switch {
	case err == nil:
		return &permit{held: held}, nil
	case errors.Is(err, adaptivelimiter.ErrExceeded):
		return nil, overloaded()
	default:
		return nil, err
	}
}

func overloaded() *problem {
	return &problem{
		status: http.StatusServiceUnavailable, kind: "server_error", code: "overloaded",
		message: "The service is busy. Nothing was started; try again shortly.", retryAfter: time.Second,
	}
}
