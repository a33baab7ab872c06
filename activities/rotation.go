package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
)

// ErrTypeRefused is the type of error for what another try cannot mend.
const ErrTypeRefused = "refused"

// RotationVault is where keys and their rotations are. Package keys implements it.
type RotationVault interface {
	Begin(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error)
	Step(ctx context.Context, id string, step rotation.Step) error
	Keep(ctx context.Context, r rotation.Rotation, minted rotation.Minted) error
	Open(ctx context.Context, provider, name string, version int) (rotation.Version, error)
	Promote(ctx context.Context, r rotation.Rotation, formerWorks bool) error
	Undo(ctx context.Context, r rotation.Rotation, why string) error
	Retire(ctx context.Context, r rotation.Rotation, why string) error
	Erase(ctx context.Context, provider, name string, version int, why string) error
	// InUse is the version in use.
	InUse(ctx context.Context, provider, name string) (int, error)
	// Others gives the handles of all other keys, and whether another one is the same credential.
	Others(ctx context.Context, r rotation.Rotation) (handles []string, shared bool, err error)
	// Abandoned is the rotation of the key before, if its workflow was ended from outside; ok is false if it was not.
	Abandoned(ctx context.Context, r rotation.Rotation) (left rotation.Rotation, ok bool, err error)
	End(ctx context.Context, id string, state rotation.State, problem string) (rotation.Rotation, error)
	// Final says that an error of the vault's is one that another try cannot mend.
	Final(err error) bool
}

// RotationPlan is how a key is rotated.
type RotationPlan struct {
	Policy rotation.Policy
	Minter rotation.Minter
	// Admin gives the credential that the minter asks for; ok is false where it is not in the vault.
	Admin func() (secret llm.Secret, ok bool)
}

// KeyChecker tries a provider's key, wherever the provider is called. Package routing implements it.
type KeyChecker interface {
	// Check makes a call that costs next to nothing with the key; nil says that the provider takes it. Errors are *[llm.Error].
	Check(ctx context.Context, provider string, key llm.Secret) error
}

// Undrained counts calls in flight. Package completions/store implements it.
type Undrained interface {
	// CallsInFlight counts the calls of a provider that were begun before a time and have not ended.
	CallsInFlight(ctx context.Context, provider string, before time.Time) (int, error)
}

// RotationConfig is what the activities of rotations need. Logger and Now may be nil.
type RotationConfig struct {
	Vault RotationVault
	// Plans says how a key is rotated; ok is false for one that is not.
	Plans   func(provider, name string) (plan RotationPlan, ok bool)
	Checker KeyChecker
	Flights Undrained
	Logger  *slog.Logger
	Now     func() time.Time
}

// Rotation are the activities of a rotation. Register the struct with a worker. None of them has a secret in what it is given or
// what it gives.
type Rotation struct{ cfg RotationConfig }

