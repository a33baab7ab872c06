package activities

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// raced is what came of a call, or of two side by side.
type raced struct {
	// call is the one that counts: that answered, or that failed last.
	call modelCall
	got  given
	err  error
	// hedged says that there were two; also are the failures of the one that does not count.
	hedged bool
	also   []failover.Failure
}

// gate lets the first of two calls tell its answer, and ends the other.
type gate struct {
	mu     sync.Mutex
	winner int
	cancel map[int]context.CancelFunc
}

// claim says whether the attempt of that number is the one that answers. Without a gate every one is.
func (g *gate) claim(number int) bool {
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.winner == 0 {
		g.winner = number
		for other, cancel := range g.cancel {
			if other != number {
				cancel()
			}
		}
	}
	return g.winner == number
}

// beaten says whether another attempt answers. Without a gate none does.
func (g *gate) beaten(number int) bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.winner != 0 && g.winner != number
}

// enter gives an attempt a context that ends when another answers; it has ended if one has.
func (g *gate) enter(ctx context.Context, number int) context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	g.cancel[number] = cancel
	if g.winner != 0 {
		cancel()
	}
	return ctx
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, cancel := range g.cancel {
		cancel()
	}
}

// beaten is how a call ends beside which another answered first. Its row stays open: whoever records the outcome marks it
// possibly billed.
func beaten(candidate failover.Candidate) *llm.Error {
	return &llm.Error{Kind: llm.KindCancelled, Provider: candidate.Provider, Code: "hedged", Detail: "another call answered first"}
}

// hedge says after how long which candidate is called as well; ok is false if none is.
func (a *Activities) hedge(c modelCall) (after time.Duration, second failover.Candidate, ok bool) {
	policy := a.cfg.Router.Policy(c.in.Route).Hedge
	if policy == nil || !c.local || c.number != 1 || len(c.failures) > 0 {
		return 0, second, false
	}
	after = policy.After
	if after == 0 {
		after = a.cfg.Health.P95(c.candidate.Deployment, c.in.Recovery != "")
	}
	after = max(after, policy.AtLeast)
	rests := a.cfg.Router.Rests(c.in.Tenant, c.in.Candidates, c.in.Tokens)
	for _, candidate := range c.in.Candidates {
		if candidate.Deployment != c.candidate.Deployment && candidate.For == "" && !candidate.Degraded && !rested(rests, candidate) {
			return after, candidate, after > 0
		}
	}
	return 0, second, false
}

func rested(rests []failover.Rest, candidate failover.Candidate) bool {
	for _, rest := range rests {
		if rest.Deployment == candidate.Deployment {
			return true
		}
	}
	return false
}

// race makes the call, and a second one beside it if the first is late where the route wants that. Whichever says its first word
// first answers, and ends the other.
func (a *Activities) race(ctx, held context.Context, c modelCall) raced {
	after, second, ok := a.hedge(c)
	if !ok {
		got, err := a.complete(ctx, held, c)
		return raced{call: c, got: got, err: err}
	}
	shared := &gate{cancel: map[int]context.CancelFunc{}}
	defer shared.leave()
	results := make(chan raced, 2)
	run := func(c modelCall) {
		c.gate = shared
		got, err := a.complete(shared.enter(ctx, c.number), held, c)
		results <- raced{call: c, got: got, err: err}
	}
	go run(c)
	late := time.NewTimer(after)
	defer late.Stop()
	select {
	case first := <-results:
		return first
	case <-late.C:
	}
	if shared.beaten(0) { // its first word has come: it is not late
		return <-results
	}
	other, started := a.startHedge(ctx, c, second, after)
	if !started {
		return <-results
	}
	go run(other)
	ended, last := <-results, <-results
	if ended.err == nil { // the other was ended with it: nothing of it goes on behind the answer
		ended, last = last, ended
	}
	last.hedged = true
	a.lost(ctx, ended, &last)
	return last
}

// startHedge begins the second attempt, if the record allows it.
func (a *Activities) startHedge(ctx context.Context, c modelCall, second failover.Candidate, after time.Duration) (modelCall, bool) {
	reason := "hedge: no word from " + c.candidate.Provider + "/" + c.candidate.Model + " within " + after.Round(time.Millisecond).String()
	number, err := a.cfg.Store.StartHedge(ctx, c.fence, a.attemptOf(c.in.caller(), c.in.Candidates, second, nil, reason, a.cfg.Now()))
	if err != nil {
		a.cfg.Logger.WarnContext(ctx, "a hedge was not started", "completion", c.in.ID, "error", err)
		return c, false
	}
	c.number, c.candidate = number, second
	return c, true
}

// lost takes in the failure of the call that ended first, beside which the other went on.
func (a *Activities) lost(ctx context.Context, first raced, last *raced) {
	failure, ok := errors.AsType[*llm.Error](first.err)
	if !ok || failure.Kind == llm.KindCancelled { // beaten, or called off with the other
		return
	}
	at := a.cfg.Now()
	last.also = []failover.Failure{failureOf(first.call, first.got, failure, at)}
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err := persist(writing, func(ctx context.Context) error {
		return a.cfg.Store.Fail(ctx, first.call.fence, completions.Failed{
			Number: first.call.number, Error: failure, Decision: failover.Decision{Action: failover.ActionNext, Reason: "the hedge goes on"},
			Usage: first.got.used(), KeyName: first.got.keyName, At: at,
		})
	})
	if err != nil {
		a.cfg.Logger.WarnContext(ctx, "the failure of a hedged call was not recorded", "completion", first.call.in.ID, "error", err)
	}
}
