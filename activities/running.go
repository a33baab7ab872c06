package activities

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// errCancelled is why a call is ended that somebody asked to be cancelled.
var errCancelled = errors.New("the completion was cancelled")

// Calls are the provider calls under way in this process: what they say is kept, and they can be ended.
type Calls struct {
	store  RecordStore
	logger *slog.Logger

	mu      sync.Mutex
	running map[string]map[*call]struct{}
	streams map[*checkpointed]struct{}
	// flushing is held by whoever writes for several streams.
	flushing sync.Mutex
}

type call struct{ cancel context.CancelCauseFunc }

// begin notes a call until done is called.
func (c *Calls) begin(ctx context.Context, id string) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	own := &call{cancel}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[id] == nil {
		c.running[id] = map[*call]struct{}{}
	}
	c.running[id][own] = struct{}{}
	return ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		cancel(nil)
		if delete(c.running[id], own); len(c.running[id]) == 0 {
			delete(c.running, id)
		}
	}
}

func (c *Calls) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.running))
}

// Cancel ends the calls of a completion that run in this process, if any do: their providers' connections are closed at once.
// That it is to be cancelled stands in the record before.
func (c *Calls) Cancel(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for running := range c.running[id] {
		running.cancel(errCancelled)
	}
}

// CancelRequested ends those calls of this process that are to be cancelled by the record: for a process that may have missed
// an announcement.
func (c *Calls) CancelRequested(ctx context.Context) error {
	ids := c.ids()
	if len(ids) == 0 {
		return nil
	}
	cancelled, err := c.store.CancelRequested(ctx, ids)
	for _, id := range cancelled {
		c.Cancel(id)
	}
	return err
}
