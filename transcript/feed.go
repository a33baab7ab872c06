package transcript

import (
	"slices"
	"sync"

	"github.com/holdfast-dev/holdfast/llm"
)

// Feed is a log that is written while others read it, each at its own pace: however slow a reader is, nothing is kept for it.
// The zero value is empty and ready.
type Feed struct {
	mu  sync.Mutex
	log *Log
	// version counts how often another log took the place of this one.
	version int
	readers []chan struct{}
	// written says that an attempt of this process writes it, so that nobody else may.
	written bool
}

// Watch gives a channel that has something whenever there may be more to read, until it is given back to Unwatch.
func (f *Feed) Watch() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	ready := make(chan struct{}, 1)
	f.readers = append(f.readers, ready)
	ready <- struct{}{}
	return ready
}

// Unwatch ends a watch.
func (f *Feed) Unwatch(ready <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers = slices.DeleteFunc(f.readers, func(known chan struct{}) bool { return (<-chan struct{})(known) == ready })
}

// signal tells the readers; the lock is held.
func (f *Feed) signal() {
	for _, ready := range f.readers {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
}

// current is the log; the lock is held.
func (f *Feed) current() *Log {
	if f.log == nil {
		f.log = &Log{}
	}
	return f.log
}

// Write begins the writing of an attempt here, behind what is on record of the completion. What this process knows beyond
// that, it goes on from; a log that says something else is replaced.
func (f *Feed) Write(recorded *Log) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = true
	f.adopt(recorded)
}

// Written ends it. Readers are told, for they may have to look elsewhere.
func (f *Feed) Written() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = false
	f.signal()
}

// Writing says whether an attempt of this process writes the feed.
func (f *Feed) Writing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.written
}

// Adopt takes over what another process or the record says, if that is more, unless this process writes itself.
func (f *Feed) Adopt(log *Log) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.written {
		f.adopt(log)
	}
}

func (f *Feed) adopt(log *Log) {
	own := f.current()
	if own.Continues(log) {
		return
	}
	if !log.Continues(own) && own.end.At > 0 {
		f.version++
	}
	f.log = log.Clone()
	f.signal()
}

// Append adds events of the attempt that writes.
func (f *Feed) Append(events ...llm.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.current()
	before := log.end
	for _, event := range events {
		log.Append(event)
	}
	if log.end != before {
		f.signal()
	}
}

// Merge adds what another process says behind a place, and reports whether this feed takes it: not if it has come further, or
// is written here.
func (f *Feed) Merge(from Cursor, events []llm.Event) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.current()
	if f.written || log.end != from {
		return false
	}
	for _, event := range events {
		log.Append(event)
	}
	f.signal()
	return true
}

// Replace puts another log in the place of this one, for a process that was told that its own is void.
func (f *Feed) Replace(log *Log) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.written {
		return
	}
	f.version++
	f.log = log
	f.signal()
}

// End is the cursor behind the last event.
func (f *Feed) End() Cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current().end
}

// Base is the place where the answer begins: behind what was taken back.
func (f *Feed) Base() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current().base
}

// Locate is the cursor at a place; ok is false if nothing was said there yet, or if what was has been taken back.
func (f *Feed) Locate(at int64) (c Cursor, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current().Locate(at)
}

// Said tells how far the answer has come.
func (f *Feed) Said() Said {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current().Said()
}

// Snapshot is a copy of the log as it is.
func (f *Feed) Snapshot() *Log {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current().Clone()
}

// Piece is what was said behind a place.
func (f *Feed) Piece(from int64) (Piece, Cursor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.current()
	return log.Piece(from), log.end
}

// Reader reads one feed from a place on. The zero value begins at the beginning; one that has a Cursor goes on from what was read
// elsewhere. It is not safe for concurrent use.
type Reader struct {
	// Cursor is behind what was read.
	Cursor  Cursor
	version int
	checked bool
	// entries is the list that Read gave, which is used again: most are of one entry.
	entries []Entry
}

// Read gives what is new in the feed. The list may be overwritten by the next Read.
func (r *Reader) Read(f *Feed) []Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.current()
	if r.checked && r.version == f.version {
		return r.take(log)
	}
	entries, settled := r.compare(log)
	if settled {
		r.version, r.checked = f.version, true
	}
	return entries
}

// Finish gives what is new in the log of an answer that is complete, which need not be that of the feed that was read before.
func (r *Reader) Finish(log *Log) []Entry {
	if entries, settled := r.compare(log); settled {
		return entries
	}
	return r.again(log) // it has not come as far as the reader, and never will
}

func (r *Reader) take(log *Log) []Entry {
	clear(r.entries) // so that what has been read is not held
	r.entries = log.appendSince(r.entries[:0], r.Cursor.At)
	if len(r.entries) > 0 {
		r.Cursor = r.entries[len(r.entries)-1].End
	}
	return r.entries
}

// compare reads a log that may not say what was read before: then it is read from its beginning, behind a [Restart]. A log
// that has not come as far as the reader cannot be compared yet.
func (r *Reader) compare(log *Log) (entries []Entry, settled bool) {
	switch there, ok := log.Locate(r.Cursor.At); {
	case r.Cursor.At < log.base, ok && there.Sum == r.Cursor.Sum:
		return r.take(log), true
	case !ok:
		return nil, false
	}
	return r.again(log), true
}

// again reads a log from its beginning, for a reader that has read something else.
func (r *Reader) again(log *Log) []Entry {
	entries := append([]Entry{{Event: llm.Event{Type: Restart}, End: Cursor{At: log.base}}}, log.Since(log.base)...)
	r.Cursor = entries[len(entries)-1].End
	return entries
}
