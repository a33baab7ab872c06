package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/rotation"
)

// PromoteInput says what is promoted.
type PromoteInput struct {
	Rotation rotation.Rotation `json:"rotation"`
	// FormerWorks says that the provider takes the former key as before, so that there is something to go back to.
	FormerWorks bool `json:"former_works"`
}

// PromoteKey puts the minted version into use.
func (r *Rotation) PromoteKey(ctx context.Context, in PromoteInput) (at time.Time, err error) {
	if err := r.step(ctx, in.Rotation, rotation.Promote); err != nil {
		return time.Time{}, err
	}
	if err := r.cfg.Vault.Promote(ctx, in.Rotation, in.FormerWorks); err != nil {
		return time.Time{}, r.storageError(err)
	}
	r.cfg.Logger.InfoContext(ctx, "key promoted", "key", in.Rotation.Subject(), "rotation", in.Rotation.ID, "version", in.Rotation.Version)
	return r.cfg.Now(), nil
}

// DrainInput asks what is still in flight.
type DrainInput struct {
	Rotation rotation.Rotation `json:"rotation"`
	// Before is when the last call may have begun with the former key.
	Before time.Time `json:"before"`
}

// Draining is how the former key drains.
type Draining struct {
	InFlight int `json:"in_flight"`
	// State is that of the version that was promoted: active, unless something has happened to it.
	State string `json:"state"`
}

// DrainKey looks how many calls are in flight that may have been begun with the former key, and how the new one does.
func (r *Rotation) DrainKey(ctx context.Context, in DrainInput) (Draining, error) {
	if err := r.step(ctx, in.Rotation, rotation.Drain); err != nil {
		return Draining{}, err
	}
	version, err := r.cfg.Vault.Open(ctx, in.Rotation.Provider, in.Rotation.Name, in.Rotation.Version)
	if err != nil && version.State == "" { // that it cannot be opened now does not matter
		return Draining{}, r.storageError(err)
	}
	count, err := r.cfg.Flights.CallsInFlight(ctx, in.Rotation.Provider, in.Before)
	if err != nil {
		return Draining{}, storeError(err)
	}
	return Draining{InFlight: count, State: version.State}, nil
}

// RevokeFormer erases the former key, and has its provider revoke it, if the new one is in use. It gives what is left to be done by
// hand, if anything is.
func (r *Rotation) RevokeFormer(ctx context.Context, in rotation.Rotation) (left string, err error) {
	defer alive(ctx)()
	if err := r.step(ctx, in, rotation.Revoke); err != nil {
		return "", err
	}
	inUse, err := r.cfg.Vault.InUse(ctx, in.Provider, in.Name)
	if err != nil {
		return "", r.storageError(err)
	}
	if inUse != in.Version {
		return fmt.Sprintf("version %d is in use by now, so version %d was not revoked: do so at its provider by hand, if it is not wanted", inUse, in.Former), nil
	}
	plan, request, err := r.request(ctx, in)
	if err != nil {
		return "", err
	}
	former := request.Handle
	fresh, err := r.cfg.Vault.Open(ctx, in.Provider, in.Name, in.Version)
	if err != nil {
		return "", r.storageError(err)
	}
	request.Current, request.Handle = fresh.Secret, fresh.Handle // a key that revokes itself could not do so again
	why := "revoked at its provider by rotation " + in.ID
	if former == "" {
		left, why = "what the provider calls the former key is not known: revoke it there by hand", "put out of use by rotation "+in.ID+"; at its provider it is to be revoked by hand"
	}
	// From here on nobody can put it back into use.
	if err := r.cfg.Vault.Retire(ctx, in, why); err != nil {
		return "", r.storageError(err)
	}
	if former != "" && former != fresh.Handle {
		if err := plan.Minter.Revoke(ctx, request, former); err != nil {
			return "", minterError(err)
		}
	}
	r.cfg.Logger.InfoContext(ctx, "former key revoked", "key", in.Subject(), "rotation", in.ID, "version", in.Former, "left", left)
	return left, nil
}

