package managedpg

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// role is the only role of the server, a superuser: the machine is ours.
const role = "holdfast"

// dataVersion reads the major version of an existing data directory; 0 means that there is none yet.
func dataVersion(dir string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "PG_VERSION")) //nolint:gosec // the operator's own directory
	if err == nil {
		major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
		if err != nil {
			return 0, fmt.Errorf("read version of data directory %s: %w", dir, err)
		}
		return major, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read version of data directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read data directory: %w", err)
	case len(entries) > 0:
		return 0, fmt.Errorf("data directory %s is not empty and holds no PostgreSQL database", dir)
	}
	return 0, nil
}

// password reads the password beside the data directory, or makes one for a directory yet to be made.
func password(dataDir string, exists bool) (string, error) {
	path := dataDir + ".password"
	raw, err := os.ReadFile(path) //nolint:gosec // the operator's own directory
	switch {
	case err == nil:
		if secret := strings.TrimSpace(string(raw)); secret != "" {
			return secret, nil
		}
		return "", fmt.Errorf("password file %s is empty", path)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("read password file: %w", err)
	case exists:
		return "", fmt.Errorf("data directory %s exists but its password file %s does not", dataDir, path)
	}
	var secret [24]byte
	_, _ = rand.Read(secret[:]) // documented never to fail
	text := hex.EncodeToString(secret[:])
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write password file: %w", err)
	}
	return text, nil
}

// initDataDir makes the data directory beside its final place and renames it when complete, so that an interrupted start
// never leaves half a database behind.
func initDataDir(ctx context.Context, cfg Config, bin installation, as account, secret string) error {
	scratch := cfg.DataDir + ".new"
	if err := os.RemoveAll(scratch); err != nil {
		return fmt.Errorf("remove interrupted data directory: %w", err)
	}
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if err := as.own(scratch); err != nil {
		return err
	}
	secretFile, err := lendSecret(cfg.DataDir, as, secret)
	if err != nil {
		return err
	}
	defer os.Remove(secretFile) //nolint:errcheck // 0600 and unguessable; the next start does not read it

	args := []string{
		"--pgdata=" + scratch, "--username=" + role, "--pwfile=" + secretFile,
		"--auth-host=scram-sha-256", "--auth-local=scram-sha-256",
		"--encoding=UTF8", "--locale=C", "--data-checksums",
	}
	if cfg.Settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, bin.initdb(), args...) //nolint:gosec // binaries found by findBinaries
	cmd.Dir, cmd.Env = "/", childEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as.credential(), Setpgid: true}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("initdb in %s: %w: %s", scratch, err, lastLines(output.Bytes(), 3))
	}
	if err := os.Remove(cfg.DataDir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace empty data directory: %w", err)
	}
	if err := os.Rename(scratch, cfg.DataDir); err != nil {
		return fmt.Errorf("keep data directory: %w", err)
	}
	return nil
}

// lendSecret writes the password where the server's user can read it, for initdb only: an argument list is public.
func lendSecret(dataDir string, as account, secret string) (string, error) {
	file, err := os.CreateTemp(filepath.Dir(dataDir), ".pwfile-*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("write password for initdb: %w", err)
	}
	_, err = file.WriteString(secret + "\n")
	if err = errors.Join(err, file.Close(), as.own(file.Name())); err != nil {
		return "", errors.Join(fmt.Errorf("write password for initdb: %w", err), os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// lockDataDir takes the lock that one managing process holds. The kernel drops it when the process dies, however it dies.
func lockDataDir(ctx context.Context, dataDir string) (*os.File, error) {
	file, err := os.OpenFile(dataDir+".lock", os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own directory
	if err != nil {
		return nil, fmt.Errorf("open lock of data directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, handoverTimeout)
	defer cancel()
	err = poll(ctx, func() (bool, error) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return false, nil
		}
		return err == nil, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("another process uses data directory %s", dataDir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory: %w", err), file.Close())
	}
	return file, nil
}

// poll calls done every 50 ms until it says true or fails, or ctx ends.
func poll(ctx context.Context, done func() (bool, error)) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// childEnv is all that a PostgreSQL process gets to see: no token or key of this process's environment.
func childEnv() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
}

// lastLines is the end of a program's output, for an error.
func lastLines(output []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
