package routing

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers"
)

// Keys gives the usable keys of a provider, the preferred one first. Package keys implements it.
type Keys interface {
	Keys(provider string) []keys.Key
	// Unusable says of a provider without a usable key why it has none; empty if it has no key at all.
	Unusable(provider string) string
}

// Health is what is known of providers now. Package health implements it.
type Health interface {
	// Rest says whether a call of as many tokens may not be made now.
	Rest(call failover.Call, tokens int64) (rest failover.Rest, resting bool)
	// Measured is how a deployment does.
	Measured(call failover.Call, streamed bool) failover.Measured
}

// Table is the routing table of one configuration. It is immutable and safe for concurrent use.
type Table struct {
	routes map[string][]failover.Target
	// chains are each route's targets with those of its fallbacks behind them.
	chains      map[string][]failover.Target
	policies    map[string]activities.RoutePolicy
	aliases     map[string]string
	deployments map[string]deployment
	keys        Keys
	health      Health
}

// endpoint is what deployments share a provider client by.
type endpoint struct {
	provider string
	config   providers.Config
}

type deployment struct {
	config.Deployment
	provider llm.Provider
	place    string
	// open says that the endpoint is not the vendor's own, so that it may be called without a key.
	open bool
	// several says that its provider has several places.
	several bool
}

// New builds a provider client for every deployment. Deployments with the same provider and endpoint share one.
func New(cfg *config.Config, vault Keys, health Health, client *http.Client) (*Table, error) {
	table := &Table{
		routes: map[string][]failover.Target{}, chains: map[string][]failover.Target{}, policies: map[string]activities.RoutePolicy{},
		aliases: map[string]string{}, deployments: map[string]deployment{}, keys: vault, health: health,
	}
	shared := map[endpoint]llm.Provider{}
	places := placesOf(cfg)
	for _, route := range cfg.Routes {
		for _, d := range route.Deployments {
			at := endpoint{d.Provider, providers.Config{
				BaseURL: d.APIBase, APIVersion: d.APIVersion, BaseModel: d.BaseModel, Region: d.Region, Project: d.Project,
				ContextWindow: d.ContextWindow, HTTPClient: client,
			}}
			provider := shared[at]
			if provider == nil {
				var err error
				if provider, err = providers.New(d.Provider, at.config); err != nil {
					return nil, fmt.Errorf("deployment %s: %w", d.ID, err)
				}
				shared[at] = provider
			}
			table.deployments[d.ID] = deployment{
				Deployment: d, provider: provider, place: places.name(d), open: !providers.NeedsKey(d.Provider, d.APIBase),
				several: len(places[d.Provider]) > 1,
			}
			table.routes[route.Name] = append(table.routes[route.Name], target(cfg, route, d, places.name(d)))
		}
		table.policies[route.Name] = policyOf(route)
	}
	for _, alias := range cfg.Aliases {
		table.aliases[alias.Name] = alias.Route
	}
	for _, route := range cfg.Routes {
		table.chains[route.Name] = table.chain(cfg, route)
	}
	return table, nil
}

// resolve is the route that a name means, which may be an alias.
func (t *Table) resolve(name string) string {
	if route, ok := t.aliases[name]; ok {
		return route
	}
	return name
}

// chain is a route's targets, those of its fallbacks behind them, and theirs, as far as the limit goes, and those for want of
// anything better. No route comes twice.
func (t *Table) chain(cfg *config.Config, route config.Route) []failover.Target {
	targets := t.stage(nil, route.Name, 0, "")
	for _, trigger := range []struct {
		on    failover.Trigger
		names []string
	}{{"", route.Fallbacks.General}, {failover.OnContextLength, route.Fallbacks.ContextWindow}, {failover.OnContentPolicy, route.Fallbacks.ContentPolicy}} {
		seen := map[string]bool{route.Name: true}
		queue := slices.Clone(trigger.names)
		for tried := 0; len(queue) > 0 && tried < cfg.MaxFallbacks; queue = queue[1:] {
			next, ok := cfg.Route(t.resolve(queue[0]))
			if !ok || seen[next.Name] {
				continue
			}
			seen[next.Name] = true
			tried++
			targets = t.stage(targets, next.Name, tried, trigger.on)
			queue = append(queue, next.Fallbacks.General...)
		}
	}
	if local := t.resolve(route.WhenDown.Local); local != "" {
		from := len(targets)
		targets = t.stage(targets, local, cfg.MaxFallbacks+1, "")
		for i := range targets[from:] {
			targets[from+i].Degraded = true
		}
	}
	return targets
}

