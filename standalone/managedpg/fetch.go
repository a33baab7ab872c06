package managedpg

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchTimeout bounds the download of a server build (about 30 MB).
const fetchTimeout = 5 * time.Minute

// fetchBinaries downloads a server build of the given major version (0 is the newest known) into dir, once.
func fetchBinaries(ctx context.Context, dir string, major int) (installation, error) {
	if found, ok := fetchedBinaries(ctx, dir, major); ok {
		return found, nil
	}
	version, err := buildVersion(major)
	if err != nil {
		return installation{}, err
	}
	target := filepath.Join(dir, string(version))
	if err := os.MkdirAll(dir, parentMode); err != nil {
		return installation{}, fmt.Errorf("make directory for server binaries: %w", err)
	}
	scratch, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return installation{}, fmt.Errorf("make directory for server binaries: %w", err)
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // a leftover scratch directory harms nothing

	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if err := extract(ctx, scratch, version); err != nil {
		return installation{}, err
	}
	// Renamed only when complete, so that a download cut short is never taken for an installation.
	if err := os.RemoveAll(target); err != nil {
		return installation{}, fmt.Errorf("replace incomplete server binaries: %w", err)
	}
	if err := os.Rename(filepath.Join(scratch, "build"), target); err != nil {
		return installation{}, fmt.Errorf("keep fetched server binaries: %w", err)
	}
	return inspect(ctx, filepath.Join(target, "bin"))
}

// fetchedBinaries finds a build that an earlier start fetched.
func fetchedBinaries(ctx context.Context, dir string, major int) (installation, bool) {
	version, err := buildVersion(major)
	if err != nil {
		return installation{}, false
	}
	found, err := inspect(ctx, filepath.Join(dir, string(version), "bin"))
	return found, err == nil
}

// extract leaves a complete build in scratch/build. The library can fetch only on its way to a start, and refuses to run as
// root; it is therefore given a data directory that cannot be made, below a regular file, and stops right after extracting.
func extract(ctx context.Context, scratch string, version embeddedpostgres.PostgresVersion) error {
	blocker := filepath.Join(scratch, "blocker")
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		return fmt.Errorf("prepare fetch of server binaries: %w", err)
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	build := filepath.Join(scratch, "build")
	config := embeddedpostgres.DefaultConfig().
		Version(version).
		Port(uint32(port)). //nolint:gosec // a TCP port fits
		CachePath(filepath.Join(scratch, "cache")).
		RuntimePath(filepath.Join(scratch, "runtime")).
		BinariesPath(build).
		DataPath(filepath.Join(blocker, "data")).
		Logger(io.Discard)
	if mirror := os.Getenv("HOLDFAST_PG_MIRROR"); mirror != "" {
		config = config.BinaryRepositoryURL(mirror)
	}

	// Start takes no context: when ctx ends first the goroutine is left to its own network timeouts.
	failed := make(chan error, 1)
	go func() {
		db := embeddedpostgres.NewDatabase(config)
		err := db.Start()
		if err == nil {
			err = db.Stop()
		}
		failed <- err
	}()
	select {
	case err = <-failed:
	case <-ctx.Done():
		return fmt.Errorf("fetch PostgreSQL %s: %w", version, context.Cause(ctx))
	}
	if _, statErr := os.Stat(filepath.Join(build, "bin", "postgres")); statErr != nil {
		return fmt.Errorf("fetch PostgreSQL %s: %w", version, err)
	}
	return nil
}

// buildVersion maps a major version to the build that the library knows.
func buildVersion(major int) (embeddedpostgres.PostgresVersion, error) {
	switch major {
	case 0, 18:
		return embeddedpostgres.V18, nil
	case 17:
		return embeddedpostgres.V17, nil
	case 16:
		return embeddedpostgres.V16, nil
	case 15:
		return embeddedpostgres.V15, nil
	case 14:
		return embeddedpostgres.V14, nil
	case 13:
		return embeddedpostgres.V13, nil
	default:
		return "", fmt.Errorf("no build of PostgreSQL %s to fetch", strconv.Itoa(major))
	}
}

// installHint is the one command that puts a server on this machine.
func installHint() string {
	if runtime.GOOS == "darwin" {
		return "brew install postgresql@17"
	}
	return "apt-get install postgresql"
}
