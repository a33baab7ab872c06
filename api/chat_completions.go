package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
)

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
	if err := s.named(&request.Request); err != nil {
		s.fail(c, err)
		return
	}
	if request.ConversationID != "" && !conversations.ValidID(request.ConversationID) {
		s.fail(c, conversations.ErrNotFound)
		return
	}
	if request.Stream && !respondAsync(c) {
		s.streamed(c, request)
		return
	}
	s.answer(c, completions.DialectChat, request, answerChat)
}

// encoder writes an answer in its dialect.
type encoder func(c *gin.Context, outcome completions.Outcome)

// answer submits a decoded request and writes its outcome, or at once that it was accepted.
func (s *Server) answer(c *gin.Context, dialect string, request dialect.Request, encode encoder) {
	submission, err := s.submission(c, dialect, request)
	if err != nil {
		s.fail(c, err)
		return
	}
	if respondAsync(c) {
		s.accepted(c, submission)
		return
	}
	outcome, err := s.submit(c, submission)
	if err != nil {
		if !submission.accepted.IsZero() {
			c.Header(headerID, submission.id)
		}
		s.fail(c, err)
		return
	}
	s.write(c, outcome, encode)
}

// write writes the outcome, whichever it is.
func (s *Server) write(c *gin.Context, outcome completions.Outcome, encode encoder) {
	setHeaders(c, outcome.Completion)
	if outcome.Completion.State != completions.StateSucceeded {
		s.fail(c, failureOf(outcome.Completion))
		return
	}
	encode(c, outcome)
}

func answerChat(c *gin.Context, outcome completions.Outcome) {
	c.JSON(http.StatusOK, openai.EncodeChat(outcome.Completion.ID, outcome.Completion.AcceptedAt, *outcome.Answer))
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
	path := "/v1/chat/completions/"
	if submission.dialect == completions.DialectEmbeddings {
		path = "/v1/embeddings/"
	}
	c.Header("Location", path+submission.id)
	c.Header("Preference-Applied", "respond-async")
	c.JSON(http.StatusAccepted, pending(submission.completion))
}

// pending is the object of a completion that has no outcome yet.
func pending(completion completions.Completion) gin.H {
	object := gin.H{"id": completion.ID, "created": completion.AcceptedAt.Unix(), "status": "in_progress"}
	if completion.Dialect == completions.DialectEmbeddings {
		object["object"], object["data"] = "list", []any{}
	} else {
		object["object"], object["choices"] = "chat.completion", []any{}
	}
	return object
}

func (s *Server) showChatCompletion(c *gin.Context) {
	if c.Query("stream") == "true" {
		s.resume(c)
		return
	}
	s.show(c, completions.DialectChat, answerChat)
}

// show reads a completion of the dialect back. While it runs the answer is 202; with "Prefer: wait=N" the request waits up
// to N seconds for the outcome first (RFC 7240).
func (s *Server) show(c *gin.Context, dialect string, encode encoder) {
	id := c.Param("id")
	if !completions.ValidID(id) {
		s.fail(c, completions.ErrNotFound)
		return
	}
	outcome, err := s.cfg.Record.Outcome(c.Request.Context(), tenantOf(c), id)
	if err == nil && outcome.Completion.Dialect != dialect {
		err = completions.ErrNotFound
	}
	if err == nil && outcome.Completion.State == completions.StateOpen {
		if wait := preferredWait(c); wait > 0 {
			outcome, err = s.waitAtMost(c.Request.Context(), outcome.Completion, wait)
		}
	}
	s.shown(c, dialect, outcome, err, encode)
}

// shown writes a completion to a client that asks what has become of it.
func (s *Server) shown(c *gin.Context, dialect string, outcome completions.Outcome, err error, encode encoder) {
	switch {
	case err != nil:
		s.fail(c, err)
	case outcome.Completion.State == completions.StateOpen:
		c.Header(headerID, outcome.Completion.ID)
		c.Header("Retry-After", "1")
		c.JSON(http.StatusAccepted, pending(outcome.Completion))
	case outcome.Completion.State == completions.StateCancelled && dialect == completions.DialectChat:
		setHeaders(c, outcome.Completion)
		answerCancelled(c, outcome)
	default:
		s.write(c, outcome, encode)
	}
}

func dialectProblem(err error) error {
	if wrong, ok := errors.AsType[*dialect.InvalidError](err); ok {
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
