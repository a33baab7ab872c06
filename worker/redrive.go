package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"go.temporal.io/api/serviceerror"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/launch"
)

const (
	adoptEvery = time.Second
	adoptBatch = 64
	// redriveAtOnce bounds the starts in flight, so that the dead process's load does not fell this one.
	redriveAtOnce = 8
	// startTime is how long one start is tried before the completion is given back for a later round.
	startTime = 10 * time.Second
)

// OrphanStore finds what nobody drives. Package completions/store implements it.
type OrphanStore interface {
	BuryExpired(ctx context.Context) (dead []string, err error)
	Adopt(ctx context.Context, instanceID string, limit int) ([]completions.Completion, error)
	Unstarted(ctx context.Context, limit int) ([]completions.Completion, error)
	StillDrives(ctx context.Context, fence completions.Fence) (bool, error)
	Disown(ctx context.Context, fence completions.Fence) error
}

// Redriver takes over the open completions of processes that died, and starts what was accepted and never started.
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

// round judges, adopts, and starts until nothing is left or a start has failed.
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
		instance, held := r.Lease.Current()
		adopted, err := r.Store.Adopt(ctx, instance, adoptBatch)
		if err != nil {
			r.Logger.WarnContext(ctx, "adopting completions failed", "error", err)
			return
		}
		if len(adopted) == 0 {
			break
		}
		r.Logger.InfoContext(ctx, "re-driving completions", "count", len(adopted))
		if !r.startAll(ctx, adopted, func(c completions.Completion) error { return r.again(ctx, held, c) }) {
			return
		}
	}
	r.startForgotten(ctx)
}

// startForgotten starts what was accepted while Temporal could not be reached. A workflow that exists is left alone.
func (r *Redriver) startForgotten(ctx context.Context) {
	waiting, err := r.Store.Unstarted(ctx, adoptBatch)
	if err != nil {
		r.Logger.WarnContext(ctx, "looking for completions without an attempt failed", "error", err)
		return
	}
	r.startAll(ctx, waiting, func(c completions.Completion) error {
		ctx, cancel := context.WithTimeout(ctx, startTime)
		defer cancel()
		err := launch.First(ctx, r.Starter, c)
		if _, exists := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); exists {
			return nil
		}
		return err
	})
}

// startAll starts each at bounded speed and says whether all went well.
func (r *Redriver) startAll(ctx context.Context, list []completions.Completion, start func(completions.Completion) error) bool {
	var group errgroup.Group
	group.SetLimit(redriveAtOnce)
	for _, completion := range list {
		group.Go(func() error {
			err := start(completion)
			if err != nil && ctx.Err() == nil {
				r.Logger.WarnContext(ctx, "a completion could not be started; it is tried again",
					"completion", completion.ID, "epoch", completion.Epoch, "error", err)
			}
			return err
		})
	}
	return group.Wait() == nil
}

// again runs the completion's workflow at its new epoch, ending the run of the old one. Before each try it makes sure that
// the epoch is still the current one: a late start would end the run of whoever took the completion over meanwhile. What
// cannot be started in time is given back.
func (r *Redriver) again(ctx, held context.Context, completion completions.Completion) error {
	fence := completions.Fence{ID: completion.ID, Epoch: completion.Epoch, InstanceID: completion.InstanceID}
	trying, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	defer context.AfterFunc(held, cancel)()
	policy := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return err != nil && !errors.Is(err, completions.ErrSuperseded) }).
		WithBackoff(100*time.Millisecond, 2*time.Second).WithJitterFactor(0.2).WithMaxRetries(-1).ReturnLastFailure().Build()
	err := failsafe.With(policy).WithContext(trying).Run(func() error {
		drives, err := r.Store.StillDrives(trying, fence)
		if err != nil {
			return err
		}
		if !drives {
			return completions.ErrSuperseded
		}
		return launch.Again(trying, r.Starter, completion)
	})
	if err == nil || errors.Is(err, completions.ErrSuperseded) {
		return nil
	}
	disowning, cancelDisowning := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancelDisowning()
	return errors.Join(err, r.Store.Disown(disowning, fence))
}
