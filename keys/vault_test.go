package keys_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"gocloud.dev/secrets"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/llm"
)

const canary = "sk-proj-CANARY0123456789abcdefghijklmnop"

func secret(text string) llm.Secret { return llm.Secret(text) }

func keyFile(t *testing.T) string {
	t.Helper()
	return "file://" + filepath.Join(t.TempDir(), "vault.key")
}

func open(t *testing.T, pool *pgxpool.Pool, url string) *keys.Vault {
	t.Helper()
	vault, err := keys.Open(t.Context(), keys.Options{Pool: pool, KeeperURL: url, CreateLocal: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, vault.Close()) })
	return vault
}

func TestKeysAreAddedReplacedAndDisabled(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	vault := open(t, pgtest.New(t), keyFile(t))

	added, err := vault.Add(ctx, keys.Entry{Provider: "openai", Name: "main", Key: canary})
	require.NoError(t, err)
	require.Equal(t, keys.StateActive, added.State)
	require.True(t, strings.HasPrefix(added.Keeper, "file:"))
	require.NotEmpty(t, added.Fingerprint)

	_, err = vault.Add(ctx, keys.Entry{Provider: "openai", Name: "main", Key: canary})
	require.ErrorIs(t, err, keys.ErrExists)
	_, err = vault.Add(ctx, keys.Entry{Provider: "openai", Name: "spare", Key: canary})
	require.NoError(t, err)
	_, err = vault.Add(ctx, keys.Entry{Provider: "anthropic", Name: "main", Key: canary})
	require.NoError(t, err)

	disabled, err := vault.Disable(ctx, "openai", "main")
	require.NoError(t, err)
	require.Equal(t, keys.StateDisabled, disabled.State)
	_, err = vault.Disable(ctx, "openai", "nobody")
	require.ErrorIs(t, err, keys.ErrNotFound)

	replaced, err := vault.Set(ctx, keys.Entry{Provider: "openai", Name: "main", Key: canary}, keys.FormerErased)
	require.NoError(t, err)
	require.Equal(t, keys.StateActive, replaced.State)
	require.Equal(t, added.CreatedAt, replaced.CreatedAt)
	require.True(t, replaced.UpdatedAt.After(disabled.UpdatedAt))
	require.NotEqual(t, added.Fingerprint, replaced.Fingerprint)
	_, err = vault.Set(ctx, keys.Entry{Provider: "gemini", Name: "first", Key: canary}, keys.FormerErased)
	require.NoError(t, err)

	infos, err := vault.List(ctx)
	require.NoError(t, err)
	var names []string
	for _, info := range infos {
		names = append(names, info.Provider+"/"+info.Name)
	}
	require.Equal(t, []string{"anthropic/main", "gemini/first", "openai/main", "openai/spare"}, names)
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	t.Parallel()
	vault := open(t, pgtest.New(t), keyFile(t))
	for name, text := range map[string]string{
		"empty": "", "line break": "\n", "space inside": "sk-CANARY x", "two lines": "sk-CANARY\nx", "two line breaks": "sk-CANARY\n\n",
		"leading space": " sk-CANARY", "tab": "sk-CANARY\t", "no-break space": "sk-\u00a0CANARY", "zero": "sk-CANARY\x00",
		"broken JSON": `{"secret":"CANARY"`, "too long JSON": `{"secret":"` + strings.Repeat("CANARY", 2000) + `"}`,
		"too long": strings.Repeat("CANARY", 2000), "not text": "sk-CANARY\xff",
	} {
		_, err := vault.Add(t.Context(), keys.Entry{Provider: "openai", Name: "main", Key: llm.Secret(text)})
		require.ErrorIs(t, err, keys.ErrBadKey, name)
		require.NotContains(t, err.Error(), "CANARY", name)
	}
	for _, bad := range []string{"", "Main", "a/b", "-a", "a b", strings.Repeat("a", 64)} {
		_, err := vault.Add(t.Context(), keys.Entry{Provider: "openai", Name: bad, Key: canary})
		require.ErrorIs(t, err, keys.ErrBadName, bad)
		_, err = vault.Add(t.Context(), keys.Entry{Provider: bad, Name: "main", Key: canary})
		require.ErrorIs(t, err, keys.ErrBadName, bad)
	}
	infos, err := vault.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, infos)
}

