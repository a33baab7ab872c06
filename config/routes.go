package config

import (
	"go.yaml.in/yaml/v3"
)

// notedRoutes keeps holdfast.routes until the routes are known: the file may name them later.
func (r *reader) notedRoutes(path string, n *yaml.Node) { r.routeSection, r.routePath = n, path }

// routeSettings reads what holdfast.routes says of the routes of model_list.
func (r *reader) routeSettings(config *Config) {
	if r.routeSection == nil {
		return
	}
	known := map[string]use{}
	for i := range config.Routes {
		known[config.Routes[i].Name] = r.routeSetting(config, &config.Routes[i])
	}
	r.section(r.routeSection, r.routePath, known, nil)
}

func (r *reader) routeSetting(config *Config, route *Route) use {
	return func(path string, n *yaml.Node) {
		var stale *place
		r.section(n, path, map[string]use{
			"on_stream_failure": r.choice(&route.OnStreamFailure, streamPolicies()),
			"strategy":          r.strategy(&route.Strategy),
			"cache":             r.routeCache(route),
			"hedge":             r.hedge(route),
			"when_down":         func(path string, n *yaml.Node) { stale = r.whenDown(config, route, path, n) },
			"on_limit":          r.choice(&route.OnLimit, onLimits()),
			"overflow":          r.overflow(config, route),
			"sticky":            r.fact(&route.Sticky),
		}, nil)
		switch kept := route.Cache != nil && route.Cache.Stale > 0; {
		case route.WhenDown.StaleCache && !kept && stale != nil:
			r.problem(stale.node, stale.path, "needs answers that are kept past their time: set the route's cache with ttl and stale")
		case kept && !route.WhenDown.StaleCache:
			r.warning(n, join(path, "cache.stale"), "has no effect without when_down.stale_cache: true")
		}
	}
}

// whenDown reads holdfast.routes.<name>.when_down; the answer is where it asks for the cache.
func (r *reader) whenDown(config *Config, route *Route, path string, n *yaml.Node) (stale *place) {
	r.section(n, path, map[string]use{
		"stale_cache": func(path string, n *yaml.Node) {
			stale = &place{path, n}
			r.flag(&route.WhenDown.StaleCache)(path, n)
		},
		"local": func(path string, n *yaml.Node) {
			name, ok := r.text(path, n)
			switch {
			case !ok || !r.isRoute(config, path, n, name):
			case config.resolve(name) == route.Name:
				r.problem(n, path, "is the route itself; name another")
			default:
				route.WhenDown.Local = config.resolve(name)
			}
		},
		"park": r.choice(&route.WhenDown.Park, parks()),
	}, nil)
	return stale
}

// hedge reads true, or when the second target is asked.
func (r *reader) hedge(route *Route) use {
	return func(path string, n *yaml.Node) {
		hedge := &Hedge{AtLeast: DefaultHedgeAtLeast}
		if n.Kind == yaml.ScalarNode {
			var value bool
			switch {
			case n.ShortTag() != "!!bool" || n.Decode(&value) != nil:
				r.problem(n, path, "must be true or false, or say when, such as {after: p95}")
			case value:
				route.Hedge = hedge
			}
			return
		}
		var atLeast *place
		r.section(n, path, map[string]use{
			"after": func(path string, n *yaml.Node) {
				if n.Kind == yaml.ScalarNode && n.Value == "p95" {
					return
				}
				value, ok := r.anyDuration(path, n, "p95, a number of seconds or a duration such as 2s")
				if ok && value <= 0 {
					r.problem(n, path, "must be more than 0 and at most %.0f hours", maxDuration.Hours())
				}
				hedge.After = value
			},
			"at_least": func(path string, n *yaml.Node) {
				atLeast = &place{path, n}
				r.pause(&hedge.AtLeast)(path, n)
			},
		}, nil)
		if atLeast != nil && hedge.After > 0 {
			r.problem(atLeast.node, atLeast.path, "bounds an after of p95, and after is a time here; leave it out")
		}
		route.Hedge = hedge
	}
}

// unsaid is what a route does of which holdfast.routes says nothing.
func unsaid(name string) Route {
	return Route{Name: name, WhenDown: WhenDown{Park: parks()[0]}, OnLimit: onLimits()[0]}
}
