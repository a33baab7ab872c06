package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/api/serviceerror"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/launch"
)

const (
	// acceptTime is how long recording the acceptance may take before the client is told to come back.
	acceptTime = 5 * time.Second
	// startTime is how long the start of the workflow may take before the wait for its outcome goes on without knowing.
	startTime = 10 * time.Second
)

// submission is a request on its way to being accepted.
type submission struct {
	id      string
	tenant  string
	key     string
	form    *form
	request dialect.Request
	stored  completions.Stored
	// fingerprint tells the request from another under the same key.
	fingerprint []byte
	accepted    time.Time
	completion  completions.Completion
	created     bool
	// recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	recovery failover.Recovery
	// cancelOnDisconnect says that nobody wants the answer once its client has gone.
	cancelOnDisconnect bool
}

// view is an outcome as the client is to see it.
func (sub *submission) view(outcome completions.Outcome) view {
	v := view{Completion: outcome.Completion, answer: outcome.Answer, shown: sub.request.Shown, usage: sub.request.IncludeUsage}
	v.Metadata, v.Background = sub.request.Metadata, sub.request.Background
	return v
}

func (s *Server) submission(c *gin.Context, form *form, request dialect.Request) (_ *submission, err error) {
	sub := &submission{tenant: tenantOf(c), key: c.GetHeader("Idempotency-Key"), form: form, request: request}
	switch {
	case request.Store != nil && !*request.Store:
		sub.stored = completions.StoredNo
	case request.Store != nil, form.keeps:
		sub.stored = completions.StoredYes
	}
	if sub.fingerprint, err = fingerprint(request, form, sub.stored); err != nil {
		return nil, err
	}
	sub.request.Routing = s.routed(c, request.Request, respondAsync(c))
	if request.Stream {
		sub.recovery = s.recovery(request)
	}
	sub.cancelOnDisconnect = cancelOnDisconnect(request, sub.key, sub.stored)
	switch {
	case len(sub.key) > 255:
		return nil, invalid("Idempotency-Key", "invalid_value", "The Idempotency-Key is longer than 255 characters.")
	case sub.key != "":
		sub.id = completions.IDForKey(sub.tenant, sub.key)
	default:
		sub.id = completions.NewID()
	}
	return sub, nil
}

// recovery is what the request, or its route, wants to become of the stream if it breaks.
func (s *Server) recovery(request dialect.Request) failover.Recovery {
	if request.OnStreamFailure != "" {
		return failover.Recovery(request.OnStreamFailure)
	}
	if s.cfg.Recovery != nil {
		return s.cfg.Recovery(request.Model)
	}
	return failover.RecoveryContinue
}

// cancelOnDisconnect says whether a request ends with its client's connection. By itself it does if nobody could come back
// for the answer, or would find it anywhere.
func cancelOnDisconnect(request dialect.Request, key string, stored completions.Stored) bool {
	if request.OnDisconnect != "" {
		return request.OnDisconnect == "cancel"
	}
	return key == "" && stored != completions.StoredYes && request.ConversationID == "" && !request.Background
}

// submit accepts the request, starts its workflow and waits for the outcome.
func (s *Server) submit(c *gin.Context, sub *submission) (completions.Outcome, error) {
	ctx := c.Request.Context()
	watch, permit, err := s.begin(ctx, sub)
	if err != nil {
		return completions.Outcome{}, err
	}
	defer watch.Close()
	defer permit.Abandon()
	outcome, err := s.outcome(ctx, sub, watch, permit)
	if err != nil && ctx.Err() != nil {
		s.disconnected(c, sub, watch)
	}
	return outcome, err
}

// outcome waits for the outcome of what begin has begun, or found.
func (s *Server) outcome(ctx context.Context, sub *submission, watch *handover.Watch, permit *permit) (completions.Outcome, error) {
	if !sub.created {
		outcome, err := s.cfg.Record.Outcome(ctx, sub.tenant, sub.id)
		if err != nil || outcome.Completion.State != completions.StateOpen {
			return outcome, err
		}
		sub.completion = outcome.Completion
	}
	ctx, cancel := context.WithDeadline(ctx, sub.completion.Deadline.Add(recordGrace))
	defer cancel()
	outcome, err := s.wait(ctx, sub, watch, permit)
	if err == nil && outcome.Completion.Dialect == "" { // it was handed over in process, by those who know less of it
		outcome.Completion.Dialect, outcome.Completion.ConversationID = sub.form.dialect, sub.completion.ConversationID
	}
	return outcome, err
}

