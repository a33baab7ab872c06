package pgtest

import (
	"context"
	"os"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/standalone/managedpg"
)

// Instance is a server of one test's own, to be stopped, killed and started again under whatever uses it. It keeps its port,
// so URL stays valid. Its data survives a crash (fsync is on).
type Instance struct {
	// URL of the migrated database "holdfast".
	URL string

	config managedpg.Config
	server *managedpg.Server
}

// Server starts a server for this test alone; it is stopped and its files are removed when the test ends. Databases are
// created beside "holdfast".
func Server(tb testing.TB, databases ...string) *Instance {
	tb.Helper()
	dir, err := makeDir()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	i := &Instance{config: managedpg.Config{
		DataDir: dataDir(dir), Databases: append([]string{"holdfast"}, databases...), Settings: settings(false),
	}}
	tb.Cleanup(func() {
		i.Stop(tb)
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	i.Start(tb)
	i.config.Port = i.server.Port
	i.URL = i.server.URL("holdfast")
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := postgres.Migrate(ctx, i.URL, nil); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return i
}

// DatabaseURL is the connection string of another database on the server.
func (i *Instance) DatabaseURL(name string) string { return i.server.URL(name) }

// Start starts the server again after [Instance.Stop] or [Instance.Kill] and waits until it answers.
func (i *Instance) Start(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	server, err := managedpg.Start(ctx, i.config)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	i.server = server
}

// Stop shuts the server down as an operator would: clients are disconnected with an admin shutdown.
func (i *Instance) Stop(tb testing.TB) {
	tb.Helper()
	if i.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := i.server.Stop(ctx); err != nil {
		tb.Errorf("pgtest: %v", err)
	}
}

// Kill ends the server as a crash would.
func (i *Instance) Kill(tb testing.TB) {
	tb.Helper()
	if err := i.server.Kill(); err != nil {
		tb.Errorf("pgtest: %v", err)
	}
}
