package activities

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
	"github.com/holdfast-dev/holdfast/tokens"
)

// PrepareInput names the completion to take up.
type PrepareInput struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Route  string `json:"route"`
	// ConversationID is empty for a request that stands by itself.
	ConversationID string    `json:"conversation,omitempty"`
	Epoch          int       `json:"epoch"`
	Deadline       time.Time `json:"deadline"`
	// SameModel keeps to the route's first model.
	SameModel bool `json:"same_model,omitempty"`
	// Recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	Recovery failover.Recovery `json:"recovery,omitempty"`
	// Summary is what was asked for before; whether it was written or not, no other is.
	Summary *SummaryWork `json:"summary,omitempty"`
}

// caller is whom the call is made for.
func (in PrepareInput) caller() Caller { return Caller{in.Tenant, cmp.Or(in.ConversationID, in.ID)} }

// PrepareResult is the plan of the completion.
type PrepareResult struct {
	// State is final when the outcome was recorded before: the workflow then has nothing to do.
	State completions.State `json:"state"`
	Plan  failover.Plan     `json:"plan"`
	// Failures are the attempts made at earlier epochs.
	Failures []failover.Failure `json:"failures,omitempty"`
	Decision failover.Decision  `json:"decision"`
	// Ladder is what is left when no provider answers.
	Ladder failover.Ladder `json:"ladder,omitzero"`
	// Tokens are those that a call may use, by estimate.
	Tokens int64 `json:"tokens,omitempty"`
	// Number is the attempt begun; zero if none was.
	Number int `json:"number,omitempty"`
	// Answered is the attempt whose answer is kept already and only needs recording.
	Answered *CallResult `json:"answered,omitempty"`
	// Replay says what of its conversation the completion is given; nil if it has none.
	Replay *replay.Record `json:"replay,omitempty"`
	// Summary is to be written first, and Prepare to be repeated then; nil if none is.
	Summary *SummaryWork `json:"summary,omitempty"`
	// Cancelled says that the completion is to be cancelled.
	Cancelled bool `json:"cancelled,omitempty"`
}

// Prepare claims the completion for this process at its epoch, looks in the cache, ranks the route's targets by what the request
// needs and what is known of them, and begins the first attempt. On a repetition it finds what was done before: a recorded
// outcome, a kept answer, or attempts of unknown outcome, which it marks possibly billed.
func (a *Activities) Prepare(ctx context.Context, in PrepareInput) (PrepareResult, error) {
	fence, _ := a.fence(in.ID, in.Epoch)
	a.cfg.Handover.Claim(in.ID)
	now := a.cfg.Now()
	if in.Summary != nil {
		if err := a.takeSummary(ctx, in.Tenant, in.ConversationID, *in.Summary); err != nil {
			return PrepareResult{}, a.refused(in.ID, err)
		}
	}
	whole, err := a.whole(ctx, asking{in.ID, in.Tenant, in.Route, in.ConversationID, in.Recovery != ""})
	if err != nil {
		return PrepareResult{}, a.refused(in.ID, err)
	}
	request := whole.Request
	a.requests.put(in.ID, request)
	policy := a.cfg.Router.Policy(in.Route)
	if whole.wanted > 0 && in.Summary == nil && policy.SummaryRoute != "" && in.Epoch == 1 {
		a.cfg.Handover.Release(in.ID) // its first call comes later, wherever that may be
		return PrepareResult{State: completions.StateOpen, Summary: &SummaryWork{
			// No client's key has this character. Whoever asks again, after one that failed, asks for another.
			ID: completions.IDForKey(in.Tenant, fmt.Sprintf("\x00summary before %d for %s", whole.wanted, in.ID)), Route: policy.SummaryRoute, Before: whole.wanted,
		}}, nil
	}
	result := PrepareResult{State: completions.StateOpen, Tokens: reserved(request), Replay: whole.record}
	result.Plan = a.rank(in, policy, whole)
	cached := a.cached(ctx, in, policy, request)
	if !allowed(cached, result.Plan) {
		cached = completions.Cached{}
	}
	result.Ladder.Stale = cached.Answer != nil && policy.Stale
	result.Ladder.Park = request.Routing != nil && request.Routing.Park

	state := failover.State{
		Candidates: result.Plan.Candidates, Deadline: in.Deadline, Recovery: in.Recovery, Ladder: result.Ladder, Seed: in.ID,
		Resting: a.cfg.Router.Rests(in.Tenant, result.Plan.Candidates, result.Tokens),
	}
	if in.Epoch == 1 {
		if cached.Answer != nil && cached.Fresh {
			result.Decision = failover.Decision{Action: failover.ActionCached, Candidate: -1, Reason: "the same was answered before"}
			return result, nil
		}
		result.Decision = a.queue(in.caller(), failover.Decide(state, now), state, result.Tokens)
		if startsNow(result.Decision) {
			started, err := a.cfg.Store.StartFirst(ctx, fence, a.newAttempt(in.caller(), result.Plan, result.Decision, nil, now))
			if err != nil {
				return PrepareResult{}, a.refused(in.ID, err)
			}
			if started {
				result.Number = 1
				return result, nil
			}
		}
	}
	resumed, err := a.cfg.Store.Resume(ctx, fence, func(prior []completions.Attempt) *completions.NewAttempt {
		result.Failures = completions.Failures(prior)
		state.Failures = result.Failures
		if len(result.Failures) > 0 || in.Epoch > 1 { // else it has its turn already
			result.Decision = a.queue(in.caller(), failover.Decide(state, now), state, result.Tokens)
		}
		if (completions.Resumed{Prior: prior}).Answered() != 0 || !startsNow(result.Decision) {
			return nil
		}
		next := a.newAttempt(in.caller(), result.Plan, result.Decision, result.Failures, now)
		return &next
	})
	if err != nil {
		return PrepareResult{}, a.refused(in.ID, err)
	}
	result.State, result.Number, result.Cancelled = resumed.State, resumed.Number, resumed.Cancelled
	if result.Number == 0 && result.Decision.Calls() && result.State == completions.StateOpen { // it is called later, wherever that may be
		if err := a.cfg.Store.KeepPlan(ctx, fence, result.Plan); err != nil {
			return PrepareResult{}, a.refused(in.ID, err)
		}
		a.cfg.Handover.Release(in.ID)
	}
	if n := resumed.Answered(); n != 0 {
		answered := resumed.Prior[n-1]
		result.Answered = &CallResult{Number: n, Provider: answered.Provider, Model: answered.Model}
	}
	return result, nil
}

