package rotation

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Policy says when a key is rotated. Several may be said: the first that is due counts.
type Policy struct {
	// Every is the age at which a key is replaced; 0 is none.
	Every time.Duration
	// At are the times of a calendar, in the five fields of cron; empty is none. Zone is where its clock hangs.
	At   string
	Zone *time.Location
	// BeforeExpiry is how long before its end a key is replaced; 0 does not look at that.
	BeforeExpiry time.Duration
	// Drain is how long calls in flight are waited for, at most.
	Drain time.Duration
}

// ParseAt checks the times of a calendar.
func ParseAt(text string) error {
	schedule, err := cron.ParseStandard(text)
	switch {
	case err != nil || len(strings.Fields(text)) != 5: // the library takes names of intervals, and of zones, too
		return errors.New(`not five fields of cron, such as "0 3 1 * *" for 3:00 on the first of each month`)
	case schedule.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero():
		return errors.New("a time that never comes")
	}
	return nil
}

const (
	// retryFirst is how long after a rotation that came to nothing the next is tried, and retryLatest how long at most.
	retryFirst  = 15 * time.Minute
	retryLatest = 12 * time.Hour
)

// Due says whether a key is to be rotated now, and why. However many times have been missed while nobody looked, one rotation does
// the work of all; one that came to nothing is tried again, later and later.
func (p Policy) Due(key Key, now time.Time) (because string, due bool) {
	switch {
	case key.Rotating:
		return "it is being rotated", false
	case key.Elsewhere:
		return "it is read from elsewhere, and replaced there", false
	case key.State != "active" && key.State != "quarantined":
		return "it is " + key.State, false
	}
	if key.Tried != nil && key.Failures > 0 {
		if again := key.Tried.Add(retryAfter(key.Failures)); now.Before(again) {
			return fmt.Sprintf("the last of %d tries came to nothing; the next is not before %s", key.Failures, again.UTC().Format(time.RFC3339)), false
		}
	}
	switch next := p.calendar(key.Since); {
	case p.BeforeExpiry > 0 && key.ExpiresAt != nil && !now.Before(key.ExpiresAt.Add(-p.BeforeExpiry)):
		return "it ends at " + key.ExpiresAt.UTC().Format(time.RFC3339), true
	case p.Every > 0 && now.Sub(key.Since) >= p.Every:
		return "it is in use since " + key.Since.UTC().Format(time.RFC3339), true
	case !next.IsZero() && !now.Before(next):
		return "it was due at " + next.Format(time.RFC3339), true
	}
	return "it is not due", false
}

// retryAfter is how long a key is left alone after so many rotations that came to nothing.
func retryAfter(failures int) time.Duration {
	pause := retryFirst
	for range failures - 1 {
		if pause *= 2; pause >= retryLatest {
			return retryLatest
		}
	}
	return pause
}

// calendar is the first of the calendar's times after since; zero if there is none. The times are the clock's: where it is put
// forward over one, that one is as much later, and where it is put back, it comes once.
func (p Policy) calendar(since time.Time) time.Time {
	schedule, err := cron.ParseStandard(p.At)
	if p.At == "" || err != nil {
		return time.Time{}
	}
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	// The clock's hands, as if there were no zone: cron passes over times that a zone does not have.
	next := schedule.Next(asUTC(since.In(zone)))
	if next.IsZero() {
		return time.Time{}
	}
	moment := time.Date(next.Year(), next.Month(), next.Day(), next.Hour(), next.Minute(), 0, 0, zone)
	if missing := next.Sub(asUTC(moment)); missing > 0 { // there is no such time, and Go's library has taken one before it
		moment = moment.Add(missing)
	}
	return moment
}

// asUTC is the time in UTC that a clock shows as this one does.
func asUTC(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// Expiring says which of the spans before its end a key has come into: the shortest. None is 0.
func Expiring(expiresAt *time.Time, spans []time.Duration, now time.Time) time.Duration {
	if expiresAt == nil {
		return 0
	}
	left, shortest := expiresAt.Sub(now), time.Duration(0)
	for _, span := range spans {
		if left <= span && (shortest == 0 || span < shortest) {
			shortest = span
		}
	}
	return shortest
}
