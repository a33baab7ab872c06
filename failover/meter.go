package failover

import (
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Meter is what is left of a limit on requests or tokens: a bucket that fills at a constant rate. It is configured, or learnt
// from what the vendor says beside its answers; the zero value knows no limit.
type Meter struct {
	limit float64
	level float64
	// rate is what comes back in a second.
	rate float64
	at   time.Time
}

// Configured is a meter of a limit a minute.
func Configured(perMinute int64, now time.Time) Meter {
	limit := float64(perMinute)
	return Meter{limit: limit, level: limit, rate: limit / 60, at: now}
}

// Known says whether there is a limit.
func (m *Meter) Known() bool { return m.limit > 0 }

// Learn takes in what the vendor says is left. Calls that are under way may not be in its count, so that what is left by one's
// own count is never raised by it.
func (m *Meter) Learn(told llm.Allowance, now time.Time) {
	if told.Limit <= 0 {
		return
	}
	known := m.Known()
	m.fill(now)
	limit, left := float64(told.Limit), float64(max(0, told.Remaining))
	rate := limit / 60
	if told.ResetAfter > 0 && left < limit {
		rate = (limit - left) / told.ResetAfter.Seconds()
	}
	if !known || left < m.level {
		m.level = left
	}
	m.limit, m.rate, m.at = limit, rate, now
	m.level = min(m.level, limit)
}

// fill adds what has come back by now.
func (m *Meter) fill(now time.Time) {
	if passed := now.Sub(m.at).Seconds(); passed > 0 {
		m.level = min(m.limit, m.level+passed*m.rate)
		m.at = now
	}
}

// Wait is how long until n can be taken; what is more than the whole limit waits for all of it.
func (m *Meter) Wait(n float64, now time.Time) time.Duration {
	if !m.Known() {
		return 0
	}
	m.fill(now)
	missing := min(n, m.limit) - m.level
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing/m.rate*float64(time.Second)) + time.Millisecond
}

// Take takes n. Take after Wait has said zero.
func (m *Meter) Take(n float64, now time.Time) {
	if m.Known() {
		m.fill(now)
		m.level -= n
	}
}

// Used is the share of the limit that is gone, from 0 to 1; 0 if there is no limit.
func (m *Meter) Used(now time.Time) float64 {
	if !m.Known() {
		return 0
	}
	m.fill(now)
	return min(1, max(0, 1-m.level/m.limit))
}
