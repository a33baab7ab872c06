package failover

import (
	"fmt"
	"time"
)

const (
	// budgetTime is the time that repetitions are compared with calls over.
	budgetTime = 10 * time.Second
	// budgetFloor are the repetitions that are always allowed in it, so that a little traffic can be repeated too.
	budgetFloor = 10
)

// Budget bounds how many calls are repetitions: those that fail must not become a multiple of themselves. The zero value bounds
// nothing.
type Budget struct {
	// Share is how many of all calls may be repetitions.
	Share  float64
	window Window
}

// Call counts a call, Repeat one that is a repetition.
func (b *Budget) Call(now time.Time) { b.window.add(budgetTime, now, "", false) }

// Repeat counts a repetition.
func (b *Budget) Repeat(now time.Time) { b.window.add(budgetTime, now, "repeat", true) }

// Spent says why nothing may be repeated now; empty if it may.
func (b *Budget) Spent(now time.Time) string {
	calls, repeats := b.window.totals(budgetTime, now)
	if b.Share <= 0 || repeats < budgetFloor || float64(repeats) < b.Share*float64(calls) {
		return ""
	}
	return fmt.Sprintf("the retry budget is spent: %d of the last %d calls were repetitions", repeats, calls)
}
