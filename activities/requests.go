package activities

import (
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// requests are whole requests, conversations included, between Prepare, which ranks by them, and the first call, so that they
// are read once. What nobody comes for is dropped after stashAge.
type requests struct {
	now   func() time.Time
	mu    sync.Mutex
	held  map[string]prepared
	swept time.Time
}

type prepared struct {
	request llm.Request
	at      time.Time
}

func newRequests(now func() time.Time) *requests {
	return &requests{now: now, held: map[string]prepared{}, swept: now()}
}

func (r *requests) put(id string, request llm.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if now.Sub(r.swept) > time.Minute {
		r.swept = now
		for key, old := range r.held {
			if now.Sub(old.at) > stashAge {
				delete(r.held, key)
			}
		}
	}
	r.held[id] = prepared{request, now}
}

// take gives what was put, once.
func (r *requests) take(id string) (llm.Request, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held, ok := r.held[id]
	delete(r.held, id)
	return held.request, ok
}
