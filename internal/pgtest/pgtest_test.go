package pgtest_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	one, two := pgtest.New(t), pgtest.New(t)
	_, err := one.Exec(t.Context(), "CREATE TABLE only_here (id int)")
	require.NoError(t, err)
	_, err = two.Exec(t.Context(), "SELECT * FROM only_here")
	require.ErrorContains(t, err, "does not exist")
}

func TestDatabasesAreMigrated(t *testing.T) {
	t.Parallel()
	require.NoError(t, postgres.CheckMigrated(t.Context(), pgtest.URL(t)))
	require.ErrorContains(t, postgres.CheckMigrated(t.Context(), pgtest.EmptyURL(t)), "holdfast migrate")
}

func TestAPoolOutlivesARestartOfItsServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	pool, err := postgres.Open(t.Context(), server.URL, postgres.Options{})
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(t.Context(), "CREATE TABLE kept (id int)")
	require.NoError(t, err)

	for name, end := range map[string]func(testing.TB){"stop": server.Stop, "kill": server.Kill} {
		end(t)
		_, err = pool.Exec(t.Context(), "INSERT INTO kept VALUES (1)")
		require.Error(t, err, name)
		require.True(t, postgres.IsUnavailable(err), "%s: %v", name, err)
		server.Start(t)
		// The pool may still hold connections of the old server; each failure throws one away.
		require.Eventually(t, func() bool {
			_, err := pool.Exec(t.Context(), "INSERT INTO kept VALUES (2)")
			return err == nil
		}, waitFor, tick, name)
	}
	var rows int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&rows))
	require.Equal(t, 2, rows)
}
