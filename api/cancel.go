package api

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/handover"
)

// cancelWait is how long a request to cancel waits for the outcome. What takes longer goes on without it.
const cancelWait = 10 * time.Second

// cancelled ends a running completion and answers with what was said of it. One that has its outcome keeps it.
func (s *Server) cancelled(form *form) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx := c.Request.Context()
		v, err := s.find(c, form)
		if err == nil && v.State == completions.StateOpen {
			if err = s.cancel(ctx, v.Completion); err == nil {
				var outcome completions.Outcome
				outcome, err = s.waitAtMost(ctx, form, v.Completion, cancelWait)
				v.Completion, v.answer = outcome.Completion, outcome.Answer
			}
		}
		if err != nil {
			s.fail(c, err)
			return
		}
		s.shown(c, form, v)
	}
}

// cancel notes in the record that the completion is to be cancelled, which reaches the process that calls its provider at
// once, and tells its workflow, which may be waiting between two calls.
func (s *Server) cancel(ctx context.Context, completion completions.Completion) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), acceptTime)
	defer cancel()
	found, err := s.cfg.Record.RequestCancel(ctx, completion.Tenant, completion.ID)
	if err != nil || found.State != completions.StateOpen {
		return err
	}
	if s.cfg.CancelCalls != nil {
		s.cfg.CancelCalls(completion.ID)
	}
	if err := s.cfg.Temporal.CancelWorkflow(ctx, completion.WorkflowID, ""); err != nil {
		s.cfg.Logger.InfoContext(ctx, "the workflow was not told that its completion is cancelled", "completion", completion.ID, "error", err)
	}
	return nil
}

// disconnected does what is to be done when the client that asked for a completion has gone away.
func (s *Server) disconnected(c *gin.Context, sub *submission, watch *handover.Watch) {
	if !sub.created || !sub.cancelOnDisconnect || s.draining.Load() || !watch.Alone() {
		return
	}
	if err := s.cancel(c.Request.Context(), sub.completion); err != nil {
		s.cfg.Logger.WarnContext(c.Request.Context(), "a completion whose client has gone was not cancelled", "completion", sub.id, "error", err)
	}
}
