package managedpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// run launches the postmaster until it answers, again when a free port was taken in between or a predecessor's shared memory
// was not yet released.
func (s *Server) run(ctx context.Context, cfg Config, bin installation, as account) error {
	retryUntil := time.Now().Add(handoverTimeout)
	for {
		s.Port = cfg.Port
		if cfg.Port == 0 {
			port, err := freePort(ctx)
			if err != nil {
				return err
			}
			s.Port = port
		} else if err := checkPort(ctx, cfg.Port); err != nil {
			return err
		}
		mark := logSize(cfg.DataDir)
		process, err := launch(cfg, bin, as, s.Port)
		if err != nil {
			return err
		}
		s.process = process
		err = s.awaitReady(ctx)
		if err == nil {
			return nil
		}
		var early *earlyExitError
		if !errors.As(err, &early) {
			return errors.Join(err, process.stop(ctx))
		}
		early.log = logSince(cfg.DataDir, mark)
		if !early.mayRetry(cfg.Port == 0) || time.Now().After(retryUntil) {
			return early
		}
		select {
		case <-ctx.Done():
			return early
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// earlyExitError says that the postmaster ended before it answered.
type earlyExitError struct {
	cause error
	log   string
}

func (e *earlyExitError) Error() string {
	return fmt.Sprintf("postgres ended before it was ready: %v: %s", e.cause, lastLines([]byte(e.log), 4))
}

func (e *earlyExitError) Unwrap() error { return e.cause }

// mayRetry tells causes that pass by themselves: backends of a killed postmaster that still hold its shared memory, and a
// port lost between choosing and binding it.
func (e *earlyExitError) mayRetry(anyPort bool) bool {
	return strings.Contains(e.log, "shared memory block") ||
		(anyPort && strings.Contains(e.log, "could not bind"))
}

// awaitReady connects with our password until the server on the port says that it serves our data directory: a port alone
// could be anybody's.
func (s *Server) awaitReady(ctx context.Context) error {
	var last error
	err := poll(ctx, func() (bool, error) {
		select {
		case <-s.process.done:
			return false, &earlyExitError{cause: s.process.err}
		default:
		}
		var dir string
		last = s.query(ctx, "postgres", func(ctx context.Context, conn *pgx.Conn) error {
			return conn.QueryRow(ctx, "SHOW data_directory").Scan(&dir)
		})
		if last != nil {
			return false, nil //nolint:nilerr // not ready yet; kept for the timeout's message
		}
		if !sameDir(dir, s.dataDir) {
			return false, fmt.Errorf("port %d is served by another postgres", s.Port)
		}
		return true, nil
	})
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("wait for postgres: %w (last: %w)", err, last)
	}
	return err
}

// createDatabases makes the databases that are missing.
func (s *Server) createDatabases(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return s.query(ctx, "postgres", func(ctx context.Context, conn *pgx.Conn) error {
		for _, name := range names {
			var exists bool
			err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
			if err != nil {
				return fmt.Errorf("look for database %s: %w", name, err)
			}
			if exists {
				continue
			}
			if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
				return fmt.Errorf("create database %s: %w", name, err)
			}
		}
		return nil
	})
}

// query runs do on a connection of its own. Only scram is accepted, so that a stranger on the port learns no password.
func (s *Server) query(ctx context.Context, database string, do func(context.Context, *pgx.Conn) error) error {
	config, err := pgx.ParseConfig(s.URL(database) + "&connect_timeout=5&require_auth=scram-sha-256")
	if err != nil {
		return fmt.Errorf("connect to managed postgres: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to managed postgres: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the answer was read
	return do(ctx, conn)
}

func sameDir(a, b string) bool {
	realA, errA := filepath.EvalSymlinks(a)
	realB, errB := filepath.EvalSymlinks(b)
	return errA == nil && errB == nil && realA == realB
}

func logSize(dataDir string) int64 {
	info, err := os.Stat(logPath(dataDir))
	if err != nil {
		return 0
	}
	return info.Size()
}

// logSince is what the server wrote after the mark, at most 16 kB of it.
func logSince(dataDir string, mark int64) string {
	file, err := os.Open(logPath(dataDir))
	if err != nil {
		return ""
	}
	defer file.Close() //nolint:errcheck // only read
	if _, err := file.Seek(mark, io.SeekStart); err != nil {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(file, 16<<10))
	if err != nil {
		return ""
	}
	return string(text)
}
