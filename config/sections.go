package config

import (
	"maps"
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
		"litellm_settings": func(path string, n *yaml.Node) { r.section(n, path, r.fallbacks.uses(r), unusedLiteLLMSettings()) },
		"general_settings": func(path string, n *yaml.Node) { r.section(n, path, nil, unusedGeneralSettings()) },
		"holdfast":         func(path string, n *yaml.Node) { r.holdfast(config, path, n) },
	}, unusedTopLevel())
	switch {
	case present == nil:
	case entries != nil:
		config.Routes = r.modelList("model_list", entries)
	case !present["model_list"]:
		r.problem(root, "model_list", "is missing; it lists the models that clients can ask for")
	}
	r.fallbacks.apply(r, config)
	r.routeSettings(config)
	return config
}

func (r *reader) routerSettings(config *Config, path string, n *yaml.Node) {
	uses := r.fallbacks.uses(r)
	maps.Copy(uses, map[string]use{
		"max_fallbacks": func(path string, n *yaml.Node) {
			if value, ok := r.integer(path, n, 1, 100); ok {
				r.fallbacks.most = int(value)
			}
		},
		"model_group_alias": r.fallbacks.aliasSettings(r),
		"timeout": func(path string, n *yaml.Node) {
			if value, ok := r.duration(path, n); ok {
				config.Timeout = value
			}
		},
		"stream_timeout": func(path string, n *yaml.Node) {
			if value, ok := r.duration(path, n); ok {
				config.Silence = value
			}
		},
		"num_retries": func(path string, n *yaml.Node) {
			if value, ok := r.integer(path, n, 0, 100); ok {
				config.Retries = int(value)
			}
		},
		"routing_strategy": r.routingStrategy,
	})
	r.section(n, path, uses, unusedRouterSettings())
}

// routingStrategy accepts LiteLLM's strategies. Its default is what weights and order do here.
func (r *reader) routingStrategy(path string, n *yaml.Node) {
	known := []string{
		"cost-based-routing", "latency-based-routing", "least-busy", "simple-shuffle", "usage-based-routing",
		"usage-based-routing-v2",
	}
	value, ok := r.text(path, n)
	switch {
	case !ok || value == "simple-shuffle":
	case slices.Contains(known, value):
		r.warning(n, path, "not used yet; weights and order decide")
	default:
		if near := nearest(value, known); near != "" {
			r.problem(n, path, "unknown strategy; did you mean %q?", near)
		} else {
			r.problem(n, path, "unknown strategy; known are %s", strings.Join(known, ", "))
		}
	}
}

func (r *reader) holdfast(config *Config, path string, n *yaml.Node) {
	r.section(n, path, map[string]use{
		"attempt_timeout": func(path string, n *yaml.Node) {
			if value, ok := r.duration(path, n); ok {
				config.AttemptTimeout = value
			}
		},
		"keeper": func(path string, n *yaml.Node) {
			if value, ok := r.keeper(path, n); ok {
				config.Vault.Keeper = value
			}
		},
		"limits": func(path string, n *yaml.Node) { r.limits(&config.Limits, path, n) },
		"stream_keep_alive": func(path string, n *yaml.Node) {
			if value, ok := r.duration(path, n); ok {
				config.StreamKeepAlive = value
			}
		},
		"media": func(path string, n *yaml.Node) { r.media(&config.Media, path, n) },
		"on_stream_failure": func(path string, n *yaml.Node) {
			if value, ok := r.oneOf(path, n, streamPolicies()); ok {
				config.OnStreamFailure = value
			}
		},
		"routes": r.notedRoutes,
	}, nil)
}

// streamPolicies are what may become of a stream that breaks; the first is the default.
func streamPolicies() []string { return []string{"continue", "restart", "fail"} }

// notedRoutes keeps holdfast.routes until the routes are known: the file may name them later.
func (r *reader) notedRoutes(path string, n *yaml.Node) { r.routeSection, r.routePath = n, path }

// routeSettings reads what holdfast.routes says of the routes of model_list.
func (r *reader) routeSettings(config *Config) {
	if r.routeSection == nil {
		return
	}
	known := map[string]use{}
	for i := range config.Routes {
		route := &config.Routes[i]
		known[route.Name] = func(path string, n *yaml.Node) {
			r.section(n, path, map[string]use{
				"on_stream_failure": func(path string, n *yaml.Node) {
					if value, ok := r.oneOf(path, n, streamPolicies()); ok {
						route.OnStreamFailure = value
					}
				},
			}, nil)
		}
	}
	r.section(r.routeSection, r.routePath, known, nil)
}

func (r *reader) limits(limits *Limits, path string, n *yaml.Node) {
	count := func(target *int, low int64) use {
		return func(path string, n *yaml.Node) {
			if value, ok := r.integer(path, n, low, math.MaxInt32); ok {
				*target = int(value)
			}
		}
	}
	r.section(n, path, map[string]use{
		"max_body_bytes": func(path string, n *yaml.Node) {
			if value, ok := r.integer(path, n, 1024, 1<<30); ok {
				limits.MaxBodyBytes = value
			}
		},
		"max_concurrent_starts": count(&limits.MaxInFlightStarts, 1),
		"queue_size":            count(&limits.QueueSize, 0),
		"queue_timeout": func(path string, n *yaml.Node) {
			if value, ok := r.duration(path, n); ok {
				limits.QueueTimeout = value
			}
		},
	}, nil)
}

func (r *reader) media(media *Media, path string, n *yaml.Node) {
	r.section(n, path, map[string]use{
		"max_bytes": func(path string, n *yaml.Node) {
			if value, ok := r.integer(path, n, 1024, 1<<30); ok {
				media.MaxBytes = value
			}
		},
		"timeout": func(path string, n *yaml.Node) {
			if value, ok := r.duration(path, n); ok {
				media.Timeout = value
			}
		},
		"allow_private": func(path string, n *yaml.Node) {
			if value, ok := r.boolean(path, n); ok {
				media.AllowPrivate = value
			}
		},
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
