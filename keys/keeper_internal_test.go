package keys

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gocloud.dev/secrets"
)

// brokenKeeper behaves as the client for Vault's does: it panics at an answer that is none, and hangs with a server that does.
type brokenKeeper struct {
	countingKeeper
	hang chan struct{}
}

func (b *brokenKeeper) Encrypt(context.Context, []byte) ([]byte, error) {
	<-b.hang
	return nil, nil
}

func (b *brokenKeeper) Decrypt(context.Context, []byte) ([]byte, error) { panic("CANARY") }

func TestAKeeperThatPanicsOrHangsIsAnError(t *testing.T) {
	t.Parallel()
	broken := &brokenKeeper{hang: make(chan struct{})}
	t.Cleanup(func() { close(broken.hang) })
	k := keeper{Keeper: secrets.NewKeeper(broken)}
	_, err := k.Decrypt(t.Context(), []byte("wrapped"))
	require.ErrorIs(t, err, errNoAnswer)
	require.NotContains(t, err.Error(), "CANARY")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = k.Encrypt(ctx, []byte("a data key"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// Keys that outlive their keeper for a short time only are asked for more often than once in that time.
func TestAShortLifeIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for life, want := range map[time.Duration]time.Duration{20 * time.Second: 5 * time.Second, time.Hour: time.Minute} {
		vault := &Vault{cacheFor: life}
		opened := openedRow{row: row{ID: 1, State: StateActive, Keeper: "hashivault://x"}, checked: now, tried: now}
		vault.publish(&snapshot{opened: map[int64]openedRow{1: opened}})
		require.Empty(t, vault.due(now.Add(want-time.Nanosecond), newTries()), life)
		require.Len(t, vault.due(now.Add(want), newTries()), 1, life)
	}
}
