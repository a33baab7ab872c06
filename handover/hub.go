package handover

import (
	"sync"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// Hub is the meeting place of one process. The zero value is not usable; make one with [NewHub].
type Hub struct {
	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	watches int
	// writers are those of the watches that write the answer.
	writers int
	request *llm.Request
	claimed bool
	// calling is closed when the first provider call begins here.
	calling chan struct{}
	// moved is closed when this process stops driving the completion without an outcome.
	moved chan struct{}
	// done is closed when outcome is set.
	done    chan struct{}
	outcome completions.Outcome
	feed    transcript.Feed
}

// NewHub makes an empty hub.
func NewHub() *Hub { return &Hub{entries: map[string]*entry{}} }

// Watch is one handler's interest in a completion. Close it.
type Watch struct {
	hub   *Hub
	id    string
	entry *entry
	once  sync.Once
}

// Watch registers interest, before the workflow is started so that nothing is missed. The request, if given, saves the
// activities of this process a read.
func (h *Hub) Watch(id string, request *llm.Request) *Watch {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.enter(id)
	if e.request == nil {
		e.request = request
	}
	return &Watch{hub: h, id: id, entry: e}
}

// enter counts one more who has to do with the completion; the lock is held.
func (h *Hub) enter(id string) *entry {
	e := h.entries[id]
	if e == nil {
		e = &entry{calling: make(chan struct{}), moved: make(chan struct{}), done: make(chan struct{})}
		h.entries[id] = e
	}
	e.watches++
	return e
}

// Open gives the feed of a completion whose answer this process writes, until leave is called. Readers need not be there
// yet: others may come, from this process and elsewhere.
func (h *Hub) Open(id string) (feed *transcript.Feed, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.enter(id)
	e.writers++
	return &e.feed, sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		e.writers--
		h.leave(id, e)
	})
}

// leave takes back enter; the lock is held.
func (h *Hub) leave(id string, e *entry) {
	e.watches--
	if e.watches == 0 && h.entries[id] == e {
		delete(h.entries, id)
	}
}

// Written gives the feed of a completion whose answer this process writes now.
func (h *Hub) Written(id string) (*transcript.Feed, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entries[id]; e != nil && e.writers > 0 {
		return &e.feed, true
	}
	return nil, false
}

// Close ends the interest. Closing again does nothing.
func (w *Watch) Close() { w.once.Do(w.close) }

func (w *Watch) close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.hub.leave(w.id, w.entry)
}

// Feed is what is said of a streamed answer, by this process or as far as it is heard here of others.
func (w *Watch) Feed() *transcript.Feed { return &w.entry.feed }

// Alone says whether nobody else in this process watches the completion.
func (w *Watch) Alone() bool {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	return w.entry.watches-w.entry.writers == 1
}

// Done is closed when the outcome has been handed over; read it with Outcome.
func (w *Watch) Done() <-chan struct{} { return w.entry.done }

// Outcome is valid once Done is closed.
func (w *Watch) Outcome() completions.Outcome { return w.entry.outcome }

// Calling is closed once this process has begun the first provider call.
func (w *Watch) Calling() <-chan struct{} { return w.entry.calling }

// Moved is closed when this process has stopped driving the completion without an outcome: wait elsewhere.
func (w *Watch) Moved() <-chan struct{} { return w.entry.moved }

// Claimed says whether this process drives the completion.
func (w *Watch) Claimed() bool {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	return w.entry.claimed
}

// Request is the request of a watched completion, if the handler is in this process.
func (h *Hub) Request(id string) (llm.Request, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entries[id]; e != nil && e.request != nil {
		return *e.request, true
	}
	return llm.Request{}, false
}

// Claim tells watchers that this process drives the completion now.
func (h *Hub) Claim(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entries[id]; e != nil {
		e.claimed = true
	}
}

// Calling tells watchers that the first provider call begins.
func (h *Hub) Calling(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entries[id]; e != nil {
		closeOnce(e.calling)
	}
}

// Release tells watchers that this process no longer drives the completion, or may not see its end.
func (h *Hub) Release(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entries[id]; e != nil {
		closeOnce(e.moved)
	}
}

// Deliver hands the recorded outcome to every watcher.
func (h *Hub) Deliver(id string, outcome completions.Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.entries[id]
	if e == nil {
		return
	}
	select {
	case <-e.done:
	default:
		e.outcome = outcome
		close(e.done)
	}
}

// closeOnce closes the channel unless it is closed; the hub's lock is held.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
