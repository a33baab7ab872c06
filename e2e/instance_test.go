package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

// instance is a running "holdfast up".
type instance struct {
	*process
	client
	dir string
	at  struct {
		PID      int    `json:"pid"`
		API      string `json:"api"`
		AdminAPI string `json:"admin_api"`
		WebUI    string `json:"web_ui"`
		Temporal string `json:"temporal"`
	}
}

// dataDir makes a directory that PostgreSQL's unprivileged user may pass through, which one of testing.T is not when tests
// run as root. It is removed with the test, once the PostgreSQL in it has gone.
func dataDir(t testing.TB) string {
	t.Helper()
	dir, err := makeDataDir()
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := removeDataDir(dir); err != nil {
			t.Errorf("removing the data directory: %v", err)
		}
	})
	return filepath.Join(dir, "data")
}

func makeDataDir() (string, error) {
	dir, err := os.MkdirTemp("", "holdfast-e2e-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

// removeDataDir waits for a PostgreSQL that is shutting down because its holdfast was killed.
func removeDataDir(dir string) error {
	pidFile := filepath.Join(dir, "data", "postgres", "postmaster.pid")
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for limit := time.Now().Add(soon); time.Now().Before(limit); <-ticker.C {
		if _, err := os.Stat(pidFile); errors.Is(err, os.ErrNotExist) {
			return os.RemoveAll(dir)
		}
	}
	return errors.Join(errors.New("a PostgreSQL was left running"), os.RemoveAll(dir))
}

// up starts holdfast on the data directory and waits until it serves.
func up(t testing.TB, dir, config string, env ...string) *instance {
	t.Helper()
	i := &instance{process: run(t, env, upArgs(t, dir, config)...), dir: dir}
	require.NoError(t, i.await(within(t, late)))
	return i
}

// upArgs asks for free ports. That of Temporal cannot be left to the system: it is chosen here.
func upArgs(t testing.TB, dir, config string) []string {
	t.Helper()
	args := []string{
		"up", "--data", dir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--ui-listen", "",
		"--temporal-listen", freeAddress(t), "--log-format", "json",
	}
	if config != "" {
		args = append(args, "--config", config)
	}
	return args
}

// freeAddress is a loopback address that nobody listens on now. Its port lies below those that systems give to outgoing
// connections: one of those may be taken again before its server listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
		if err == nil {
			require.NoError(t, listener.Close())
			return address
		}
	}
	require.Fail(t, "no free port was found")
	return ""
}

// await waits until this very process has announced itself: a killed one leaves its file behind.
func (i *instance) await(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		content, err := os.ReadFile(filepath.Join(i.dir, "instance.json"))
		if err == nil && json.Unmarshal(content, &i.at) == nil && i.at.PID == i.cmd.Process.Pid {
			token, err := os.ReadFile(filepath.Join(i.dir, "token"))
			i.client = newClient(i.at.API, strings.TrimSpace(string(token)))
			return err
		}
		select {
		case <-ticker.C:
		case <-i.done:
			return fmt.Errorf("holdfast up ended: %s", &i.stderr)
		case <-ctx.Done():
			return fmt.Errorf("holdfast up was not ready in time: %s", tailOf(i.stderr.String()))
		}
	}
}

// postmaster is the process id of the managed PostgreSQL; zero if there is none.
func (i *instance) postmaster(t testing.TB) int {
	t.Helper()
	line := i.postmasterFile(t)
	if len(line) == 0 {
		return 0
	}
	pid, err := strconv.Atoi(line[0])
	require.NoError(t, err)
	return pid
}

// postmasterFile is what PostgreSQL says of itself, line by line: the process id first, the port fourth.
func (i *instance) postmasterFile(t testing.TB) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(i.dir, "postgres", "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	return strings.Split(string(content), "\n")
}

// gone tells whether no process has the id any more.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// database connects to a database of the managed PostgreSQL.
func (i *instance) database(t testing.TB, name string) *pgx.Conn {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(i.dir, "postgres.password"))
	require.NoError(t, err)
	lines := i.postmasterFile(t)
	require.Greater(t, len(lines), 3)
	return connect(t, fmt.Sprintf("postgres://holdfast:%s@127.0.0.1:%s/%s", strings.TrimSpace(string(password)), lines[3], name))
}

// connect opens a connection that is closed with the test.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(within(t, soon), url)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		_ = conn.Close(ctx) // its server may be gone by now
	})
	return conn
}

// temporal connects to the instance's Temporal server.
func (i *instance) temporal(t testing.TB) sdkclient.Client {
	t.Helper()
	c, err := sdkclient.Dial(sdkclient.Options{HostPort: i.at.Temporal, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
