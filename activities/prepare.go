package activities

import (
	"context"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// PrepareInput names the completion to take up.
type PrepareInput struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"tenant"`
	Route    string    `json:"route"`
	Epoch    int       `json:"epoch"`
	Deadline time.Time `json:"deadline"`
	// SameModel keeps to the route's first model.
	SameModel bool `json:"same_model,omitempty"`
	// Recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	Recovery failover.Recovery `json:"recovery,omitempty"`
}

// PrepareResult is the plan of the completion.
type PrepareResult struct {
	// State is final when the outcome was recorded before: the workflow then has nothing to do.
	State completions.State `json:"state"`
	Plan  failover.Plan     `json:"plan"`
	// Failures are the attempts made at earlier epochs.
	Failures []failover.Failure `json:"failures,omitempty"`
	Decision failover.Decision  `json:"decision"`
	// Number is the attempt begun; zero if none was.
	Number int `json:"number,omitempty"`
	// Answered is the attempt whose answer is kept already and only needs recording.
	Answered *CallResult `json:"answered,omitempty"`
	// Cancelled says that the completion is to be cancelled.
	Cancelled bool `json:"cancelled,omitempty"`
}

// Prepare claims the completion for this process at its epoch, ranks the route's targets and begins the first attempt. On
// a repetition it finds what was done before: a recorded outcome, a kept answer, or attempts of unknown outcome, which it
// marks possibly billed.
func (a *Activities) Prepare(ctx context.Context, in PrepareInput) (PrepareResult, error) {
	fence, _ := a.fence(in.ID, in.Epoch)
	a.cfg.Handover.Claim(in.ID)
	now := a.cfg.Now()
	targets := a.cfg.Router.Targets(in.Route)
	if in.SameModel {
		targets = failover.SameModel(targets)
	}
	plan := failover.Rank(targets, a.cfg.Draw)
	result := PrepareResult{State: completions.StateOpen, Plan: plan}

	state := failover.State{Candidates: plan.Candidates, Deadline: in.Deadline, Recovery: in.Recovery, Seed: in.ID}
	if in.Epoch == 1 {
		result.Decision = failover.Decide(state, now)
		if result.Decision.Action == failover.ActionCall {
			started, err := a.cfg.Store.StartFirst(ctx, fence, a.newAttempt(plan, result.Decision, now))
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
		result.Decision = failover.Decide(state, now)
		if (completions.Resumed{Prior: prior}).Answered() != 0 || !startsNow(result.Decision) {
			return nil
		}
		next := a.newAttempt(plan, result.Decision, now)
		return &next
	})
	if err != nil {
		return PrepareResult{}, a.refused(in.ID, err)
	}
	result.State, result.Number, result.Cancelled = resumed.State, resumed.Number, resumed.Cancelled
	if n := resumed.Answered(); n != 0 {
		answered := resumed.Prior[n-1]
		result.Answered = &CallResult{Number: n, Provider: answered.Provider, Model: answered.Model}
	}
	return result, nil
}

// startsNow says whether the decision is a call without a wait.
func startsNow(decision failover.Decision) bool {
	return decision.Action != failover.ActionGiveUp && decision.Delay == 0
}

// newAttempt is the row of the call that the decision asks for. The key's name is a preview: the call itself takes the key
// that is good at its moment.
func (a *Activities) newAttempt(plan failover.Plan, decision failover.Decision, now time.Time) completions.NewAttempt {
	candidate := plan.Candidates[decision.Candidate]
	return a.attemptOf(candidate, decision.Reason, now)
}

func (a *Activities) attemptOf(candidate failover.Candidate, reason string, now time.Time) completions.NewAttempt {
	next := completions.NewAttempt{
		Deployment: candidate.Deployment, Provider: candidate.Provider, Model: candidate.Model,
		ChosenBecause: reason, StartedAt: now,
	}
	if endpoint, err := a.cfg.Router.Endpoint(candidate.Deployment); err == nil {
		next.KeyName = endpoint.KeyName
	}
	return next
}

// noCandidate is the final error of a completion that no target could serve.
func noCandidate(plan failover.Plan) *llm.Error {
	detail := "the route has no deployments"
	if len(plan.Excluded) > 0 {
		detail = "every deployment is excluded: " + plan.Excluded[0].Reason
	}
	return &llm.Error{Kind: llm.KindUnknown, Provider: "none", Code: "no_eligible_provider", Detail: detail}
}
