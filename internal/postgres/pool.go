package postgres

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options tune a pool. The zero value is good for a server; parameters in the URL (pool_max_conns and so on) win over it.
type Options struct {
	// Name is the application_name that pg_stat_activity shows; "holdfast" when empty.
	Name string
	// MaxConns bounds the pool; 20 when 0.
	MaxConns int32
	// MinIdleConns are kept open and idle, so that a burst does not wait for handshakes; 2 when 0, none when negative.
	MinIdleConns int32
	// ConnectTimeout bounds one connection attempt; 5 s when 0.
	ConnectTimeout time.Duration
	// IdleInTransaction is after how long the server ends a transaction whose client says nothing (a paused process would
	// otherwise hold its row locks for ever); 30 s when 0. Negative sends no such parameter, for a pooler that refuses
	// startup parameters.
	IdleInTransaction time.Duration
	// Wait is how long Open goes on trying while the server is unavailable; 0 makes one attempt.
	Wait time.Duration
}

// Open makes a pool and checks that it reaches the server. Statements are prepared once a connection and cached. The caller
// closes the pool. An error for which [IsUnavailable] is true may pass by itself.
func Open(ctx context.Context, url string, opts Options) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database url: %w", err) // pgx leaves the password out of this error
	}
	stated, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database url: %w", err)
	}
	in := func(name string) bool { _, ok := stated.RuntimeParams[name]; return ok }

	if !in("pool_max_conns") {
		config.MaxConns = cmp.Or(opts.MaxConns, 20)
	}
	if !in("pool_min_idle_conns") {
		config.MinIdleConns = max(0, min(cmp.Or(opts.MinIdleConns, 2), config.MaxConns))
	}
	if !in("pool_max_conn_lifetime") {
		config.MaxConnLifetime = 30 * time.Minute
	}
	if !in("pool_max_conn_lifetime_jitter") {
		config.MaxConnLifetimeJitter = 5 * time.Minute
	}
	if !in("pool_max_conn_idle_time") {
		config.MaxConnIdleTime = 5 * time.Minute
	}
	if !in("pool_health_check_period") {
		config.HealthCheckPeriod = 15 * time.Second
	}
	config.PingTimeout = 2 * time.Second
	// 0 is what a URL without connect_timeout leaves here, up to pgx's own default of two minutes.
	if config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout >= 2*time.Minute {
		config.ConnConfig.ConnectTimeout = cmp.Or(opts.ConnectTimeout, 5*time.Second)
	}
	params := config.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = cmp.Or(opts.Name, "holdfast")
	}
	if idle := cmp.Or(opts.IdleInTransaction, 30*time.Second); idle > 0 && params["idle_in_transaction_session_timeout"] == "" {
		params["idle_in_transaction_session_timeout"] = strconv.FormatInt(idle.Milliseconds(), 10)
	}

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make database pool: %w", err)
	}
	if err := awaitPing(ctx, pool, opts.Wait); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// awaitPing pings until the server answers, for as long as the failure looks like an outage and wait lasts.
func awaitPing(ctx context.Context, pool *pgxpool.Pool, wait time.Duration) error {
	until := time.Now().Add(wait)
	pause := 100 * time.Millisecond
	for {
		err := pool.Ping(ctx)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("reach database: %w", err)
		if !IsUnavailable(err) || !time.Now().Add(pause).Before(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, 2*time.Second)
	}
}
