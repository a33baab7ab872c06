package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/handover"
)

const (
	// claimGrace is how long a workflow started here may take to begin in this process before its outcome is awaited
	// durably, which costs Temporal a long poll. Eager start makes it begin here but for a full worker; under load, late.
	claimGrace = 3 * time.Second
	// attachGrace is the same for a completion that another request has started, perhaps in another process.
	attachGrace = 300 * time.Millisecond
	// recordGrace is how long after its deadline a completion's outcome may still be on its way to the record.
	recordGrace = 5 * time.Second
)

// wait returns the outcome by the short way, in process, or else by the durable one: Temporal says when the workflow has
// ended, and the record says how.
func (s *Server) wait(ctx context.Context, sub *submission, watch *handover.Watch, permit *permit) (completions.Outcome, error) {
	completion := sub.completion
	claim := time.NewTimer(s.grace(sub.created))
	defer claim.Stop()
	calling := watch.Calling()
	for {
		select {
		case <-watch.Done():
			permit.Done()
			return watch.Outcome(), nil
		case <-calling:
			permit.Done()
			calling = nil
		case <-watch.Moved():
			permit.Done()
			return s.waitDurably(ctx, sub.form, completion, watch)
		case <-claim.C:
			if !watch.Claimed() {
				permit.Abandon()
				return s.waitDurably(ctx, sub.form, completion, watch)
			}
		case <-ctx.Done():
			return completions.Outcome{}, waitEnded(ctx, sub.form)
		}
	}
}

// grace is how long the workflow may take to begin in this process.
func (s *Server) grace(created bool) time.Duration {
	switch {
	case s.cfg.WorksElsewhere:
		return 0
	case created:
		return claimGrace
	default:
		return attachGrace
	}
}

// settle gives the admission permit back once the provider call has begun, without waiting for the outcome.
func (s *Server) settle(permit *permit, watch *handover.Watch) {
	limit := time.NewTimer(startTime)
	defer limit.Stop()
	select {
	case <-watch.Done():
	case <-watch.Calling():
	case <-watch.Moved():
	case <-limit.C:
		permit.Abandon()
	}
	permit.Done()
}

// waitDurably awaits the workflow's end, over re-drives, restarts and outages, then reads the outcome from the record. The
// in-process way stays open meanwhile: the workflow may come back here.
func (s *Server) waitDurably(ctx context.Context, form *form, completion completions.Completion, watch *handover.Watch) (completions.Outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if completion.Recovery != "" && s.cfg.Mirror != nil { // what it says meanwhile is said elsewhere
		mirrored := make(chan struct{})
		go func() {
			defer close(mirrored)
			s.cfg.Mirror.Follow(ctx, completion.ID, watch.Feed())
		}()
		defer func() { // it is done before the watch is closed
			cancel()
			<-mirrored
		}()
	}
	type found struct {
		outcome completions.Outcome
		err     error
	}
	result := make(chan found, 1)
	go func() {
		outcome, err := s.followWorkflow(ctx, completion)
		result <- found{outcome, err}
	}()
	select {
	case <-watch.Done():
		return watch.Outcome(), nil
	case f := <-result:
		if f.err != nil && ctx.Err() != nil {
			return completions.Outcome{}, waitEnded(ctx, form)
		}
		return f.outcome, f.err
	}
}

// errOpen says that the completion has no outcome yet, though its workflow's run has ended: it is being driven again.
var errOpen = errors.New("the completion is still open")

func (s *Server) followWorkflow(ctx context.Context, completion completions.Completion) (completions.Outcome, error) {
	policy := retrypolicy.NewBuilder[completions.Outcome]().
		HandleIf(func(_ completions.Outcome, err error) bool {
			return err != nil && !errors.Is(err, completions.ErrNotFound)
		}).
		WithBackoff(50*time.Millisecond, time.Second).WithJitterFactor(0.3).WithMaxRetries(-1).ReturnLastFailure().Build()
	return failsafe.With(policy).WithContext(ctx).Get(func() (completions.Outcome, error) {
		// How the run ended does not matter: the record alone says what became of the completion.
		_ = s.cfg.Temporal.GetWorkflow(ctx, completion.WorkflowID, "").Get(ctx, nil)
		outcome, err := s.cfg.Record.Outcome(ctx, completion.Tenant, completion.ID)
		if err == nil && outcome.Completion.State == completions.StateOpen {
			err = errOpen
		}
		return outcome, err
	})
}

// waitAtMost waits for the outcome of a running completion; still open after the time is not an error.
func (s *Server) waitAtMost(ctx context.Context, form *form, completion completions.Completion, limit time.Duration) (completions.Outcome, error) {
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	watch := s.cfg.Hub.Watch(completion.ID, nil)
	defer watch.Close()
	outcome, err := s.waitDurably(waiting, form, completion, watch)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return completions.Outcome{Completion: completion}, nil
	}
	return outcome, err
}

// waitEnded says why the wait ended without an outcome: the client went away, or time ran out while the outcome could not
// be recorded. Either way it can be read later.
func waitEnded(ctx context.Context, form *form) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &problem{
			status: http.StatusGatewayTimeout, kind: "server_error", code: "deadline_exceeded", final: true,
			message: "No outcome within the time allowed. GET " + form.path + "{id} reads it once it is there.",
		}
	}
	return &problem{status: 499, kind: "invalid_request_error", code: "client_closed_request", message: "The client closed the request."}
}
