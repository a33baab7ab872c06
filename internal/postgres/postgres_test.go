package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

func TestConcurrentMigrationsApplyEachVersionOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.EmptyURL(t)
	var group errgroup.Group
	for range 4 {
		group.Go(func() error { return postgres.Migrate(t.Context(), address+"&pool_max_conns=3", nil) })
	}
	require.NoError(t, group.Wait())
	require.NoError(t, postgres.CheckMigrated(t.Context(), address))

	pool, err := postgres.Open(t.Context(), address, postgres.Options{})
	require.NoError(t, err)
	defer pool.Close()
	var twice int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM
		(SELECT version_id FROM goose_db_version GROUP BY version_id HAVING count(*) > 1) AS repeated`).Scan(&twice))
	require.Zero(t, twice)
}

func TestOpenSetsWhatTheURLLeavesOpen(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	pool, err := postgres.Open(t.Context(), address, postgres.Options{Name: "api"})
	require.NoError(t, err)
	defer pool.Close()
	require.Equal(t, int32(20), pool.Config().MaxConns)
	require.Equal(t, 5*time.Second, pool.Config().ConnConfig.ConnectTimeout)
	require.Equal(t, pgx.QueryExecModeCacheStatement, pool.Config().ConnConfig.DefaultQueryExecMode)
	for name, want := range map[string]string{"application_name": "api", "idle_in_transaction_session_timeout": "30s"} {
		var got string
		require.NoError(t, pool.QueryRow(t.Context(), "SHOW "+name).Scan(&got))
		require.Equal(t, want, got)
	}

	stated, err := postgres.Open(t.Context(), address+"&pool_max_conns=3&application_name=mine&connect_timeout=7", postgres.Options{MaxConns: 9})
	require.NoError(t, err)
	defer stated.Close()
	require.Equal(t, int32(3), stated.Config().MaxConns)
	require.Equal(t, "mine", stated.Config().ConnConfig.RuntimeParams["application_name"])
	require.Equal(t, 7*time.Second, stated.Config().ConnConfig.ConnectTimeout)
}

func TestOpenWaitsForAServerThatIsStartingButNotForAMistake(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	server.Stop(t)
	_, err := postgres.Open(t.Context(), server.URL, postgres.Options{})
	require.Error(t, err)
	require.True(t, postgres.IsUnavailable(err))

	opened := make(chan error, 1)
	go func() {
		pool, err := postgres.Open(t.Context(), server.URL, postgres.Options{Wait: time.Minute})
		if err == nil {
			pool.Close()
		}
		opened <- err
	}()
	server.Start(t)
	require.NoError(t, <-opened)

	parsed, err := url.Parse(server.URL)
	require.NoError(t, err)
	parsed.User = url.UserPassword(parsed.User.Username(), "not-the-password")
	_, err = postgres.Open(t.Context(), parsed.String(), postgres.Options{Wait: time.Hour})
	require.ErrorContains(t, err, "password authentication failed")
	require.False(t, postgres.IsUnavailable(err))
	require.NotContains(t, err.Error(), "not-the-password")
}

func TestTxCommitsOrLeavesNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	_, err := pool.Exec(t.Context(), "CREATE TABLE n (id int PRIMARY KEY)")
	require.NoError(t, err)
	insert := func(id int, result error) error {
		return postgres.Tx(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO n VALUES ($1)", id); err != nil {
				return err
			}
			return result
		})
	}
	broken := errors.New("broken")
	require.NoError(t, insert(1, nil))
	require.ErrorIs(t, insert(2, broken), broken)
	require.Panics(t, func() {
		_ = postgres.Tx(t.Context(), pool, func(tx pgx.Tx) error {
			_, _ = tx.Exec(t.Context(), "INSERT INTO n VALUES (3)")
			panic("bug")
		})
	})
	constraint, ok := postgres.UniqueViolation(insert(1, nil))
	require.True(t, ok)
	require.Equal(t, "n_pkey", constraint)
	rows, err := pool.Query(t.Context(), "SELECT id FROM n")
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	require.Equal(t, []int{1}, ids)
}

func TestIsUnavailable(t *testing.T) {
	t.Parallel()
	code := func(code string) error { return fmt.Errorf("record turn: %w", &pgconn.PgError{Code: code}) }
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":            {nil, false},
		"refused":            {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		"reset":              {fmt.Errorf("read: %w", syscall.ECONNRESET), true},
		"cut":                {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		"deadline":           {fmt.Errorf("acquire: %w", context.DeadlineExceeded), true},
		"canceled":           {context.Canceled, false},
		"no rows":            {pgx.ErrNoRows, false},
		"admin shutdown":     {code("57P01"), true},
		"crash shutdown":     {code("57P02"), true},
		"starting up":        {code("57P03"), true},
		"too many clients":   {code("53300"), true},
		"disk full":          {code("53100"), true},
		"read-only replica":  {code("25006"), true},
		"connection failure": {code("08006"), true},
		"wrong password":     {code("28P01"), false},
		"unique violation":   {code("23505"), false},
		"no such table":      {code("42P01"), false},
		"serialization":      {code("40001"), false},
		"statement canceled": {code("57014"), false},
		"conn closed":        {errors.New("conn closed"), true},
		"closed pool":        {errors.New("closed pool"), true},
		"our own error":      {errors.New("conversation is busy"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, postgres.IsUnavailable(test.err))
		})
	}
}

func TestAnExhaustedPoolIsUnavailable(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{MaxConns: 1})
	require.NoError(t, err)
	defer pool.Close()
	held, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = pool.Exec(ctx, "SELECT 1")
	require.True(t, postgres.IsUnavailable(err), "%v", err)
}
