package simulator

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// shareSlack absorbs the rounding of n*share, so that ten calls at 0.1 meet the fault once and not zero times.
const shareSlack = 1e-9

// faultList holds one vendor's faults. Calls at a healthy vendor pay one atomic load.
type faultList struct {
	active atomic.Int64
	mu     sync.Mutex
	faults []*faultState
}

type faultState struct {
	Fault
	seen int // matching calls, those spared by Share included
}

func (l *faultList) set(fault Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fault.Applied = 0
	for i, existing := range l.faults {
		if existing.ID == fault.ID {
			l.faults[i] = &faultState{Fault: fault}
			return
		}
	}
	l.faults = append(l.faults, &faultState{Fault: fault})
	l.active.Store(int64(len(l.faults)))
}

// clear removes the fault with that id, or all of them for "", and says whether there was one.
func (l *faultList) clear(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.faults)
	l.faults = slices.DeleteFunc(l.faults, func(f *faultState) bool { return id == "" || f.ID == id })
	l.active.Store(int64(len(l.faults)))
	return len(l.faults) < before
}

func (l *faultList) list(now time.Time) []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune(now)
	faults := make([]Fault, 0, len(l.faults))
	for _, state := range l.faults {
		fault := state.Fault
		fault.Match.Key = maskKey(fault.Match.Key)
		faults = append(faults, fault)
	}
	return faults
}

// maskKey keeps a listing of faults from showing a whole key to whoever may read it.
func maskKey(key string) string {
	const shown = 12 // the length of a fingerprint
	if len(key) <= shown {
		return key
	}
	return key[:8] + "…"
}

// pick gives the fault that the call meets, and counts it; false if there is none.
func (l *faultList) pick(call *Call, key string, now time.Time) (Fault, bool) {
	if l.active.Load() == 0 {
		return Fault{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune(now)
	for _, state := range l.faults {
		if !state.matches(call, key) || !state.take() {
			continue
		}
		state.Applied++
		return state.Fault, true
	}
	return Fault{}, false
}

// take counts a matching call and says whether it is among the fault's share.
func (f *faultState) take() bool {
	f.seen++
	if f.Share <= 0 || f.Share >= 1 {
		return true
	}
	share := func(n int) float64 { return math.Floor(float64(n)*f.Share + shareSlack) }
	return share(f.seen) > share(f.seen-1)
}

// prune drops the faults that are over or used up.
func (l *faultList) prune(now time.Time) {
	l.faults = slices.DeleteFunc(l.faults, func(f *faultState) bool {
		over := !f.Until.IsZero() && !now.Before(f.Until)
		return over || f.Count > 0 && f.Applied >= f.Count
	})
	l.active.Store(int64(len(l.faults)))
}
