package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is one run of the binary.
type process struct {
	cmd    *exec.Cmd
	stdout output
	stderr output
	done   chan struct{} // closed when it has ended
}

// output keeps all that a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// spawn starts the binary with the environment entries added. Whoever starts it ends it.
func spawn(path string, stdin io.Reader, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Env, p.cmd.SysProcAttr = append(environment(), env...), childAttr()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, &p.stdout, &p.stderr
	started := make(chan error, 1)
	go func() {
		// The parent-death signal is tied to the thread that made the child, so that thread is kept for the child's life.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, <-started
}

// environment is this process's, without what would lead a holdfast to the servers of someone else.
func environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "DATABASE_URL") && !strings.HasPrefix(entry, "TEMPORAL_") && !strings.HasPrefix(entry, "HOLDFAST_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// run starts the binary for the test, which ends it if the test does not. If the test fails, the end of the log is shown.
func run(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p, err := spawn(binary(t), nil, env, args...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := p.end(syscall.SIGKILL); err != nil {
			t.Errorf("ending holdfast %s: %v", args[0], err)
		}
		if t.Failed() {
			p.showLog(t, args[0])
		}
	})
	return p
}

// command runs the binary to its end and gives its standard output; it must succeed.
func command(t testing.TB, stdin string, env []string, args ...string) string {
	t.Helper()
	p, err := spawn(binary(t), strings.NewReader(stdin), env, args...)
	require.NoError(t, err)
	require.Zero(t, p.exitCode(t, late), "holdfast %s: %s", strings.Join(args, " "), &p.stderr)
	return p.stdout.String()
}

// exitCode waits for the process to end by itself.
func (p *process) exitCode(t testing.TB, limit time.Duration) int {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		_ = p.end(syscall.SIGKILL)
		t.Fatalf("the process had not ended after %s; its log ended with:\n%s", limit, tailOf(p.stderr.String()))
	}
	return p.cmd.ProcessState.ExitCode()
}

// signal sends a signal and does not wait.
func (p *process) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(sig))
}

// kill ends the process as a crash would.
func (p *process) kill(t testing.TB) {
	t.Helper()
	require.NoError(t, p.end(syscall.SIGKILL))
}

// end sends a signal and waits for the process to go. Ending a dead process does nothing.
func (p *process) end(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return errors.Join(errors.New("did not end in time"), p.cmd.Process.Kill())
	}
}

// alive tells whether the process still runs.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ready waits for the log line that says where a holdfast api or worker serves.
func (p *process) ready(t testing.TB) (api, adminAPI string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for line := range strings.Lines(p.stderr.String()) {
			var entry struct {
				Msg      string `json:"msg"`
				API      string `json:"api"`
				AdminAPI string `json:"admin_api"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "ready" {
				api, adminAPI = "http://"+entry.API, "http://"+entry.AdminAPI
				return true
			}
		}
		return !p.alive()
	}, late, tick, "the process was not ready in time")
	require.True(t, p.alive(), "the process ended before it was ready: %s", &p.stderr)
	return api, adminAPI
}

// showLog shows the end of the log; with "go test -artifacts" the whole of it is kept.
func (p *process) showLog(t testing.TB, name string) {
	t.Helper()
	path := filepath.Join(t.ArtifactDir(), fmt.Sprintf("holdfast-%s-%d.log", name, p.cmd.Process.Pid))
	if err := os.WriteFile(path, []byte(p.stdout.String()+p.stderr.String()), 0o600); err != nil {
		t.Error(err)
	}
	t.Logf("the log of holdfast %s (process %d) ends with:\n%s", name, p.cmd.Process.Pid, tailOf(p.stderr.String()))
}

// tailOf is what fits a test's log of a long text.
func tailOf(text string) string {
	const most = 4 << 10
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return text
}
