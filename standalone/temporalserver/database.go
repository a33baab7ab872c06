package temporalserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
)

// Names of the databases. The server's schema version is kept by database name, so the two cannot share one.
const (
	mainDatabase       = "temporal"
	visibilityDatabase = "temporal_visibility"
)

// database is the PostgreSQL server that the state is kept in.
type database struct {
	conn    *pgx.ConnConfig
	attrs   map[string]string // parameters of every connection of the Temporal server
	managed bool
}

func newDatabase(cfg Config) (*database, error) {
	if cfg.PostgresURL == "" {
		return nil, errors.New("temporal server needs a PostgreSQL URL")
	}
	parsed, err := url.Parse(cfg.PostgresURL)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
		return nil, errors.New("PostgreSQL URL is not of the form postgres://user:password@host:port/database")
	}
	pool, err := pgxpool.ParseConfig(cfg.PostgresURL) // takes pool_* out of the parameters
	if err != nil {
		return nil, fmt.Errorf("parse PostgreSQL URL: %w", err)
	}
	attrs := map[string]string{"application_name": "holdfast temporal", "connect_timeout": "10"}
	for name, values := range parsed.Query() {
		if len(values) > 0 && !strings.HasPrefix(name, "pool_") {
			attrs[name] = values[0]
		}
	}
	if attrs["sslmode"] == "" {
		// The server's plugin would take no mode for "disable".
		attrs["sslmode"] = cmp.Or(os.Getenv("PGSSLMODE"), "prefer")
	}
	if cfg.Throwaway {
		attrs["synchronous_commit"] = "off"
	}
	return &database{conn: pool.ConnConfig, attrs: attrs, managed: cfg.Managed}, nil
}

// sqlConfig is how the server's library reaches a database. Each call makes a new one: the library changes what it is given.
func (d *database) sqlConfig(name string, conns int) *config.SQL {
	host := d.conn.Host
	if strings.HasPrefix(host, "/") {
		host = "localhost" // a socket directory, which the parameter "host" repeats
	}
	return &config.SQL{
		PluginName:        postgresql.PluginNamePGX,
		ConnectProtocol:   "tcp",
		ConnectAddr:       net.JoinHostPort(host, strconv.Itoa(int(d.conn.Port))),
		DatabaseName:      name,
		User:              url.PathEscape(d.conn.User),
		Password:          d.conn.Password,
		ConnectAttributes: maps.Clone(d.attrs),
		MaxConns:          conns,
		MaxIdleConns:      conns,
		MaxConnLifetime:   time.Hour,
	}
}

// connect opens a connection of our own.
func (d *database) connect(ctx context.Context, name string) (*pgx.Conn, error) {
	cfg := d.conn.Copy()
	cfg.Database = name
	cfg.RuntimeParams["application_name"] = "holdfast temporal setup"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to database %s: %w", name, err)
	}
	return conn, nil
}

// prepare makes the databases and brings their schemas to this server's version. It returns the connection that holds the
// lock under which it did so; the server keeps it, so that no second one starts on the same state.
func (d *database) prepare(ctx context.Context, log *logger) (_ *pgx.Conn, err error) {
	for _, name := range []string{mainDatabase, visibilityDatabase} {
		if err := d.create(ctx, name); err != nil {
			return nil, err
		}
	}
	lock, err := d.acquireLock(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = lock.Close(ctx)
		}
	}()
	for _, name := range []string{mainDatabase, visibilityDatabase} {
		if err := d.upgrade(ctx, name, log); err != nil {
			return nil, err
		}
	}
	if d.managed {
		if err := d.pruneIndexes(ctx); err != nil {
			return nil, err
		}
	}
	return lock, nil
}

// unfinished marks a database of ours whose first schema setup has not come to its end.
const unfinished = "holdfast: schema setup unfinished"

// create makes a database when it is missing.
func (d *database) create(ctx context.Context, name string) error {
	conn, err := d.connect(ctx, cmp.Or(d.conn.Database, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is pending
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil {
		return fmt.Errorf("look for database %s: %w", name, err)
	}
	if exists {
		return nil
	}
	quoted := pgx.Identifier{name}.Sanitize()
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+quoted); err != nil {
		var server *pgconn.PgError
		if errors.As(err, &server) && (server.Code == "42P04" || server.Code == "23505") {
			return nil // another process was faster
		}
		return fmt.Errorf("create database %s: %w", name, err)
	}
	if _, err := conn.Exec(ctx, "COMMENT ON DATABASE "+quoted+" IS '"+unfinished+"'"); err != nil {
		return fmt.Errorf("mark database %s: %w", name, err)
	}
	return nil
}

// lockKey is the advisory lock of a running server, in the database "temporal".
const lockKey = 0x686f6c6466617374 // "holdfast"

// lockTimeout is how long a predecessor that was killed may take to be noticed by the database.
const lockTimeout = 15 * time.Second

// acquireLock waits for the lock that one server holds. It is lost when PostgreSQL restarts: a guard against mistakes, while
// the server's own shard leases guard the data.
func (d *database) acquireLock(ctx context.Context) (*pgx.Conn, error) {
	conn, err := d.connect(ctx, mainDatabase)
	if err != nil {
		return nil, err
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	until := time.Now().Add(lockTimeout)
	for {
		var locked bool
		err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(lockKey)).Scan(&locked)
		if err == nil && locked {
			return conn, nil
		}
		if err == nil && time.Now().After(until) {
			err = errors.New("another Temporal server runs on it")
		}
		if err != nil {
			_ = conn.Close(ctx)
			return nil, fmt.Errorf("lock database %s: %w", mainDatabase, err)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}
