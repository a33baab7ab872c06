package config

import (
	"math"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file reads the whole file. The result is of use only if no problem was found.
func (r *reader) file(data []byte) *Config {
	config := defaults()
	root := r.document(data)
	if root == nil {
		return config
	}
	var entries *yaml.Node
	present := r.section(root, "", map[string]use{
		"model_list":       func(_ string, n *yaml.Node) { entries = n },
		"router_settings":  func(path string, n *yaml.Node) { r.routerSettings(config, path, n) },
		"litellm_settings": func(path string, n *yaml.Node) { r.litellmSettings(config, path, n) },
		"include": func(path string, n *yaml.Node) {
			r.problem(n, path, "is not read: put what the included files hold into this one")
		},
		"general_settings": func(path string, n *yaml.Node) { r.section(n, path, r.health.uses(r), unusedGeneralSettings()) },
		"holdfast":         func(path string, n *yaml.Node) { r.holdfast(config, path, n) },
	}, unusedTopLevel())
	switch {
	case present == nil:
	case entries != nil:
		config.Routes = r.modelList("model_list", entries)
	case !present["model_list"]:
		r.problem(root, "model_list", "is missing; it lists the models that clients can ask for")
	}
	r.applyShared()
	r.checkBreaker(&config.Breaker)
	r.health.apply(r, &config.Probes)
	r.fallbacks.apply(r, config)
	r.applyRetries(config)
	r.applyMaxParallel(config)
	r.cache.apply(r, config)
	r.routeSettings(config)
	return config
}

func (r *reader) holdfast(config *Config, path string, n *yaml.Node) {
	r.section(n, path, map[string]use{
		"alerts":          r.alerts(&config.Alerts),
		"attempt_timeout": r.span(&config.AttemptTimeout),
		"keeper": func(path string, n *yaml.Node) {
			if value, ok := r.keeper(path, n); ok {
				config.Vault.Keeper = value
			}
		},
		"limits":            func(path string, n *yaml.Node) { r.limits(&config.Limits, path, n) },
		"stream_keep_alive": r.span(&config.StreamKeepAlive),
		"media":             func(path string, n *yaml.Node) { r.media(&config.Media, path, n) },
		"on_stream_failure": r.choice(&config.OnStreamFailure, streamPolicies()),
		"privacy":           r.privacy(&config.Privacy),
		"keys":              r.keys(&config.Keys),
		"retry_budget":      r.share(&config.RetryBudget, 1),
		"breaker":           r.breaker(&config.Breaker),
		"probes":            r.probes(&config.Probes),
		"routes":            r.notedRoutes,
	}, nil)
}

// streamPolicies are what may become of a stream that breaks; the first is the default.
func streamPolicies() []string { return []string{"continue", "restart", "fail"} }

func (r *reader) limits(limits *Limits, path string, n *yaml.Node) {
	r.section(n, path, map[string]use{
		"max_body_bytes":        r.amount(&limits.MaxBodyBytes, 1024, 1<<30),
		"max_concurrent_starts": r.count(&limits.MaxInFlightStarts, 1, math.MaxInt32),
		"queue_size":            r.count(&limits.QueueSize, 0, math.MaxInt32),
		"queue_timeout":         r.span(&limits.QueueTimeout),
	}, nil)
}

func (r *reader) media(media *Media, path string, n *yaml.Node) {
	r.section(n, path, map[string]use{
		"max_bytes":     r.amount(&media.MaxBytes, 1024, 1<<30),
		"timeout":       r.span(&media.Timeout),
		"allow_private": r.flag(&media.AllowPrivate),
	}, nil)
}

// keeper checks the URL of a key-encryption keeper. base64key:// is not among the schemes: it is the key itself.
func (r *reader) keeper(path string, n *yaml.Node) (string, bool) {
	schemes := []string{"awskms", "azurekeyvault", "file", "gcpkms", "hashivault"}
	text, ok := r.text(path, n)
	if !ok {
		return "", false
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || !slices.Contains(schemes, u.Scheme):
		r.problem(n, path, "must be a URL of one of the schemes %s", strings.Join(schemes, ", "))
		return "", false
	case u.User != nil:
		r.problem(n, path, "must not hold a user name or password")
		return "", false
	case u.Scheme == "file" && (u.Host != "" || u.Path == ""):
		r.problem(n, path, "must name an absolute path, such as file:///var/lib/holdfast/vault.key")
		return "", false
	}
	return text, true
}
