package config

import "go.yaml.in/yaml/v3"

// place is where something stands in the file.
type place struct {
	path string
	node *yaml.Node
}

// sharedSetting is one that litellm_settings says, for router_settings to overrule.
type sharedSetting struct {
	place
	router string // its name in router_settings
	apply  func()
}

// shared takes in what stands under litellm_settings and means the same as a setting of the router's.
func shared[T any](r *reader, router string, read func(string, *yaml.Node) (T, bool), apply func(T)) use {
	return func(path string, n *yaml.Node) {
		if value, ok := read(path, n); ok {
			r.sharedSettings = append(r.sharedSettings, sharedSetting{place{path, n}, router, func() { apply(value) }})
		}
	}
}

// applyShared puts in force what router_settings does not say itself.
func (r *reader) applyShared() {
	for _, setting := range r.sharedSettings {
		if r.routerKeys[setting.router] {
			r.warning(setting.node, setting.path, "has no effect; router_settings."+setting.router+" is there, too, and wins")
			continue
		}
		setting.apply()
	}
}
