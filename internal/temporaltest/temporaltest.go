package temporaltest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
)

// Namespace is where the tests' workflows run.
const Namespace = "default"

// Server is a running Temporal server.
type Server struct {
	// Addr is where clients connect, host and port. It stays the same when the server is started again.
	Addr string

	databaseURL string
	process     *process
}

// shared is the server of this test process.
//
//nolint:gochecknoglobals // one server a process is the point; tests have no place to hand it down from
var shared struct {
	once   sync.Once
	err    error
	server *Server
}

// Main runs the tests and then ends the servers of this process, that of pgtest included. TestMain passes the result to
// os.Exit.
func Main(m *testing.M) int {
	code := m.Run()
	var err error
	if shared.server != nil {
		err = shared.server.process.end(syscall.SIGKILL) // its state is thrown away
	}
	if err = errors.Join(err, pgtest.Close()); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "temporaltest:", err)
		return max(code, 1)
	}
	return code
}

// Start returns the Temporal server of this test process, started on first use.
func Start(tb testing.TB) *Server {
	tb.Helper()
	admin := pgtest.AdminURL(tb)
	shared.once.Do(func() { shared.server, shared.err = start(admin) })
	if shared.err != nil {
		tb.Fatalf("temporaltest: %v", shared.err)
	}
	return shared.server
}

// New starts a server of the test's own on a PostgreSQL server of the test's own (pgtest.Server), to be killed, stopped and
// started again. It ends with the test.
func New(tb testing.TB, databaseURL string) *Server {
	tb.Helper()
	s, err := start(databaseURL)
	if err != nil {
		tb.Fatalf("temporaltest: %v", err)
	}
	tb.Cleanup(func() { s.Kill(tb) })
	return s
}

func start(databaseURL string) (*Server, error) {
	process, addr, err := run(context.Background(), databaseURL, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &Server{Addr: addr, databaseURL: databaseURL, process: process}, nil
}

// Alive tells whether the server's process still runs.
func (s *Server) Alive() bool { return s.process.alive() }

// Log is the end of what the server wrote to its log.
func (s *Server) Log() string { return s.process.log.String() }

// Kill ends the server by SIGKILL. Killing a dead server does nothing.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.process.end(syscall.SIGKILL); err != nil {
		tb.Errorf("temporaltest: %v", err)
	}
}

// Stop ends the server in order and fails the test when it does not end well.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if err := s.process.end(syscall.SIGTERM); err != nil {
		tb.Errorf("temporaltest: %v", err)
	}
}

// Restart starts the server again, on the same address and state, after Kill or Stop.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	process, _, err := run(context.Background(), s.databaseURL, s.Addr)
	if err != nil {
		tb.Fatalf("temporaltest: %v", err)
	}
	s.process = process
}

// Client connects to the server; it is silent, and closed when the test ends.
func (s *Server) Client(tb testing.TB) client.Client {
	tb.Helper()
	c, err := client.Dial(s.ClientOptions())
	if err != nil {
		tb.Fatalf("temporaltest: %v", err)
	}
	tb.Cleanup(c.Close)
	return c
}

// ClientOptions are those of [Server.Client], for a test that adds to them.
func (s *Server) ClientOptions() client.Options {
	return client.Options{
		HostPort:          s.Addr,
		Namespace:         Namespace,
		Logger:            log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{GrpcCompression: &client.GrpcCompressionNone{}},
	}
}
