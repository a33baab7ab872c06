package credential

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// maxEntries bounds how many tokens are kept: one for each credential in use.
	maxEntries = 1024
	// fetchTimeout ends a fetch that nobody may be waiting for any more.
	fetchTimeout = 30 * time.Second
	// retryAfterFailure is how long a failed refresh is left alone while the old token still serves.
	retryAfterFailure = 15 * time.Second
	// skew is how long before its expiry a token is not handed out any more, for clocks that differ and calls on their way.
	skew = 10 * time.Second
)

// Token is a short-lived credential.
type Token struct {
	Value llm.Secret
	// Expiry is when the token ends; zero if it ends only when it is refused.
	Expiry time.Time
}

// Fetch gets a token for a credential. Its error is an *[llm.Error].
type Fetch func(ctx context.Context, secret llm.Secret) (Token, error)

// Source gives tokens for credentials, from memory where it can. It is safe for concurrent use.
//
// However many calls want a token at the same time, it is fetched once. At four fifths of its life, or a little later, a new one is fetched in
// the background, while the old one still serves; should that fail, the old one serves until it ends.
type Source struct {
	fetch   Fetch
	now     func() time.Time
	flights singleflight.Group

	mu      sync.Mutex
	entries map[[sha256.Size]byte]*entry
}

// entry is a token kept.
type entry struct {
	token   Token
	refresh time.Time // when to get the next one; zero is never
	used    time.Time
}

// New makes a source that is empty. The time is that of now.
func New(fetch Fetch, now func() time.Time) *Source {
	return &Source{fetch: fetch, now: now, entries: make(map[[sha256.Size]byte]*entry)}
}

// Token gives a token for secret. The error is an *[llm.Error] of the caller's own: that of the fetch, or, where ctx ended
// first, one of kind timeout or cancelled without a provider.
//
// A fetch goes on when its caller gives up, since others may be waiting for it; it ends by itself after half a minute.
func (s *Source) Token(ctx context.Context, secret llm.Secret) (Token, error) {
	if err := ctx.Err(); err != nil {
		return Token{}, ended(err)
	}
	digest := sha256.Sum256([]byte(secret.Reveal()))
	token, found, stale := s.kept(digest)
	if found && !stale {
		return token, nil
	}
	flight := s.flights.DoChan(string(digest[:]), func() (any, error) {
		// Whoever comes just after a flight has landed finds its token here.
		if token, found, stale := s.kept(digest); found && !stale {
			return token, nil
		}
		return s.renew(context.WithoutCancel(ctx), digest, secret)
	})
	if found {
		return token, nil // and the next one is on its way
	}
	select {
	case result := <-flight:
		if result.Err != nil {
			return Token{}, own(result.Err)
		}
		fetched, _ := result.Val.(Token)
		return fetched, nil
	case <-ctx.Done():
		return Token{}, ended(ctx.Err())
	}
}

// Drop forgets token, which the vendor has refused. It does nothing if another one has taken its place already.
func (s *Source) Drop(secret llm.Secret, token Token) {
	digest := sha256.Sum256([]byte(secret.Reveal()))
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[digest]; ok && e.token.Value == token.Value {
		delete(s.entries, digest)
	}
}

// kept finds a token that has not ended. It is stale when it is time for the next one.
func (s *Source) kept(digest [sha256.Size]byte) (token Token, found, stale bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	e, ok := s.entries[digest]
	if !ok {
		return Token{}, false, false
	}
	if over(e.token, now) {
		delete(s.entries, digest)
		return Token{}, false, false
	}
	e.used = now
	return e.token, true, !e.refresh.IsZero() && !now.Before(e.refresh)
}

// renew fetches a token and keeps it.
func (s *Source) renew(ctx context.Context, digest [sha256.Size]byte, secret llm.Secret) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	token, err := s.fetch(ctx, secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if err != nil {
		if e, ok := s.entries[digest]; ok {
			e.refresh = now.Add(retryAfterFailure)
		}
		return Token{}, err
	}
	s.makeRoom(digest, now)
	fresh := &entry{token: token, used: now}
	if !token.Expiry.IsZero() {
		fresh.refresh = now.Add(renewal(token.Expiry.Sub(now)))
	}
	s.entries[digest] = fresh
	return token, nil
}

// renewal is after how much of its life a token is renewed: at four fifths, or a little later, so that the tokens of many processes
// that were started at once are not all renewed at once.
func renewal(life time.Duration) time.Duration {
	const share, spread = 0.80, 0.05
	return time.Duration(float64(life) * (share + spread*rand.Float64())) //nolint:gosec // no secret comes of it
}

// makeRoom forgets what has ended and, if that is not enough, what was used longest ago.
func (s *Source) makeRoom(digest [sha256.Size]byte, now time.Time) {
	if _, ok := s.entries[digest]; ok || len(s.entries) < maxEntries {
		return
	}
	var oldest [sha256.Size]byte
	var since time.Time
	for d, e := range s.entries {
		switch {
		case over(e.token, now):
			delete(s.entries, d)
		case since.IsZero() || e.used.Before(since):
			oldest, since = d, e.used
		}
	}
	if len(s.entries) >= maxEntries {
		delete(s.entries, oldest)
	}
}

// over reports whether token must not be handed out any more.
func over(token Token, now time.Time) bool {
	return !token.Expiry.IsZero() && !now.Before(token.Expiry.Add(-skew))
}

// own is a copy of a fetch's error: several callers share the fetch, and each puts its provider's name on what it gets.
func own(err error) error {
	failure, ok := errors.AsType[*llm.Error](err)
	if !ok {
		return (&llm.Error{Kind: llm.KindTransient, Detail: "no token could be had"}).WithCause(err)
	}
	mine := *failure
	return &mine
}

func ended(err error) *llm.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return (&llm.Error{Kind: llm.KindTimeout, Detail: "the deadline passed"}).WithCause(err)
	}
	return (&llm.Error{Kind: llm.KindCancelled, Detail: "the call was cancelled"}).WithCause(err)
}
