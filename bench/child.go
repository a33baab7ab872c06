package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// child is a process of the benchmark's own: the program itself, with other arguments.
type child struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // of its standard output; closed with it
	log   string      // file that keeps its standard error
	done  chan struct{}
	err   error // how it ended; read after done
}

// start runs the program with the arguments. Secrets go into env, for an argument list is public.
func start(program, name, logFile string, env []string, args ...string) (*child, error) {
	log, err := os.Create(logFile) //nolint:gosec // in our own directory
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the child has its own handle
	c := &child{name: name, log: logFile, lines: make(chan string, 256), done: make(chan struct{})}
	c.cmd = exec.Command(program, args...) //nolint:gosec,noctx // our own program; it is stopped by stop
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.Stderr = log
	c.cmd.SysProcAttr = childAttributes()
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error, 1)
	go func() {
		// The signal that the kernel sends when we die is tied to the thread that made the child: keep it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		scanner := bufio.NewScanner(stdout)
		scanner.Buffer(nil, 64<<20) // a result holds every latency
		for scanner.Scan() {
			c.lines <- scanner.Text()
		}
		close(c.lines)
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// line waits for the next line of output.
func (c *child) line(ctx context.Context) (string, error) {
	select {
	case line, open := <-c.lines:
		if !open {
			<-c.done
			return "", c.death()
		}
		return line, nil
	case <-ctx.Done():
		return "", fmt.Errorf("waiting for %s: %w", c.name, ctx.Err())
	}
}

// discard throws the rest of the output away, so that the child never waits for us.
func (c *child) discard() {
	go func() {
		for range c.lines {
		}
	}()
}

// death says how the child ended, with the end of what it logged.
func (c *child) death() error {
	tail, _ := os.ReadFile(c.log)
	lines := strings.Split(strings.TrimSpace(string(tail)), "\n")
	return fmt.Errorf("%s ended (%w): %s", c.name, errors.Join(c.err, errEnded), strings.Join(lines[max(0, len(lines)-4):], " | "))
}

var errEnded = errors.New("it should run to the end of the benchmark")

// stop asks the child to end and insists after a while.
func (c *child) stop() {
	if c == nil {
		return
	}
	c.discard()
	_ = c.stdin.Close()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(45 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}
