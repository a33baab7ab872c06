package access

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func hash(n int) (h digest) {
	binary.LittleEndian.PutUint64(h[:], uint64(n))
	return h
}

func TestManyRequestsWithOneTokenAskOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		v := newVerifier(func(ctx context.Context, _ digest) (Principal, error) {
			asked.Add(1)
			select {
			case <-ctx.Done():
				return Principal{}, ctx.Err()
			case <-time.After(time.Second):
				return Principal{Tenant: "acme", TokenID: "one"}, nil
			}
		}, time.Now)
		// The first to ask leaves; the others still get their answer.
		leaving, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			_, err := v.verify(leaving, hash(1))
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		for range 100 {
			group.Go(func() {
				principal, err := v.verify(t.Context(), hash(1))
				require.NoError(t, err)
				require.Equal(t, "acme", principal.Tenant)
			})
		}
		synctest.Wait()
		leave()
		group.Wait()
		require.EqualValues(t, 1, asked.Load())
	})
}

func TestAHangingDatabaseIsAnOutageOfBoundedLength(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		var asked atomic.Int64
		v := newVerifier(func(ctx context.Context, _ digest) (Principal, error) {
			asked.Add(1)
			if hangs.Load() {
				<-ctx.Done()
				return Principal{}, errors.Join(ErrUnavailable, ctx.Err())
			}
			return Principal{Tenant: "acme"}, nil
		}, time.Now)
		_, err := v.verify(t.Context(), hash(1))
		require.NoError(t, err)
		hangs.Store(true)
		time.Sleep(Fresh) //nolint:forbidigo // a bubble's clock

		start := time.Now()
		_, err = v.verify(t.Context(), hash(1))
		require.NoError(t, err)
		require.Equal(t, lookupTimeout, time.Since(start))
		_, err = v.verify(t.Context(), hash(1))
		require.NoError(t, err)
		require.Equal(t, lookupTimeout, time.Since(start), "every request of an outage waits for the database")
		require.EqualValues(t, 2, asked.Load())

		time.Sleep(retryEvery) //nolint:forbidigo // a bubble's clock
		_, err = v.verify(t.Context(), hash(1))
		require.NoError(t, err)
		require.EqualValues(t, 3, asked.Load(), "the database is not tried again")

		_, err = v.verify(t.Context(), hash(2))
		require.ErrorIs(t, err, ErrUnavailable)
	})
}

// An answer that was read before a revocation must not bring the token back after it.
func TestAnAnswerFromBeforeARevocationIsNotRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var revoked atomic.Bool
		read, deliver := make(chan struct{}), make(chan struct{})
		v := newVerifier(func(context.Context, digest) (Principal, error) {
			if revoked.Load() {
				return Principal{}, ErrInvalid
			}
			close(read)
			<-deliver
			return Principal{TokenID: "one"}, nil
		}, time.Now)
		var group sync.WaitGroup
		group.Go(func() {
			_, err := v.verify(t.Context(), hash(1))
			require.NoError(t, err)
		})
		<-read
		revoked.Store(true)
		v.forget("one")
		_, err := v.verify(t.Context(), hash(1)) // does not join the question before
		require.ErrorIs(t, err, ErrInvalid)
		close(deliver)
		group.Wait()
		_, err = v.verify(t.Context(), hash(1))
		require.ErrorIs(t, err, ErrInvalid)
	})
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	v := newVerifier(func(_ context.Context, h digest) (Principal, error) {
		if h[0]%2 == 0 {
			return Principal{}, nil
		}
		return Principal{}, ErrInvalid
	}, time.Now)
	for n := range 3 * maxRemembered {
		_, err := v.verify(t.Context(), hash(n))
		require.Equal(t, n%2 == 0, err == nil)
	}
	require.Len(t, v.good, maxRemembered)
	require.Len(t, v.bad, maxRemembered)
}
