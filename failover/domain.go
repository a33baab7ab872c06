package failover

import (
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// Domain is what shares a fault or a limit: deployments that are told apart by nothing but their names share all of theirs. Its
// forms, by [Scope]:
//
//	openai                  everything at one place
//	openai/gpt-4.1          one model there
//	openai#main             everything with one key, or with all keys of one account
//	openai#main/gpt-4.1     one model with one key
//
// A place is a provider, and behind a colon its host, region or project where it has several: "bedrock:eu-central-1".
type Domain string

// Scope is how wide a domain is.
type Scope string

// The scopes, from the widest to the narrowest.
const (
	ScopePlace    Scope = "place"
	ScopeKey      Scope = "key"
	ScopeModel    Scope = "model"
	ScopeKeyModel Scope = "key_model"
)

// Call says which domains a call belongs to.
type Call struct {
	// Deployment is for limits that are set for it alone, and for what is measured of it.
	Deployment string
	Place      string
	Model      string
	// Key is the key's name, empty for an endpoint that needs none. Mark changes when the key does.
	Key, Mark string
	// Account is what the key shares limits with others by; empty if it has an account of its own.
	Account string
}

// account is what the domains of a key are named by.
func (c Call) account() string {
	if c.Account != "" {
		return c.Account
	}
	return c.Key
}

// Domain is the call's domain of a scope.
func (c Call) Domain(scope Scope) Domain {
	switch scope {
	case ScopeModel:
		return Domain(c.Place + "/" + c.Model)
	case ScopeKey:
		return Domain(c.Place + "#" + c.account())
	case ScopeKeyModel:
		return Domain(c.Place + "#" + c.account() + "/" + c.Model)
	case ScopePlace:
		return Domain(c.Place)
	default:
		return Domain(c.Place)
	}
}

// Domains are all that the call belongs to, the widest first.
func (c Call) Domains() [4]Domain {
	return [4]Domain{c.Domain(ScopePlace), c.Domain(ScopeKey), c.Domain(ScopeModel), c.Domain(ScopeKeyModel)}
}

// Provider is the provider's name in the domain.
func (d Domain) Provider() string {
	if end := strings.IndexAny(string(d), ":#/"); end >= 0 {
		return string(d)[:end]
	}
	return string(d)
}

// scopeOf is what a kind of failure says something about; empty if it is about the request alone.
func scopeOf(kind llm.Kind) Scope {
	switch kind {
	case llm.KindCredential, llm.KindQuota:
		return ScopeKey
	case llm.KindModelAccess, llm.KindRateLimit:
		return ScopeKeyModel
	case llm.KindModelGone:
		return ScopeModel
	case llm.KindRegionBlocked:
		return ScopePlace
	case llm.KindOverloaded, llm.KindTransient, llm.KindTimeout, llm.KindStreamBroken, llm.KindBadOutput, llm.KindUnknown:
		return ScopeModel
	case llm.KindCallerFault, llm.KindContextLength, llm.KindContentPolicy, llm.KindRefusal, llm.KindCancelled, llm.KindUnsupported:
		return ""
	default:
		return ""
	}
}

// Definite says whether one failure of the kind is enough to know.
func Definite(kind llm.Kind) bool {
	switch kind {
	case llm.KindCredential, llm.KindQuota, llm.KindModelAccess, llm.KindModelGone, llm.KindRegionBlocked, llm.KindRateLimit:
		return true
	default:
		return false
	}
}
