package routing

import (
	"fmt"
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
}

// Table is the routing table of one configuration. It is immutable and safe for concurrent use.
type Table struct {
	routes map[string][]failover.Target
	// chains are each route's targets with those of its fallbacks behind them.
	chains      map[string][]failover.Target
	deployments map[string]deployment
	keys        Keys
}

// endpoint is what deployments share a provider client by.
type endpoint struct {
	provider string
	config   providers.Config
}

type deployment struct {
	config.Deployment
	provider llm.Provider
	// open says that the endpoint is not the vendor's own, so that it may be called without a key.
	open bool
}

// New builds a provider client for every deployment. Deployments with the same provider and endpoint share one.
func New(cfg *config.Config, vault Keys, client *http.Client) (*Table, error) {
	table := &Table{routes: map[string][]failover.Target{}, chains: map[string][]failover.Target{}, deployments: map[string]deployment{}, keys: vault}
	shared := map[endpoint]llm.Provider{}
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
			table.deployments[d.ID] = deployment{Deployment: d, provider: provider, open: !providers.NeedsKey(d.Provider, d.APIBase)}
			table.routes[route.Name] = append(table.routes[route.Name], target(cfg, d))
		}
	}
	for _, route := range cfg.Routes {
		table.chains[route.Name] = table.chain(cfg, route)
	}
	for _, alias := range cfg.Aliases {
		table.chains[alias.Name] = table.chains[alias.Route]
	}
	return table, nil
}

// chain is a route's targets, those of its fallbacks behind them, and theirs, as far as the limit goes. No route comes twice.
func (t *Table) chain(cfg *config.Config, route config.Route) []failover.Target {
	targets := t.stage(nil, route.Name, 0, "")
	for _, trigger := range []struct {
		on    failover.Trigger
		names []string
	}{{"", route.Fallbacks.General}, {failover.OnContextLength, route.Fallbacks.ContextWindow}, {failover.OnContentPolicy, route.Fallbacks.ContentPolicy}} {
		seen := map[string]bool{route.Name: true}
		queue := slices.Clone(trigger.names)
		for tried := 0; len(queue) > 0 && tried < cfg.MaxFallbacks; queue = queue[1:] {
			next, ok := cfg.Route(queue[0])
			if !ok || seen[next.Name] {
				continue
			}
			seen[next.Name] = true
			tried++
			targets = t.stage(targets, next.Name, tried, trigger.on)
			queue = append(queue, next.Fallbacks.General...)
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

func target(cfg *config.Config, d config.Deployment) failover.Target {
	t := failover.Target{
		Deployment: d.ID, Provider: d.Provider, Model: d.Model, BaseModel: d.BaseModel, Weight: d.Weight, Order: d.Order,
		Timeout: d.Timeout, Retries: cfg.Retries,
	}
	if t.Timeout == 0 {
		t.Timeout = cfg.AttemptTimeout
	}
	if t.Silence = d.Silence; t.Silence == 0 {
		t.Silence = cfg.Silence
	}
	if d.MaxRetries != nil {
		t.Retries = *d.MaxRetries
	}
	return t
}

// Targets lists the deployments of a route and of its fallbacks, each with the reason if it cannot be used now.
func (t *Table) Targets(route string) []failover.Target {
	known := t.chains[route]
	targets := make([]failover.Target, len(known))
	copy(targets, known)
	for i := range targets {
		d := t.deployments[targets[i].Deployment]
		if !d.open && len(t.keys.Keys(d.Provider)) == 0 {
			targets[i].Ineligible = fmt.Sprintf(`no key for %s in the vault: printf %%s "$KEY" | holdfast keys add %s --name main`,
				d.Provider, d.Provider)
		}
	}
	return targets
}

// Explain says which deployments would serve a route now, in which order, and why each is in or out, without calling any. Where
// weights decide it is one draw of many. Known is false for a name that is no route.
func (t *Table) Explain(route string) (plan failover.Plan, known bool) {
	if _, known = t.chains[route]; !known {
		return failover.Plan{}, false
	}
	return failover.Rank(t.Targets(route), func() float64 { return 0 }), true
}

// Endpoint gives the way to a deployment with the key to use now.
func (t *Table) Endpoint(id string) (activities.Endpoint, error) {
	d, ok := t.deployments[id]
	if !ok {
		return activities.Endpoint{}, &llm.Error{
			Kind: llm.KindModelGone, Provider: "none", Detail: "the deployment is no longer in the configuration",
		}
	}
	endpoint := activities.Endpoint{Provider: d.provider, Model: d.Model}
	if usable := t.keys.Keys(d.Provider); len(usable) > 0 {
		endpoint.KeyName, endpoint.Key = usable[0].Name, usable[0].Secret
		return endpoint, nil
	}
	if !d.open {
		return activities.Endpoint{}, &llm.Error{Kind: llm.KindCredential, Provider: d.Provider, Detail: "no key in the vault"}
	}
	return endpoint, nil
}
