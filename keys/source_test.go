package keys_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/keys"
)

func TestAKeyIsReadFromWhereItIsKept(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	file := filepath.Join(t.TempDir(), "openai")
	require.NoError(t, os.WriteFile(file, []byte(`{"api_key":"CANARY-1"}`), 0o600))
	vault, output := follow(t, pool, keyFile(t))
	_, err := vault.Add(ctx, keys.Entry{Provider: "openai", Name: "main", Source: "file://" + file + "?field=api_key"})
	require.NoError(t, err)
	shows(t, vault, 2*time.Second, "main=CANARY-1")
	before := vault.Keys("openai")[0].Mark
	require.NotContains(t, before, "CANARY")
	var sealed int
	require.NoError(t, pool.QueryRow(ctx, `SELECT octet_length(sealed) FROM provider_keys`).Scan(&sealed))
	require.Zero(t, sealed, "it was copied")

	// What is not there cannot be used, and is used once it is.
	missing := filepath.Join(t.TempDir(), "later")
	_, err = vault.Set(ctx, keys.Entry{Provider: "openai", Name: "late", Source: "file://" + missing}, keys.FormerErased)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return vault.Unusable("openai") == "late: it cannot be read from where it is kept" }, 2*time.Second, tick)
	require.NoError(t, os.WriteFile(missing, []byte("CANARY-2\n"), 0o600))
	shows(t, vault, 10*time.Second, "main=CANARY-1", "late=CANARY-2")
	require.Contains(t, output.String(), "provider key cannot be opened")

	for _, wrong := range []string{"https://example.com/key", "file:relative", "awssecretsmanager://", "vaultkv://secret/openai", "file://user:CANARY@/x", "sk-CANARY"} {
		_, err := vault.Add(ctx, keys.Entry{Provider: "openai", Name: "wrong", Source: wrong})
		require.ErrorIs(t, err, keys.ErrBadKey, wrong)
		require.NotContains(t, err.Error(), "CANARY")
	}
	_, err = vault.Add(ctx, keys.Entry{Provider: "openai", Name: "both", Key: "CANARY", Source: "file:///x"})
	require.ErrorIs(t, err, keys.ErrBadKey)
}
