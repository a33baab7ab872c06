package activities

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// CallInput asks for one candidate to be called.
type CallInput struct {
	ID             string    `json:"id"`
	Tenant         string    `json:"tenant,omitempty"`
	Route          string    `json:"route,omitempty"`
	ConversationID string    `json:"conversation,omitempty"`
	Epoch          int       `json:"epoch"`
	Deadline       time.Time `json:"deadline"`
	// Number is the attempt that Prepare began; zero asks for a new one.
	Number     int                  `json:"number,omitempty"`
	Candidates []failover.Candidate `json:"candidates"`
	Failures   []failover.Failure   `json:"failures,omitempty"`
	Decision   failover.Decision    `json:"decision"`
	// Ladder is what is left when no provider answers, Tokens are those that a call may use.
	Ladder failover.Ladder `json:"ladder,omitzero"`
	Tokens int64           `json:"tokens,omitempty"`
	// Recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	Recovery failover.Recovery `json:"recovery,omitempty"`
}

// caller is whom the call is made for.
func (in CallInput) caller() Caller { return Caller{in.Tenant, cmp.Or(in.ConversationID, in.ID)} }

// CallResult says which attempt answered. The answer itself is kept in this process or in PostgreSQL.
type CallResult struct {
	Number   int    `json:"number"`
	Provider string `json:"provider"`
	Model    string `json:"model"`
	// Usage stands in history for the operator who reads it there.
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
	// Hedged says that a second call was started beside the first, Degraded that the answer is one for want of anything better.
	Hedged   bool `json:"hedged,omitempty"`
	Degraded bool `json:"degraded,omitempty"`
}

// CallModel makes one call to the decision's candidate. As a local activity it keeps the answer in memory for Record; as a
// regular activity, which may run anywhere, it keeps it in PostgreSQL and beats its heart meanwhile. A failed call is
// recorded with the decision that follows from it, and returned as an error that carries both.
func (a *Activities) CallModel(ctx context.Context, in CallInput) (CallResult, error) {
	info := activity.GetInfo(ctx)
	fence, held := a.fence(in.ID, in.Epoch)
	candidate := in.Candidates[in.Decision.Candidate]
	number, failures := in.Number, in.Failures

	if number == 0 && info.Attempt == 1 { // time has passed since it was decided
		changed, err := a.reconsider(&in)
		if err != nil {
			return CallResult{}, err
		}
		if changed {
			candidate = in.Candidates[in.Decision.Candidate]
		}
	}
	var entry *entry
	if number == 0 && info.Attempt == 1 { // admitted before it is begun: what is not sent is no attempt
		var err error
		if entry, err = a.enter(in, candidate); err != nil {
			return CallResult{}, err
		}
		defer entry.leave()
	}
	if number == 0 || info.Attempt > 1 {
		resumed, err := a.cfg.Store.Resume(ctx, fence, func(prior []completions.Attempt) *completions.NewAttempt {
			failures = completions.Failures(prior)
			if (completions.Resumed{Prior: prior}).Answered() != 0 {
				return nil
			}
			reason := in.Decision.Reason
			if n := len(prior); n > 0 && info.Attempt > 1 { // Temporal's repetition: the last attempt said why
				reason = prior[n-1].Reason
			}
			next := a.attemptOf(in.caller(), in.Candidates, candidate, failures, reason, a.cfg.Now())
			return &next
		})
		switch {
		case err != nil:
			return CallResult{}, a.refused(in.ID, err)
		case resumed.State != completions.StateOpen:
			return CallResult{}, a.refused(in.ID, completions.ErrSuperseded)
		case resumed.Cancelled:
			return CallResult{}, cancelledError()
		case resumed.Answered() != 0:
			answered := resumed.Prior[resumed.Answered()-1]
			return CallResult{Number: answered.Number, Provider: answered.Provider, Model: answered.Model}, nil
		}
		number = resumed.Number
	}
	if !info.IsLocalActivity {
		stop := beat(ctx, info.HeartbeatTimeout/3)
		defer stop()
	}
	call := modelCall{in: in, fence: fence, number: number, candidate: candidate, failures: failures, local: info.IsLocalActivity, entry: entry}
	return a.call(ctx, held, call)
}

type modelCall struct {
	in        CallInput
	fence     completions.Fence
	number    int
	candidate failover.Candidate
	failures  []failover.Failure
	local     bool
	// gate lets one of two calls side by side tell its answer; nil for a call by itself.
	gate *gate
	// entry is the call's admission, if it has been admitted before.
	entry *entry
}

// given is what came of a call: an answer, or what was there of it when it failed.
type given struct {
	answer llm.Response
	// usage is the call's own; that of the answer counts what the client got, from all attempts.
	usage llm.Usage
	shown failover.Shown
	// firstWord is when the first word of a stream came; zero if none did, or it is no stream.
	firstWord time.Time
	keyName   string
}