// stage adds a route's targets as one stage of a chain.
func (t *Table) stage(targets []failover.Target, route string, stage int, on failover.Trigger) []failover.Target {
	for _, target := range t.routes[route] {
		target.Group, target.Stage, target.For = route, stage, on
		targets = append(targets, target)
	}
	return targets
}

// wanted puts the routes that a request names as its fallbacks between those of the route and those of the configuration.
func (t *Table) wanted(chain []failover.Target, fallbacks []string) []failover.Target {
	if len(fallbacks) == 0 {
		return chain
	}
	var between []failover.Target
	for i, name := range fallbacks {
		between = t.stage(between, t.resolve(name), i+1, "")
	}
	named := func(target failover.Target) bool {
		return slices.ContainsFunc(between, func(other failover.Target) bool { return other.Deployment == target.Deployment })
	}
	own := slices.DeleteFunc(slices.Clone(chain), func(target failover.Target) bool {
		return target.Stage > 0 && target.For == "" && !target.Degraded && named(target)
	})
	between = slices.DeleteFunc(between, func(target failover.Target) bool {
		return slices.ContainsFunc(own, func(other failover.Target) bool { return other.Stage == 0 && other.Deployment == target.Deployment })
	})
	for i := range own {
		if own[i].Stage > 0 && own[i].For == "" {
			own[i].Stage += len(fallbacks)
		}
	}
	return append(own, between...)
}

// Targets lists the deployments of a route, of those that the request names as its fallbacks, and of those that the
// configuration does, each with the reason if it cannot be used now.
func (t *Table) Targets(tenant, route string, fallbacks []string, streamed bool) []failover.Target {
	chain := t.wanted(t.chains[t.resolve(route)], fallbacks)
	targets := make([]failover.Target, len(chain))
	copy(targets, chain)
	for i := range targets {
		d := t.deployments[targets[i].Deployment]
		usable := t.usable(activities.Caller{Tenant: tenant}, d.Provider)
		if len(usable) == 0 && !t.keyless(d) {
			targets[i].Ineligible = t.withoutKey(tenant, d.Provider)
			continue
		}
		for _, key := range usable {
			targets[i].Keys = append(targets[i].Keys, key.Name)
		}
		within := targets[i].Measured.Within
		targets[i].Measured = t.health.Measured(d.calls(usable)[0], streamed)
		targets[i].Measured.Within = within
	}
	return targets
}

// Policy is what a route does beyond calling its deployments.
func (t *Table) Policy(route string) activities.RoutePolicy { return t.policies[t.resolve(route)] }

// Known says whether the name is a route's.
func (t *Table) Known(name string) bool { return t.chains[t.resolve(name)] != nil }

// calls are the calls that can be made of a deployment, one a key.
func (d deployment) calls(usable []keys.Key) []failover.Call {
	call := failover.Call{Deployment: d.ID, Place: d.place, Model: d.Model}
	if len(usable) == 0 {
		return []failover.Call{call}
	}
	calls := make([]failover.Call, len(usable))
	for i, key := range usable {
		calls[i] = call
		calls[i].Key, calls[i].Mark, calls[i].Account = key.Name, key.Mark, key.Account
	}
	return calls
}

