package config

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-dev/holdfast/llm"
)

// exception is one of LiteLLM's errors, as its policies name it, and the kinds that it is here.
type exception struct {
	name  string
	kinds []llm.Kind
}

// exceptions are those that both policies know, the general before the special: where both say something of a kind, the special
// one counts.
func exceptions() []exception {
	return []exception{
		{"InternalServerError", []llm.Kind{llm.KindOverloaded, llm.KindTransient}},
		{"ServiceUnavailableError", []llm.Kind{llm.KindOverloaded}},
		{"BadGatewayError", []llm.Kind{llm.KindTransient}},
		{"BadRequestError", []llm.Kind{llm.KindCallerFault}},
		{"AuthenticationError", []llm.Kind{llm.KindCredential}},
		{"NotFoundError", []llm.Kind{llm.KindModelGone}},
		{"TimeoutError", []llm.Kind{llm.KindTimeout}},
		{"RateLimitError", []llm.Kind{llm.KindRateLimit}},
		{"ContentPolicyViolationError", []llm.Kind{llm.KindContentPolicy}},
	}
}

// repeated are the kinds that LiteLLM's DefaultRetries can mean: the others are the same a moment later.
func repeated() []llm.Kind {
	return []llm.Kind{
		llm.KindRateLimit, llm.KindOverloaded, llm.KindTransient, llm.KindTimeout, llm.KindStreamBroken, llm.KindBadOutput,
	}
}

// Endings of the names in LiteLLM's policies.
const (
	retriesEnding      = "Retries"
	allowedFailsEnding = "AllowedFails"
)

// retryPolicy reads LiteLLM's retry_policy: how often a failure is repeated, by its exception.
func (r *reader) retryPolicy(target *map[string]int) use {
	return func(path string, n *yaml.Node) {
		all := exception{"Default", repeated()}
		r.policy(target, retriesEnding, 100, append([]exception{all}, exceptions()...))(path, n)
	}
}

// allowedFailsPolicy reads LiteLLM's allowed_fails_policy: how many failures a minute a target may have, by their exception.
func (r *reader) allowedFailsPolicy(target *map[string]int) use {
	return r.policy(target, allowedFailsEnding, 1e9, exceptions())
}

func (r *reader) policy(target *map[string]int, ending string, most int64, known []exception) use {
	return func(path string, n *yaml.Node) {
		said := map[string]int{}
		uses := map[string]use{}
		for _, e := range known {
			uses[e.name+ending] = func(path string, n *yaml.Node) {
				if value, ok := r.integer(path, n, 0, most); ok {
					said[e.name] = int(value)
				}
			}
		}
		r.section(n, path, uses, nil)
		if len(said) == 0 {
			return
		}
		*target = map[string]int{}
		for _, e := range known {
			value, ok := said[e.name]
			for _, kind := range e.kinds {
				if ok {
					(*target)[string(kind)] = value
				}
			}
		}
	}
}

// groupRetryPolicy reads router_settings.model_group_retry_policy, a policy a route, until the routes are known.
func (r *reader) groupRetryPolicy(path string, n *yaml.Node) {
	pairs, ok := r.mapping(n, path)
	if !ok {
		return
	}
	for _, p := range pairs {
		policy := routePolicy{route: p.name, place: place{path: join(path, p.name), node: p.key}}
		if strings.Contains(p.name, "*") {
			r.problem(p.key, policy.path, "wildcards are not built yet; name each route")
			continue
		}
		r.retryPolicy(&policy.retries)(policy.path, p.value)
		r.groupRetries = append(r.groupRetries, policy)
	}
}

// routePolicy is what one route has, and where it stands.
type routePolicy struct {
	place
	route   string
	retries map[string]int
}

// applyRetries gives the routes their own policies.
func (r *reader) applyRetries(config *Config) {
	for _, policy := range r.groupRetries {
		if !r.isRoute(config, policy.path, policy.node, policy.route) {
			continue
		}
		for i := range config.Routes {
			if config.Routes[i].Name == config.resolve(policy.route) {
				config.Routes[i].RetriesByKind = policy.retries
			}
		}
	}
}
