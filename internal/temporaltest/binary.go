package temporaltest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// buildTimeout covers a build from an empty cache, which compiles the whole Temporal server.
const buildTimeout = 20 * time.Minute

// Binary is the path of the holdfast binary under test: HOLDFAST_TEST_BINARY, or one built from this module. Packages tested
// in parallel build it once, one after the other, and the later ones find it up to date.
func Binary(ctx context.Context) (_ string, err error) {
	if path := os.Getenv("HOLDFAST_TEST_BINARY"); path != "" {
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".build")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("make build directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a name of ours
	if err != nil {
		return "", fmt.Errorf("open build lock: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // closing releases it
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("take build lock: %w", err)
	}

	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	path := filepath.Join(dir, "holdfast")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/holdfast") //nolint:gosec // fixed words
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build holdfast: %w\n%s", err, out)
	}
	return path, nil
}

// moduleRoot is the nearest directory above the test's that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find module: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find module: no go.mod above the working directory")
		}
		dir = parent
	}
}
