package managedpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// handoverTimeout is how long a previous owner of the data directory may take to go.
	handoverTimeout = 15 * time.Second
	// orphanPatience is how long an orphaned server may take to notice its parent's death by itself before it is asked.
	orphanPatience = 3 * time.Second
)

// clearPostmaster waits for a server left behind on the data directory by a process that was killed, asks it to stop when it
// does not go by itself, and removes a stale postmaster.pid. The caller holds the directory's lock, so no living process
// manages that server.
func clearPostmaster(ctx context.Context, dataDir string, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, handoverTimeout)
	defer cancel()
	started, asked, told := time.Now(), false, false
	path := filepath.Join(dataDir, "postmaster.pid")
	err := poll(ctx, func() (bool, error) {
		pid, err := postmasterPID(path)
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if !isPostmaster(ctx, pid, dataDir) {
			// The number was reused (usual in containers, where pids are small), or nobody has it.
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return false, fmt.Errorf("remove stale postmaster.pid: %w", err)
			}
			return true, nil
		}
		if !told {
			told = true
			logger.InfoContext(ctx, "waiting for an earlier postgres to stop", slog.Int("pid", pid))
		}
		if !asked && time.Since(started) > orphanPatience {
			asked = true
			if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fmt.Errorf("stop an earlier postgres: %w", err)
			}
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("an earlier postgres still runs on %s after %s", dataDir, handoverTimeout)
	}
	return err
}

// postmasterPID reads the first line of postmaster.pid. A file still empty counts as process 0, which nobody has.
func postmasterPID(path string) (int, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the operator's own directory
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller looks for fs.ErrNotExist
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	if first = strings.TrimSpace(first); first == "" {
		return 0, nil
	}
	pid, err := strconv.Atoi(first)
	if err != nil {
		return 0, fmt.Errorf("read postmaster.pid: %w", err)
	}
	// A standalone backend writes its number negated.
	return max(pid, -pid), nil
}

// isPostmaster tells whether pid is a postgres started on dataDir, by its command line.
func isPostmaster(ctx context.Context, pid int, dataDir string) bool {
	if pid <= 0 {
		return false
	}
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return false
	}
	line, err := commandLine(ctx, pid)
	return err == nil && strings.Contains(line, "postgres") && strings.Contains(line, dataDir)
}

// commandLine is the argument list of a process, joined by spaces.
func commandLine(ctx context.Context, pid int) (string, error) {
	if runtime.GOOS == "linux" {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return strings.ReplaceAll(string(raw), "\x00", " "), err
	}
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // a number
	return string(out), err
}
