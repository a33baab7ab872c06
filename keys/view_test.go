package keys_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/keys"
)

const tick = 5 * time.Millisecond

// logs is a logger's output that a test may read at any time.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// follow opens a vault, lets it run until the test ends, and waits until it is ready.
func follow(t *testing.T, pool *pgxpool.Pool, url string) (*keys.Vault, *logs) {
	t.Helper()
	output := &logs{}
	vault, err := keys.Open(t.Context(), keys.Options{
		Pool: pool, KeeperURL: url, CreateLocal: true,
		Logger: slog.New(slog.NewJSONHandler(output, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	require.Empty(t, vault.Keys("openai"))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- vault.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.NoError(t, vault.Close())
		require.NotContains(t, output.String(), "CANARY", "a key is in the log")
	})
	select {
	case <-vault.Ready():
	case <-time.After(10 * time.Second):
		require.Fail(t, "not ready", output.String())
	}
	return vault, output
}

// shows waits until the vault has exactly these keys for openai, each as name=secret.
func shows(t *testing.T, vault *keys.Vault, within time.Duration, want ...string) {
	t.Helper()
	var got []string
	require.Eventually(t, func() bool {
		got = nil
		for _, key := range vault.Keys("openai") {
			got = append(got, key.Name+"="+key.Secret.Reveal())
		}
		return strings.Join(got, " ") == strings.Join(want, " ")
	}, within, tick, "want %d keys", len(want))
}

func TestAChangeIsInForceInAnotherProcessWithinASecond(t *testing.T) {
	t.Parallel()
	ctx, pool, url := t.Context(), pgtest.New(t), keyFile(t)
	operator := open(t, pool, url)
	worker, _ := follow(t, pool, url)

	_, err := operator.Add(ctx, keys.Entry{Provider: "openai", Name: "zeta", Key: "CANARY-1\n"})
	require.NoError(t, err)
	shows(t, worker, time.Second, "zeta=CANARY-1")
	_, err = operator.Add(ctx, keys.Entry{Provider: "openai", Name: "alpha", Key: "CANARY-2"})
	require.NoError(t, err)
	_, err = operator.Add(ctx, keys.Entry{Provider: "anthropic", Name: "other", Key: "CANARY-3"})
	require.NoError(t, err)
	shows(t, worker, time.Second, "zeta=CANARY-1", "alpha=CANARY-2")
	_, err = operator.Set(ctx, keys.Entry{Provider: "openai", Name: "zeta", Key: "CANARY-4"}, keys.FormerErased)
	require.NoError(t, err)
	shows(t, worker, time.Second, "zeta=CANARY-4", "alpha=CANARY-2")
	_, err = operator.Disable(ctx, "openai", "zeta")
	require.NoError(t, err)
	shows(t, worker, time.Second, "alpha=CANARY-2")

	fresh, _ := follow(t, pool, url)
	shows(t, fresh, time.Second, "alpha=CANARY-2")
	require.Equal(t, "other", fresh.Keys("anthropic")[0].Name)
	require.Empty(t, fresh.Keys("gemini"))
}

func TestOneKeyThatCannotBeOpenedDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	ctx, pool, url := t.Context(), pgtest.New(t), keyFile(t)
	operator := open(t, pool, url)
	stranger := open(t, pool, keyFile(t)) // another file
	for _, name := range []string{"good", "moved", "altered", "swapped"} {
		_, err := operator.Add(ctx, keys.Entry{Provider: "openai", Name: name, Key: canary})
		require.NoError(t, err)
	}
	_, err := stranger.Add(ctx, keys.Entry{Provider: "openai", Name: "strange", Key: canary})
	require.NoError(t, err)
	for _, change := range []string{
		`UPDATE provider_keys SET name = 'renamed' WHERE name = 'moved'`,
		`UPDATE provider_keys SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE name = 'altered'`,
		`UPDATE provider_keys SET wrapped_key = (SELECT wrapped_key FROM provider_keys WHERE name = 'good') WHERE name = 'swapped'`,
	} {
		_, err := pool.Exec(ctx, change)
		require.NoError(t, err)
	}

	worker, output := follow(t, pool, url)
	shows(t, worker, time.Second, "good="+canary)
	for _, name := range []string{"renamed", "altered", "swapped", "strange"} {
		require.Contains(t, output.String(), `"provider":"openai","key_name":"`+name+`"`)
	}

	_, err = operator.Set(ctx, keys.Entry{Provider: "openai", Name: "altered", Key: canary}, keys.FormerErased)
	require.NoError(t, err)
	shows(t, worker, time.Second, "good="+canary, "altered="+canary)
	require.Equal(t, 4, strings.Count(output.String(), "cannot be opened"), "a failure is said more than once")
}

func TestKeysOutliveTheDatabase(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	pool, err := postgres.Open(t.Context(), server.URL, postgres.Options{})
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	worker, output := follow(t, pool, keyFile(t))
	_, err = worker.Add(t.Context(), keys.Entry{Provider: "openai", Name: "main", Key: "CANARY-1"})
	require.NoError(t, err)
	shows(t, worker, time.Second, "main=CANARY-1")

	server.Stop(t)
	require.Eventually(t, func() bool { return strings.Contains(output.String(), "cannot be followed") }, 10*time.Second, tick)
	shows(t, worker, time.Second, "main=CANARY-1")

	server.Start(t)
	require.Eventually(t, func() bool {
		_, err := worker.Set(t.Context(), keys.Entry{Provider: "openai", Name: "main", Key: "CANARY-2"}, keys.FormerErased)
		return err == nil
	}, 10*time.Second, 10*tick)
	shows(t, worker, 10*time.Second, "main=CANARY-2")
	require.Eventually(t, func() bool { return strings.Contains(output.String(), "followed again") }, 10*time.Second, tick)
}

func TestALostListenerIsReplaced(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	worker, _ := follow(t, pool, keyFile(t))
	var killed int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'holdfast keys' AND datname = current_database()`).Scan(&killed))
	require.Equal(t, 1, killed)
	_, err := worker.Add(t.Context(), keys.Entry{Provider: "openai", Name: "main", Key: "CANARY-1"})
	require.NoError(t, err)
	shows(t, worker, 5*time.Second, "main=CANARY-1")
}

func TestPollsThroughThePoolWhenNothingCanBeListenedTo(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	require.NoError(t, err)
	var full atomic.Bool
	var dialer net.Dialer
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if full.Load() {
			return nil, errors.New("too many connections")
		}
		return dialer.DialContext(ctx, network, address)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	require.NoError(t, pool.Ping(t.Context()))
	full.Store(true)

	worker, _ := follow(t, pool, keyFile(t))
	_, err = worker.Add(t.Context(), keys.Entry{Provider: "openai", Name: "main", Key: "CANARY-1"})
	require.NoError(t, err)
	shows(t, worker, 5*time.Second, "main=CANARY-1")
}

func TestACredentialFileIsAKey(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	vault, _ := follow(t, pool, keyFile(t))
	_, err := vault.Add(t.Context(), keys.Entry{Provider: "openai", Name: "main", Key: "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nx y\\n\"\n}\n"})
	require.NoError(t, err)
	shows(t, vault, 10*time.Second, `main={"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\nx y\n"}`)
}
