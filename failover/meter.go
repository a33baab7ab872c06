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
	// from is when the call began whose answer was learnt from last, at heard; zero for what is configured.
	from, heard time.Time
}

// believed is how long what a vendor has said of a limit is believed: by then a call is let through, whose answer says more.
const believed = time.Minute

// Configured is a meter of a limit a minute.
func Configured(perMinute int64, now time.Time) Meter {
	limit := float64(perMinute)
	return Meter{limit: limit, level: limit, rate: limit / 60, at: now}
}

// Known says whether there is a limit.
func (m *Meter) Known() bool { return m.limit > 0 }

// coarse is a reset so soon that a vendor which rounds it to the second says nothing of the rate by it.
const coarse = 5 * time.Second

// Learn takes in what the vendor said is left in its answer to a call that began at a time. Underway is what calls that have no
// answer yet have taken: the vendor may not have counted them. Answers to earlier calls than the last one learnt from are old.
func (m *Meter) Learn(told llm.Allowance, underway float64, began, now time.Time) {
	if told.Limit <= 0 || began.Before(m.from) {
		return
	}
	limit, left := float64(told.Limit), float64(max(0, told.Remaining))
	m.rate = limit / 60
	if told.ResetAfter > coarse && left < limit {
		m.rate = (limit - left) / told.ResetAfter.Seconds()
	}
	m.limit, m.level, m.at, m.from, m.heard = limit, min(limit, left)-underway, now, began, now
}

// Return gives back what was taken and not used.
func (m *Meter) Return(n float64, now time.Time) {
	if m.Known() && n > 0 {
		m.fill(now)
		m.level = min(m.limit, m.level+n)
	}
}

// Each is how long n take to come back.
func (m *Meter) Each(n float64) time.Duration {
	if !m.Known() || m.rate <= 0 {
		return 0
	}
	return time.Duration(min(n, m.limit) / m.rate * float64(time.Second))
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
	wait := time.Duration(min(missing/m.rate, believed.Seconds()*1e6)*float64(time.Second)) + time.Millisecond
	if m.heard.IsZero() {
		return wait
	}
	return max(0, min(wait, m.heard.Add(believed).Sub(now)))
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
