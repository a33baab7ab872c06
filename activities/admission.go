package activities

import (
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// entry is a call that is admitted: where it goes, and what it has taken of limits.
type entry struct {
	endpoint Endpoint
	permit   Permit
}

// leave gives back an admission of which no call came.
func (e *entry) leave() {
	if e != nil {
		e.permit.Done(Outcome{Kind: llm.KindCancelled}) // where a call came, it has said more before
	}
}

// enter admits a call that is not begun yet. The error says what follows where it may not be made.
func (a *Activities) enter(in CallInput, candidate failover.Candidate) (*entry, error) {
	endpoint, err := a.cfg.Router.Endpoint(in.caller(), candidate.Deployment, failover.BadKeys(in.Failures, in.Candidates, candidate.Deployment))
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // it becomes the failure of an attempt
	}
	permit, _ := a.cfg.Health.Admit(endpoint.Call, in.Tokens, in.Decision.HasTurn(a.cfg.Now()))
	if permit != nil {
		return &entry{endpoint, permit}, nil
	}
	state := a.state(in, in.Failures)
	decision := a.queue(in.caller(), failover.Decide(state, a.cfg.Now()), state, in.Tokens)
	if decision.Calls() && decision.Delay < leastPause { // it was free a moment ago
		decision.Delay = leastPause
	}
	return nil, postponedError(decision)
}

// leastPause is the least wait of a call that lost its place to another.
const leastPause = 100 * time.Millisecond

// queue gives a call that waits for a limit its turn there.
func (a *Activities) queue(caller Caller, decision failover.Decision, state failover.State, tokens int64) failover.Decision {
	if !decision.Calls() || decision.Delay == 0 {
		return decision
	}
	candidate := state.Candidates[decision.Candidate]
	limited := slices.ContainsFunc(state.Resting, func(rest failover.Rest) bool {
		return rest.Deployment == candidate.Deployment && rest.Class == failover.RestLimit
	})
	if !limited {
		return decision
	}
	endpoint, err := a.cfg.Router.Endpoint(caller, candidate.Deployment, failover.BadKeys(state.Failures, state.Candidates, candidate.Deployment))
	if err != nil {
		return decision
	}
	if turn := a.cfg.Health.Queue(endpoint.Call, tokens); turn > 0 {
		if turn > decision.Delay && !a.cfg.Now().Add(turn).After(state.Deadline) {
			decision.Delay = turn
		}
		decision.Turn = a.cfg.Now().Add(decision.Delay)
	}
	return decision
}

// admitted is the call's admission: that of before, or one of now.
func (a *Activities) admitted(c modelCall) (*entry, given, error) {
	if c.entry != nil {
		return c.entry, given{}, nil
	}
	endpoint, err := a.cfg.Router.Endpoint(c.in.caller(), c.candidate.Deployment, failover.BadKeys(c.failures, c.in.Candidates, c.candidate.Deployment))
	if err != nil {
		return nil, given{}, err
	}
	permit, rest := a.cfg.Health.Admit(endpoint.Call, c.in.Tokens, c.in.Decision.HasTurn(a.cfg.Now()))
	if permit == nil {
		return nil, given{keyName: endpoint.KeyName}, heldBack(c.candidate, rest, a.cfg.Now())
	}
	return &entry{endpoint, permit}, given{}, nil
}

// reconsider looks again at a decision that was made a while ago: a candidate that rests by now is not called. Changed says that
// another is; the error, that the workflow has to carry out something else.
func (a *Activities) reconsider(in *CallInput) (changed bool, err error) {
	chosen, now := in.Candidates[in.Decision.Candidate], a.cfg.Now()
	resting := slices.ContainsFunc(a.cfg.Router.Rests(in.Tenant, in.Candidates, in.Tokens), func(rest failover.Rest) bool {
		turn := rest.Class == failover.RestLimit && in.Decision.HasTurn(now)
		return rest.Deployment == chosen.Deployment && rest.Class != failover.RestRamp && !turn
	})
	if !resting {
		return false, nil
	}
	state := a.state(*in, in.Failures)
	decision := failover.Decide(state, now)
	if turn := in.Decision.Turn; turn.After(now) && decision.Calls() && decision.Delay > 0 && decision.Candidate == in.Decision.Candidate {
		decision.Turn, decision.Delay = turn, turn.Sub(now) // it only looked: it keeps its place
	} else {
		decision = a.queue(in.caller(), decision, state, in.Tokens)
	}
	if !startsNow(decision) {
		return false, postponedError(decision)
	}
	in.Decision = decision
	return true, nil
}

// heldBack is the failure of a call that was not made.
func heldBack(candidate failover.Candidate, rest failover.Rest, now time.Time) *llm.Error {
	failure := &llm.Error{Kind: llm.KindOverloaded, Provider: candidate.Provider, Code: completions.CodeHeldBack, Detail: "not sent: " + rest.Reason}
	if rest.Class == failover.RestLimit {
		failure.Kind = llm.KindRateLimit
	}
	if !rest.Until.IsZero() {
		failure.RetryAfter = max(0, rest.Until.Sub(now))
	}
	return failure
}
