package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks the parsed file and collects what is wrong with it, rather than stopping at the first problem.
type reader struct {
	problems []Problem
	warnings []Problem
	// inDeployment says that litellm_params are being read, and provider whose they are, as far as can be told: for the
	// commands in messages about keys.
	inDeployment bool
	provider     string
	// routeSection is holdfast.routes, which is read when the routes are known; nil if it is left out.
	routeSection *yaml.Node
	routePath    string
	// fallbacks are applied then, too, and so are the settings below.
	fallbacks    fallbackSettings
	groupRetries []routePolicy
	cache        litellmCache
	// health and probeKeys say who switches probes on and off; maxCooldown is where holdfast.breaker says how long a rest may be.
	health      healthChecks
	probeKeys   map[string]bool
	maxCooldown *place
	// routerKeys are what router_settings says itself; sharedSettings, what litellm_settings says in its place.
	routerKeys     map[string]bool
	sharedSettings []sharedSetting
	// maxParallel is router_settings.default_max_parallel_requests.
	maxParallel int
}

func (r *reader) problem(n *yaml.Node, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{Line: n.Line, Path: path, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) warning(n *yaml.Node, path, message string) {
	r.warnings = append(r.warnings, Problem{Line: n.Line, Path: path, Message: message})
}

// pair is one key of a mapping with its value, aliases resolved.
type pair struct {
	name  string
	key   *yaml.Node
	value *yaml.Node
}

// use takes in the value of a known key.
type use func(path string, value *yaml.Node)

// section reads a mapping all of whose keys must be known: used ones are handed on, unused ones get their note as a
// warning, secrets and unknown ones are refused. A key with nothing after it counts as left out. The answer holds the keys
// that are there, and is nil if n is not a mapping at all.
func (r *reader) section(n *yaml.Node, path string, used map[string]use, unused map[string]string) map[string]bool {
	pairs, ok := r.mapping(n, path)
	if !ok {
		return nil
	}
	present := map[string]bool{}
	for _, p := range pairs {
		present[p.name] = !isNull(p.value)
		at := join(path, p.name)
		read, isUsed := used[p.name]
		note, isUnused := unused[p.name]
		switch {
		case isNull(p.value) && (isUsed || isUnused):
		case r.refuseSecret(p, at, isUsed):
		case isUsed:
			read(at, p.value)
		case isUnused:
			if !r.refuseSecretsBelow(p.value, at) {
				r.warning(p.key, at, note)
			}
		default:
			r.refuseSecretsBelow(p.value, at)
			r.unknown(p, path, used, unused)
		}
	}
	return present
}

func (r *reader) unknown(p pair, path string, used map[string]use, unused map[string]string) {
	known := make([]string, 0, len(used)+len(unused))
	for name := range used {
		known = append(known, name)
	}
	for name := range unused {
		known = append(known, name)
	}
	at := join(path, p.name)
	if home := homeOf(p.name); home != "" {
		r.problem(p.key, at, "unknown key here; it belongs under %s", home)
	} else if near := nearest(p.name, known); near != "" {
		r.problem(p.key, at, "unknown key; did you mean %q?", near)
	} else {
		r.problem(p.key, at, "unknown key")
	}
}

// mapping lists n's pairs in the order of the file, those of merge keys (<<) after its own, and reports duplicates.
func (r *reader) mapping(n *yaml.Node, path string) ([]pair, bool) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		r.problem(n, path, "must be a mapping of keys to values, not %s", describe(n))
		return nil, false
	}
	seen := map[string]int{}
	pairs := r.ownPairs(n, path, seen)
	return r.mergedPairs(n, path, pairs, seen, map[*yaml.Node]bool{n: true}), true
}

func (r *reader) ownPairs(n *yaml.Node, path string, seen map[string]int) []pair {
	var pairs []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := resolve(n.Content[i])
		switch {
		case isMerge(key):
			continue
		case key.Kind != yaml.ScalarNode:
			r.problem(key, path, "a key must be plain text, not %s", describe(key))
			continue
		}
		if line, duplicate := seen[key.Value]; duplicate {
			r.problem(key, join(path, key.Value), "duplicate key, first on line %d", line)
			continue
		}
		seen[key.Value] = key.Line
		pairs = append(pairs, pair{name: key.Value, key: key, value: resolve(n.Content[i+1])})
	}
	return pairs
}

// mergedPairs adds what merge keys bring in; a key that is already there wins. visited ends cycles and repetition.
func (r *reader) mergedPairs(
	n *yaml.Node, path string, pairs []pair, seen map[string]int, visited map[*yaml.Node]bool,
) []pair {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(resolve(n.Content[i])) {
			continue
		}
		sources := []*yaml.Node{resolve(n.Content[i+1])}
		if sources[0].Kind == yaml.SequenceNode {
			sources = sources[0].Content
		}
		for _, source := range sources {
			source = resolve(source)
			if source.Kind != yaml.MappingNode {
				r.problem(source, join(path, "<<"), "must name a mapping, not %s", describe(source))
				continue
			}
			if visited[source] {
				continue
			}
			visited[source] = true
			for _, p := range r.ownPairs(source, path, map[string]int{}) {
				if _, ok := seen[p.name]; !ok {
					seen[p.name] = p.key.Line
					pairs = append(pairs, p)
				}
			}
			pairs = r.mergedPairs(source, path, pairs, seen, visited)
		}
	}
	return pairs
}

// sequence lists n's items, aliases resolved.
func (r *reader) sequence(n *yaml.Node, path string) ([]*yaml.Node, bool) {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		r.problem(n, path, "must be a list, not %s", describe(n))
		return nil, false
	}
	items := make([]*yaml.Node, 0, len(n.Content))
	for _, item := range n.Content {
		items = append(items, resolve(item))
	}
	return items, true
}

// resolve follows an alias. An anchor's node is never itself an alias.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describe names what n is, never what it says.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	default:
		return "text"
	}
}

// join extends a path by a key. A key that could be a secret, or is no plain word, is not shown.
func join(path, name string) string {
	if len(name) > 60 || looksSecret(name) || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		name = "(not shown)"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// nearest is the known name that text is most likely a slip of, or "".
func nearest(text string, known []string) string {
	slices.Sort(known)
	best, bestDistance := "", 1+len(text)/3
	for _, name := range known {
		if d := distance(strings.ToLower(text), name); d < bestDistance || (d == bestDistance && best == "") {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is the number of letters to add, drop, change or swap with the next one to get from a to b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// index is the path of an entry of a list.
func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
