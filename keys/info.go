package keys

import (
	"time"
)

// State says whether a key is in use.
type State string

// The states of a key, and of its versions that are not in use.
const (
	// StateActive: calls are made with it.
	StateActive State = "active"
	// StateQuarantined: its provider refused it. It is tried again by schedule, and comes back by itself.
	StateQuarantined State = "quarantined"
	// StateDisabled: an operator took it out of use.
	StateDisabled State = "disabled"
	// StateRevoked: it is gone, and what it was is erased.
	StateRevoked State = "revoked"
	// StatePending is a version's that is minted and not in use yet.
	StatePending State = "pending"
	// StateDraining is a version's that calls in flight may still use, and no others.
	StateDraining State = "draining"
)

// Info describes a key without revealing anything of it.
type Info struct {
	Provider string `json:"provider"`
	Name     string `json:"name"`
	State    State  `json:"state"`
	// Reason is why it is in its state, if there is more to say.
	Reason string `json:"reason,omitempty"`
	// Version counts what was put in its place; VersionAt is since when this one is in use.
	Version   int       `json:"version"`
	VersionAt time.Time `json:"version_at"`
	// Fingerprint changes whenever the key is replaced, even by itself.
	Fingerprint string `json:"fingerprint"`
	// Keeper identifies what wraps the key's data key; Source is where the key is read from, if it is not in the vault.
	Keeper string `json:"keeper,omitempty"`
	Source string `json:"source,omitempty"`
	// Handle is what the provider calls the key, if that is known: enough to revoke it there, and no secret.
	Handle string `json:"handle,omitempty"`
	// ExpiresAt is when it ends; nil if that is not known.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// Account is what keys share limits by; each has an account of its own if it is empty.
	Account string `json:"account,omitempty"`
	// Weight is the key's share of its provider's calls. Keys of weight 0 are used in their order, behind those that have one.
	Weight int `json:"weight"`
	// Tenants are whom it serves; everybody if there are none.
	Tenants   []string  `json:"tenants,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Subject names the key in the audit log and in alerts.
func (i Info) Subject() string { return i.Provider + "/" + i.Name }

// infoColumns are those of [Info], in the order of its fields.
const infoColumns = `provider, name, state, reason, version, version_at, fingerprint, keeper, source, handle, expires_at,
	account, weight, tenants, created_at, updated_at`

// Version is a version of a key that is not the one in use.
type Version struct {
	Number int    `json:"version"`
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	Handle string `json:"handle,omitempty"`
	// Rotation is the one that made it, if one did.
	Rotation  string     `json:"rotation,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}
