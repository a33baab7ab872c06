package bench

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// database is the PostgreSQL of the instance under test: its counters, and a database of the benchmark's own on it.
type database struct {
	postmaster int
	url        string // of the benchmark's own database; holds the password
	connection *pgx.Conn
}

// benchDatabase is made beside the instance's own.
const benchDatabase = "holdfast_bench"

// openDatabase finds the managed PostgreSQL below the data directory of an instance.
func openDatabase(ctx context.Context, dataDir string) (*database, error) {
	lines, err := os.ReadFile(filepath.Join(dataDir, "postgres", "postmaster.pid")) //nolint:gosec // our own directory
	if err != nil {
		return nil, fmt.Errorf("finding the instance's PostgreSQL: %w", err)
	}
	secret, err := os.ReadFile(filepath.Join(dataDir, "postgres.password")) //nolint:gosec // our own directory
	if err != nil {
		return nil, fmt.Errorf("finding the instance's PostgreSQL: %w", err)
	}
	fields := strings.Split(string(lines), "\n") // process, directory, start time, port, ...
	if len(fields) < 4 {
		return nil, fmt.Errorf("postmaster.pid has %d lines", len(fields))
	}
	d := &database{}
	if d.postmaster, err = strconv.Atoi(strings.TrimSpace(fields[0])); err != nil {
		return nil, fmt.Errorf("reading postmaster.pid: %w", err)
	}
	address := func(name string) string {
		at := url.URL{
			Scheme: "postgres", User: url.UserPassword("holdfast", strings.TrimSpace(string(secret))),
			Host: net.JoinHostPort("127.0.0.1", strings.TrimSpace(fields[3])), Path: "/" + name, RawQuery: "sslmode=disable",
		}
		return at.String()
	}
	if d.connection, err = pgx.Connect(ctx, address("postgres")); err != nil {
		return nil, fmt.Errorf("connecting to the instance's PostgreSQL: %w", err)
	}
	d.url = address(benchDatabase)
	if _, err := d.connection.Exec(ctx, "CREATE DATABASE "+benchDatabase); err != nil {
		return nil, fmt.Errorf("making the benchmark's database: %w", err)
	}
	return d, nil
}

// counters are the server's own, over all databases.
type counters struct {
	commits int64
	wal     int64 // bytes
}

func (d *database) counters(ctx context.Context) (counters, error) {
	var c counters
	const query = `SELECT sum(xact_commit)::bigint, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint FROM pg_stat_database`
	err := d.connection.QueryRow(ctx, query).Scan(&c.commits, &c.wal)
	return c, err
}

func (d *database) version(ctx context.Context) (version, synchronous string) {
	_ = d.connection.QueryRow(ctx, "SELECT current_setting('server_version'), current_setting('synchronous_commit')").
		Scan(&version, &synchronous)
	return version, synchronous
}
