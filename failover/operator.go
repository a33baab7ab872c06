package failover

import "time"

// Opened is the health of a domain that an operator takes out of service: for a time, or, if that is 0, until it is closed by
// hand. Its time over, it comes back by itself, without a try: an operator who says when knows why. Nothing shortens that time;
// what its calls bring may lengthen it.
func Opened(now time.Time, pause time.Duration, by, reason string) Health {
	h := Health{State: BreakerOpen, Since: now, Cause: CauseOperator, Reason: reason, Held: pause == 0, By: by, Down: now}
	if pause > 0 {
		h.Until = now.Add(pause)
	}
	return h
}

// ClosedByHand is the health of a domain that an operator puts back into service. What its calls bring opens it again, as any
// other: closing is also the end of a hold.
func ClosedByHand(now time.Time, by, reason string) Health {
	return Health{State: BreakerClosed, Since: now, Reason: reason, By: by}
}

// HeldAsIs is the health of a domain that an operator leaves as it stands, whatever its calls and probes bring, until it is
// closed by hand. One that is being tried was not called before, so it stays open; one of which nothing is known stays closed.
func (h Health) HeldAsIs(now time.Time, by, reason string) Health {
	switch h.State {
	case BreakerOpen:
	case BreakerHalfOpen:
		h.State, h.Since = BreakerOpen, now
	case BreakerClosed:
	default:
		h.State, h.Since = BreakerClosed, now
	}
	h.Until, h.Successes = time.Time{}, 0
	h.Held, h.By, h.Reason = true, by, reason
	return h
}
