package keys

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

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
	now := time.Now()
	vault := &Vault{
		keeper: keeper{Keeper: secrets.NewKeeper(counting)}, logger: slog.New(slog.DiscardHandler),
		now: func() time.Time { return now }, cacheFor: time.Hour,
	}
	vault.publish(newSnapshot(nil))
	sealed := func(id int64, name string) row {
		e, err := vault.keeper.seal(t.Context(), "openai", name, "sk-1")
		require.NoError(t, err)
		return row{ID: id, Provider: "openai", Name: name, State: StateActive, Sealed: e.sealed, WrappedKey: e.wrappedKey, Fingerprint: e.fingerprint}
	}
	names := func() (names []string) {
		for _, key := range vault.Keys("openai") {
			names = append(names, key.Name)
		}
		return names
	}
	load := func(rows ...row) []string {
		vault.publish(vault.openAll(t.Context(), rows))
		return names()
	}
	tried := newTries()
	later := func(by time.Duration) []string {
		now = now.Add(by)
		_ = vault.refreshOnce(t.Context(), tried).Wait()
		vault.settle(t.Context(), vault.hasTrouble(), now)
		return names()
	}
	one, two := sealed(1, "one"), sealed(2, "two")
	require.Equal(t, []string{"one", "two"}, load(one, two))
	require.Equal(t, []string{"one", "two"}, load(one, two))
	require.EqualValues(t, 2, counting.calls.Load())

	counting.away.Store(true)
	three := sealed(3, "three")
	require.Equal(t, []string{"one", "two"}, load(one, two, three))
	require.Len(t, vault.current.Load().failed, 1)
	require.Contains(t, vault.Unusable("openai"), "three: the vault's keeper cannot open it")

	counting.away.Store(false)
	require.Equal(t, []string{"one", "two"}, load(one, two, three), "what failed is not tried again at each change of another")
	require.Equal(t, []string{"one", "two", "three"}, later(retryEvery))
	require.Empty(t, vault.current.Load().failed)
	require.EqualValues(t, 4, counting.calls.Load())
	require.True(t, vault.KeeperReachable())

	require.Equal(t, []string{"two"}, load(two))
	replaced := sealed(2, "two")
	require.Equal(t, []string{"two"}, load(replaced))
	require.EqualValues(t, 5, counting.calls.Load())

	// A keeper that stays away: what is open works on for its time, and not for longer.
	counting.away.Store(true)
	require.Equal(t, []string{"two"}, later(recheckEvery))
	require.EqualValues(t, 6, counting.calls.Load())
	require.False(t, vault.KeeperReachable())
	require.Equal(t, []string{"two"}, later(time.Hour-recheckEvery-time.Second))
	require.Empty(t, later(recheckEvery), "it is used for longer than it may be")
	require.Contains(t, vault.Unusable("openai"), "two: the vault's keeper cannot open it")
	counting.away.Store(false)
	require.Equal(t, []string{"two"}, later(retryEvery), "it comes back by itself")
	require.True(t, vault.KeeperReachable())
}
