package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/handover"
)

// cancelWait is how long a request to cancel waits for the outcome. What takes longer goes on without it.
const cancelWait = 10 * time.Second

// cancelChatCompletion ends a running completion and answers with what was said of it. One that has its outcome keeps it.
func (s *Server) cancelChatCompletion(c *gin.Context) {
	id := c.Param("id")
	if !completions.ValidID(id) {
		s.fail(c, completions.ErrNotFound)
		return
	}
	ctx := c.Request.Context()
	outcome, err := s.cfg.Record.Outcome(ctx, tenantOf(c), id)
	if err == nil && outcome.Completion.Dialect != completions.DialectChat {
		err = completions.ErrNotFound
	}
	if err == nil && outcome.Completion.State == completions.StateOpen {
		if err = s.cancel(ctx, outcome.Completion); err == nil {
			outcome, err = s.waitAtMost(ctx, outcome.Completion, cancelWait)
		}
	}
	s.shown(c, completions.DialectChat, outcome, err, answerChat)
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

// answerCancelled writes a completion that was cancelled.
func answerCancelled(c *gin.Context, outcome completions.Outcome) {
	completion := outcome.Completion
	c.JSON(http.StatusOK, openai.EncodeCancelled(completion.ID, completion.AcceptedAt, completion.Route, outcome.Answer))
}