// rank orders the targets for the request.
func (a *Activities) rank(in PrepareInput, policy RoutePolicy, whole replayed) failover.Plan {
	request := whole.Request
	var fallbacks []string
	if request.Routing != nil {
		fallbacks = request.Routing.Fallbacks
	}
	targets := a.cfg.Router.Targets(in.Tenant, in.Route, fallbacks, in.Recovery != "")
	count := tokens.Estimate(request)
	if failover.Tight(targets, count.About) && whole.unread == 0 { // an estimate will not do
		count = tokens.Exact(request)
	}
	// Of what was not read, the count on record is good enough.
	ask := failover.AskOf(in.Tenant, request, count.About+whole.unread, count.AtLeast+whole.unread/2)
	if in.SameModel {
		targets = failover.SameModel(targets)
	}
	prefer := failover.Preference{Providers: ask.Routing.Order, Sort: failover.SortBy(ask.Routing.Sort), Single: ask.Routing.Single}
	if policy.Sticky {
		prefer.Last = whole.last
		if whole.record != nil {
			prefer.Held = whole.record.Tokens
		}
	}
	return failover.Rank(ask.Filter(targets), prefer, a.cfg.Draw)
}

// startsNow says whether the decision is a call without a wait.
func startsNow(decision failover.Decision) bool {
	return decision.Calls() && decision.Delay == 0
}

// newAttempt is the row of the call that the decision asks for, with the plan that it comes from. The key's name is a preview:
// the call itself takes the key that is good at its moment.
func (a *Activities) newAttempt(caller Caller, plan failover.Plan, decision failover.Decision, failures []failover.Failure, now time.Time) completions.NewAttempt {
	next := a.attemptOf(caller, plan.Candidates, plan.Candidates[decision.Candidate], failures, decision.Reason, now)
	next.Plan = &plan
	return next
}

func (a *Activities) attemptOf(
	caller Caller, candidates []failover.Candidate, candidate failover.Candidate, failures []failover.Failure, reason string, now time.Time,
) completions.NewAttempt {
	next := completions.NewAttempt{
		Deployment: candidate.Deployment, Provider: candidate.Provider, Model: candidate.Model,
		ChosenBecause: reason, StartedAt: now,
	}
	avoid := failover.BadKeys(failures, candidates, candidate.Deployment)
	if endpoint, err := a.cfg.Router.Endpoint(caller, candidate.Deployment, avoid); err == nil {
		next.KeyName = endpoint.KeyName
	}
	return next
}

// noCandidate is the final error of a completion that no target could serve, or that all of them rest from.
func noCandidate(plan failover.Plan, retryAfter time.Duration) *llm.Error {
	failure := &llm.Error{Kind: llm.KindUnknown, Provider: "none", Code: "no_eligible_provider", Detail: "the route has no deployments"}
	switch {
	case len(plan.Candidates) > 0:
		failure.Kind, failure.Code, failure.RetryAfter = llm.KindOverloaded, "every_provider_rests", retryAfter
		failure.Detail = "every deployment rests"
	case failover.TooLong(plan):
		failure.Kind, failure.Detail = llm.KindContextLength, "every deployment is excluded: "+plan.Excluded[0].Reason
	case failover.Unable(plan):
		failure.Kind, failure.Detail = llm.KindUnsupported, "every deployment is excluded: "+plan.Excluded[0].Reason
	case len(plan.Excluded) > 0:
		failure.Detail = "every deployment is excluded: " + plan.Excluded[0].Reason
	}
	return failure
}