// NewRotation makes the activities.
func NewRotation(cfg RotationConfig) (*Rotation, error) {
	if cfg.Vault == nil || cfg.Plans == nil || cfg.Checker == nil || cfg.Flights == nil {
		return nil, errors.New("activities: a vault, plans, a checker and what is in flight are required")
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Rotation{cfg}, nil
}

// RotationBegun is what a rotation goes by.
type RotationBegun struct {
	Rotation rotation.Rotation `json:"rotation"`
	// Drain is how long calls in flight are waited for, at most.
	Drain time.Duration `json:"drain"`
	// Left is the rotation before, if its workflow was ended from outside.
	Left *rotation.Rotation `json:"left,omitempty"`
}

// BeginRotation writes down that a rotation begins.
func (r *Rotation) BeginRotation(ctx context.Context, in rotation.Rotation) (RotationBegun, error) {
	plan, ok := r.cfg.Plans(in.Provider, in.Name)
	if !ok {
		return RotationBegun{}, refusedError(rotation.ErrNoPolicy)
	}
	begun, err := r.cfg.Vault.Begin(ctx, in)
	if err != nil {
		return RotationBegun{}, r.storageError(err)
	}
	r.cfg.Logger.InfoContext(ctx, "key rotation begins", "key", in.Subject(), "rotation", in.ID, "because", in.Because, "dry_run", in.DryRun)
	answer := RotationBegun{Rotation: begun, Drain: plan.Policy.Drain}
	left, ok, err := r.cfg.Vault.Abandoned(ctx, begun)
	if err != nil {
		return RotationBegun{}, r.storageError(err)
	}
	if ok {
		answer.Left = &left
	}
	return answer, nil
}

// MintKey has a new key minted and keeps it, out of use. It gives what the provider calls it.
func (r *Rotation) MintKey(ctx context.Context, in rotation.Rotation) (handle string, err error) {
	defer alive(ctx)()
	if err := r.step(ctx, in, rotation.Mint); err != nil {
		return "", err
	}
	fresh, err := r.cfg.Vault.Open(ctx, in.Provider, in.Name, in.Version)
	if err != nil {
		return "", r.storageError(err)
	}
	if fresh.Secret != "" { // by an earlier try
		return fresh.Handle, nil
	}
	plan, request, err := r.request(ctx, in)
	if err != nil {
		return "", err
	}
	switch _, shared, err := r.cfg.Vault.Others(ctx, in); {
	case err != nil:
		return "", r.storageError(err)
	case request.Current == "":
		return "", refusedError(fmt.Errorf("nothing is left of version %d", in.Former))
	case shared || request.Handle != "" && slices.Contains(request.Keep, request.Handle):
		return "", refusedError(errors.New("another key of the vault is the same credential: what revokes one revokes both"))
	}
	minted, err := plan.Minter.Mint(ctx, request)
	if err != nil {
		return "", minterError(err)
	}
	if err := r.cfg.Vault.Keep(ctx, in, minted); err != nil {
		return "", r.storageError(err)
	}
	return minted.Handle, nil
}

// CheckInput asks for versions of a key to be tried.
type CheckInput struct {
	Rotation rotation.Rotation `json:"rotation"`
	Step     rotation.Step     `json:"step"`
	Versions []int             `json:"versions"`
}

// CheckKeys tries versions of a key. The error names the one that its provider does not take.
func (r *Rotation) CheckKeys(ctx context.Context, in CheckInput) error {
	defer alive(ctx)()
	if err := r.step(ctx, in.Rotation, in.Step); err != nil {
		return err
	}
	for _, number := range in.Versions {
		version, err := r.cfg.Vault.Open(ctx, in.Rotation.Provider, in.Rotation.Name, number)
		if err != nil {
			return r.storageError(err)
		}
		if version.Secret == "" {
			return refusedError(fmt.Errorf("nothing is left of version %d", number))
		}
		if err := r.cfg.Checker.Check(ctx, in.Rotation.Provider, version.Secret); err != nil {
			return checkError(number, err)
		}
	}
	return nil
}

// checkError is what came of trying a version in vain. A new key is not known everywhere at once, so it is tried again; that no
// deployment calls its provider does not change.
func checkError(number int, err error) error {
	err = fmt.Errorf("version %d: %w", number, err)
	if failure, ok := errors.AsType[*llm.Error](err); ok && failure.Kind == llm.KindModelGone {
		return refusedError(fmt.Errorf("version %d: %s", number, failure.Detail))
	}
	return err
}

// FormerWorks says whether the provider takes the former key. That it cannot be asked is an error.
func (r *Rotation) FormerWorks(ctx context.Context, in rotation.Rotation) (bool, error) {
	defer alive(ctx)()
	if err := r.step(ctx, in, rotation.DualValid); err != nil {
		return false, err
	}
	return r.works(ctx, in, in.Former)
}

// works says whether the provider takes a version of the key, if anything is left of it.
func (r *Rotation) works(ctx context.Context, in rotation.Rotation, number int) (bool, error) {
	version, err := r.cfg.Vault.Open(ctx, in.Provider, in.Name, number)
	switch {
	case err != nil:
		return false, r.storageError(err)
	case version.Secret == "":
		return false, nil
	}
	err = r.cfg.Checker.Check(ctx, in.Provider, version.Secret)
	if llm.KindOf(err) == llm.KindCredential {
		return false, nil
	}
	return err == nil, err
}

// request is what a minter is asked.
func (r *Rotation) request(ctx context.Context, in rotation.Rotation) (RotationPlan, rotation.Request, error) {
	plan, ok := r.cfg.Plans(in.Provider, in.Name)
	if !ok {
		return RotationPlan{}, rotation.Request{}, rotation.ErrNoPolicy // another worker may know: it began so
	}
	former, err := r.cfg.Vault.Open(ctx, in.Provider, in.Name, in.Former)
	if err != nil {
		return RotationPlan{}, rotation.Request{}, r.storageError(err)
	}
	others, _, err := r.cfg.Vault.Others(ctx, in)
	if err != nil {
		return RotationPlan{}, rotation.Request{}, r.storageError(err)
	}
	request := rotation.Request{ID: in.ID, Began: in.StartedAt, Provider: in.Provider, Name: in.Name, Current: former.Secret, Handle: former.Handle, Keep: others}
	if plan.Admin != nil {
		if request.Admin, ok = plan.Admin(); !ok {
			return RotationPlan{}, rotation.Request{}, errors.New("the credential of the provider's administration is not in the vault, or not usable")
		}
	}
	return plan, request, nil
}

// step writes down which step is under way.
func (r *Rotation) step(ctx context.Context, in rotation.Rotation, step rotation.Step) error {
	return r.storageError(r.cfg.Vault.Step(ctx, in.ID, step))
}

func (r *Rotation) storageError(err error) error {
	switch {
	case err == nil:
		return nil
	case r.cfg.Vault.Final(err):
		return refusedError(err)
	default:
		return storeError(err)
	}
}

// alive tells Temporal that the activity is at work until its end is called: one whose process died is noticed by its silence.
func alive(ctx context.Context) (end func()) {
	if !activity.IsActivity(ctx) {
		return func() {}
	}
	return beat(ctx, activity.GetInfo(ctx).HeartbeatTimeout/3)
}

// minterError is an error of a minter's as Temporal is to take it.
func minterError(err error) error {
	if errors.Is(err, rotation.ErrRefused) {
		return refusedError(err)
	}
	return err
}

func refusedError(err error) error {
	return temporal.NewNonRetryableApplicationError(err.Error(), ErrTypeRefused, nil)
}
