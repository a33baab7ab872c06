package doctest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/temporaltest"
)

// cli is the built command line, asked for its help.
type cli struct {
	binary string
	mu     sync.Mutex
	helps  map[string]string
}

// commands is the binary's command line. It takes a build, so -short leaves the tests out that need it.
func commands(t testing.TB) *cli {
	t.Helper()
	if testing.Short() {
		t.Skip("asks the real binary; left out by -short")
	}
	binary, err := temporaltest.Binary(t.Context())
	require.NoError(t, err)
	return &cli{binary: binary, helps: map[string]string{}}
}

// help is what a command says of itself.
func (c *cli) help(words []string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := strings.Join(words, " ")
	if text, ok := c.helps[name]; ok {
		return text, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, c.binary, append(words, "--help")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("holdfast %s --help: %w: %s", name, err, output)
	}
	c.helps[name] = string(output)
	return c.helps[name], nil
}

var subcommand = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// check says whether the words are a command with flags that it has. Arguments are not looked at.
func (c *cli) check(words []string) error {
	var path []string
	help, err := c.help(nil)
	if err != nil {
		return err
	}
	rest := words[1:]
	for len(rest) > 0 && subcommand.MatchString(rest[0]) && strings.Contains(help, "\n  "+rest[0]+" ") {
		path, rest = append(path, rest[0]), rest[1:]
		if help, err = c.help(path); err != nil {
			return err
		}
	}
	if len(path) == 0 && len(rest) > 0 && subcommand.MatchString(rest[0]) {
		return fmt.Errorf("there is no command %q", rest[0])
	}
	for _, word := range rest {
		if word == "--help" || !strings.HasPrefix(word, "--") {
			continue
		}
		flag, _, _ := strings.Cut(word, "=")
		if !regexp.MustCompile(regexp.QuoteMeta(flag) + `(\s|$)`).MatchString(help) {
			return fmt.Errorf("holdfast %s has no flag %s", strings.Join(path, " "), flag)
		}
	}
	return nil
}

// invocation finds commands in running text, in code spans and in fenced blocks.
var invocation = regexp.MustCompile("(?m)(?:^|[`\"'(|] ?|\\$\\(|api )((?:bin/|\\./|/)?holdfast(?: +[^\\s`|;)'\"<>]+)+)")

func TestCommandsThatDocumentsShowExist(t *testing.T) {
	t.Parallel()
	holdfast := commands(t)
	shown := 0
	for _, document := range files(t, ".md") {
		for _, match := range invocation.FindAllStringSubmatch(read(t, document), -1) {
			words := strings.Fields(strings.ReplaceAll(match[1], "…", ""))
			if len(words) < 2 || filepath.Base(words[0]) != "holdfast" {
				continue
			}
			shown++
			require.NoError(t, holdfast.check(words), "%s: %s", document, match[1])
		}
	}
	require.Greater(t, shown, 10, "the pattern no longer finds commands")
}
