package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
)

// take accepts a decoded request and answers it in the way that it asks for: whole, event by event, or later.
func (s *Server) take(c *gin.Context, form *form, request dialect.Request) {
	if err := s.named(&request.Request); err != nil {
		s.fail(c, err)
		return
	}
	if request.ConversationID != "" && !conversations.ValidID(request.ConversationID) {
		s.fail(c, conversations.ErrNotFound)
		return
	}
	submission, err := s.submission(c, form, request)
	switch {
	case err != nil:
		s.fail(c, err)
	case respondAsync(c):
		s.accepted(c, submission, http.StatusAccepted)
	case request.Stream:
		s.streamed(c, submission)
	case request.Background:
		s.accepted(c, submission, http.StatusOK)
	default:
		s.answer(c, submission)
	}
}

// answer waits for the outcome and writes it.
func (s *Server) answer(c *gin.Context, submission *submission) {
	outcome, err := s.submit(c, submission)
	if err != nil {
		if !submission.accepted.IsZero() {
			c.Header(headerID, submission.id)
		}
		s.fail(c, err)
		return
	}
	setHeaders(c, outcome.Completion)
	if outcome.Completion.State != completions.StateSucceeded {
		s.fail(c, failureOf(outcome.Completion))
		if outcome.Completion.State == completions.StateFailed {
			s.delivered(c.Request.Context(), submission)
		}
		return
	}
	c.JSON(http.StatusOK, submission.form.body(submission.view(outcome)))
	s.delivered(c.Request.Context(), submission)
}

// delivered takes away the content of a completion that its client does not want to be kept, and cannot come back for.
func (s *Server) delivered(ctx context.Context, submission *submission) {
	if submission.stored != completions.StoredNo || submission.key != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), acceptTime)
	defer cancel()
	if err := s.cfg.Record.Erase(ctx, submission.tenant, submission.id); err != nil { // it goes when its time is over
		s.cfg.Logger.WarnContext(ctx, "the content of a completion that is not to be kept was not erased yet", "completion", submission.id, "error", err)
	}
}

// accepted answers as soon as the request stands in the record.
func (s *Server) accepted(c *gin.Context, submission *submission, status int) {
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
	if status == http.StatusAccepted {
		c.Header("Location", submission.form.path+submission.form.public(submission.id))
		c.Header("Preference-Applied", "respond-async")
	}
	if !submission.created && submission.form.whole { // it may have its outcome, which the object says
		if outcome, err := s.cfg.Record.Outcome(c.Request.Context(), submission.tenant, submission.id); err == nil && outcome.Completion.State != completions.StateOpen {
			s.shown(c, submission.form, submission.view(outcome))
			return
		}
	}
	c.JSON(status, submission.form.pending(submission.view(completions.Outcome{Completion: submission.completion})))
}

// show reads a completion of the dialect back. While it runs the answer is 202, or the object where the dialect has a status in
// it; with "Prefer: wait=N" the request waits up to N seconds for the outcome first (RFC 7240).
func (s *Server) show(form *form) gin.HandlerFunc {
	return func(c *gin.Context) {
		if form.stream != nil && s.streamAsked(c) {
			s.resume(c, form)
			return
		}
		v, err := s.find(c, form)
		if err == nil && v.State == completions.StateOpen {
			if wait := preferredWait(c); wait > 0 {
				var outcome completions.Outcome
				outcome, err = s.waitAtMost(c.Request.Context(), form, v.Completion, wait)
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

// streamAsked says whether a reading is to be a stream. OpenAI's SDK for Go says so in the body of its GET, the others in the query.
func (s *Server) streamAsked(c *gin.Context) bool {
	if c.Request.ContentLength <= 0 {
		return c.Query("stream") == "true"
	}
	var asked struct {
		Stream bool `json:"stream"`
	}
	body, err := s.readBody(c)
	return c.Query("stream") == "true" || err == nil && json.Unmarshal(body, &asked) == nil && asked.Stream
}

// find reads the completion that the request names, which has to be of the dialect. What was erased is not found any more.
func (s *Server) find(c *gin.Context, form *form) (v view, err error) {
	id, ok := form.own(c.Param("id"))
	if !ok {
		return v, noSuch(form)
	}
	outcome, err := s.cfg.Record.Outcome(c.Request.Context(), tenantOf(c), id)
	if err != nil {
		return v, err
	}
	if outcome.Completion.Dialect != form.dialect || outcome.Completion.ErasedAt != nil {
		return v, noSuch(form)
	}
	v = view{Completion: outcome.Completion, answer: outcome.Answer}
	if form.whole {
		v.shown, err = s.cfg.Record.Shown(c.Request.Context(), id)
	}
	return v, err
}

// noSuch says that there is no completion of an id.
func noSuch(form *form) error {
	if form.dialect == completions.DialectResponses {
		return notFound("No such response.")
	}
	return completions.ErrNotFound
}

// shown writes a completion to a client that asks what has become of it.
func (s *Server) shown(c *gin.Context, form *form, v view) {
	setHeaders(c, v.Completion)
	switch {
	case form.whole:
		c.JSON(http.StatusOK, form.body(v))
	case v.State == completions.StateOpen:
		c.Header("Retry-After", "1")
		c.JSON(http.StatusAccepted, form.pending(v))
	case v.State == completions.StateSucceeded, v.State == completions.StateCancelled && form.stream != nil:
		c.JSON(http.StatusOK, form.body(v))
	default:
		s.fail(c, failureOf(v.Completion))
	}
}

func dialectProblem(err error) error {
	if wrong, ok := asInvalid(err); ok {
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
