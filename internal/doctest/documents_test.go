package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/config"
)

var (
	link     = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	testName = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]*)`")
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Z][A-Za-z0-9]*)\(`)
	makeCall = regexp.MustCompile("(?m)(?:`|^|&& )make ([a-z][a-z -]*)")
	ruleName = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	codePath = regexp.MustCompile("`([a-z][a-z0-9_/.]*(?:/|\\.go|\\.md|\\.yaml|\\.yml))`")
)

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, document := range files(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(read(t, document), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(root, filepath.Dir(document), match[1]))
			require.NoError(t, err, "%s links to %s", document, match[1])
		}
	}
}

func TestTestsThatDocumentsNameExist(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	for _, file := range files(t, "_test.go") {
		for _, match := range testFunc.FindAllStringSubmatch(read(t, file), -1) {
			exists[match[1]] = true
		}
	}
	named := 0
	for _, document := range files(t, ".md") {
		for _, match := range testName.FindAllStringSubmatch(read(t, document), -1) {
			named++
			if !exists[match[1]] {
				t.Errorf("%s names %s, which does not exist", document, match[1])
			}
		}
	}
	require.Positive(t, named)
}

func TestMakeTargetsThatDocumentsNameExist(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	for _, match := range ruleName.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		exists[match[1]] = true
	}
	for _, document := range files(t, ".md") {
		for _, match := range makeCall.FindAllStringSubmatch(read(t, document), -1) {
			target, _, _ := strings.Cut(match[1], " ")
			if !exists[target] {
				t.Errorf("%s says make %s, which does not exist", document, target)
			}
		}
	}
}

func TestFilesThatTheArchitectureNamesExist(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"ARCHITECTURE.md", "README.md", "docs/operations.md", "docs/errors.md"} {
		for _, match := range codePath.FindAllStringSubmatch(read(t, document), -1) {
			name := match[1]
			if strings.HasPrefix(name, "secrets/") || !strings.Contains(name, "/") {
				continue // made locally, or named without its place
			}
			_, err := os.Stat(filepath.Join(root, name))
			require.NoError(t, err, "%s names %s", document, name)
		}
	}
}

func TestTheCodeMapIsComplete(t *testing.T) {
	t.Parallel()
	architecture := read(t, "ARCHITECTURE.md")
	seen := map[string]bool{}
	for _, file := range files(t, ".go") {
		dir := filepath.ToSlash(filepath.Dir(file))
		if seen[dir] {
			continue
		}
		seen[dir] = true
		if !strings.Contains(architecture, "`"+dir+"`") {
			t.Errorf("ARCHITECTURE.md's code map does not name %s", dir)
		}
	}
}

// What is shown as configuration is configuration.
func TestConfigurationThatIsShownLoads(t *testing.T) {
	t.Parallel()
	shown := []block{{"deploy/compose/holdfast.yaml", "yaml", read(t, "deploy/compose/holdfast.yaml")}}
	for _, b := range blocks(t) {
		if b.language == "yaml" && strings.Contains(b.text, "model_list:") {
			shown = append(shown, b)
		}
	}
	require.Greater(t, len(shown), 1)
	for _, b := range shown {
		cfg, err := config.Parse(b.document, []byte(b.text))
		require.NoError(t, err)
		require.Empty(t, cfg.Warnings, b.document)
	}
}

// Each setting that the table of docs/configuration.md names is one that the reader knows: the example above it, which
// loads without a warning, or the text of the package, uses it.
func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	documented := read(t, "docs/configuration.md")
	setting := regexp.MustCompile(`(?m)^\t+"([a-z_]+)": +(?:func|count|readBase|r\.)`)
	found := 0
	for _, file := range files(t, ".go") {
		if filepath.Dir(file) != "config" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, match := range setting.FindAllStringSubmatch(read(t, file), -1) {
			name := match[1]
			found++
			if !strings.Contains(documented, name) {
				t.Errorf("docs/configuration.md does not name %s, which %s reads", name, file)
			}
		}
	}
	require.Greater(t, found, 15, "the pattern no longer finds settings")
}
