package mint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"
)

// drain is how long a program's output is waited for after it has ended, or was killed: what it started may hold it open.
const drain = time.Second

// command asks an operator's own program for keys: the question on its standard input, the answer on its standard output. What it
// writes to standard error may hold secrets, and is counted only.
type command struct {
	argv    []string
	timeout time.Duration
}

// Mint implements [Minter].
func (c command) Mint(ctx context.Context, request Request) (Minted, error) {
	answer, err := c.ask(ctx, actionMint, request, request.Handle)
	if err != nil {
		return Minted{}, err
	}
	return mintedBy("command: "+actionMint, answer, request)
}

// Abandon implements [Minter].
func (c command) Abandon(ctx context.Context, request Request) error {
	_, err := c.ask(ctx, actionAbandon, request, request.Handle)
	return err
}

// Revoke implements [Minter].
func (c command) Revoke(ctx context.Context, request Request, handle string) error {
	_, err := c.ask(ctx, actionRevoke, request, handle)
	return err
}

// ask runs the program once.
func (c command) ask(ctx context.Context, action string, request Request, handle string) ([]byte, error) {
	operation := "command: " + action
	asked, err := newQuestion(action, request, handle)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	asked.Admin = request.Admin.Reveal()
	input, err := asked.encode()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	output, complaints := &capped{left: maxReply}, &counted{}
	program := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...) //nolint:gosec // the operator's configuration names it
	program.Stdin, program.Stdout, program.Stderr = bytes.NewReader(input), output, complaints
	program.Env = environment()
	program.WaitDelay = drain
	inItsOwnGroup(program)
	err = program.Run()
	if output.over { // whatever else came of it
		return nil, fmt.Errorf("%s: %w", operation, errTooLong)
	}
	if err != nil {
		return nil, commandError(ctx, operation, err, complaints.n)
	}
	return output.kept, nil
}

// environment is what a program is told of ours: where things are, and no more.
func environment() []string {
	environment := []string{} // not nil, which would be all of it
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// commandError says why a program gave no answer.
func commandError(ctx context.Context, operation string, err error, complaints int) error {
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: the program was killed, as it had not ended in time: %w", operation, ctx.Err())
	case exited:
		return fmt.Errorf("%s: the program ended with status %d, and wrote %d bytes to standard error", operation, exit.ExitCode(), complaints)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, exec.ErrNotFound):
		return refuse("%s: the program is not there, or may not be run", operation)
	default:
		return fmt.Errorf("%s: the program could not be run to its end", operation)
	}
}

// capped keeps what is written to it, so much and no more.
type capped struct {
	kept []byte
	left int
	over bool
}

// Write implements [io.Writer].
func (c *capped) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.over = true
		return 0, errTooLong
	}
	c.left -= len(p)
	c.kept = append(c.kept, p...)
	return len(p), nil
}

// counted counts what is written to it and keeps nothing.
type counted struct{ n int }

// Write implements [io.Writer].
func (c *counted) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}
