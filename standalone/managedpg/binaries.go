package managedpg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errNoBinaries says that this machine has no PostgreSQL server that fits.
var errNoBinaries = errors.New("no PostgreSQL server binaries found")

// installation is one directory with a PostgreSQL server in it.
type installation struct {
	dir   string // holds postgres and initdb
	major int
}

func (i installation) postgres() string { return filepath.Join(i.dir, "postgres") }
func (i installation) initdb() string   { return filepath.Join(i.dir, "initdb") }

// globs are the places where distributions put server binaries that are not on PATH.
func globs() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",             // Debian, Ubuntu
		"/usr/pgsql-*/bin",                      // PGDG on Red Hat and its kin
		"/opt/homebrew/opt/postgresql*/bin",     // Homebrew on Apple silicon
		"/usr/local/opt/postgresql*/bin",        // Homebrew on Intel
		"/usr/libexec/postgresql*",              // Alpine
		"/Applications/Postgres.app/*/*/*/bin/", // Postgres.app
	}
}

// findBinaries returns the installation to use. A PG_BIN in the environment decides alone; otherwise PATH comes first, then
// the known places, newest first. With major not zero, only an installation of that major version will do.
func findBinaries(ctx context.Context, major int) (installation, error) {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		found, err := inspect(ctx, dir)
		if err != nil {
			return installation{}, fmt.Errorf("PG_BIN=%s: %w", dir, err)
		}
		if major != 0 && found.major != major {
			return installation{}, &versionError{data: major, found: []installation{found}}
		}
		return found, nil
	}

	all := candidates(ctx)
	for _, found := range all {
		if major == 0 || found.major == major {
			return found, nil
		}
	}
	if len(all) > 0 {
		return installation{}, &versionError{data: major, found: all}
	}
	return installation{}, errNoBinaries
}

// candidates lists every usable installation in order of preference.
func candidates(ctx context.Context) []installation {
	var onPath, known []installation
	if path, err := exec.LookPath("postgres"); err == nil {
		// A package manager links one binary into /usr/bin; initdb and the libraries lie beside the link's target.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if found, err := inspect(ctx, filepath.Dir(real)); err == nil {
				onPath = append(onPath, found)
			}
		}
	}
	for _, pattern := range globs() {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			if found, err := inspect(ctx, dir); err == nil {
				known = append(known, found)
			}
		}
	}
	slices.SortStableFunc(known, func(a, b installation) int { return cmp.Compare(b.major, a.major) })
	return append(onPath, known...)
}

// inspect checks that dir holds a server and asks it for its version.
func inspect(ctx context.Context, dir string) (installation, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return installation{}, fmt.Errorf("resolve %s: %w", dir, err)
	}
	found := installation{dir: dir}
	for _, path := range []string{found.postgres(), found.initdb()} {
		if info, err := os.Stat(path); err != nil {
			return installation{}, fmt.Errorf("look for server binaries: %w", err)
		} else if info.IsDir() || info.Mode()&0o111 == 0 {
			return installation{}, fmt.Errorf("%s is not executable", path)
		}
	}

	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, found.postgres(), "--version") //nolint:gosec // the operator chose this binary
	cmd.Env = childEnv()
	out, err := cmd.Output()
	if err != nil {
		return installation{}, fmt.Errorf("ask %s for its version: %w", found.postgres(), err)
	}
	if found.major, err = parseMajor(string(out)); err != nil {
		return installation{}, err
	}
	if found.major < minMajor {
		return installation{}, fmt.Errorf("%s is PostgreSQL %d; %d or newer is needed", found.postgres(), found.major, minMajor)
	}
	return found, nil
}

// minMajor is the oldest server we run: DROP DATABASE … WITH (FORCE) and Temporal's schema need 13.
const minMajor = 13

// parseMajor reads "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; betas say "18beta1".
func parseMajor(out string) (int, error) {
	match := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindStringSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("no PostgreSQL version in %q", strings.TrimSpace(out))
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return 0, fmt.Errorf("parse version %q: %w", match[1], err)
	}
	return major, nil
}

// versionError says that a data directory and the binaries at hand are of different major versions.
type versionError struct {
	dataDir string
	data    int
	found   []installation
}

func (e *versionError) Error() string {
	have := make([]string, 0, len(e.found))
	for _, i := range e.found {
		have = append(have, fmt.Sprintf("%d in %s", i.major, i.dir))
	}
	return fmt.Sprintf("data directory %s was made by PostgreSQL %d but this machine has %s: "+
		"install PostgreSQL %d, or dump the databases with it and restore them into a new directory",
		e.dataDir, e.data, strings.Join(have, ", "), e.data)
}
