package temporaltest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyTimeout is how long a server may take to serve; stopTimeout, to stop.
const (
	readyTimeout = 90 * time.Second
	stopTimeout  = 30 * time.Second
)

// process is one run of the binary.
type process struct {
	cmd  *exec.Cmd
	log  *tail
	done chan struct{}
	err  error // how it ended; read after done
}

// run starts the binary and waits until it says that it serves. The address is what it says.
func run(ctx context.Context, databaseURL, listen string) (_ *process, addr string, err error) {
	binary, err := Binary(ctx)
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command(binary, "temporal", "--throwaway", "--listen", listen, "--ui", "") //nolint:gosec,noctx // outlives ctx
	cmd.Env = append(os.Environ(), "DATABASE_URL="+databaseURL)
	cmd.SysProcAttr = childAttr()
	p := &process{cmd: cmd, log: &tail{}, done: make(chan struct{})}
	cmd.Stderr = p.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", fmt.Errorf("start temporal: %w", err)
	}

	started, ready := make(chan error, 1), make(chan string, 1)
	go func() {
		// The parent-death signal is tied to the thread that made the child, so that thread is kept for the child's life.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if at, ok := strings.CutPrefix(lines.Text(), "temporal ready on "); ok {
				ready <- at
			}
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, "", fmt.Errorf("start temporal: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	select {
	case addr = <-ready:
		return p, addr, nil
	case <-p.done:
		return nil, "", fmt.Errorf("temporal ended before it was ready: %w\n%s", p.err, p.log)
	case <-ctx.Done():
		return nil, "", errors.Join(fmt.Errorf("temporal was not ready in time: %w\n%s", ctx.Err(), p.log), p.end(syscall.SIGKILL))
	}
}

// end sends a signal and waits for the process to go.
func (p *process) end(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal temporal: %w", err)
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
		if sig != syscall.SIGKILL && p.err != nil {
			return fmt.Errorf("stop temporal: %w\n%s", p.err, p.log)
		}
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("temporal did not stop on %s\n%s", sig, p.log), p.cmd.Process.Kill())
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

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 32 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append([]byte(nil), t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
