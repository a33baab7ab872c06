package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

const (
	// DefaultKeepAlive is how often a stream that has nothing to say sends a comment, so that proxies do not take it for dead.
	DefaultKeepAlive = 15 * time.Second
	// writeTime is how long a reader may take to take what is written. One that takes nothing is given up.
	writeTime = time.Minute
)

// streamed submits a request and passes its answer on as it comes. Until the first piece of content, or the first
// keep-alive, nothing is sent: what fails by then is answered with its own status.
func (s *Server) streamed(c *gin.Context, sub *submission) {
	watch, permit, err := s.begin(c.Request.Context(), sub)
	if err != nil {
		s.fail(c, err)
		return
	}
	defer watch.Close()
	w := newChunkWriter(c, sub.form, sub.view(completions.Outcome{Completion: sub.completion}))
	w.restarts = sub.recovery == failover.RecoveryRestart
	whole := s.relay(c, w, watch, func(ctx context.Context) (completions.Outcome, error) {
		defer permit.Abandon()
		return s.outcome(ctx, sub, watch, permit)
	})
	switch {
	case !whole:
		s.disconnected(c, sub, watch)
	case w.ended:
		s.delivered(c.Request.Context(), sub)
	}
}

// ending is how the wait for the outcome ended.
type ending struct {
	outcome completions.Outcome
	err     error
}

// relay passes on what the completion says until it has its outcome, and that. It reports whether the client has stayed.
func (s *Server) relay(c *gin.Context, w *chunkWriter, watch *handover.Watch, wait func(context.Context) (completions.Outcome, error)) bool {
	ctx, cancel := context.WithCancel(c.Request.Context())
	ended := make(chan ending, 1)
	go func() {
		outcome, err := wait(ctx)
		ended <- ending{outcome, err}
	}()
	defer func() { // the wait ends before the watch that it reads is closed
		cancel()
		<-ended
	}()
	feed := watch.Feed()
	ready := feed.Watch()
	defer feed.Unwatch(ready)
	keepAlive := time.NewTicker(s.keepAlive())
	defer keepAlive.Stop()
	for w.err == nil && !w.over {
		select {
		case <-ready:
			w.read(feed)
		case <-keepAlive.C:
			w.comment()
		case end := <-ended:
			ended <- end
			if ctx.Err() != nil { // it is the client's going away that has ended the wait
				return false
			}
			w.read(feed)
			s.finish(ctx, w, end)
			return w.err == nil
		case <-s.interrupted:
			w.fail(s, unavailable("The service is restarting. GET "+w.form.path+"{id}?stream=true with starting_after goes on from here.", nil))
		case <-ctx.Done():
			return false
		}
	}
	return w.err == nil
}

func (s *Server) keepAlive() time.Duration {
	if s.cfg.KeepAlive <= 0 {
		return DefaultKeepAlive
	}
	return s.cfg.KeepAlive
}

// finish ends the stream with what the record says, which the events so far were only the way to.
func (s *Server) finish(ctx context.Context, w *chunkWriter, end ending) {
	outcome, err := end.outcome, end.err
	if err == nil && outcome.Completion.State != completions.StateSucceeded {
		err = failureOf(outcome.Completion)
	}
	if outcome.Completion.ID != "" && !w.committed {
		setHeaders(w.c, outcome.Completion)
	}
	if err == nil {
		var told *transcript.Log
		if told, err = s.told(ctx, w, outcome); err == nil {
			w.end(told, *outcome.Answer, outcome.Completion) //nolint:contextcheck // what it may write is the request's
			return
		}
	}
	if log, logErr := s.unfinished(ctx, w, outcome); logErr == nil && log != nil {
		w.finish(log, 0) //nolint:contextcheck // as above
	}
	w.fail(s, err) //nolint:contextcheck // as above
	w.ended = outcome.Completion.State == completions.StateFailed
}