// begin admits and accepts the request and sees to its workflow's start. From its return on, the request is accepted: it
// will have an outcome whatever happens to this process.
func (s *Server) begin(ctx context.Context, sub *submission) (*handover.Watch, *permit, error) {
	if s.draining.Load() {
		return nil, nil, unavailable("The service is restarting. Try again shortly.", nil)
	}
	permit, err := s.admission.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := s.accept(ctx, sub); err != nil {
		permit.Abandon()
		return nil, nil, err
	}
	watch := s.cfg.Hub.Watch(sub.id, &sub.request.Request)
	if sub.created {
		s.start(ctx, sub.completion)
	} else {
		permit.Abandon()
	}
	return watch, permit, nil
}

// accept records the request, or finds that it was recorded before.
func (s *Server) accept(ctx context.Context, sub *submission) error {
	// The client's going away half way must not leave the record in doubt.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), acceptTime)
	defer cancel()
	instance, _ := s.cfg.Lease.Current()
	accepted := time.Now()
	acceptance := completions.Acceptance{
		ID: sub.id, Tenant: sub.tenant, WorkflowID: completions.WorkflowID(sub.tenant, sub.id, sub.key),
		Dialect: sub.form.dialect, Route: sub.request.Model, ConversationID: sub.request.ConversationID,
		InstanceID: instance, AcceptedAt: accepted, Deadline: accepted.Add(s.cfg.Timeout), Recovery: sub.recovery, Request: sub.request.Request, Fingerprint: sub.fingerprint,
		Previous: sub.request.PreviousID, Thread: sub.form.keeps && sub.stored == completions.StoredYes, Shown: sub.request.Shown,
		Stored: sub.stored, Background: sub.request.Background, EndUser: sub.request.User, Metadata: sub.request.Metadata,
	}
	if sub.stored == completions.StoredNo {
		until := acceptance.Deadline
		if window := accepted.Add(s.cfg.IdempotencyWindow); sub.key != "" && window.After(until) {
			until = window
		}
		acceptance.ContentUntil = &until
	}
	outcome, err := s.cfg.Record.Accept(ctx, acceptance)
	if err != nil {
		return err
	}
	sub.created, sub.accepted = outcome.Created, accepted
	sub.completion = completions.Completion{
		ID: sub.id, Tenant: sub.tenant, WorkflowID: acceptance.WorkflowID, Dialect: sub.form.dialect, Route: acceptance.Route,
		ConversationID: outcome.ConversationID, State: completions.StateOpen, InstanceID: instance, Epoch: 1,
		AcceptedAt: outcome.AcceptedAt, Deadline: outcome.Deadline, Recovery: sub.recovery, Stored: sub.stored, Background: sub.request.Background,
		EndUser: sub.request.User, Metadata: sub.request.Metadata,
	}
	return nil
}

// start starts the workflow. A failure is not the client's: the request is recorded, and the re-driver starts what has not
// been started; so it is logged, and the wait goes on.
func (s *Server) start(ctx context.Context, completion completions.Completion) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTime)
	defer cancel()
	err := launch.First(ctx, s.cfg.Temporal, completion)
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &already) {
		s.cfg.Logger.WarnContext(ctx, "workflow not started yet", "completion", completion.ID, "error", err)
	}
}

// fingerprint identifies a request's meaning: two bodies that differ in white space or key order are the same request. It is that
// of the body, its dialect, and whether it is to be kept.
func fingerprint(request dialect.Request, form *form, stored completions.Stored) ([]byte, error) {
	canonical, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("fingerprinting a request: %w", err)
	}
	if form.dialect != completions.DialectChat && form.dialect != completions.DialectEmbeddings || stored != "" {
		canonical = append(canonical, form.dialect+" "+string(stored)...)
	}
	sum := sha256.Sum256(canonical)
	return sum[:], nil
}
