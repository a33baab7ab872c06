package failover

import (
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// windowParts is how many pieces a window slides by.
const windowParts = 10

// Window counts what came of the calls of the last while, and of the last minute by kind. The zero value counts nothing yet.
type Window struct {
	parts   [windowParts]part
	minute  [windowParts]map[llm.Kind]int
	minutes [windowParts]int64
}

type part struct {
	number        int64
	calls, failed int
}

// add counts a call; kind is empty for one that went well, and failed says whether it counts as failing: a slow one does.
func (w *Window) add(length time.Duration, now time.Time, kind llm.Kind, failed bool) {
	number := partOf(length, now)
	p := &w.parts[number%windowParts]
	if p.number != number {
		*p = part{number: number}
	}
	p.calls++
	if !failed {
		return
	}
	p.failed++
	number = partOf(time.Minute, now)
	if w.minutes[number%windowParts] != number {
		w.minutes[number%windowParts], w.minute[number%windowParts] = number, map[llm.Kind]int{}
	}
	w.minute[number%windowParts][kind]++
}

// totals are the calls of the window and how many of them failed.
func (w *Window) totals(length time.Duration, now time.Time) (calls, failed int) {
	latest := partOf(length, now)
	for _, p := range w.parts {
		if p.number > latest-windowParts && p.number <= latest {
			calls += p.calls
			failed += p.failed
		}
	}
	return calls, failed
}

// lastMinute are the failures of the last minute, all and of a kind.
func (w *Window) lastMinute(now time.Time, kind llm.Kind) (all, ofKind int) {
	latest := partOf(time.Minute, now)
	for i, kinds := range w.minute {
		if w.minutes[i] <= latest-windowParts || w.minutes[i] > latest {
			continue
		}
		for k, n := range kinds {
			all += n
			if k == kind {
				ofKind += n
			}
		}
	}
	return all, ofKind
}

// partOf numbers the pieces of time.
func partOf(length time.Duration, now time.Time) int64 {
	return now.UnixNano() / max(1, int64(length)/windowParts)
}
