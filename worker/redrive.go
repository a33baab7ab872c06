package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/launch"
)

const (
	adoptEvery = time.Second
	adoptBatch = 64
	// redriveAtOnce bounds the starts in flight, so that the dead process's load does not fell this one.
	redriveAtOnce = 8
)

// OrphanStore finds what nobody drives. Package completions/store implements it.
type OrphanStore interface {
	BuryExpired(ctx context.Context) (dead []string, err error)
	Adopt(ctx context.Context, instanceID string, limit int) ([]completions.Completion, error)
}

// Redriver takes over the open completions of processes that died.
type Redriver struct {
	Store   OrphanStore
	Starter launch.Starter
	Lease   *Lease
	Logger  *slog.Logger
}

// Run looks for orphans until the context ends.
func (r *Redriver) Run(ctx context.Context) {
	ticker := time.NewTicker(adoptEvery)
	defer ticker.Stop()
	for {
		r.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// round judges, adopts, and starts until nothing is left.
func (r *Redriver) round(ctx context.Context) {
	if r.Lease.MayJudge() {
		dead, err := r.Store.BuryExpired(ctx)
		if err != nil {
			r.Logger.WarnContext(ctx, "looking for dead processes failed", "error", err)
			return
		}
		for _, id := range dead {
			r.Logger.WarnContext(ctx, "process judged dead", "instance", id)
		}
	}
	for ctx.Err() == nil {
		instance, _ := r.Lease.Current()
		adopted, err := r.Store.Adopt(ctx, instance, adoptBatch)
		if err != nil {
			r.Logger.WarnContext(ctx, "adopting completions failed", "error", err)
			return
		}
		if len(adopted) == 0 {
			return
		}
		r.Logger.InfoContext(ctx, "re-driving completions", "count", len(adopted))
		r.drive(ctx, adopted)
	}
}

func (r *Redriver) drive(ctx context.Context, adopted []completions.Completion) {
	var group errgroup.Group
	group.SetLimit(redriveAtOnce)
	for _, completion := range adopted {
		group.Go(func() error {
			r.start(ctx, completion)
			return nil
		})
	}
	_ = group.Wait()
}

// start runs the completion's workflow at its new epoch, ending the run of the old one. It is repeated until Temporal
// answers: the completion is ours, and if we die it is adopted again.
func (r *Redriver) start(ctx context.Context, completion completions.Completion) {
	policy := retrypolicy.NewBuilder[any]().
		WithBackoff(100*time.Millisecond, 2*time.Second).WithJitterFactor(0.2).WithMaxRetries(-1).ReturnLastFailure().Build()
	err := failsafe.With(policy).WithContext(ctx).Run(func() error { return launch.Again(ctx, r.Starter, completion) })
	if err != nil && ctx.Err() == nil {
		r.Logger.ErrorContext(ctx, "re-driving failed", "completion", completion.ID, "error", err)
	}
}
