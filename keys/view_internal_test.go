package keys

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"
)

// countingKeeper is a keeper that wraps nothing, counts its calls and can be away.
type countingKeeper struct {
	calls atomic.Int64
	away  atomic.Bool
}

func (c *countingKeeper) Encrypt(_ context.Context, text []byte) ([]byte, error) {
	return bytes.Clone(text), nil
}

func (c *countingKeeper) Decrypt(_ context.Context, text []byte) ([]byte, error) {
	c.calls.Add(1)
	if c.away.Load() {
		return nil, errors.New("keeper is away")
	}
	return bytes.Clone(text), nil
}

func (*countingKeeper) Close() error                       { return nil }
func (*countingKeeper) ErrorAs(error, any) bool            { return false }
func (*countingKeeper) ErrorCode(error) gcerrors.ErrorCode { return gcerrors.Unknown }

// A keeper in the cloud costs money and time, and is away at times: a key that is open stays open.
func TestTheKeeperIsCalledOnlyForWhatChanged(t *testing.T) {
	t.Parallel()
	counting := &countingKeeper{}
	vault := &Vault{keeper: keeper{Keeper: secrets.NewKeeper(counting)}, logger: slog.New(slog.DiscardHandler)}
	vault.current.Store(&snapshot{})
	sealed := func(id int64, name string) row {
		e, err := vault.keeper.seal(t.Context(), "openai", name, "sk-1")
		require.NoError(t, err)
		return row{ID: id, Provider: "openai", Name: name, Sealed: e.sealed, WrappedKey: e.wrappedKey}
	}
	load := func(rows ...row) (names []string) {
		vault.current.Store(vault.openAll(t.Context(), rows))
		for _, key := range vault.Keys("openai") {
			names = append(names, key.Name)
		}
		return names
	}
	one, two := sealed(1, "one"), sealed(2, "two")
	require.Equal(t, []string{"one", "two"}, load(one, two))
	require.Equal(t, []string{"one", "two"}, load(one, two))
	require.EqualValues(t, 2, counting.calls.Load())

	counting.away.Store(true)
	three := sealed(3, "three")
	require.Equal(t, []string{"one", "two"}, load(one, two, three))
	require.Len(t, vault.current.Load().failed, 1)

	counting.away.Store(false)
	require.Equal(t, []string{"one", "two", "three"}, load(one, two, three))
	require.Empty(t, vault.current.Load().failed)
	require.EqualValues(t, 4, counting.calls.Load())

	require.Equal(t, []string{"two"}, load(two))
	replaced := sealed(2, "two")
	require.Equal(t, []string{"two"}, load(replaced))
	require.EqualValues(t, 5, counting.calls.Load())
}
