package failover

import "slices"

// Verdict is the failure that the client is told of: the last one, unless that is trouble of our own account (a key, a
// quota) while another provider only asked for patience. A client that is told to come back then may do so with success.
func Verdict(failures []Failure) (Failure, bool) {
	if len(failures) == 0 {
		return Failure{}, false
	}
	last := failures[len(failures)-1]
	if !last.Lost && (ruleFor(last.Kind).final || ruleFor(last.Kind).retry) {
		return last, true
	}
	for _, failure := range slices.Backward(failures) {
		if !failure.Lost && ruleFor(failure.Kind).retry {
			return failure, true
		}
	}
	return last, !last.Lost
}
