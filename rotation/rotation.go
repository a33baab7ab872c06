// Package rotation is about replacing provider keys: when it is due, what its steps are, and the words for both. It is pure.
package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Rotation is one rotation of a key, as it stands.
type Rotation struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Name     string `json:"name"`
	State    State  `json:"state"`
	// Step is the one that is under way, or was the last.
	Step Step `json:"step"`
	// Because is why it was begun.
	Because string `json:"because"`
	// DryRun leaves the key in use as it is: the new one is minted and tried, and taken away again.
	DryRun bool `json:"dry_run"`
	// Former and Version are the versions before and after.
	Former    int        `json:"former"`
	Version   int        `json:"version"`
	Error     string     `json:"error,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// Subject names the key, as provider/name.
func (r Rotation) Subject() string { return r.Provider + "/" + r.Name }

// State is how far a rotation has come.
type State string

// The states.
const (
	Running State = "running"
	// Done: the new key is in use. An error beside it says what is left to be done by hand.
	Done State = "done"
	// Rehearsed: all went well, and nothing has changed, as it was to be.
	Rehearsed State = "rehearsed"
	// Undone: the former key is in use, and nothing is left of the new one.
	Undone State = "undone"
	// Failed: the former key is in use, and something may be left of the new one.
	Failed State = "failed"
)

// Step is a step of a rotation.
type Step string

// The steps, in their order. Undo is in the place of what follows a step that failed.
const (
	Mint      Step = "mint"
	Verify    Step = "verify"
	DualValid Step = "dual_valid"
	Promote   Step = "promote"
	Drain     Step = "drain"
	Confirm   Step = "confirm"
	Revoke    Step = "revoke"
	Undo      Step = "undo"
)

// Key is what is known of a key in the vault, for deciding what is to be done about it.
type Key struct {
	Provider string
	Name     string
	// State is as package keys has it; Version is the one in use, and Since when.
	State   string
	Version int
	Since   time.Time
	// ExpiresAt is when it ends; nil if that is not known.
	ExpiresAt *time.Time
	// Elsewhere says that it is read from elsewhere.
	Elsewhere bool
	// Verify says that it is quarantined, and its time to be tried again has come.
	Verify bool
	// Failures are the rotations in a row, since it is in use, that came to nothing; Tried is when the last one ended. Rotating
	// says that one runs.
	Failures int
	Tried    *time.Time
	Rotating bool
}

// Subject names the key, as provider/name.
func (k Key) Subject() string { return k.Provider + "/" + k.Name }

// Version is a version of a key, in use or not, in clear.
type Version struct {
	Number int
	// State is as package keys has it.
	State string
	// Handle is what the provider calls it.
	Handle string
	// Secret is empty before it is minted, and after it is erased.
	Secret llm.Secret
}

// Minter makes credentials of one kind and takes them away. Its methods may be called again after a crash that left it unknown
// whether they had done their work. Their errors say what to do and never quote a secret or a body; one that another try cannot
// mend is [ErrRefused].
type Minter interface {
	// Mint makes a credential. Where an earlier call for the same [Request.ID] has made one whose secret was lost, that one is
	// taken away first, so that none is left behind.
	Mint(ctx context.Context, request Request) (Minted, error)
	// Abandon takes away what calls of Mint for the request have made, and nothing else. Nothing made is no error.
	Abandon(ctx context.Context, request Request) error
	// Revoke takes a credential away, by its handle. One that is gone is no error.
	Revoke(ctx context.Context, request Request, handle string) error
}

// Request says which key is rotated.
type Request struct {
	// ID is the rotation's: the same at every try, and another for every rotation.
	ID string
	// Began is when the rotation began, by the clock of who asks. Where a vendor's credentials bear no label, one that is about as
	// old as the rotation, or younger, is taken for its own; without it none is.
	Began time.Time
	// Provider and Name are those of the key in the vault.
	Provider, Name string
	// Admin is the credential that the vendor's administration asks for; empty for a minter that needs none.
	Admin llm.Secret
	// Current is the key in use, and Handle what its provider calls it, if that is known.
	Current llm.Secret
	Handle  string
	// Keep are the handles of all other keys in the vault, in use or not: whatever has one of them was made by somebody else.
	Keep []string
}

// Minted is a new credential.
type Minted struct {
	Key llm.Secret
	// Handle is what the provider calls it: no secret, and enough to revoke it.
	Handle string
	// Former is what the provider calls the key that was in use; empty if the minter cannot tell, and [Request.Handle] is too.
	Former string
	// ExpiresAt is when it ends; zero if it does not.
	ExpiresAt time.Time
}

// ErrRefused marks an error of a [Minter] that another try cannot mend: the admin credential is refused, a limit is reached, a
// setting is wrong.
var ErrRefused = errors.New("refused")

// ErrNoPolicy says that nobody knows how a key is minted.
var ErrNoPolicy = errors.New("it is not configured how the key is minted")
