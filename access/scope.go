package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Scope is one thing that an admin token allows.
type Scope string

// The scopes. Reading keys and tokens is reading what is told of them: nobody reads the secrets themselves.
const (
	ScopeKeysRead           Scope = "keys:read"
	ScopeKeysWrite          Scope = "keys:write"
	ScopeTokensRead         Scope = "tokens:read"
	ScopeTokensWrite        Scope = "tokens:write"
	ScopeCompletionsRead    Scope = "completions:read"
	ScopeCompletionsWrite   Scope = "completions:write"
	ScopeConversationsRead  Scope = "conversations:read"
	ScopeConversationsWrite Scope = "conversations:write"
	ScopeProvidersRead      Scope = "providers:read"
	ScopeProvidersWrite     Scope = "providers:write"
	ScopeCacheWrite         Scope = "cache:write"
	ScopeAlertsRead         Scope = "alerts:read"
	ScopeAlertsWrite        Scope = "alerts:write"
	ScopeAuditRead          Scope = "audit:read"
	// ScopeAdminTokensWrite allows listing, creating and revoking admin tokens, none with more scopes than one's own.
	ScopeAdminTokensWrite Scope = "admin-tokens:write"
	ScopeMetricsRead      Scope = "metrics:read"
	// ScopeSimulator allows everything with the simulated providers.
	ScopeSimulator Scope = "simulator"
)

// Scopes lists them.
func Scopes() []Scope {
	return []Scope{
		ScopeKeysRead, ScopeKeysWrite, ScopeTokensRead, ScopeTokensWrite, ScopeCompletionsRead, ScopeCompletionsWrite,
		ScopeConversationsRead, ScopeConversationsWrite, ScopeProvidersRead, ScopeProvidersWrite, ScopeCacheWrite,
		ScopeAlertsRead, ScopeAlertsWrite, ScopeAuditRead, ScopeAdminTokensWrite, ScopeMetricsRead, ScopeSimulator,
	}
}

// scopeLike is what a scope with a slip of the pen looks like.
var scopeLike = regexp.MustCompile(`^[a-z_-]{1,20}(:[a-z*_-]{0,20})?$`)

// BadScopeError is a scope that there is not, or that there are none.
type BadScopeError struct{ Scope Scope }

func (e *BadScopeError) Error() string {
	names := make([]string, 0, len(Scopes()))
	for _, scope := range Scopes() {
		names = append(names, string(scope))
	}
	if e.Scope == "" {
		return "a token needs a scope at least: " + strings.Join(names, ", ")
	}
	said := "what was given is no scope" // it may be anything, such as a secret in the wrong place
	if scopeLike.MatchString(string(e.Scope)) {
		said = fmt.Sprintf("there is no scope %q", string(e.Scope))
	}
	return said + "; there is " + strings.Join(names, ", ")
}

// checkScopes gives the scopes in their order, each once; the error is a [*BadScopeError].
func checkScopes(scopes []Scope) ([]Scope, error) {
	if len(scopes) == 0 {
		return nil, &BadScopeError{}
	}
	for _, scope := range scopes {
		if !slices.Contains(Scopes(), scope) {
			return nil, &BadScopeError{Scope: scope}
		}
	}
	return slices.DeleteFunc(Scopes(), func(scope Scope) bool { return !slices.Contains(scopes, scope) }), nil
}

// AdminPrincipal is who uses the admin API.
type AdminPrincipal struct {
	// Name is the admin token's; empty for the root token.
	Name   string
	Scopes []Scope
	// ExpiresAt is when the token ends; nil if it does not.
	ExpiresAt *time.Time
}

// RootPrincipal is whoever holds the root token: it has every scope.
func RootPrincipal() AdminPrincipal { return AdminPrincipal{Scopes: Scopes()} }

// Actor is the principal in the audit log: "root", or "token:NAME".
func (p AdminPrincipal) Actor() string {
	if p.Name == "" {
		return "root"
	}
	return "token:" + p.Name
}

// Has says whether the principal may do what the scope allows.
func (p AdminPrincipal) Has(scope Scope) bool { return slices.Contains(p.Scopes, scope) }

// IsOutlivedBy says whether a token that expires then, or never if it is nil, would be there when the principal's own no longer is.
func (p AdminPrincipal) IsOutlivedBy(expires *time.Time) bool {
	return p.ExpiresAt != nil && (expires == nil || expires.After(*p.ExpiresAt))
}

// Lacks are those of the scopes that the principal does not have.
func (p AdminPrincipal) Lacks(scopes []Scope) []Scope {
	return slices.DeleteFunc(slices.Clone(scopes), p.Has)
}
