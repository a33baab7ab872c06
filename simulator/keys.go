package simulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"sync/atomic"
)

// keyRing says which keys the vendors accept. Reading takes no lock: every call does.
type keyRing struct {
	mu      sync.Mutex // held by who changes the list
	current atomic.Pointer[keyList]
}

// keyList is never changed once it is read.
type keyList struct {
	// open accepts every key but the rejected ones; else none is accepted but those that are listed.
	open     bool
	accepted [][sha256.Size]byte
	rejected [][sha256.Size]byte
}

func newKeyRing(required []string) *keyRing {
	list := &keyList{open: len(required) == 0}
	for _, key := range required {
		list.accepted = append(list.accepted, sha256.Sum256([]byte(key)))
	}
	ring := &keyRing{}
	ring.current.Store(list)
	return ring
}

// Issue has every vendor accept a key from now on: at Bedrock an access key's id, at Vertex AI an access token. From the first key
// that is required or issued, no others are accepted.
func (s *Simulator) Issue(key string) {
	s.keys.change(key, func(list *keyList, sum [sha256.Size]byte) {
		list.open = false
		list.accepted = append(list.accepted, sum)
	})
}

// Reject has every vendor refuse a key from now on.
func (s *Simulator) Reject(key string) {
	s.keys.change(key, func(list *keyList, sum [sha256.Size]byte) { list.rejected = append(list.rejected, sum) })
}

// change puts a list in place of the current one, from which a key has been taken.
func (r *keyRing) change(key string, change func(*keyList, [sha256.Size]byte)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := sha256.Sum256([]byte(key))
	before := r.current.Load()
	after := &keyList{open: before.open, accepted: without(before.accepted, sum), rejected: without(before.rejected, sum)}
	change(after, sum)
	r.current.Store(after)
}

func without(sums [][sha256.Size]byte, sum [sha256.Size]byte) [][sha256.Size]byte {
	var left [][sha256.Size]byte
	for _, one := range sums {
		if one != sum {
			left = append(left, one)
		}
	}
	return left
}

// accepts compares hashes in constant time, and against every key, so that the time taken tells nothing.
func (r *keyRing) accepts(key string) bool {
	list := r.current.Load()
	if list.open && len(list.rejected) == 0 {
		return true
	}
	sum := sha256.Sum256([]byte(key))
	if list.open {
		return !listed(list.rejected, sum)
	}
	return listed(list.accepted, sum)
}

func listed(sums [][sha256.Size]byte, sum [sha256.Size]byte) bool {
	found := 0
	for i := range sums {
		found |= subtle.ConstantTimeCompare(sum[:], sums[i][:])
	}
	return found == 1
}
