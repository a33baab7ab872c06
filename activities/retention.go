package activities

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holdfast-dev/holdfast/completions"
)

// Eraser takes away what is too old, in small batches. Package completions/store implements it.
type Eraser interface {
	// EraseExpired takes away some of what is too old; nothing is erased when nothing is left to be.
	EraseExpired(ctx context.Context, expiry completions.Expiry) (completions.Erasure, error)
}

// RetentionConfig is what the activities of retention need. Logger and Now may be nil.
type RetentionConfig struct {
	Eraser Eraser
	// Keep is how long what was said is kept, and Tenants how long that of some tenants is; 0 is for ever.
	Keep    time.Duration
	Tenants map[string]time.Duration
	Logger  *slog.Logger
	Now     func() time.Time
}

// Retention are the activities that keep what was said no longer than is allowed. Register the struct with a worker.
type Retention struct{ cfg RetentionConfig }

// NewRetention makes the activities.
func NewRetention(cfg RetentionConfig) (*Retention, error) {
	if cfg.Eraser == nil {
		return nil, errors.New("activities: an eraser is required")
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Retention{cfg}, nil
}

// retentionPause lies between two batches, so that whoever else needs the database has it.
const retentionPause = 20 * time.Millisecond

// EraseExpired takes away all that is too old, batch by batch.
func (r *Retention) EraseExpired(ctx context.Context) (erased completions.Erasure, err error) {
	now := r.cfg.Now()
	expiry := completions.Expiry{Tenants: map[string]time.Time{}}
	if r.cfg.Keep > 0 {
		expiry.Before = now.Add(-r.cfg.Keep)
	}
	for tenant, keep := range r.cfg.Tenants {
		expiry.Tenants[tenant] = time.Time{}
		if keep > 0 {
			expiry.Tenants[tenant] = now.Add(-keep)
		}
	}
	for {
		batch, err := r.cfg.Eraser.EraseExpired(ctx, expiry)
		if err != nil {
			return erased, storeError(err)
		}
		if batch == (completions.Erasure{}) {
			break
		}
		erased.Add(batch)
		activity.RecordHeartbeat(ctx, erased)
		select {
		case <-ctx.Done():
			return erased, ctx.Err()
		case <-time.After(retentionPause):
		}
	}
	if erased != (completions.Erasure{}) {
		r.cfg.Logger.InfoContext(ctx, "erased what was too old", "conversations", erased.Conversations, "completions", erased.Completions)
	}
	return erased, nil
}
