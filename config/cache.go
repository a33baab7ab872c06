package config

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// litellmCache is what litellm_settings says of the cache, which there is one for all routes.
type litellmCache struct {
	on     *place
	params *place
	cache  Cache
	types  []string
	off    bool // mode: default_off
}

func (c *litellmCache) uses(r *reader) map[string]use {
	return map[string]use{
		"cache": func(path string, n *yaml.Node) {
			if value, ok := r.boolean(path, n); ok && value {
				c.on = &place{path, n}
			}
		},
		"cache_params": func(path string, n *yaml.Node) {
			c.params = &place{path, n}
			r.section(n, path, map[string]use{
				"ttl": r.span(&c.cache.TTL),
				"mode": func(path string, n *yaml.Node) {
					value, ok := r.oneOf(path, n, []string{"default_on", "default_off"})
					c.off = ok && value == "default_off"
				},
				"supported_call_types": func(path string, n *yaml.Node) { r.callTypes(&c.types, path, n) },
			}, unusedCacheParams())
		},
	}
}

// callTypes reads the calls that LiteLLM keeps answers of. It may be empty: then none is kept unless a request asks for it.
func (r *reader) callTypes(target *[]string, path string, n *yaml.Node) {
	known := slices.Concat(chatCalls(), embeddingCalls(), []string{
		"transcription", "atranscription", "rerank", "arerank", "text_completion", "atext_completion", "anthropic_messages",
	})
	items, ok := r.sequence(n, path)
	if !ok {
		return
	}
	types := make([]string, 0, len(items))
	for i, item := range items {
		name, ok := r.text(index(path, i), item)
		switch {
		case !ok:
		case slices.Contains(known, name):
			types = append(types, name)
		default:
			if near := nearest(name, slices.Clone(known)); near != "" {
				r.problem(item, index(path, i), "unknown call type; did you mean %q?", near)
			} else {
				r.problem(item, index(path, i), "unknown call type")
			}
		}
	}
	*target = types
}

func chatCalls() []string { return []string{"completion", "acompletion", "responses", "aresponses"} }

func embeddingCalls() []string { return []string{"embedding", "aembedding"} }

// apply gives every route the cache.
func (c *litellmCache) apply(r *reader, config *Config) {
	switch {
	case c.on == nil && c.params != nil:
		r.warning(c.params.node, c.params.path, "has no effect without litellm_settings.cache: true")
		return
	case c.on == nil:
		return
	case c.cache.TTL == 0:
		r.warning(c.on.node, c.on.path, "has no effect without cache_params.ttl, for how long answers are kept")
		return
	}
	for i := range config.Routes {
		cache := c.cache
		cache.ByDefault = !c.off && (c.types == nil || c.named(config.Routes[i]))
		config.Routes[i].Cache = &cache
	}
}

// named reports whether the calls of a route are among those whose answers are kept.
func (c *litellmCache) named(route Route) bool {
	calls := chatCalls()
	if route.Deployments[0].Mode == modeEmbedding {
		calls = embeddingCalls()
	}
	return slices.ContainsFunc(calls, func(call string) bool { return slices.Contains(c.types, call) })
}

// routeCache reads holdfast.routes.<name>.cache; false keeps nothing, whatever litellm_settings says.
func (r *reader) routeCache(route *Route) use {
	return func(path string, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			if value := true; n.ShortTag() != "!!bool" || n.Decode(&value) != nil || value {
				r.problem(n, path, "must say for how long, such as {ttl: 10m}, or be false")
			}
			route.Cache = nil
			return
		}
		cache := Cache{ByDefault: true}
		var ttl time.Duration
		present := r.section(n, path, map[string]use{
			"ttl":        r.span(&ttl),
			"stale":      r.pause(&cache.Stale),
			"by_default": r.flag(&cache.ByDefault),
		}, nil)
		if present != nil && !present["ttl"] {
			r.problem(n, join(path, "ttl"), "is missing; it says for how long answers are kept")
		}
		cache.TTL = ttl
		route.Cache = &cache
	}
}
