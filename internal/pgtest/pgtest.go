package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/standalone/managedpg"
)

// timeout bounds each thing this package does for a test.
const timeout = 2 * time.Minute

const template = "holdfast_template"

// shared is the server of this test process.
//
//nolint:gochecknoglobals // one server a process is the point; tests have no place to hand it down from
var shared struct {
	once   sync.Once
	err    error
	dir    string
	server *managedpg.Server
	admin  *pgxpool.Pool
	next   atomic.Int64
}

// Main runs the tests and then stops the server and removes its files. TestMain passes the result to os.Exit.
func Main(m *testing.M) int {
	code := m.Run()
	if err := Close(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

// Close stops the server of this process and removes its files, for a TestMain that has more to do than [Main].
func Close() error {
	if shared.admin != nil {
		shared.admin.Close()
	}
	var err error
	if shared.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		err = shared.server.Stop(ctx)
	}
	if shared.dir != "" {
		err = errors.Join(err, os.RemoveAll(shared.dir))
	}
	return err
}

// New is a pool on a migrated database that only this test sees. Both are gone when the test ends; pool.Config().ConnString()
// is the database's URL.
func New(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	address := URL(tb)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	pool, err := postgres.Open(ctx, address, postgres.Options{Name: "pgtest", MaxConns: 10, MinIdleConns: -1})
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

// URL is the connection string of a migrated database that only this test sees, dropped when the test ends.
func URL(tb testing.TB) string {
	tb.Helper()
	return create(tb, template)
}

// EmptyURL is the connection string of an empty database that only this test sees, dropped when the test ends: for tests of
// the migrations themselves. Its user may create more databases.
func EmptyURL(tb testing.TB) string {
	tb.Helper()
	return create(tb, "template0")
}

// AdminURL is the connection string of the server's own database, for a test that runs another server on it. What is made
// through it lasts until the process ends.
func AdminURL(tb testing.TB) string {
	tb.Helper()
	started(tb)
	return shared.server.URL("postgres")
}

// started makes sure that the server of this process runs.
func started(tb testing.TB) {
	tb.Helper()
	shared.once.Do(func() { shared.err = startShared() })
	if shared.err != nil {
		tb.Fatalf("pgtest: %v", shared.err)
	}
}

func create(tb testing.TB, from string) string {
	tb.Helper()
	started(tb)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	name := fmt.Sprintf("test_%d", shared.next.Add(1))
	quoted := pgx.Identifier{name}.Sanitize()
	if _, err := shared.admin.Exec(ctx, "CREATE DATABASE "+quoted+" TEMPLATE "+from); err != nil {
		tb.Fatalf("pgtest: create database: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if _, err := shared.admin.Exec(ctx, "DROP DATABASE "+quoted+" WITH (FORCE)"); err != nil {
			tb.Errorf("pgtest: drop database: %v", err)
		}
	})
	return shared.server.URL(name)
}

// startShared makes the server and the template.
func startShared() error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	dir, err := makeDir()
	if err != nil {
		return err
	}
	shared.dir = dir
	server, err := managedpg.Start(ctx, managedpg.Config{
		DataDir: dataDir(dir), Databases: []string{template}, Settings: settings(true),
	})
	if err != nil {
		return err
	}
	shared.server = server
	if err := postgres.Migrate(ctx, server.URL(template), nil); err != nil {
		return err
	}
	shared.admin, err = postgres.Open(ctx, withParam(server.URL("postgres"), "pool_max_conns", "4"), postgres.Options{Name: "pgtest admin"})
	return err
}

// settings make a server light; throwaway gives up durability too.
func settings(throwaway bool) map[string]string {
	light := map[string]string{
		"shared_buffers":   "128MB",
		"max_connections":  "300",
		"min_wal_size":     "80MB",
		"max_wal_size":     "1GB",
		"wal_level":        "minimal",
		"max_wal_senders":  "0",
		"log_min_messages": "fatal",
	}
	if throwaway {
		light["fsync"] = "off"
		light["synchronous_commit"] = "off"
		light["full_page_writes"] = "off"
	}
	return light
}

func withParam(address, name, value string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	query := parsed.Query()
	query.Set(name, value)
	parsed.RawQuery = query.Encode()
	return parsed.String()
}