func (a *Activities) call(ctx, held context.Context, c modelCall) (CallResult, error) {
	ctx, done := a.calls.begin(ctx, c.in.ID)
	defer done()
	started := a.cfg.Now()
	raced := a.race(ctx, held, c)
	c, got, err := raced.call, raced.got, raced.err
	ended := a.cfg.Now()
	if err != nil && errors.Is(context.Cause(ctx), errCancelled) {
		err = &llm.Error{Kind: llm.KindCancelled, Provider: c.candidate.Provider, Detail: errCancelled.Error()}
	}
	if err != nil {
		if held.Err() != nil { // judged dead: the completion is being driven elsewhere
			return CallResult{}, a.refused(c.in.ID, completions.ErrSuperseded)
		}
		return CallResult{}, a.failed(ctx, c, got, err, raced.also, ended)
	}
	result := CallResult{
		Number: c.number, Provider: c.candidate.Provider, Model: c.candidate.Model,
		InputTokens: got.usage.InputTokens, OutputTokens: got.usage.OutputTokens, Hedged: raced.hedged, Degraded: c.candidate.Degraded,
	}
	if c.local {
		a.stash.put(c.in.ID, c.number, stashed{answer: got.answer, usage: got.usage, at: ended, duration: ended.Sub(started)})
		return result, nil
	}
	err = persist(ctx, func(ctx context.Context) error {
		return a.cfg.Store.KeepAnswer(ctx, c.fence, c.number, got.answer, got.usage, ended)
	})
	return result, a.refused(c.in.ID, err)
}

// used is what a failed call is known to have used; nil if nothing is.
func (g given) used() *llm.Usage {
	if g.usage.InputTokens == 0 && g.usage.OutputTokens == 0 {
		return nil
	}
	return &g.usage
}

// complete asks the provider, within the attempt's own time limit, the deadline, and this process's lease, if what is known of
// the provider admits the call.
func (a *Activities) complete(ctx, held context.Context, c modelCall) (got given, err error) {
	request, err := a.request(ctx, c.in)
	if err != nil {
		return given{}, err
	}
	admitted, got, err := a.admitted(c)
	if err != nil {
		return got, err
	}
	got, err = a.through(ctx, held, c, admitted, request)
	if next := a.afterRefusal(ctx, c, admitted.endpoint, got, err); next != nil {
		return a.through(ctx, held, c, next, request)
	}
	return got, err
}

// through makes an admitted call.
func (a *Activities) through(ctx, held context.Context, c modelCall, admitted *entry, request llm.Request) (got given, err error) {
	endpoint, permit := admitted.endpoint, admitted.permit
	streamed := c.in.Recovery != "" && request.Embed == nil
	limit := a.cfg.Now().Add(c.candidate.Timeout)
	ours := streamed || c.in.Deadline.Before(limit)
	if ours { // what is still being said is not cut off: a stream has limits to its silence
		limit = c.in.Deadline
	}
	ctx, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	defer context.AfterFunc(held, cancel)()
	if c.local {
		a.cfg.Handover.Calling(c.in.ID)
	}
	request.Model, request.Plain = endpoint.Model, c.in.Decision.Plain
	began := a.cfg.Now()
	if streamed {
		got, err = a.stream(ctx, c, endpoint, request)
	} else {
		got, err = whole(ctx, c, endpoint, request)
	}
	ended := a.cfg.Now()
	outcome := outcomeOf(got, err, began, ended)
	outcome.Streamed, outcome.Embeddings = streamed, request.Embed != nil
	if err != nil && (ctx.Err() != nil && (ours || ended.Before(limit)) || held.Err() != nil) && !errors.Is(context.Cause(ctx), errSilent) {
		outcome.Kind = llm.KindCancelled // we ended it: that says nothing of the provider
	}
	permit.Done(outcome)
	got.keyName = endpoint.KeyName
	return got, err
}

// whole asks for an answer that nobody watches.
func whole(ctx context.Context, c modelCall, endpoint Endpoint, request llm.Request) (given, error) {
	answer, err := ask(ctx, c, endpoint, request)
	if err != nil {
		return given{}, err
	}
	if !c.gate.claim(c.number) {
		return given{}, beaten(c.candidate)
	}
	answer = counted(request, answer)
	return given{answer: answer, usage: answer.Usage}, nil
}

// outcomeOf is what came of a call, for what is known of its provider.
func outcomeOf(got given, err error, began, ended time.Time) Outcome {
	var outcome Outcome
	failure, failed := errors.AsType[*llm.Error](err)
	switch {
	case failed:
		outcome.Kind, outcome.RetryAfter, outcome.RateLimit = failure.Kind, failure.RetryAfter, failure.RateLimit
	case err != nil:
		outcome.Kind = llm.KindCancelled // something of our own
	default:
		outcome.FirstWord, outcome.RateLimit = ended.Sub(began), got.answer.RateLimit
		outcome.Tokens = got.usage.InputTokens + got.usage.OutputTokens
	}
	if !got.firstWord.IsZero() {
		outcome.FirstWord = got.firstWord.Sub(began)
	}
	return outcome
}

