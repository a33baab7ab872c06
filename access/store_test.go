package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
)

// clock stands still until it is moved.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(1_700_000_000, c.offset.Load()) }
func (c *clock) add(by time.Duration) { c.offset.Add(int64(by)) }

func TestATokenActsForItsTenantUntilRevoked(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := access.NewStore(pgtest.New(t), nil)

	token, secret, err := store.Create(ctx, "acme", "ci")
	require.NoError(t, err)
	require.Equal(t, "acme", token.Tenant)
	require.Nil(t, token.RevokedAt)
	require.True(t, strings.HasPrefix(secret.Reveal(), "hf_"))
	require.Len(t, secret.Reveal(), 52)
	second, other, err := store.Create(ctx, "acme", "ci") // the tenant exists now; names may repeat
	require.NoError(t, err)
	require.NotEqual(t, secret.Reveal(), other.Reveal())

	principal, err := store.Verify(ctx, secret.Reveal())
	require.NoError(t, err)
	require.Equal(t, access.Principal{Tenant: "acme", TokenID: token.ID}, principal)

	require.NoError(t, store.Revoke(ctx, token.ID))
	_, err = store.Verify(ctx, secret.Reveal())
	require.ErrorIs(t, err, access.ErrInvalid, "revoked, and still accepted from memory")
	require.NoError(t, store.Revoke(ctx, token.ID))
	require.ErrorIs(t, store.Revoke(ctx, "tok_unknown"), access.ErrNotFound)
	_, err = store.Verify(ctx, other.Reveal())
	require.NoError(t, err)

	_, _, err = store.Create(ctx, "zenith", "app")
	require.NoError(t, err)
	all, err := store.List(ctx, "")
	require.NoError(t, err)
	require.Len(t, all, 3)
	acme, err := store.List(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, acme, 2)
	require.Equal(t, token.ID, acme[0].ID)
	require.NotNil(t, acme[0].RevokedAt)
	require.Equal(t, second, acme[1])
}

func TestNamesAreChecked(t *testing.T) {
	t.Parallel()
	store := access.NewStore(nil, nil) // refused before the database is asked
	for _, bad := range []string{"", "Acme", "-acme", "a b", "a/b", "a\n", strings.Repeat("a", 64)} {
		_, _, err := store.Create(t.Context(), bad, "ci")
		require.ErrorIs(t, err, access.ErrBadName, "%q", bad)
		_, _, err = store.Create(t.Context(), "acme", bad)
		require.ErrorIs(t, err, access.ErrBadName, "%q", bad)
	}
}

func TestMalformedTokensAreRefusedWithoutAsking(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	_, secret, err := access.NewStore(pool, nil).Create(t.Context(), "acme", "ci")
	require.NoError(t, err)
	good := secret.Reveal()
	flipped := []byte(good)
	flipped[10] ^= 1
	store := access.NewStore(nil, nil) // which would panic if asked
	for _, bad := range []string{
		"", "hf_", "hf", good[:51], good + "x", " " + good, strings.ToUpper(good), string(flipped), "sk-" + good[3:],
		strings.Repeat("é", 26), strings.Repeat("hf_", 1<<20),
	} {
		_, err := store.Verify(t.Context(), bad)
		require.ErrorIs(t, err, access.ErrInvalid)
	}
}

func TestTheDatabaseNeverHoldsATokenInClear(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	store := access.NewStore(pool, nil)
	token, secret, err := store.Create(t.Context(), "acme", "ci")
	require.NoError(t, err)
	shown, err := json.Marshal([]any{token, secret})
	require.NoError(t, err)

	rows, err := pool.Query(t.Context(), `SELECT * FROM api_tokens`)
	require.NoError(t, err)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToMap)
	require.NoError(t, err)
	values := [][]byte{shown}
	for _, value := range row {
		raw, isBytes := value.([]byte)
		if !isBytes {
			raw, err = json.Marshal(value)
			require.NoError(t, err)
		}
		values = append(values, raw)
	}
	text := secret.Reveal()
	for _, value := range values {
		for i := range len(text) - 6 {
			require.False(t, bytes.Contains(value, []byte(text[i:i+6])), "%q", value)
		}
	}
}

func TestAnAnswerIsRememberedForSeconds(t *testing.T) {
	t.Parallel()
	ctx, pool, time0 := t.Context(), pgtest.New(t), &clock{}
	store := access.NewStore(pool, time0.now)
	token, secret, err := store.Create(ctx, "acme", "ci")
	require.NoError(t, err)
	elsewhere := access.NewStore(pool, time0.now) // another process
	_, err = store.Verify(ctx, secret.Reveal())
	require.NoError(t, err)
	require.NoError(t, elsewhere.Revoke(ctx, token.ID))

	time0.add(access.Fresh - 1)
	_, err = store.Verify(ctx, secret.Reveal())
	require.NoError(t, err, "asked again while fresh")
	time0.add(1)
	_, err = store.Verify(ctx, secret.Reveal())
	require.ErrorIs(t, err, access.ErrInvalid, "revoked elsewhere, and accepted when no longer fresh")

	_, err = pool.Exec(ctx, `UPDATE api_tokens SET revoked_at = NULL`)
	require.NoError(t, err)
	time0.add(time.Second - 1)
	_, err = store.Verify(ctx, secret.Reveal())
	require.ErrorIs(t, err, access.ErrInvalid, "asked again within the second")
	time0.add(1)
	_, err = store.Verify(ctx, secret.Reveal())
	require.NoError(t, err)
}

func TestKnownTokensOutliveTheDatabaseForAWhile(t *testing.T) {
	t.Parallel()
	ctx, time0 := t.Context(), &clock{}
	pool, err := pgxpool.New(ctx, pgtest.URL(t))
	require.NoError(t, err)
	store := access.NewStore(pool, time0.now)
	_, known, err := store.Create(ctx, "acme", "known")
	require.NoError(t, err)
	_, unseen, err := store.Create(ctx, "acme", "unseen")
	require.NoError(t, err)
	want, err := store.Verify(ctx, known.Reveal())
	require.NoError(t, err)
	pool.Close()

	for range 3 {
		_, err = store.Verify(ctx, unseen.Reveal())
		require.ErrorIs(t, err, access.ErrUnavailable)
		require.NotErrorIs(t, err, access.ErrInvalid, "an outage is told as a bad token")
	}
	for _, age := range []time.Duration{access.Fresh, time.Minute, access.Stale - access.Fresh - time.Minute - 1} {
		time0.add(age)
		got, err := store.Verify(ctx, known.Reveal())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	time0.add(1)
	_, err = store.Verify(ctx, known.Reveal())
	require.ErrorIs(t, err, access.ErrUnavailable)
}

func TestACallerThatLeavesIsNotToldThatItsTokenIsBad(t *testing.T) {
	t.Parallel()
	store := access.NewStore(pgtest.New(t), nil)
	_, secret, err := store.Create(t.Context(), "acme", "ci")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = store.Verify(ctx, secret.Reveal())
	require.True(t, err == nil || errors.Is(err, context.Canceled), "%v", err)
}
