package activities

import (
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// stash holds answers between the call and its recording, in the process that did both. It is what keeps answers out of
// history without a write of their own. An answer that nobody comes for is dropped after stashAge.
type stash struct {
	now     func() time.Time
	mu      sync.Mutex
	answers map[stashKey]stashed
	swept   time.Time
}

type stashKey struct {
	id     string
	number int
}

type stashed struct {
	answer   llm.Response
	usage    llm.Usage
	at       time.Time
	duration time.Duration
}

const stashAge = 15 * time.Minute

func newStash(now func() time.Time) *stash {
	return &stash{now: now, answers: map[stashKey]stashed{}, swept: now()}
}

func (s *stash) put(id string, number int, held stashed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.swept) > time.Minute {
		s.swept = now
		for key, old := range s.answers {
			if now.Sub(old.at) > stashAge {
				delete(s.answers, key)
			}
		}
	}
	s.answers[stashKey{id, number}] = held
}

func (s *stash) look(id string, number int) (stashed, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.answers[stashKey{id, number}]
	return held, ok
}

func (s *stash) drop(id string, number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.answers, stashKey{id, number})
}
