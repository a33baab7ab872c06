package credential_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/credential"
)

const secret = llm.Secret("client-secret")

// issuer hands out numbered tokens that live an hour.
type issuer struct {
	fetched atomic.Int64
	fail    atomic.Bool
	delay   time.Duration
}

func (i *issuer) fetch(ctx context.Context, secret llm.Secret) (credential.Token, error) {
	n := i.fetched.Add(1)
	if i.delay > 0 {
		select {
		case <-time.After(i.delay):
		case <-ctx.Done():
			return credential.Token{}, &llm.Error{Kind: llm.KindTimeout}
		}
	}
	if i.fail.Load() {
		return credential.Token{}, &llm.Error{Kind: llm.KindCredential, Status: 401, Code: "invalid_client"}
	}
	return credential.Token{Value: llm.Secret(fmt.Sprintf("%s-%d", secret.Reveal(), n)), Expiry: time.Now().Add(time.Hour)}, nil
}

func get(t *testing.T, source *credential.Source, secret llm.Secret) string {
	t.Helper()
	token, err := source.Token(t.Context(), secret)
	require.NoError(t, err)
	return token.Value.Reveal()
}

func TestATokenIsFetchedOnceForManyCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: time.Second}
		source := credential.New(i.fetch, time.Now)
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() { require.Equal(t, "client-secret-1", get(t, source, secret)) })
		}
		calls.Wait()
		require.Equal(t, "client-secret-1", get(t, source, secret))
		require.Equal(t, int64(1), i.fetched.Load())
		require.Equal(t, "other-2", get(t, source, "other"), "each credential has its own")
	})
}

func TestATokenIsRefreshedWhileTheOldOneServes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: time.Second}
		source := credential.New(i.fetch, time.Now)
		require.Equal(t, "client-secret-1", get(t, source, secret))
		<-time.After(47 * time.Minute)
		require.Equal(t, "client-secret-1", get(t, source, secret))
		synctest.Wait()
		require.Equal(t, int64(1), i.fetched.Load(), "not before four fifths")
		<-time.After(5 * time.Minute)
		before := time.Now()
		require.Equal(t, "client-secret-1", get(t, source, secret))
		require.Equal(t, "client-secret-1", get(t, source, secret))
		require.Equal(t, before, time.Now(), "nobody waits for it")
		<-time.After(2 * time.Second)
		require.Equal(t, "client-secret-2", get(t, source, secret))
		require.Equal(t, int64(2), i.fetched.Load())
	})
}

func TestAFailedRefreshLeavesTheOldTokenUntilItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		source := credential.New(i.fetch, time.Now)
		require.Equal(t, "client-secret-1", get(t, source, secret))
		i.fail.Store(true)
		<-time.After(52 * time.Minute)
		for range 5 {
			require.Equal(t, "client-secret-1", get(t, source, secret))
			synctest.Wait()
		}
		require.Equal(t, int64(2), i.fetched.Load(), "a failed refresh is not tried at every call")
		<-time.After(16 * time.Second)
		require.Equal(t, "client-secret-1", get(t, source, secret))
		synctest.Wait()
		require.Equal(t, int64(3), i.fetched.Load())
		<-time.After(10 * time.Minute)
		_, err := source.Token(t.Context(), secret)
		require.Equal(t, llm.KindCredential, llm.KindOf(err), "it has ended")
		i.fail.Store(false)
		require.Equal(t, "client-secret-5", get(t, source, secret), "a failure is not remembered")
	})
}

func TestATokenIsNotHandedOutAtItsVeryEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		source := credential.New(i.fetch, time.Now)
		require.Equal(t, "client-secret-1", get(t, source, secret))
		<-time.After(time.Hour - 5*time.Second)
		require.Equal(t, "client-secret-2", get(t, source, secret))
	})
}

func TestOnlyTheTokenThatWasRefusedIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		source := credential.New(i.fetch, time.Now)
		first, err := source.Token(t.Context(), secret)
		require.NoError(t, err)
		source.Drop(secret, first)
		require.Equal(t, "client-secret-2", get(t, source, secret))
		source.Drop(secret, first) // by a call that began earlier
		require.Equal(t, "client-secret-2", get(t, source, secret))
	})
}

func TestACallerThatGivesUpDoesNotEndTheFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: 2 * time.Second}
		source := credential.New(i.fetch, time.Now)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := source.Token(ctx, secret)
		require.Equal(t, llm.KindTimeout, llm.KindOf(err))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "client-secret-1", get(t, source, secret))
		require.Equal(t, int64(1), i.fetched.Load())
		gone, stop := context.WithCancel(t.Context())
		stop()
		_, err = source.Token(gone, secret)
		require.Equal(t, llm.KindCancelled, llm.KindOf(err))
	})
}

func TestAFetchEndsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: time.Hour}
		before := time.Now()
		_, err := credential.New(i.fetch, time.Now).Token(t.Context(), secret)
		require.Equal(t, llm.KindTimeout, llm.KindOf(err))
		require.Equal(t, 30*time.Second, time.Since(before))
	})
}

func TestTheErrorIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	shared := &llm.Error{Kind: llm.KindQuota}
	source := credential.New(func(context.Context, llm.Secret) (credential.Token, error) { return credential.Token{}, shared }, time.Now)
	_, err := source.Token(t.Context(), secret)
	got, ok := errors.AsType[*llm.Error](err)
	require.True(t, ok)
	got.Provider = "mine"
	require.Empty(t, shared.Provider)
}

func TestATokenWithoutAnEndStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fetched int
		source := credential.New(func(context.Context, llm.Secret) (credential.Token, error) {
			fetched++
			return credential.Token{Value: "t"}, nil
		}, time.Now)
		require.Equal(t, "t", get(t, source, secret))
		<-time.After(1000 * time.Hour)
		require.Equal(t, "t", get(t, source, secret))
		require.Equal(t, 1, fetched)
	})
}

func TestTheNumberOfTokensIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		source := credential.New(i.fetch, time.Now)
		require.Equal(t, "first-1", get(t, source, "first"))
		<-time.After(time.Second)
		get(t, source, "oldest")
		<-time.After(time.Second)
		for n := range 1022 {
			get(t, source, llm.Secret(fmt.Sprint("k", n)))
		}
		<-time.After(time.Second)
		require.Equal(t, "first-1", get(t, source, "first")) // now the youngest
		require.Equal(t, int64(1024), i.fetched.Load())
		get(t, source, "one more")
		require.Equal(t, int64(1025), i.fetched.Load())
		require.Equal(t, "first-1", get(t, source, "first"))
		require.Equal(t, "k0-3", get(t, source, "k0"))
		require.Equal(t, int64(1025), i.fetched.Load())
		require.Equal(t, "oldest-1026", get(t, source, "oldest"), "what was used longest ago went")
	})
}
