package failover

import "fmt"

// Recovery is what becomes of a stream that fails when its client has seen a part of the answer. Its values stand in the
// record; empty means that the answer is not streamed, so that nobody sees a part of it.
type Recovery string

// The policies.
const (
	// RecoveryContinue lets the next attempt go on where the text broke off. What cannot be gone on with fails.
	RecoveryContinue Recovery = "continue"
	// RecoveryRestart lets the next attempt begin again, and tells the client that what it has seen is void.
	RecoveryRestart Recovery = "restart"
	// RecoveryFail ends the completion.
	RecoveryFail Recovery = "fail"
)

// Recoveries lists the policies.
func Recoveries() []Recovery { return []Recovery{RecoveryContinue, RecoveryRestart, RecoveryFail} }

// Shown is what clients have seen of a streamed answer when an attempt fails, whichever attempt it came from.
type Shown string

// What may have been seen.
const (
	// ShownNothing: no content has been seen, so the failure is not noticed.
	ShownNothing Shown = ""
	// ShownText: text, which another attempt can go on with.
	ShownText Shown = "text"
	// ShownFixed: a tool call, JSON of a schema, or several answers, of which two halves do not make a whole.
	ShownFixed Shown = "fixed"
)

// Resumption is how an attempt takes up a stream.
type Resumption string

// The ways to take a stream up.
const (
	// ResumeFresh: nothing has been seen; the attempt answers by itself.
	ResumeFresh Resumption = "fresh"
	// ResumeContinue: the attempt goes on behind the last word.
	ResumeContinue Resumption = "continue"
	// ResumeRestart: what was seen is taken back.
	ResumeRestart Resumption = "restart"
)

// Resume says how the next attempt takes up a stream. It is asked only where there is a next attempt: after a failure that
// [Decide] did not end with, or after the process that made the last one died. That has cut its clients off; whoever comes
// back is told where the answer begins again.
func Resume(policy Recovery, shown Shown) Resumption {
	switch {
	case shown == ShownNothing:
		return ResumeFresh
	case policy == RecoveryContinue && shown == ShownText:
		return ResumeContinue
	default:
		return ResumeRestart
	}
}

// ends says why a failure ends a stream of which something has been seen; empty if it does not.
func (r Recovery) ends(state State, last Failure) string {
	from := fmt.Sprintf("%s from %s in the middle of a stream", last.Kind, name(state, last.Deployment))
	switch {
	case last.Shown == ShownNothing, r == RecoveryRestart, r == RecoveryContinue && last.Shown == ShownText:
		return ""
	case r == RecoveryContinue:
		return from + ": the client has a part of what cannot be gone on with, such as a tool call, JSON, a refusal or one of several answers"
	default:
		return from + ": the client has a part of the answer, and the policy is to fail"
	}
}

// taken says how the next attempt takes up what has been seen, as an end of a decision's reason.
func (r Recovery) taken(shown Shown) string {
	switch Resume(r, shown) {
	case ResumeContinue:
		return "; it goes on where the answer broke off"
	case ResumeRestart:
		return "; the answer begins again"
	case ResumeFresh:
	}
	return ""
}
