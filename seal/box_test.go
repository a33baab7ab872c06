package seal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/seal"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// keeper wraps by turning bytes around, under a name that can be changed.
type keeper struct {
	name   string
	broken bool
}

func (k *keeper) Wrap(_ context.Context, dataKey []byte) ([]byte, string, error) {
	return append([]byte(k.name+":"), dataKey...), k.name, nil
}

func (k *keeper) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	if _, dataKey, ok := bytes.Cut(wrapped, []byte(":")); ok && !k.broken {
		return dataKey, nil
	}
	return nil, errors.New("the keeper does not open it")
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	box, err := seal.Open(t.Context(), pool, &keeper{name: "k1"}, true)
	require.NoError(t, err)
	value := map[string]string{"said": "the secret"}
	sealed, err := box.Marshal(value)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "secret")
	var valid bool
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT json_typeof($1::json) = 'object'`, sealed).Scan(&valid))
	require.True(t, valid, "it stands where JSON stood")
	again, err := box.Marshal(value)
	require.NoError(t, err)
	require.NotEqual(t, sealed, again, "the same is never sealed alike")
	var opened map[string]string
	require.NoError(t, box.Unmarshal(t.Context(), sealed, &opened))
	require.Equal(t, value, opened)

	reader, err := seal.Open(t.Context(), pool, &keeper{name: "k1"}, false)
	require.NoError(t, err)
	opened = nil
	require.NoError(t, reader.Unmarshal(t.Context(), sealed, &opened), "sealing is off, and what was sealed is read")
	require.Equal(t, value, opened)
	plain, err := reader.Marshal(value)
	require.NoError(t, err)
	require.JSONEq(t, `{"said":"the secret"}`, string(plain))
	require.NoError(t, box.Unmarshal(t.Context(), plain, &opened), "what was not sealed is read as it is")

	var none *seal.Box
	plain, err = none.Marshal(value)
	require.NoError(t, err)
	require.NoError(t, none.Unmarshal(t.Context(), plain, &opened))
	require.Error(t, none.Unmarshal(t.Context(), sealed, &opened))
	for i := range sealed {
		if i > 30 && i%7 == 0 && sealed[i] != '=' {
			spoilt := bytes.Clone(sealed)
			spoilt[i] ^= 1
			require.Error(t, box.Unmarshal(t.Context(), spoilt, new(struct{ Said string })), "byte %d", i)
		}
	}
}

func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	keeper := &keeper{name: "k1"}
	box, err := seal.Open(t.Context(), pool, keeper, true)
	require.NoError(t, err)
	other, err := seal.Open(t.Context(), pool, keeper, true)
	require.NoError(t, err)
	before, err := box.Seal([]byte("before"))
	require.NoError(t, err)
	keeper.name = "k2"
	id, err := box.Rotate(t.Context())
	require.NoError(t, err)
	after, err := box.Seal([]byte("after"))
	require.NoError(t, err)
	require.Contains(t, string(after), id)
	require.NotContains(t, string(before), id)
	for want, sealed := range map[string][]byte{"before": before, "after": after} {
		opened, err := other.Open(t.Context(), sealed)
		require.NoError(t, err, "another process, which has not met the new key")
		require.Equal(t, want, string(opened))
	}
	var old int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM content_keys WHERE keeper <> 'k2'`).Scan(&old))
	require.Zero(t, old, "the former key is wrapped anew")
	require.NoError(t, other.Refresh(t.Context()))
	later, err := other.Seal([]byte("later"))
	require.NoError(t, err)
	require.Contains(t, string(later), id)

	keeper.broken = true
	_, err = seal.Open(t.Context(), pool, keeper, true)
	require.Error(t, err)
}
