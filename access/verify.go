package access

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// How long an answer of the database is remembered.
const (
	// Fresh is how long a good token is accepted without asking again.
	Fresh = 5 * time.Second
	// Stale is how long after its last verification a good token is accepted while the database cannot be asked.
	Stale = 10 * time.Minute

	refusedFor    = time.Second     // how long a bad token is refused without asking again
	retryEvery    = time.Second     // how often an outage is probed for one token
	lookupTimeout = 2 * time.Second // bounds one question
	maxRemembered = 10_000          // bounds good tokens, and bad ones, remembered
)

// verifier remembers what a lookup answered. It takes every error of lookup but [ErrInvalid] for an outage.
type verifier struct {
	lookup func(ctx context.Context, hash digest) (Principal, error)
	now    func() time.Time
	flight singleflight.Group

	mu   sync.Mutex
	good map[digest]verified
	bad  map[digest]time.Time // when it was refused
	// generation counts calls of forget: an answer that was on its way meanwhile is not remembered.
	generation int
}

// verified is a good token's last verification.
type verified struct {
	principal Principal
	at        time.Time
	retryAt   time.Time // during an outage: when to ask again
}

func newVerifier(lookup func(context.Context, digest) (Principal, error), now func() time.Time) *verifier {
	return &verifier{lookup: lookup, now: now, good: map[digest]verified{}, bad: map[digest]time.Time{}}
}

// verify answers from memory where it may, and otherwise asks: once for all that want to know the same.
func (v *verifier) verify(ctx context.Context, hash digest) (Principal, error) {
	known, generation := v.recall(hash)
	if known != nil {
		return known.principal, known.err
	}
	// A question from before a revocation does not answer for one after it.
	question := string(hash[:]) + strconv.Itoa(generation)
	reply := v.flight.DoChan(question, func() (any, error) {
		// Whoever asked first may leave while others wait for the answer.
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		return v.ask(asking, hash)
	})
	select {
	case <-ctx.Done():
		return Principal{}, ctx.Err() //nolint:wrapcheck // the caller's own
	case result := <-reply:
		principal, _ := result.Val.(Principal)
		return principal, result.Err
	}
}

// answer is what can be said of a token.
type answer struct {
	principal Principal
	err       error
}

// recall answers from memory: nil where the database must be asked, in the generation that it says.
func (v *verifier) recall(hash digest) (*answer, int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if entry, ok := v.good[hash]; ok && (now.Sub(entry.at) < Fresh || (now.Before(entry.retryAt) && now.Sub(entry.at) < Stale)) {
		return &answer{principal: entry.principal}, v.generation
	}
	if at, ok := v.bad[hash]; ok && now.Sub(at) < refusedFor {
		return &answer{err: ErrInvalid}, v.generation
	}
	return nil, v.generation
}

// ask looks the token up and remembers the answer.
func (v *verifier) ask(ctx context.Context, hash digest) (Principal, error) {
	v.mu.Lock()
	generation, asked := v.generation, v.now()
	v.mu.Unlock()

	principal, err := v.lookup(ctx, hash)

	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err == nil && v.generation != generation:
		return principal, nil
	case err == nil:
		delete(v.bad, hash)
		makeRoom(v.good, hash)
		v.good[hash] = verified{principal: principal, at: asked}
		return principal, nil
	case errors.Is(err, ErrInvalid):
		delete(v.good, hash)
		makeRoom(v.bad, hash)
		v.bad[hash] = asked
		return Principal{}, ErrInvalid
	}
	if entry, ok := v.good[hash]; ok && v.now().Sub(entry.at) < Stale {
		entry.retryAt = v.now().Add(retryEvery)
		v.good[hash] = entry
		return entry.principal, nil
	}
	return Principal{}, err
}

// forget drops what is remembered of a token that was revoked here.
func (v *verifier) forget(tokenID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.generation++
	for hash, entry := range v.good {
		if entry.principal.TokenID == tokenID {
			delete(v.good, hash)
		}
	}
}

// makeRoom keeps a map within bounds by dropping some entry, which costs one question more later.
func makeRoom[V any](entries map[digest]V, hash digest) {
	if _, ok := entries[hash]; ok || len(entries) < maxRemembered {
		return
	}
	for other := range entries {
		delete(entries, other)
		return
	}
}
