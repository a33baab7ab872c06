package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// KeyGuard takes keys that providers refuse out of use. Package keys implements it.
type KeyGuard interface {
	// Quarantine takes a key out of use in every process, if it is still the one that was refused, and raises an alert.
	Quarantine(ctx context.Context, provider, name, mark, why string) (bool, error)
	// Reload reads the keys now.
	Reload(ctx context.Context) error
}

// guardTime bounds what is done about a refused key before the call is failed over.
const guardTime = 3 * time.Second

// afterRefusal sees to a key that its provider has refused. If another has taken its place meanwhile, as at a rotation, the call
// may be made once more with that: it was refused before it could cost anything. Otherwise the key is quarantined, and nil given:
// the decision on what follows is made as for any failure.
func (a *Activities) afterRefusal(ctx context.Context, c modelCall, refused Endpoint, got given, err error) *entry {
	failure, ok := errors.AsType[*llm.Error](err)
	if !ok || failure.Kind != llm.KindCredential || refused.KeyName == "" || a.cfg.Keys == nil || got.shown != failover.ShownNothing {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), guardTime)
	defer cancel()
	if next := a.replaced(c, refused); next != nil {
		return next
	}
	if err := a.cfg.Keys.Reload(ctx); err != nil {
		a.cfg.Logger.WarnContext(ctx, "the keys could not be read after a refusal", "key_name", refused.KeyName, "error", err)
	}
	if next := a.replaced(c, refused); next != nil {
		return next
	}
	if refused.Several { // it may be good at another place; this one is known not to take it
		return nil
	}
	provider := refused.Call.Domain(failover.ScopePlace).Provider()
	why := fmt.Sprintf("%s has refused it (HTTP %d)", provider, failure.Status)
	quarantined, err := a.cfg.Keys.Quarantine(ctx, provider, refused.KeyName, refused.Call.Mark, why)
	if err != nil {
		a.cfg.Logger.WarnContext(ctx, "a refused key could not be quarantined", "provider", provider, "key_name", refused.KeyName, "error", err)
	}
	if quarantined {
		a.cfg.Logger.WarnContext(ctx, "key quarantined", "provider", provider, "key_name", refused.KeyName, "status", failure.Status)
	}
	return nil
}

// replaced admits the call with what is in the place of a key; nil if that is the same key, or the call may not be made.
func (a *Activities) replaced(c modelCall, refused Endpoint) *entry {
	avoid := failover.BadKeys(c.failures, c.in.Candidates, c.candidate.Deployment)
	now, err := a.cfg.Router.Endpoint(c.in.caller(), c.candidate.Deployment, avoid)
	if err != nil || now.KeyName != refused.KeyName || now.Call.Mark == refused.Call.Mark {
		return nil
	}
	permit, _ := a.cfg.Health.Admit(now.Call, c.in.Tokens, false)
	if permit == nil {
		return nil
	}
	return &entry{now, permit}
}