// Whoever holds the whole table holds no key.
func TestTheTableNeverHoldsAKeyInClear(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	vault := open(t, pool, keyFile(t))
	one, err := vault.Add(t.Context(), keys.Entry{Provider: "openai", Name: "one", Key: canary + "\r\n"})
	require.NoError(t, err)
	two, err := vault.Add(t.Context(), keys.Entry{Provider: "openai", Name: "two", Key: canary})
	require.NoError(t, err)
	require.NotEqual(t, one.Fingerprint, two.Fingerprint, "equal keys can be told from the table")

	rows, err := pool.Query(t.Context(), `SELECT * FROM provider_keys`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToMap)
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, row := range all {
		for column, value := range row {
			raw, isBytes := value.([]byte)
			if !isBytes {
				raw, err = json.Marshal(value)
				require.NoError(t, err)
			}
			for i := range len(canary) - 8 {
				require.False(t, bytes.Contains(raw, []byte(canary[i:i+8])), "column %s holds a piece of the key", column)
			}
		}
	}
}

func TestAKeyFileIsMadeOnlyWhereItMayBe(t *testing.T) {
	t.Parallel()
	ctx, pool, dir := t.Context(), pgtest.New(t), t.TempDir()
	path := filepath.Join(dir, "sub", "vault.key")
	options := keys.Options{Pool: pool, KeeperURL: "file://" + path}

	_, err := keys.Open(ctx, options)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoFileExists(t, path)

	options.CreateLocal = true
	vault, err := keys.Open(ctx, options)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	added, err := vault.Add(ctx, keys.Entry{Provider: "openai", Name: "main", Key: canary})
	require.NoError(t, err)

	// The file may move: it is still the same keeper.
	moved := filepath.Join(dir, "moved.key")
	require.NoError(t, os.Rename(path, moved))
	elsewhere, err := keys.Open(ctx, keys.Options{Pool: pool, KeeperURL: "file://" + moved})
	require.NoError(t, err)
	again, err := elsewhere.Add(ctx, keys.Entry{Provider: "openai", Name: "again", Key: canary})
	require.NoError(t, err)
	require.Equal(t, added.Keeper, again.Keeper)

	// A lost file is not papered over by a new one that opens nothing.
	_, err = keys.Open(ctx, options)
	require.ErrorContains(t, err, "holds 2 keys that such a file protects")
	require.NoFileExists(t, path)

	require.NoError(t, os.Chmod(moved, 0o640))
	_, err = keys.Open(ctx, keys.Options{Pool: pool, KeeperURL: "file://" + moved})
	require.ErrorContains(t, err, "chmod 600")

	require.NoError(t, os.WriteFile(path, []byte("CANARY short"), 0o600))
	_, err = keys.Open(ctx, options)
	require.ErrorContains(t, err, "32 bytes")
	require.NotContains(t, err.Error(), "CANARY")
}

func TestKeeperURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "vault.key", "file://host/vault.key", "file:///x?mode=1", "base64key://CANARYnm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4=",
		"awskms://user:CANARY@alias/x", "http://127.0.0.1/x", "hashivault://user:CANARY%zz@x",
	} {
		_, err := keys.Open(t.Context(), keys.Options{KeeperURL: url})
		require.ErrorContains(t, err, "keeper", url)
		require.NotContains(t, err.Error(), "CANARY", url)
	}
	for _, scheme := range []string{"awskms", "azurekeyvault", "gcpkms", "hashivault"} {
		require.True(t, secrets.DefaultURLMux().ValidKeeperScheme(scheme), scheme)
	}
}
