package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
)

// dialectChat names OpenAI's chat completions in the record.
const dialectChat = "openai.chat"

func (s *Server) createChatCompletion(c *gin.Context) {
	body, err := s.readBody(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	request, err := openai.DecodeChat(body)
	if err != nil {
		s.fail(c, dialectProblem(err))
		return
	}
	if !s.routes[request.Model] {
		s.fail(c, s.noSuchModel(request.Model))
		return
	}
	if request.ConversationID != "" && !conversations.ValidID(request.ConversationID) {
		s.fail(c, conversations.ErrNotFound)
		return
	}
	submission, err := s.submission(c, request)
	if err != nil {
		s.fail(c, err)
		return
	}
	if respondAsync(c) {
		s.accepted(c, submission)
		return
	}
	outcome, err := s.submit(c.Request.Context(), submission)
	if err != nil {
		if !submission.accepted.IsZero() {
			c.Header(headerID, submission.id)
		}
		s.fail(c, err)
		return
	}
	s.answerChat(c, outcome)
}

// accepted answers 202 as soon as the request stands in the record.
func (s *Server) accepted(c *gin.Context, submission *submission) {
	watch, permit, err := s.begin(c.Request.Context(), submission)
	if err != nil {
		s.fail(c, err)
		return
	}
	go func() { // the permit is held until the call begins, whoever waits
		defer watch.Close()
		s.settle(permit, watch)
	}()
	c.Header(headerID, submission.id)
	c.Header("Location", "/v1/chat/completions/"+submission.id)
	c.Header("Preference-Applied", "respond-async")
	c.JSON(http.StatusAccepted, pending(submission.id, submission.accepted))
}

func pending(id string, created time.Time) gin.H {
	return gin.H{"id": id, "object": "chat.completion", "created": created.Unix(), "status": "in_progress", "choices": []any{}}
}

// showChatCompletion reads a completion back. While it runs the answer is 202; with "Prefer: wait=N" the request waits up
// to N seconds for the outcome first (RFC 7240).
func (s *Server) showChatCompletion(c *gin.Context) {
	id := c.Param("id")
	if !completions.ValidID(id) {
		s.fail(c, completions.ErrNotFound)
		return
	}
	outcome, err := s.cfg.Record.Outcome(c.Request.Context(), tenantOf(c), id)
	if err == nil && outcome.Completion.State == completions.StateOpen {
		if wait := preferredWait(c); wait > 0 {
			outcome, err = s.waitAtMost(c.Request.Context(), outcome.Completion, wait)
		}
	}
	switch {
	case err != nil:
		s.fail(c, err)
	case outcome.Completion.State == completions.StateOpen:
		c.Header(headerID, id)
		c.Header("Retry-After", "1")
		c.JSON(http.StatusAccepted, pending(id, outcome.Completion.AcceptedAt))
	default:
		s.answerChat(c, outcome)
	}
}

func (s *Server) answerChat(c *gin.Context, outcome completions.Outcome) {
	setHeaders(c, outcome.Completion)
	if outcome.Answer == nil {
		s.fail(c, failureOf(outcome.Completion))
		return
	}
	c.JSON(http.StatusOK, openai.EncodeChat(outcome.Completion.ID, outcome.Completion.AcceptedAt, *outcome.Answer))
}

func dialectProblem(err error) error {
	if wrong, ok := errors.AsType[*openai.InvalidError](err); ok {
		return invalid(wrong.Param, wrong.Code, wrong.Message)
	}
	return err
}

func respondAsync(c *gin.Context) bool {
	for _, preference := range preferences(c) {
		if strings.EqualFold(preference, "respond-async") {
			return true
		}
	}
	return false
}
