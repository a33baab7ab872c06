package routing

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/catalog"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/llm"
)

// target is a deployment as failover sees it.
func target(cfg *config.Config, route config.Route, d config.Deployment, place string) failover.Target {
	t := failover.Target{
		Deployment: d.ID, Provider: d.Provider, Model: d.Model, BaseModel: d.BaseModel, Weight: d.Weight, Order: d.Order,
		Timeout: cmp.Or(d.Timeout, cfg.AttemptTimeout), Silence: cmp.Or(d.Silence, cfg.Silence), Retries: cfg.Retries,
		Strategy: failover.Strategy(cmp.Or(route.Strategy, cfg.Strategy)), Place: place, Pause: cfg.RetryAfter,
		AwaitsLimit: route.OnLimit == "wait",
	}
	named := cmp.Or(d.BaseModel, d.Model)
	t.Facts = failover.Facts{
		Family: catalog.Family(named), Line: catalog.Line(named), InputPrice: d.InputPrice, OutputPrice: d.OutputPrice,
		ContextTokens: d.MaxInputTokens, Supports: d.Supports, Mode: d.Mode, ZeroDataRetention: d.ZeroDataRetention,
		DataCollection: d.DataCollection,
	}
	if known, _ := catalog.Find(d.Provider, named); known.CacheReadPrice != nil {
		t.Facts.CacheReadPrice = known.CacheReadPrice
	}
	t.Conditions = failover.Conditions{
		Tenants: d.OnlyFor.Tenants, Tokens: d.OnlyFor.Tokens, Metadata: d.OnlyFor.Metadata,
		MinInputTokens: d.OnlyFor.MinInputTokens, MaxInputTokens: d.OnlyFor.MaxInputTokens,
		Tags: d.Tags, TagFiltering: cfg.TagFiltering, TagsMatchAll: cfg.TagsMatchAll,
	}
	t.Measured.Within = cfg.LatencyBuffer
	switch {
	case d.MaxRetries != nil:
		t.Retries = *d.MaxRetries
	case route.RetriesByKind != nil:
		t.RetriesFor = kinds(route.RetriesByKind)
	default:
		t.RetriesFor = kinds(cfg.RetriesByKind)
	}
	return t
}

func kinds(named map[string]int) map[llm.Kind]int {
	if named == nil {
		return nil
	}
	by := make(map[llm.Kind]int, len(named))
	for kind, n := range named {
		by[llm.Kind(kind)] = n
	}
	return by
}

func policyOf(route config.Route) activities.RoutePolicy {
	policy := activities.RoutePolicy{Route: route.Name, Stale: route.WhenDown.StaleCache, Sticky: route.Sticky == nil || *route.Sticky}
	policy.Overflow, policy.SummaryRoute = llm.Overflow(route.Overflow.Policy), route.Overflow.Summary
	if route.Cache != nil {
		cache := activities.CachePolicy(*route.Cache)
		policy.Cache = &cache
	}
	if route.Hedge != nil {
		hedge := activities.HedgePolicy(*route.Hedge)
		policy.Hedge = &hedge
	}
	return policy
}

// HealthConfig is what the configuration says of how providers are judged.
func HealthConfig(cfg *config.Config) health.Config {
	b := cfg.Breaker
	limits := map[string]health.Limits{}
	for _, route := range cfg.Routes {
		for _, d := range route.Deployments {
			limits[d.ID] = health.Limits{RequestsPerMinute: d.RPM, TokensPerMinute: d.TPM, Parallel: d.MaxParallel, Cooldown: d.Cooldown}
		}
	}
	return health.Config{
		Breaker: failover.BreakerPolicy{
			Disabled: b.Disabled, AllowedFails: b.AllowedFails, AllowedFailsByKind: kinds(b.AllowedFailsByKind), Cooldown: b.Cooldown,
			MaxCooldown: b.MaxCooldown, Window: b.Window, MinCalls: b.MinCalls, ErrorRate: b.ErrorRate, SlowAfter: b.SlowAfter,
			Probes: b.Probes, Ramp: b.Ramp,
		},
		RetryBudget: cfg.RetryBudget, Limits: limits, Probed: true,
	}
}

// places names the places of a configuration: by their provider, and where that has several, by host, region or project too.
type places map[string][]string

func placesOf(cfg *config.Config) places {
	known := places{}
	for _, route := range cfg.Routes {
		for _, d := range route.Deployments {
			if at := whereabouts(d); !slices.Contains(known[d.Provider], at) {
				known[d.Provider] = append(known[d.Provider], at)
			}
		}
	}
	return known
}

func (p places) name(d config.Deployment) string {
	if at := whereabouts(d); at != "" && len(p[d.Provider]) > 1 {
		return d.Provider + ":" + at
	}
	return d.Provider
}

// whereabouts tells a provider's places apart; empty is the vendor's own.
func whereabouts(d config.Deployment) string {
	at := d.Region
	if d.Project != "" {
		at = d.Project + "." + at
	}
	if base, err := url.Parse(d.APIBase); err == nil && base.Host != "" {
		at = base.Host
	}
	return at
}
