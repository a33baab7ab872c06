package activities

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/transcript"
)

const (
	// checkpointEvery is how much of a streamed answer a crash may cost.
	checkpointEvery = 2 * time.Second
	// checkpointTime bounds the writing of what all streams of this process have said since the last time.
	checkpointTime = 10 * time.Second
	// checkpointBatch bounds how many streams one statement writes.
	checkpointBatch = 256
)

// checkpointed is a stream whose pieces are kept.
type checkpointed struct {
	feed   *transcript.Feed
	fence  completions.Fence
	number int
	mu     sync.Mutex
	// kept is up to where the pieces of this attempt reach.
	kept int64
}

// keeping notes a stream until end is called.
func (c *Calls) keeping(s *checkpointed) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams[s] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.streams, s)
	}
}

func (c *Calls) all() []*checkpointed {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*checkpointed, 0, len(c.streams))
	for s := range c.streams {
		list = append(list, s)
	}
	return list
}

// piece is what was said since the last piece, and up to where; ok is false if nothing was. The stream's lock is held.
func (s *checkpointed) piece() (piece completions.Checkpoint, end int64, ok bool) {
	said, until := s.feed.Piece(s.kept)
	piece = completions.Checkpoint{Fence: s.fence, Number: s.number, Piece: said}
	return piece, until.At, len(said.Events) > 0
}

// RunCheckpoints keeps what streams say, every two seconds, until the context ends. While PostgreSQL is away what is said
// waits in memory.
func (c *Calls) RunCheckpoints(ctx context.Context) error {
	ticker := time.NewTicker(checkpointEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := c.Checkpoint(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			c.logger.WarnContext(ctx, "what streams have said could not be kept; it is tried again", "error", err)
		}
		failing = err != nil
	}
}

// Checkpoint keeps what all streams of this process have said.
func (c *Calls) Checkpoint(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkpointTime)
	defer cancel()
	c.flushing.Lock()
	defer c.flushing.Unlock()
	streams := c.all()
	for len(streams) > 0 {
		n := min(len(streams), checkpointBatch)
		if err := c.keep(ctx, streams[:n]...); err != nil {
			return err
		}
		streams = streams[n:]
	}
	return nil
}

// keep writes what the streams have said since the last time, in one statement.
func (c *Calls) keep(ctx context.Context, streams ...*checkpointed) error {
	var batch []completions.Checkpoint
	var ends []int64
	var written []*checkpointed
	for _, s := range streams {
		s.mu.Lock()
		defer s.mu.Unlock() // all of them are written together
		if piece, end, ok := s.piece(); ok {
			batch, ends, written = append(batch, piece), append(ends, end), append(written, s)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	if err := c.store.KeepTranscripts(ctx, batch); err != nil {
		return err
	}
	for i, s := range written {
		s.kept = ends[i]
	}
	return nil
}
