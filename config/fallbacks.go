package config

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxFallbacks is how many fallbacks a route has at most, those of its fallbacks among them (LiteLLM's own default for
// router_settings.max_fallbacks).
const maxFallbacks = 5

// anyRoute stands for every route that has no list of its own, in LiteLLM's lists of fallbacks.
const anyRoute = "*"

// Fallbacks are the routes that stand in for a route, in order.
type Fallbacks struct {
	// General are for failures that another may answer.
	General []string
	// ContextWindow are for prompts that do not fit, ContentPolicy for prompts or answers that are refused.
	ContextWindow []string
	ContentPolicy []string
}

// fallbackSettings are LiteLLM's settings of fallbacks while the file is being read: router_settings and litellm_settings both
// take them, and they name routes that may come later in the file.
type fallbackSettings struct {
	general, contextWindow, contentPolicy []fallbackList
	standard                              *fallbackList // default_fallbacks
	aliases                               []aliasEntry
	most                                  int
}

// fallbackList is one list, and where it stands.
type fallbackList struct {
	route string
	to    []string
	path  string
	node  *yaml.Node
}

type aliasEntry struct {
	Alias
	path string
	node *yaml.Node
}

// uses are the keys of a section that say something of fallbacks.
func (f *fallbackSettings) uses(r *reader) map[string]use {
	into := func(lists *[]fallbackList) use {
		return func(path string, n *yaml.Node) { *lists = append(*lists, r.fallbackLists(path, n)...) }
	}
	return map[string]use{
		"fallbacks":                into(&f.general),
		"context_window_fallbacks": into(&f.contextWindow),
		"content_policy_fallbacks": into(&f.contentPolicy),
		"default_fallbacks": func(path string, n *yaml.Node) {
			if to, ok := r.routeList(path, n); ok {
				f.standard = &fallbackList{route: anyRoute, to: to, path: path, node: n}
			}
		},
	}
}

// fallbackLists reads LiteLLM's form: a list of mappings from a route to its fallbacks.
func (r *reader) fallbackLists(path string, n *yaml.Node) []fallbackList {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		r.problem(n, path, "must be a list such as [{gpt-4.1: [claude-sonnet-4-5]}], not %s", describe(n))
		return nil
	}
	var lists []fallbackList
	for i, entry := range n.Content {
		at := index(path, i)
		pairs, ok := r.mapping(resolve(entry), at)
		if !ok {
			continue
		}
		for _, p := range pairs {
			if to, ok := r.routeList(join(at, p.name), p.value); ok {
				lists = append(lists, fallbackList{route: p.name, to: to, path: join(at, p.name), node: p.key})
			}
		}
	}
	return lists
}

// routeList reads names of routes, each by itself or as {model: name}.
func (r *reader) routeList(path string, n *yaml.Node) ([]string, bool) {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		r.problem(n, path, "must be a list of routes, not %s", describe(n))
		return nil, false
	}
	names := make([]string, 0, len(n.Content))
	for i, entry := range n.Content {
		entry, at := resolve(entry), index(path, i)
		if entry.Kind == yaml.MappingNode {
			r.section(entry, at, map[string]use{"model": func(path string, n *yaml.Node) {
				if name, ok := r.text(path, n); ok {
					names = append(names, name)
				}
			}}, nil)
			continue
		}
		if name, ok := r.text(at, entry); ok {
			names = append(names, name)
		}
	}
	return names, true
}

// aliasSettings reads router_settings.model_group_alias: another name for a route, or {model: route, hidden: true}.
func (f *fallbackSettings) aliasSettings(r *reader) use {
	return func(path string, n *yaml.Node) {
		pairs, ok := r.mapping(n, path)
		if !ok {
			return
		}
		for _, p := range pairs {
			entry := aliasEntry{Alias: Alias{Name: p.name}, path: join(path, p.name), node: p.key}
			if p.value.Kind == yaml.MappingNode {
				r.section(p.value, entry.path, map[string]use{
					"model":  func(path string, n *yaml.Node) { entry.Route, _ = r.text(path, n) },
					"hidden": func(path string, n *yaml.Node) { entry.Hidden, _ = r.boolean(path, n) },
				}, nil)
			} else {
				entry.Route, _ = r.text(entry.path, p.value)
			}
			f.aliases = append(f.aliases, entry)
		}
	}
}

// apply gives each route its fallbacks, once all routes are known.
func (f *fallbackSettings) apply(r *reader, config *Config) {
	for _, entry := range f.aliases {
		if entry.Route == "" {
			continue
		}
		if _, taken := config.Route(entry.Name); taken {
			r.problem(entry.node, entry.path, "a route of model_list has this name already")
		} else if r.isRoute(config, entry.path, entry.node, entry.Route) {
			config.Aliases = append(config.Aliases, entry.Alias)
		}
	}
	if f.standard != nil {
		f.general = append(f.general, *f.standard)
	}
	config.MaxFallbacks = maxFallbacks
	if f.most > 0 {
		config.MaxFallbacks = f.most
	}
	for _, kind := range []struct {
		lists []fallbackList
		into  func(*Fallbacks) *[]string
	}{
		{f.general, func(f *Fallbacks) *[]string { return &f.General }},
		{f.contextWindow, func(f *Fallbacks) *[]string { return &f.ContextWindow }},
		{f.contentPolicy, func(f *Fallbacks) *[]string { return &f.ContentPolicy }},
	} {
		for _, list := range kind.lists {
			list.to = r.known(config, list)
			for i := range config.Routes {
				route := &config.Routes[i]
				target := kind.into(&route.Fallbacks)
				if route.Name == config.resolve(list.route) || list.route == anyRoute && len(*target) == 0 {
					*target = slices.DeleteFunc(slices.Clone(list.to), func(name string) bool { return name == route.Name })
				}
			}
		}
	}
}

// known are the routes of a list as the table knows them; others are problems.
func (r *reader) known(config *Config, list fallbackList) []string {
	if list.route != anyRoute {
		r.isRoute(config, list.path, list.node, list.route)
	}
	var names []string
	for _, name := range list.to {
		if r.isRoute(config, list.path, list.node, name) {
			names = append(names, config.resolve(name))
		}
	}
	return names
}

// isRoute reports a name that is none.
func (r *reader) isRoute(config *Config, path string, n *yaml.Node, name string) bool {
	name = config.resolve(name)
	if _, ok := config.Route(name); ok {
		return true
	}
	if near := nearest(name, config.RouteNames()); near != "" {
		r.problem(n, path, "%q is no route of model_list; did you mean %q?", name, near)
	} else {
		r.problem(n, path, "%q is no route of model_list", name)
	}
	return false
}
