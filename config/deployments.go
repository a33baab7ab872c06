package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is one item of model_list while it is read.
type entry struct {
	Deployment
	route    string
	path     string
	node     *yaml.Node
	hasOrder bool
	// hasWeight says that the file gives one.
	hasWeight bool
	// What it costs is said in two places, of which litellm_params wins, as it does in LiteLLM.
	paramPrices, infoPrices prices
}

// modelList reads the deployments and gathers them by route.
func (r *reader) modelList(path string, n *yaml.Node) []Route {
	items, ok := r.sequence(n, path)
	if !ok {
		return nil
	}
	if len(items) == 0 {
		r.problem(n, path, "is empty; it lists the models that clients can ask for")
	}
	entries := make([]entry, 0, len(items))
	for i, item := range items {
		if e, ok := r.entry(fmt.Sprintf("%s[%d]", path, i), item); ok {
			entries = append(entries, e)
		}
	}
	r.identify(entries)
	return r.routes(entries)
}

// entry reads one item of model_list; false means that it has no place in a route.
func (r *reader) entry(path string, n *yaml.Node) (entry, bool) {
	e := entry{Deployment: Deployment{Weight: 1, Line: n.Line}, path: path, node: n}
	present := r.section(n, path, map[string]use{
		"model_name":     func(path string, n *yaml.Node) { e.route = r.routeName(path, n) },
		"litellm_params": func(path string, n *yaml.Node) { r.params(&e, path, n) },
		"model_info":     func(path string, n *yaml.Node) { r.modelInfo(&e, path, n) },
	}, nil)
	if present == nil {
		return entry{}, false
	}
	for _, name := range []string{"model_name", "litellm_params"} {
		if !present[name] {
			r.problem(n, join(path, name), "is missing")
		}
	}
	e.complete()
	return e, e.route != ""
}

func (r *reader) routeName(path string, n *yaml.Node) string {
	name, ok := r.text(path, n)
	switch {
	case !ok:
		return ""
	case strings.Contains(name, "*"):
		r.problem(n, path, "wildcard routes are not built yet; write one entry for each model")
		return ""
	case len(name) > 256:
		r.problem(n, path, "must be at most 256 characters long")
		return ""
	}
	return name
}

// params reads litellm_params. The provider is inferred at the end, from whatever of its signs are there.
func (r *reader) params(e *entry, path string, n *yaml.Node) {
	r.inDeployment, r.provider = true, peekProvider(n)
	defer func() { r.inDeployment, r.provider = false, "" }()

	var model, custom string
	var modelNode *yaml.Node
	customOK := true
	readBase := func(path string, n *yaml.Node) {
		if value, ok := r.endpoint(path, n); ok {
			if e.APIBase != "" {
				r.problem(n, path, "api_base and base_url mean the same; keep one of them")
			}
			e.APIBase = value
		}
	}
	present := r.section(n, path, map[string]use{
		"model": func(path string, n *yaml.Node) {
			if value, ok := r.text(path, n); ok {
				model, modelNode = value, n
			}
		},
		"custom_llm_provider": func(path string, n *yaml.Node) { custom, customOK = r.text(path, n) },
		"api_base":            readBase,
		"base_url":            readBase,
		// Bedrock's endpoint has a name of its own.
		"aws_bedrock_runtime_endpoint": readBase,
		"api_version":                  r.word(&e.APIVersion),
		"aws_region_name":              r.word(&e.Region),
		"region_name":                  r.word(&e.Region),
		"vertex_location":              r.word(&e.Region),
		"vertex_project":               r.word(&e.Project),
		"num_ctx":                      r.amount(&e.ContextWindow, 256, 1<<24),
		"weight":                       func(path string, n *yaml.Node) { r.weight(e, path, n) },
		"order": func(path string, n *yaml.Node) {
			if value, ok := r.integer(path, n, 0, math.MaxInt32); ok {
				e.Order, e.hasOrder = int(value), true
			}
		},
		"timeout":        r.span(&e.Timeout),
		"stream_timeout": r.span(&e.Silence),
		"max_retries": func(path string, n *yaml.Node) {
			if value, ok := r.integer(path, n, 0, 100); ok {
				retries := int(value)
				e.MaxRetries = &retries
			}
		},
		"rpm":                   r.amount(&e.RPM, 0, maxTokens),
		"tpm":                   r.amount(&e.TPM, 0, maxTokens),
		"max_parallel_requests": r.count(&e.MaxParallel, 0, math.MaxInt32),
		"cooldown_time": func(path string, n *yaml.Node) {
			if value, ok := r.durationOrZero(path, n); ok {
				e.Cooldown = &value
			}
		},
		"tags":                  r.words(&e.Tags),
		"input_cost_per_token":  r.price(&e.paramPrices.input),
		"output_cost_per_token": r.price(&e.paramPrices.output),
	}, unusedParams())
	switch {
	case present == nil:
	case !present["model"]:
		r.problem(n, join(path, "model"), "is missing; write provider/model, such as openai/gpt-4.1")
	case modelNode != nil && customOK:
		where, err := infer(model, custom, e.APIBase)
		if err != nil {
			r.problem(modelNode, join(path, "model"), "%s", err.Error())
		}
		e.Provider, e.Model = where.provider, where.model
		r.checkPlace(e, modelNode, path)
	}
}

