package health

import (
	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// Done gives the permit back and takes in what came of the call. Only the first time counts.
func (p *Permit) Done(outcome activities.Outcome) {
	v := p.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.settled {
		return
	}
	p.settled = true
	now := v.cfg.Now()
	own := v.of(p.call.Deployment, now)
	v.settle(p, outcome, now)
	if outcome.Kind == "" {
		v.worked[p.call.Domain(failover.ScopeKey)] = now
	}
	if outcome.Kind == "" && outcome.FirstWord > 0 {
		own.speed(outcome.Streamed).add(outcome.FirstWord)
	}
	seen := failover.Seen{
		Kind: outcome.Kind, RetryAfter: outcome.RetryAfter, Mark: concerned(p.call, outcome.Kind), Embeddings: outcome.Embeddings, At: now,
	}
	if outcome.Streamed { // the first word of a whole answer is its last, too
		seen.FirstWord = outcome.FirstWord
	}
	v.tried(p, seen)
	v.judge(p, seen)
}

// concerned is the mark of the key that an outcome is about; empty where all keys of its account share it.
func concerned(call failover.Call, kind llm.Kind) string {
	if call.Account != "" && (kind == llm.KindQuota || kind == llm.KindRateLimit) {
		return ""
	}
	return call.Mark
}

// tried takes in what came of a call that tried half-open domains; the lock is held.
func (v *View) tried(p *Permit, seen failover.Seen) {
	for _, name := range p.trying {
		d := v.domains[name]
		d.trying = false
		if seen.Kind == llm.KindCancelled { // it says nothing
			continue
		}
		if next, changed := d.health.Tried(v.policy(p.call.Deployment), seen, v.cfg.Name); changed {
			v.change(name, d, next, v.policy(p.call.Deployment))
		}
	}
}

// judge counts the call, and opens what it speaks against; the lock is held.
func (v *View) judge(p *Permit, seen failover.Seen) {
	model := v.at(p.call.Domain(failover.ScopeModel), seen.At)
	if p.began.Before(model.health.Since) && !definiteOf(seen) { // it says nothing of what has been since
		return
	}
	policy := v.policy(p.call.Deployment)
	if model.health.State != "" && model.health.State != failover.BreakerClosed && !definiteOf(seen) {
		model.health.Partly = policy.Count(&model.window, seen, model.health.Partly)
		return
	}
	if seen.Kind == "" {
		account := v.at(p.call.Domain(failover.ScopeKeyModel), seen.At)
		account.health = account.health.Steady()
	}
	opening, ok := policy.Judge(&model.window, seen)
	if !ok {
		return
	}
	name := p.call.Domain(opening.Scope)
	d := v.at(name, seen.At)
	if next, changed := d.health.Open(policy, opening, v.cfg.Name); changed {
		v.change(name, d, next, policy)
	}
}

// definiteOf says whether what was seen is a signal that stands by itself.
func definiteOf(seen failover.Seen) bool { return failover.Definite(seen.Kind) }

// policy is the breaker's, with what the deployment says of itself.
func (v *View) policy(deployment string) failover.BreakerPolicy {
	policy := v.cfg.Breaker
	if own := v.cfg.Limits[deployment].Cooldown; own != nil {
		policy.Cooldown = *own
		policy.MaxCooldown = max(policy.MaxCooldown, policy.Cooldown)
	}
	return policy
}

// change puts a new health in place and has it told; the lock is held.
func (v *View) change(name failover.Domain, d *domain, next failover.Health, policy failover.BreakerPolicy) {
	if next.State == failover.BreakerClosed {
		d.window = failover.Window{}
	}
	tell := next.State != d.health.State || !next.Until.Equal(d.health.Until)
	d.health = next
	if tell && next.State != failover.BreakerHalfOpen { // that it is being tried here is of no use elsewhere
		d.unsaved = true
		v.changes.put(name, told{next, policy})
	}
}