// told is the transcript of an answer. The record is asked for it only if it cannot be seen from the answer.
func (s *Server) told(ctx context.Context, w *chunkWriter, outcome completions.Outcome) (*transcript.Log, error) {
	told := transcript.Of(*outcome.Answer)
	if outcome.Completion.Recovery == "" || w.reader.Cursor == told.End() {
		return told, nil
	}
	return s.cfg.Record.Told(ctx, outcome.Completion.ID, *outcome.Answer)
}

// unfinished is what was said of an answer that failed, for a client that comes back for it; nil if there is nothing to tell.
func (s *Server) unfinished(ctx context.Context, w *chunkWriter, outcome completions.Outcome) (*transcript.Log, error) {
	if !w.resumed || outcome.Completion.Recovery == "" || outcome.Completion.State == completions.StateOpen {
		return nil, nil //nolint:nilnil // nothing to tell is no error
	}
	log, err := s.cfg.Record.Transcript(ctx, outcome.Completion.ID)
	if err != nil || log.End().At == 0 {
		return nil, err
	}
	return log, nil
}

// resume attaches a client to a completion, running or finished, behind the place that it names.
func (s *Server) resume(c *gin.Context, form *form) {
	id, ok := form.own(c.Param("id"))
	if !ok {
		s.fail(c, noSuch(form))
		return
	}
	from, seen, summed, err := startingAfter(c, form)
	if err != nil {
		s.fail(c, err)
		return
	}
	watch := s.cfg.Hub.Watch(id, nil) // before the record is read, so that no end falls between
	defer watch.Close()
	v, err := s.find(c, form)
	if err != nil {
		s.fail(c, err)
		return
	}
	outcome := completions.Outcome{Completion: v.Completion, Answer: v.answer}
	v.usage = c.Query("include_usage") == "true"
	w := newChunkWriter(c, form, v)
	w.skip, w.seen, w.summed, w.resumed, w.restarts = from, seen, summed, true, true
	s.relay(c, w, watch, func(ctx context.Context) (completions.Outcome, error) {
		if outcome.Completion.State != completions.StateOpen {
			return outcome, nil
		}
		ctx, cancel := context.WithDeadline(ctx, outcome.Completion.Deadline.Add(recordGrace))
		defer cancel()
		return s.waitDurably(ctx, form, outcome.Completion, watch)
	})
}

// startingAfter is the place that the client has come to: a number, or an event's whole id, which browsers send by
// themselves when they come back.
func startingAfter(c *gin.Context, form *form) (from transcript.Cursor, seen int, summed bool, err error) {
	text := c.Query("starting_after")
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && number >= 0 {
		from.At, seen = form.place(number)
		return from, seen, false, nil
	}
	if text == "" {
		text = c.GetHeader("Last-Event-ID")
	}
	if text == "" {
		return transcript.Cursor{}, allFrames, false, nil
	}
	if from, summed, err = transcript.ParseCursor(text); err != nil {
		return from, 0, false, invalid("starting_after", "invalid_value",
			"starting_after must be the sequence_number, or the id, of the last event received.")
	}
	return from, allFrames, summed, nil
}

// interrupted is what a client reads whose stream cannot be gone on with, though the completion goes on or has an answer.
func interrupted(form *form) *problem {
	return &problem{
		status: http.StatusBadGateway, kind: "server_error", code: "stream_interrupted",
		message: "The stream was interrupted. GET " + form.path + "{id} reads the whole answer.",
	}
}

// finishes are the events that end an answer's choices.
func finishes(answer llm.Response) []llm.Event {
	events := []llm.Event{{Type: llm.EventFinish, FinishReason: answer.FinishReason, NativeFinishReason: answer.NativeFinishReason, Warnings: answer.Warnings}}
	for i, choice := range answer.Alternatives {
		events = append(events, llm.Event{Type: llm.EventFinish, Choice: i + 1, FinishReason: choice.FinishReason, NativeFinishReason: choice.NativeFinishReason})
	}
	return events
}
