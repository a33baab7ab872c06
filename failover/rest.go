package failover

import (
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Rest says that a candidate is not to be called now.
type Rest struct {
	Deployment string `json:"deployment"`
	// Until is when it may be; zero if nobody knows.
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason"`
	Class  RestClass `json:"class"`
}

// RestClass is how strict a rest is.
type RestClass string

// The classes, from the mildest to the strictest.
const (
	// RestRamp: it comes back, and takes its share for now. It is called where nothing else is left.
	RestRamp RestClass = "ramp"
	// RestLimit: its limit is used up until then. Waiting is as good as being told to.
	RestLimit RestClass = "limit"
	// RestOpen: its breaker is open. Only who can wait for it to close does.
	RestOpen RestClass = "open"
)

// Milder says whether a rest is less strict than another, or as strict and shorter.
func (r Rest) Milder(other Rest) bool {
	order := []RestClass{RestRamp, RestLimit, RestOpen}
	mine, theirs := slices.Index(order, r.Class), slices.Index(order, other.Class)
	if mine != theirs {
		return mine < theirs
	}
	return !r.Until.IsZero() && (other.Until.IsZero() || r.Until.Before(other.Until))
}

// rest finds what is known against the candidate now.
func (s State) rest(candidate Candidate, now time.Time) (Rest, bool) {
	for _, rest := range s.Resting {
		if rest.Deployment == candidate.Deployment && (rest.Until.IsZero() || rest.Until.After(now)) {
			return rest, true
		}
	}
	return Rest{}, false
}

// reopening is when the first of the candidates that rest may be called again; zero if nobody knows.
func (s State) reopening(now time.Time) (at time.Time) {
	for _, candidate := range s.Candidates {
		rest, resting := s.rest(candidate, now)
		if resting && s.open(candidate) && !rest.Until.IsZero() && (at.IsZero() || rest.Until.Before(at)) {
			at = rest.Until
		}
	}
	return at
}

// BadKeys are the keys that the deployment's place has refused in this completion: another is taken while there is one.
func BadKeys(failures []Failure, candidates []Candidate, deployment string) []string {
	place := placeOf(candidates, deployment)
	var bad []string
	for _, failure := range failures {
		if failure.Key == "" || failure.Held || !rotates(failure.Kind) || slices.Contains(bad, failure.Key) {
			continue
		}
		account := failure.Kind == llm.KindCredential || failure.Kind == llm.KindQuota
		if failure.Deployment == deployment || account && placeOf(candidates, failure.Deployment) == place {
			bad = append(bad, failure.Key)
		}
	}
	return bad
}

func placeOf(candidates []Candidate, deployment string) string {
	for _, candidate := range candidates {
		if candidate.Deployment == deployment {
			return candidate.Place
		}
	}
	return ""
}

// rotates says whether another key of the same provider may answer where one did not.
func rotates(kind llm.Kind) bool {
	switch kind {
	case llm.KindCredential, llm.KindQuota, llm.KindModelAccess, llm.KindRateLimit:
		return true
	default:
		return false
	}
}
