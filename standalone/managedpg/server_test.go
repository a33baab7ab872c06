package managedpg_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/standalone/managedpg"
)

// parentEnv holds the data directory when this test binary plays a process that manages a server and is then killed.
const parentEnv = "MANAGEDPG_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" {
		playParent(dir)
	}
	os.Exit(m.Run())
}

// playParent starts a server, tells its process id and port on stdout, and waits to be killed.
func playParent(dir string) {
	server, err := managedpg.Start(context.Background(), config(dir))
	if err != nil {
		panic(err)
	}
	fmt.Println(server.Pid(), server.Port) //nolint:forbidigo // the parent process reads it
	select {}
}

func config(dir string) managedpg.Config {
	return managedpg.Config{
		DataDir: filepath.Join(dir, "postgres"), Databases: []string{"app", "temporal"},
		Settings: map[string]string{"fsync": "off", "shared_buffers": "16MB"},
	}
}

// scratch is a directory that the unprivileged user of the server may pass through.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "managedpg-test-") //nolint:usetesting // a directory of t is closed to other users
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func start(t *testing.T, cfg managedpg.Config) *managedpg.Server {
	t.Helper()
	server, err := managedpg.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return server
}

func query[T any](t *testing.T, url, sql string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	var value T
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&value))
	return value
}

func TestDataSurvivesStopAndStart(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	first := start(t, config(dir))
	require.Equal(t, "app", query[string](t, first.URL("app"), "SELECT current_database()"))
	require.Equal(t, 1, query[int](t, first.URL("app"), "WITH x AS (SELECT 1 AS one) SELECT one FROM x"))
	conn, err := pgx.Connect(t.Context(), first.URL("app"))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS answer")
	require.NoError(t, err)

	// A client still connected does not hold up the shutdown.
	require.NoError(t, first.Stop(t.Context()))
	<-first.Done()
	require.NoError(t, first.Stop(t.Context()), "stopping twice")
	require.NoFileExists(t, filepath.Join(dir, "postgres", "postmaster.pid"), "the shutdown was clean")

	second := start(t, config(dir))
	require.Equal(t, 42, query[int](t, second.URL("app"), "SELECT answer FROM kept"))
}

func TestTheServerIsClosedToOthers(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	server := start(t, config(dir))

	require.Equal(t, "127.0.0.1", query[string](t, server.URL("app"), "SHOW listen_addresses"))
	require.Empty(t, query[string](t, server.URL("app"), "SHOW unix_socket_directories"))
	require.Equal(t, "off", query[string](t, server.URL("app"), "SHOW jit"))

	raw, err := os.ReadFile(filepath.Join(dir, "postgres.password"))
	require.NoError(t, err)
	secret := strings.TrimSpace(string(raw))
	info, err := os.Stat(filepath.Join(dir, "postgres.password"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Contains(t, server.URL("app"), secret)

	_, err = pgx.Connect(t.Context(), strings.Replace(server.URL("app"), secret, "wrong", 1))
	require.ErrorContains(t, err, "password authentication failed")

	leftovers, err := filepath.Glob(filepath.Join(dir, ".pwfile-*"))
	require.NoError(t, err)
	require.Empty(t, leftovers)
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", server.Pid())); err == nil {
		require.NotContains(t, string(line), secret)
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", server.Pid()))
		require.NoError(t, err)
		require.NotContains(t, string(environ), "HOME=", "the environment is not handed down")
	}
	logged, err := os.ReadFile(filepath.Join(dir, "postgres", "server.log"))
	require.NoError(t, err)
	require.NotContains(t, string(logged), secret)
}

func TestTheServerDoesNotRunAsRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root hands over to another user")
	}
	server := start(t, config(scratch(t)))
	info, err := os.Stat(fmt.Sprintf("/proc/%d", server.Pid()))
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.NotZero(t, stat.Uid)
}

func TestAParentThatCannotBeEnteredIsNamed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root hands over to another user")
	}
	closed := filepath.Join(scratch(t), "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	_, err := managedpg.Start(t.Context(), config(filepath.Join(closed, "deeper")))
	require.ErrorContains(t, err, "cannot enter "+closed+" (mode 0700)")
}

func TestAKilledParentTakesTheServerWithItAndTheNextStartSucceeds(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+dir)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	var pid, port int
	_, err = fmt.Fscan(out, &pid, &port)
	require.NoError(t, err)

	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	// At once: the old server may still be shutting down.
	server := start(t, config(dir))
	require.NotEqual(t, pid, server.Pid())
	require.Equal(t, "app", query[string](t, server.URL("app"), "SELECT current_database()"))
	require.True(t, gone(pid), "the old server has gone")
}

// gone tells that a process has ended; an orphan stays a zombie until the system's first process collects it.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && len(line) == 0
}

func TestACrashClosesDoneAndTheNextStartRecovers(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	server := start(t, config(dir))
	require.NoError(t, syscall.Kill(server.Pid(), syscall.SIGKILL))
	select {
	case <-server.Done():
	case <-time.After(10 * time.Second):
		require.Fail(t, "Done was not closed")
	}
	require.FileExists(t, filepath.Join(dir, "postgres", "postmaster.pid"))
	start(t, config(dir))
}

func TestAPidFileOfAReusedProcessNumberIsStale(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	require.NoError(t, start(t, config(dir)).Stop(t.Context()))
	// This test process is alive and is no postgres.
	path := filepath.Join(dir, "postgres", "postmaster.pid")
	require.NoError(t, os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600))
	start(t, config(dir))
}

func TestOneDataDirectoryHasOneManager(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	start(t, config(dir))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := managedpg.Start(ctx, config(dir))
	require.ErrorContains(t, err, "another process uses data directory "+filepath.Join(dir, "postgres"))
}

func TestATakenPortIsAnError(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	addr, ok := listener.Addr().(*net.TCPAddr)
	require.True(t, ok)
	cfg := config(scratch(t))
	cfg.Port = addr.Port
	_, err = managedpg.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "port for postgres is not free")
}

func TestADataDirectoryThatIsNotOursIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, content, want string
	}{
		"another major version": {"PG_VERSION", "9\n", "was made by PostgreSQL 9"},
		"not a database":        {"thesis.txt", "work of years", "is not empty and holds no PostgreSQL database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(scratch(t))
			require.NoError(t, os.Mkdir(cfg.DataDir, 0o700))
			path := filepath.Join(cfg.DataDir, test.file)
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			_, err := managedpg.Start(t.Context(), cfg)
			require.ErrorContains(t, err, test.want)
			kept, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, test.content, string(kept))
		})
	}
}

func TestAnInterruptedInitIsBegunAgain(t *testing.T) {
	t.Parallel()
	cfg := config(scratch(t))
	require.NoError(t, os.Mkdir(cfg.DataDir+".new", 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(cfg.DataDir+".new", "PG_VERSION"), []byte("15\n"), 0o600))
	start(t, cfg)
}
