package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const dirPrefix = "holdfast-pg-"

func dataDir(dir string) string { return filepath.Join(dir, "data") }

// makeDir makes a temporary directory that the server's unprivileged user may pass through, which a directory of testing.T
// is not when tests run as root. It first removes what killed test processes left.
func makeDir() (string, error) {
	sweep()
	dir, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return "", fmt.Errorf("make directory for test databases: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // see above
		return "", fmt.Errorf("open directory for test databases: %w", err)
	}
	return dir, nil
}

// sweep removes directories whose lock nobody holds. A young directory is left alone: it may be about to be locked.
func sweep() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 5*time.Minute && unused(dir) {
			_ = os.RemoveAll(dir)
		}
	}
}

func unused(dir string) bool {
	file, err := os.Open(dataDir(dir) + ".lock")
	if err != nil {
		return os.IsNotExist(err)
	}
	defer file.Close() //nolint:errcheck // only probed
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
