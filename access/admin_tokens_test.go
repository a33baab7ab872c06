package access_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
)

func TestAnAdminTokenIsGoodUntilItIsRevokedOrExpires(t *testing.T) {
	t.Parallel()
	pool, ctx := pgtest.New(t), t.Context()
	store, elsewhere := access.NewAdminTokens(pool), access.NewAdminTokens(pool)
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	info, secret, err := store.Create(ctx, "ci", []access.Scope{access.ScopeMetricsRead, access.ScopeKeysRead, access.ScopeKeysRead}, &expires)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(secret.Reveal(), "hfadm_"))
	require.Equal(t, []access.Scope{access.ScopeKeysRead, access.ScopeMetricsRead}, info.Scopes)
	require.True(t, expires.Equal(*info.ExpiresAt))

	principal, err := elsewhere.Verify(ctx, secret.Reveal())
	require.NoError(t, err)
	require.Equal(t, "token:ci", principal.Actor())
	require.True(t, principal.Has(access.ScopeKeysRead))
	require.False(t, principal.Has(access.ScopeKeysWrite))
	require.Equal(t, []access.Scope{access.ScopeKeysWrite}, principal.Lacks([]access.Scope{access.ScopeKeysRead, access.ScopeKeysWrite}))
	later := expires.Add(time.Second)
	require.True(t, principal.IsOutlivedBy(nil))
	require.True(t, principal.IsOutlivedBy(&later))
	require.False(t, principal.IsOutlivedBy(&expires))
	require.False(t, access.RootPrincipal().IsOutlivedBy(nil))

	_, _, err = store.Create(ctx, "ci", []access.Scope{access.ScopeKeysRead}, nil)
	require.ErrorIs(t, err, access.ErrExists)
	require.NoError(t, store.Revoke(ctx, info.ID))
	require.NoError(t, store.Revoke(ctx, info.ID))
	require.ErrorIs(t, store.Revoke(ctx, "adm_none"), access.ErrNotFound)
	_, err = elsewhere.Verify(ctx, secret.Reveal())
	require.ErrorIs(t, err, access.ErrInvalid, "revoked, and accepted by another process")

	_, brief, err := store.Create(ctx, "ci", []access.Scope{access.ScopeKeysRead}, &expires)
	require.NoError(t, err, "the name is free again")
	_, err = pool.Exec(ctx, `UPDATE admin_tokens SET expires_at = clock_timestamp() WHERE revoked_at IS NULL`)
	require.NoError(t, err)
	_, err = store.Verify(ctx, brief.Reveal())
	require.ErrorIs(t, err, access.ErrInvalid, "expired")

	list, err := store.List(ctx)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, info.ID, list[0].ID)
	require.NotNil(t, list[0].RevokedAt)
}

func TestAnAdminTokenIsWhole(t *testing.T) {
	t.Parallel()
	store, ctx := access.NewAdminTokens(nil), t.Context() // refused before the database is asked
	scopes := []access.Scope{access.ScopeKeysRead}
	_, _, err := store.Create(ctx, "A b", scopes, nil)
	require.ErrorIs(t, err, access.ErrBadAdminName)
	var bad *access.BadScopeError
	_, _, err = store.Create(ctx, "ci", nil, nil)
	require.ErrorAs(t, err, &bad)
	_, _, err = store.Create(ctx, "ci", []access.Scope{"keys:*"}, nil)
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, `there is no scope "keys:*"; there is keys:read, `)
	past := time.Now().Add(-time.Second)
	_, _, err = store.Create(ctx, "ci", scopes, &past)
	require.ErrorIs(t, err, access.ErrBadExpiry)
	_, secret, err := access.NewAdminTokens(pgtest.New(t)).Create(ctx, "ci", scopes, nil)
	require.NoError(t, err)
	flipped := []byte(secret.Reveal())
	flipped[10] ^= 1
	for _, wrong := range []string{"", "hfadm_", string(flipped), "hf_" + secret.Reveal()[6:], strings.Repeat("hfadm_", 1<<16)} {
		_, err := store.Verify(ctx, wrong)
		require.ErrorIs(t, err, access.ErrInvalid)
	}
}

func TestAnAdminTokenThatCannotBeCheckedIsNotAWrongOne(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	require.NoError(t, err)
	store := access.NewAdminTokens(pool)
	_, secret, err := store.Create(t.Context(), "ci", []access.Scope{access.ScopeKeysRead}, nil)
	require.NoError(t, err)
	pool.Close()
	_, err = store.Verify(t.Context(), secret.Reveal())
	require.ErrorIs(t, err, access.ErrUnavailable)
	require.NotErrorIs(t, err, access.ErrInvalid)
	require.NotContains(t, err.Error(), secret.Reveal()[6:])
}

func TestTokensAreAuditedAndNeverInClear(t *testing.T) {
	t.Parallel()
	pool, ctx := pgtest.New(t), audit.WithActor(t.Context(), "root")
	admins, tokens := access.NewAdminTokens(pool), access.NewStore(pool, nil)
	info, admin, err := admins.Create(ctx, "ci", []access.Scope{access.ScopeKeysRead}, nil)
	require.NoError(t, err)
	require.NoError(t, admins.Revoke(ctx, info.ID))
	require.NoError(t, admins.Revoke(ctx, info.ID), "revoking twice is one change")
	token, api, err := tokens.Create(ctx, "acme", "app")
	require.NoError(t, err)
	require.NoError(t, tokens.Revoke(ctx, token.ID))
	require.NoError(t, tokens.Revoke(ctx, token.ID))

	events, err := audit.List(ctx, pool, audit.Filter{Limit: 10})
	require.NoError(t, err)
	var said []string
	for _, event := range events {
		said = append(said, event.Actor+" "+event.Action+" "+event.Subject)
	}
	require.Equal(t, []string{
		"root token.revoke " + token.ID, "root token.create " + token.ID, "root admin_token.revoke ci", "root admin_token.create ci",
	}, said)
	require.Contains(t, string(events[3].After), `"keys:read"`)

	text, err := json.Marshal(events)
	require.NoError(t, err)
	rows, err := pool.Query(ctx, `SELECT t::text FROM admin_tokens t`)
	require.NoError(t, err)
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	text = append(text, strings.Join(stored, "\n")...)
	for _, secret := range []string{admin.Reveal()[6:], api.Reveal()[3:]} {
		for i := range len(secret) - 8 {
			require.False(t, bytes.Contains(text, []byte(secret[i:i+8])))
		}
	}
}

func TestScopesAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := map[access.Scope]bool{}
	for _, scope := range access.Scopes() {
		require.False(t, seen[scope], scope)
		seen[scope] = true
	}
	require.Empty(t, access.RootPrincipal().Lacks(access.Scopes()))
	require.Equal(t, "root", access.RootPrincipal().Actor())
}