// checkPlace refuses deployments of providers that have no address of their own, or one a region.
func (r *reader) checkPlace(e *entry, n *yaml.Node, path string) {
	switch e.Provider {
	case providerAzure, "vllm", "litellm", "holdfast":
		if e.APIBase == "" {
			r.problem(n, join(path, "api_base"), "is missing; %s has no address that is the same for everybody", e.Provider)
		}
	case providerBedrock:
		if e.Region == "" && e.APIBase == "" {
			r.problem(n, join(path, "aws_region_name"), "is missing; Bedrock is called by region, such as eu-central-1")
		}
	case providerVertex:
		if e.Region == "" && e.APIBase == "" {
			r.problem(n, join(path, "vertex_location"), "is missing; Vertex AI is called by location, such as europe-west4 or global")
		}
	}
}

// word takes in a text without space in it.
func (r *reader) word(target *string) use {
	return func(path string, n *yaml.Node) {
		value, ok := r.scalar(path, n, "text") // YAML takes an unquoted api-version for a date
		switch {
		case !ok:
		case value == "" || len(value) > 256 || strings.ContainsAny(value, " \t\r\n/?#@"):
			r.problem(n, path, "must be one word")
		default:
			*target = value
		}
	}
}

// peekProvider guesses a deployment's provider before it is read, for messages about keys that stand above the model.
func peekProvider(n *yaml.Node) string {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		return ""
	}
	values := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		values[resolve(n.Content[i]).Value] = resolve(n.Content[i+1]).Value
	}
	where, _ := infer(values["model"], values["custom_llm_provider"], values["api_base"])
	if !isBuilt(where.provider) && !isPlanned(where.provider) {
		return ""
	}
	return where.provider
}

func (r *reader) weight(e *entry, path string, n *yaml.Node) {
	value, ok := r.number(path, n)
	switch {
	case !ok:
	case value < 0 || value > 1e9:
		r.problem(n, path, "must be between 0 and 1000000000")
	default:
		e.Weight, e.hasWeight = value, true
	}
}

// identify gives every deployment its id, and refuses one that is taken.
func (r *reader) identify(entries []entry) {
	counts, lines := map[string]int{}, map[string]int{}
	for i := range entries {
		e := &entries[i]
		if e.ID == "" {
			base := e.route + "/" + e.Provider + "/" + e.Model
			counts[base]++
			e.ID = fmt.Sprintf("%s/%d", base, counts[base])
		}
		if line, taken := lines[e.ID]; taken {
			r.problem(e.node, e.path+".model_info.id", "is the same as that of the deployment on line %d", line)
		} else {
			lines[e.ID] = e.Line
		}
	}
}

// routes gathers deployments by name and checks what can be seen only of a whole group.
func (r *reader) routes(entries []entry) []Route {
	index := map[string]int{}
	var groups [][]entry
	for _, e := range entries {
		i, ok := index[e.route]
		if !ok {
			i = len(groups)
			index[e.route] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], e)
	}
	routes := make([]Route, 0, len(groups))
	for _, group := range groups {
		rank(group)
		weigh(group)
		r.checkWeights(group)
		route := unsaid(group[0].route)
		for _, e := range group {
			route.Deployments = append(route.Deployments, e.Deployment)
		}
		routes = append(routes, route)
	}
	return routes
}

// rank puts deployments without an order after those with one.
func rank(group []entry) {
	last, some := 0, false
	for _, e := range group {
		if e.hasOrder {
			last, some = max(last, e.Order), true
		}
	}
	if !some {
		return
	}
	for i := range group {
		if !group[i].hasOrder {
			group[i].Order = last + 1
		}
	}
}

// weigh gives deployments their shares by their limits where the file gives no weights, as LiteLLM does: by those on requests, or
// else by those on tokens, if all of an order have one.
func weigh(group []entry) {
	if slices.ContainsFunc(group, func(e entry) bool { return e.hasWeight }) {
		return
	}
	for _, limit := range []func(entry) int64{func(e entry) int64 { return e.TPM }, func(e entry) int64 { return e.RPM }} {
		without := map[int]bool{} // orders in which somebody has no limit
		for _, e := range group {
			without[e.Order] = without[e.Order] || limit(e) == 0
		}
		for i, e := range group {
			if !without[e.Order] {
				group[i].Weight = float64(limit(e))
			}
		}
	}
}

// checkWeights refuses an order of a route in which nobody takes a share.
func (r *reader) checkWeights(group []entry) {
	sums, first := map[int]float64{}, map[int]entry{}
	for _, e := range group {
		if _, ok := first[e.Order]; !ok {
			first[e.Order] = e
		}
		sums[e.Order] += e.Weight
	}
	for order, sum := range sums {
		if sum == 0 {
			e := first[order]
			r.problem(e.node, e.path+".litellm_params.weight",
				"every deployment of this route and order has weight 0, so none could ever be chosen")
		}
	}
}
