package archtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// module is this module's path; in the rules "./x" stands for module + "/x".
const module = "github.com/holdfast-dev/holdfast"

// pkg is what go list tells about one package.
type pkg struct {
	ImportPath   string   `json:"ImportPath"`
	Imports      []string `json:"Imports"`
	TestImports  []string `json:"TestImports"`
	XTestImports []string `json:"XTestImports"`
	Deps         []string `json:"Deps"`
}

// graph holds this module's packages by their names in the rules.
type graph map[string]pkg

// list asks go list about packages of the module.
func list(ctx context.Context, args ...string) (graph, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{
		"list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports,Deps",
	}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, err
	}
	g := make(graph)
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, err
		}
		for _, imports := range [][]string{p.Imports, p.TestImports, p.XTestImports, p.Deps} {
			for i, path := range imports {
				imports[i] = short(path)
			}
		}
		g[short(p.ImportPath)] = p
	}
}

// short writes a package of this module as "./x".
func short(path string) string {
	if rest, ok := strings.CutPrefix(path, module); ok && (rest == "" || rest[0] == '/') {
		return "." + rest
	}
	return path
}

// match tells whether a package falls under a pattern: itself, or with "/..." also what lies below. "std" is the standard
// library; "test packages" are those of this module that exist for tests, by their names.
func match(pattern, path string) bool {
	switch pattern {
	case "std":
		return isStd(path)
	case "test packages":
		return isTestPackage(path)
	}
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	}
	return path == pattern
}

func matchAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return match(pattern, path) })
}

// isStd tells standard packages by the missing dot in their first element.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// isTestPackage tells packages such as ./llm/llmtest.
func isTestPackage(path string) bool {
	return strings.HasPrefix(path, "./") && strings.HasSuffix(path, "test")
}

// rule is one restriction on the packages in, except those in except.
type rule struct {
	in, except []string
	// only lists everything that may be imported; nil means no such limit.
	only []string
	// never lists what may not be imported, directly or through this module's own packages.
	never []string
	// neverDirectly lists what may not be imported by the package itself.
	neverDirectly []string
	// tests applies neverDirectly to the packages' tests as well.
	tests bool
	why   string
}

// violations checks a rule against a graph. Each is a line that a reader can act on.
func (r rule) violations(g graph) []string {
	var found []string
	say := func(path, verb, imported string) {
		found = append(found, fmt.Sprintf("%s %s %s: %s", path, verb, imported, r.why))
	}
	applied := false
	for _, path := range sortedNames(g) {
		if !matchAny(r.in, path) || matchAny(r.except, path) {
			continue
		}
		applied = true
		direct := g[path].Imports
		for _, imported := range direct {
			switch {
			case r.only != nil && !matchAny(r.only, imported), matchAny(r.neverDirectly, imported), matchAny(r.never, imported):
				say(path, "imports", imported)
			}
		}
		if r.tests {
			for _, imported := range slices.Concat(g[path].TestImports, g[path].XTestImports) {
				if matchAny(r.neverDirectly, imported) {
					say(path, "imports in its tests", imported)
				}
			}
		}
		for via, trail := range g.reach(path) {
			for _, imported := range g[via].Imports {
				if matchAny(r.never, imported) {
					say(strings.Join(trail, " -> "), "imports", imported)
				}
			}
		}
	}
	if !applied {
		found = append(found, fmt.Sprintf("no package matches %v: the rule is dead (%s)", r.in, r.why))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// reach finds the module's own packages that path imports, at any distance, with the shortest way to each.
func (g graph) reach(path string) map[string][]string {
	trails := map[string][]string{}
	queue := [][]string{{path}}
	for len(queue) > 0 {
		trail := queue[0]
		queue = queue[1:]
		for _, imported := range g[trail[len(trail)-1]].Imports {
			if _, own := g[imported]; !own || imported == path || trails[imported] != nil {
				continue
			}
			longer := append(slices.Clone(trail), imported)
			trails[imported] = longer
			queue = append(queue, longer)
		}
	}
	return trails
}

func sortedNames(g graph) []string {
	names := make([]string, 0, len(g))
	for name := range g {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
