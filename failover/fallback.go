package failover

import (
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// triggerOf is the fallback that a kind of failure asks for; empty for kinds that any other target may answer.
func triggerOf(kind llm.Kind) Trigger {
	switch kind {
	case llm.KindContextLength:
		return OnContextLength
	case llm.KindContentPolicy, llm.KindRefusal:
		return OnContentPolicy
	default:
		return ""
	}
}

// trigger is what the failures so far ask for: the latest that has fallbacks of its own.
func (s State) trigger() Trigger {
	for _, failure := range slices.Backward(s.Failures) {
		if trigger := triggerOf(failure.Kind); trigger != "" && !failure.Lost {
			return trigger
		}
	}
	return ""
}

// open reports whether the candidate may be called after what has happened. A prompt that did not fit goes to the fallbacks for
// that, or, where there are none, to general ones; one that was refused goes only where that is configured.
func (s State) open(candidate Candidate) bool {
	trigger := s.trigger()
	if trigger == OnContextLength && !s.has(trigger) {
		return candidate.For == "" && candidate.Group != ""
	}
	return candidate.For == trigger
}

func (s State) has(trigger Trigger) bool {
	return slices.ContainsFunc(s.Candidates, func(candidate Candidate) bool { return candidate.For == trigger })
}

// elsewhere reports whether any candidate is open to the failure, whose kind would else be final.
func (s State) elsewhere(last Failure) bool {
	return triggerOf(last.Kind) != "" && slices.ContainsFunc(s.Candidates, s.open)
}
