package mint

import (
	"regexp"
	"time"
)

// began is how much earlier than its rotation a credential may seem to have been made: clocks differ.
const began = time.Minute

var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// demand checks what every request must have, before anything is sent. A label or a header is made of the id.
func demand(request Request, admin bool) error {
	switch {
	case !validID.MatchString(request.ID):
		return refuse("the rotation has no id that can be sent")
	case admin && request.Admin == "":
		return refuse("the admin credential is missing")
	}
	return nil
}

// madeSince reports whether a credential that bears no label, and is not the one in use, was made by the rotation: it is at least
// as young. Nobody else should be making credentials of the same user meanwhile; docs/minters.md says so.
func madeSince(r Request, made time.Time) bool {
	return !r.Began.IsZero() && !made.Before(r.Began.Add(-began))
}
