package managedpg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// process is one running postmaster.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the postmaster has gone
	err  error         // how it ended; read after done
}

// launch starts the postmaster on the data directory and the port.
func launch(cfg Config, bin installation, as account, port int) (*process, error) {
	args := []string{"-D", cfg.DataDir, "-p", fmt.Sprint(port)}
	for _, name := range sortedKeys(cfg.Settings) {
		args = append(args, "-c", name+"="+cfg.Settings[name])
	}
	log, err := openLog(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the child has its own descriptor

	// Not CommandContext: the server outlives the context of its start.
	cmd := exec.Command(bin.postgres(), args...) //nolint:gosec,noctx // binaries found by findBinaries
	cmd.Dir, cmd.Env = "/", childEnv()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttr(as.credential())

	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The parent-death signal is tied to the thread that made the child, so that thread is kept for the child's life.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", bin.postgres(), err)
	}
	return p, nil
}

// stop asks for a fast shutdown (clients are disconnected, data is flushed) and waits. When ctx ends first the server is
// ended the hard way, which loses nothing but makes the next start recover from its log.
func (p *process) stop(ctx context.Context) error {
	if err := p.signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	err := fmt.Errorf("fast shutdown of postgres was cut short: %w", context.Cause(ctx))
	if sigErr := p.signal(syscall.SIGQUIT); sigErr != nil {
		return errors.Join(err, sigErr)
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), orphanPatience)
	defer cancel()
	select {
	case <-p.done:
	case <-hard.Done():
		err = errors.Join(err, p.signal(syscall.SIGKILL))
		<-p.done
	}
	return err
}

func (p *process) signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal postgres: %w", err)
	}
	return nil
}

// maxLogSize is where a start begins a new server log and keeps one old one.
const maxLogSize = 16 << 20

func logPath(dataDir string) string { return filepath.Join(dataDir, "server.log") }

// openLog opens the server's log for appending. The descriptor is inherited, so the server's user needs no right to it.
func openLog(dataDir string) (*os.File, error) {
	path := logPath(dataDir)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLogSize {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("rotate server log: %w", err)
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the operator's own directory
	if err != nil {
		return nil, fmt.Errorf("open server log: %w", err)
	}
	return file, nil
}

// freePort finds a port of the loopback that nobody listens on now.
func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	if !ok {
		return 0, fmt.Errorf("find a free port: unexpected address %s", listener.Addr())
	}
	return addr.Port, nil
}

// checkPort fails when somebody already listens on port.
func checkPort(ctx context.Context, port int) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return fmt.Errorf("port for postgres is not free: %w", err)
	}
	return listener.Close()
}