// ask asks for the whole answer.
func ask(ctx context.Context, c modelCall, endpoint Endpoint, request llm.Request) (llm.Response, error) {
	if request.Embed == nil {
		return endpoint.Provider.Complete(ctx, endpoint.Key, request)
	}
	embedder, ok := endpoint.Provider.(llm.Embedder)
	if !ok {
		return llm.Response{}, &llm.Error{Kind: llm.KindUnsupported, Provider: c.candidate.Provider, Detail: "this provider makes no embeddings"}
	}
	return embedder.Embed(ctx, endpoint.Key, request)
}

// request is the whole request: what the client sent, behind what is said again of its conversation.
func (a *Activities) request(ctx context.Context, in CallInput) (llm.Request, error) {
	scope := in.ID
	if in.ConversationID != "" {
		scope = in.ConversationID
	}
	request, prepared := a.requests.take(in.ID)
	if !prepared {
		whole, err := a.whole(ctx, asking{in.ID, in.Tenant, in.Route, in.ConversationID, in.Recovery != ""})
		if err != nil {
			return llm.Request{}, err
		}
		request = whole.Request
	}
	messages, err := a.cfg.Media.Resolve(ctx, scope, request.Messages)
	request.Messages = messages
	return request, err
}

// failed records the failure with the decision that follows from it.
func (a *Activities) failed(ctx context.Context, c modelCall, got given, err error, also []failover.Failure, at time.Time) error {
	var failure *llm.Error
	if !errors.As(err, &failure) {
		if ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			return storeError(err) // no provider was reached: the record could not be read
		}
		failure = &llm.Error{Kind: llm.KindTimeout, Provider: c.candidate.Provider, Detail: "no time was left for the call"}
	}
	entry := failureOf(c, got, failure, at)
	state := a.state(c.in, append(append(c.failures, also...), entry))
	decision := a.queue(c.in.caller(), failover.Decide(state, at), state, c.in.Tokens)
	if decision.Action == failover.ActionRetry || decision.Action == failover.ActionNext && tried(state, decision) {
		a.cfg.Health.Repeated()
	}
	a.cfg.Logger.WarnContext(ctx, "provider call failed",
		"completion", c.in.ID, "attempt", c.number, "provider", c.candidate.Provider, "model", c.candidate.Model,
		"kind", failure.Kind, "status", failure.Status, "code", failure.Code, "provider_request_id", failure.RequestID,
		"decision", decision.Action, "reason", decision.Reason)
	// A cancelled call is recorded too; the write gets a little time of its own.
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err = persist(writing, func(ctx context.Context) error {
		return a.cfg.Store.Fail(ctx, c.fence, completions.Failed{
			Number: c.number, Error: failure, Decision: decision, Shown: got.shown, Usage: got.used(), KeyName: got.keyName, At: at,
		})
	})
	if err != nil {
		return a.refused(c.in.ID, err)
	}
	if c.local { // from here on the completion may be driven, and end, in any process
		a.cfg.Handover.Release(c.in.ID)
	}
	return attemptError(AttemptFailed{Number: c.number, Also: also, Failure: entry, Decision: decision, Error: failure}, c.local)
}

// failureOf is a failed call as failover sees it.
func failureOf(c modelCall, got given, failure *llm.Error, at time.Time) failover.Failure {
	return failover.Failure{
		Deployment: c.candidate.Deployment, Kind: failure.Kind, RetryAfter: failure.RetryAfter, Remedy: failure.Remedy, Shown: got.shown,
		Key: got.keyName, Held: failure.Code == completions.CodeHeldBack, At: at,
	}
}

// state is all that a decision rests on, as it is now.
func (a *Activities) state(in CallInput, failures []failover.Failure) failover.State {
	return failover.State{
		Candidates: in.Candidates, Failures: failures, Deadline: in.Deadline, Recovery: in.Recovery, Ladder: in.Ladder, Seed: in.ID,
		Resting: a.cfg.Router.Rests(in.Tenant, in.Candidates, in.Tokens), NoRepeats: a.cfg.Health.MayRepeat(),
	}
}

// tried says whether the decision is for a candidate that has been called before.
func tried(state failover.State, decision failover.Decision) bool {
	return slices.ContainsFunc(state.Failures, func(failure failover.Failure) bool {
		return failure.Deployment == state.Candidates[decision.Candidate].Deployment
	})
}

// beat sends heartbeats until stopped: a thinking model is silent for longer than any heartbeat timeout.
func beat(ctx context.Context, every time.Duration) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(max(every, 100*time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
