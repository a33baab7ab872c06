package failover

import (
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// ProbeMethod is how a provider is asked whether it works.
type ProbeMethod string

// The methods. Their values stand in PostgreSQL.
const (
	// ProbeFree makes a call that costs nothing.
	ProbeFree ProbeMethod = "free"
	// ProbeGeneration asks for a few words, or for the vector of one.
	ProbeGeneration ProbeMethod = "generation"
)

// Probe is how a half-open domain is tried: what a free call has shown, or can, by that, and every second time by a real one, since
// what is free may be all that fails; what shows under load only, by a call like those that failed.
func (h Health) Probe() ProbeMethod {
	switch h.Cause {
	case CauseProbe, Cause(llm.KindCredential):
		if h.Streak%2 == 1 {
			return ProbeGeneration
		}
		return ProbeFree
	default:
		return ProbeGeneration
	}
}

// Probed says what the latest scheduled probes of a place and key speak against, the latest first; kinds are empty for those that
// went well. A refused key is believed at once, silence only when it is heard several times in a row.
func Probed(kinds []llm.Kind, several int, at time.Time) (Opening, bool) {
	if len(kinds) == 0 {
		return Opening{}, false
	}
	if kinds[0] == llm.KindCredential {
		return Opening{Scope: ScopeKey, Cause: Cause(llm.KindCredential), At: at, Partly: true, Reason: "a probe: " + ruleFor(llm.KindCredential).why}, true
	}
	if len(kinds) < max(1, several) {
		return Opening{}, false
	}
	for _, kind := range kinds[:max(1, several)] {
		switch kind {
		case llm.KindOverloaded, llm.KindTransient, llm.KindTimeout:
		default:
			return Opening{}, false
		}
	}
	return Opening{
		Scope: ScopePlace, Cause: CauseProbe, At: at, Partly: true,
		Reason: fmt.Sprintf("%d probes in a row failed, the last with %s", max(1, several), kinds[0]),
	}, true
}