// revokedState is a version's of which nothing is left.
const revokedState = "revoked"

// UndoInput says why a rotation is undone.
type UndoInput struct {
	Rotation rotation.Rotation `json:"rotation"`
	Why      string            `json:"why"`
}

// UndoRotation puts the former version back into use, if it is not and its provider takes it, and takes what was minted away at its
// provider, and erases it. What is in use is never taken away: kept then says why.
func (r *Rotation) UndoRotation(ctx context.Context, in UndoInput) (kept string, err error) {
	defer alive(ctx)()
	if err := r.step(ctx, in.Rotation, rotation.Undo); err != nil {
		return "", err
	}
	inUse, err := r.cfg.Vault.InUse(ctx, in.Rotation.Provider, in.Rotation.Name)
	if err != nil {
		return "", r.storageError(err)
	}
	if inUse == in.Rotation.Version {
		works, err := r.works(ctx, in.Rotation, in.Rotation.Former)
		switch {
		case err != nil:
			return "", err
		case !works:
			return "the former key is not taken any more, so the new one stays in use", nil
		}
		if err := r.cfg.Vault.Undo(ctx, in.Rotation, in.Why); err != nil {
			return "", r.storageError(err)
		}
		inUse = in.Rotation.Former
	}
	return r.takeAway(ctx, in, inUse)
}

// takeAway takes what was minted away at its provider, and erases it, while version inUse is in use.
func (r *Rotation) takeAway(ctx context.Context, in UndoInput, inUse int) (kept string, err error) {
	plan, request, err := r.request(ctx, in.Rotation)
	if err != nil {
		return "", err
	}
	fresh, err := r.cfg.Vault.Open(ctx, in.Rotation.Provider, in.Rotation.Name, in.Rotation.Version)
	if err != nil {
		return "", r.storageError(err)
	}
	current, err := r.cfg.Vault.Open(ctx, in.Rotation.Provider, in.Rotation.Name, inUse)
	if err != nil {
		return "", r.storageError(err)
	}
	if inUse != in.Rotation.Former && fresh.State != revokedState && (current.Secret == fresh.Secret || fresh.Handle != "" && current.Handle == fresh.Handle) {
		return fmt.Sprintf("version %d, which was set by hand, is the key that was minted", inUse), nil
	}
	request.Current, request.Handle = current.Secret, current.Handle
	if err := plan.Minter.Abandon(ctx, request); err != nil {
		return "", minterError(err)
	}
	if fresh.Handle != "" && fresh.State != revokedState && fresh.Handle != current.Handle {
		if err := plan.Minter.Revoke(ctx, request, fresh.Handle); err != nil {
			return "", minterError(err)
		}
	}
	if err := r.cfg.Vault.Erase(ctx, in.Rotation.Provider, in.Rotation.Name, in.Rotation.Version, in.Why); err != nil {
		return "", r.storageError(err)
	}
	if inUse != in.Rotation.Former {
		return fmt.Sprintf("version %d was set by hand meanwhile; version %d is good at its provider as before: revoke it there, if it is not wanted", inUse, in.Rotation.Former), nil
	}
	return "", nil
}

// EndInput says what came of a rotation.
type EndInput struct {
	ID      string         `json:"id"`
	State   rotation.State `json:"state"`
	Problem string         `json:"problem,omitempty"`
}

// EndRotation writes down what came of a rotation. A problem raises an alert.
func (r *Rotation) EndRotation(ctx context.Context, in EndInput) (rotation.Rotation, error) {
	ended, err := r.cfg.Vault.End(ctx, in.ID, in.State, in.Problem)
	if err != nil {
		return rotation.Rotation{}, r.storageError(err)
	}
	r.cfg.Logger.InfoContext(ctx, "key rotation ended", "key", ended.Subject(), "rotation", in.ID, "state", ended.State, "problem", ended.Error)
	return ended, nil
}