// Rests says which of the candidates are not to be called now for the tenant, with as many tokens. One rests when all of its keys
// do.
func (t *Table) Rests(tenant string, candidates []failover.Candidate, tokens int64) []failover.Rest {
	var rests []failover.Rest
	for _, candidate := range candidates {
		d, ok := t.deployments[candidate.Deployment]
		if !ok {
			continue
		}
		if rest, resting := t.rest(tenant, d, tokens); resting {
			rests = append(rests, rest)
		}
	}
	return rests
}

// rest is the mildest and shortest rest of a deployment's keys, if all of them have one.
func (t *Table) rest(tenant string, d deployment, tokens int64) (least failover.Rest, resting bool) {
	for i, call := range d.calls(t.usable(activities.Caller{Tenant: tenant}, d.Provider)) {
		rest, rests := t.health.Rest(call, tokens)
		if !rests {
			return failover.Rest{}, false
		}
		if i == 0 || rest.Milder(least) {
			least = rest
		}
	}
	return least, true
}

// Endpoint gives the way to a deployment with the key to use now: the first that is not to be avoided and does not rest, or that
// is at least one of them.
func (t *Table) Endpoint(caller activities.Caller, id string, avoid []string) (activities.Endpoint, error) {
	d, ok := t.deployments[id]
	if !ok {
		return activities.Endpoint{}, &llm.Error{
			Kind: llm.KindModelGone, Provider: "none", Detail: "the deployment is no longer in the configuration",
		}
	}
	usable := t.usable(caller, d.Provider)
	if len(usable) == 0 && !t.keyless(d) {
		return activities.Endpoint{}, &llm.Error{Kind: llm.KindCredential, Provider: d.Provider, Detail: "no usable key in the vault"}
	}
	calls := d.calls(usable)
	best, bestRank := 0, 4
	for i, call := range calls {
		rank := 0
		if slices.Contains(avoid, call.Key) && call.Key != "" {
			rank += 2
		}
		if rest, resting := t.health.Rest(call, 0); resting && rest.Class != failover.RestRamp {
			rank++
		}
		if rank < bestRank {
			best, bestRank = i, rank
		}
	}
	return d.endpoint(calls[best], usable), nil
}

func (d deployment) endpoint(call failover.Call, usable []keys.Key) activities.Endpoint {
	endpoint := activities.Endpoint{Call: call, Provider: d.provider, Model: d.Model, Several: d.several}
	for _, key := range usable {
		if key.Name == call.Key {
			endpoint.KeyName, endpoint.Key = key.Name, key.Secret
		}
	}
	return endpoint
}

// Endpoints is one endpoint for each place and key.
func (t *Table) Endpoints() []activities.Endpoint {
	var list []activities.Endpoint
	t.each(func(endpoint activities.Endpoint) bool {
		domain := endpoint.Call.Domain(failover.ScopeKey)
		if !slices.ContainsFunc(list, func(other activities.Endpoint) bool { return other.Call.Domain(failover.ScopeKey) == domain }) {
			list = append(list, endpoint)
		}
		return true
	})
	return list
}

// Within is an endpoint of the domain; ok is false if there is none any more.
func (t *Table) Within(domain failover.Domain) (found activities.Endpoint, ok bool) {
	t.each(func(endpoint activities.Endpoint) bool {
		if domains := endpoint.Call.Domains(); slices.Contains(domains[:], domain) {
			found, ok = endpoint, true
		}
		return !ok
	})
	return found, ok
}

// ids are those of all deployments, in order.
func (t *Table) ids() []string { return slices.Sorted(maps.Keys(t.deployments)) }

// each goes through all deployments with all of their keys, in the order of their ids.
func (t *Table) each(visit func(activities.Endpoint) bool) {
	for _, id := range t.ids() {
		d := t.deployments[id]
		usable := t.keys.Keys(d.Provider)
		if len(usable) == 0 && !t.keyless(d) {
			continue
		}
		for _, call := range d.calls(usable) {
			if !visit(d.endpoint(call, usable)) {
				return
			}
		}
	}
}
