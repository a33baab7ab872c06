package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
)

// tellTime bounds telling a domain's workflow what an operator has said.
const tellTime = 5 * time.Second

// operatorBoard takes an operator's word for all processes. Package health/store implements it.
type operatorBoard interface {
	Set(ctx context.Context, name failover.Domain, next failover.Health) (health.Standing, error)
}

// targets are the deployments of a route with what is known of them. Package routing implements it.
type targets interface {
	Targets(tenant, route string, fallbacks []string, streamed bool) []failover.Target
}

// providerDesk is where operators see and change what is known of providers: the routes' deployments say which domains there
// are, this process's view how they stand, and the board takes an operator's word to all processes.
type providerDesk struct {
	routes []string
	table  targets
	view   *health.View
	board  operatorBoard
	teller health.Teller
	logger *slog.Logger
}

var _ api.ProviderDesk = (*providerDesk)(nil)

// Domains implements [api.ProviderDesk]. The calls under way are counted by deployment, and so for places and models; limits are
// those of a model with a key, or of the model where none is needed.
func (p *providerDesk) Domains() []api.ProviderDomain {
	found := map[failover.Domain]*api.ProviderDomain{}
	domain := func(name failover.Domain) *api.ProviderDomain {
		if found[name] == nil {
			found[name] = &api.ProviderDomain{Domain: name}
		}
		return found[name]
	}
	for _, target := range p.deployments() {
		call := failover.Call{Deployment: target.Deployment, Place: target.Place, Model: target.Model}
		for _, scope := range []failover.Scope{failover.ScopePlace, failover.ScopeModel} {
			d := domain(call.Domain(scope))
			if d.InFlight == nil {
				d.InFlight = new(int)
			}
			*d.InFlight += target.Measured.InFlight
		}
		if len(target.Keys) == 0 {
			uses(domain(call.Domain(failover.ScopeModel)), p.view.Measured(call, true).Used)
		}
		for _, call.Key = range target.Keys {
			domain(call.Domain(failover.ScopeKey))
			uses(domain(call.Domain(failover.ScopeKeyModel)), p.view.Measured(call, true).Used)
		}
	}
	for _, standing := range p.view.Known() {
		domain(standing.Domain).Health = standing.Health
	}
	list := make([]api.ProviderDomain, 0, len(found))
	for _, d := range found {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b api.ProviderDomain) int { return strings.Compare(string(a.Domain), string(b.Domain)) })
	return list
}

// uses notes what is gone of a limit, of which several deployments may know.
func uses(d *api.ProviderDomain, share float64) {
	if share > 0 && (d.LimitUsed == nil || share > *d.LimitUsed) {
		d.LimitUsed = &share
	}
}

// deployments are those of all routes, each once.
func (p *providerDesk) deployments() []failover.Target {
	var list []failover.Target
	seen := map[string]bool{}
	for _, route := range p.routes {
		for _, target := range p.table.Targets("", route, nil, true) {
			if !seen[target.Deployment] {
				seen[target.Deployment] = true
				list = append(list, target)
			}
		}
	}
	return list
}

// Put implements [api.ProviderDesk]. That the domain's workflow hears of it too can wait for Temporal: what counts stands on the
// board.
func (p *providerDesk) Put(ctx context.Context, domain failover.Domain, next failover.Health) error {
	standing, err := p.board.Set(ctx, domain, next)
	if err != nil {
		return err
	}
	if content, err := json.Marshal(standing); err == nil { // this process hears it at once
		p.view.Heard(string(content))
	}
	go func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, tellTime)
		defer cancel()
		if err := p.teller.Tell(ctx, domain, standing.Health, p.view.Policy()); err != nil {
			p.logger.WarnContext(ctx, "a domain's workflow was not told what an operator has said", "domain", domain, "error", err)
		}
	}(context.WithoutCancel(ctx))
	return nil
}
