package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
	_ "time/tzdata" // calendars of rotations name time zones, which a bare machine does not know

	"go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/keys/mint"
	"github.com/holdfast-dev/holdfast/launch"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
	"github.com/holdfast-dev/holdfast/workflows"
)

// rotations are how the keys of a configuration are replaced, by provider/name. It starts them, too.
type rotations struct {
	plans    map[string]activities.RotationPlan
	vault    *keys.Vault
	temporal client.Client
}

// newRotations joins what the configuration says with the vault's keys.
func newRotations(cfg config.Keys, vault *keys.Vault, temporal client.Client) (*rotations, error) {
	r := &rotations{plans: map[string]activities.RotationPlan{}, vault: vault, temporal: temporal}
	for _, each := range cfg.Rotations {
		key := each.Provider + "/" + each.Name
		minter, err := newMinter(each.Mint)
		if err != nil {
			return nil, fmt.Errorf("holdfast.keys.rotation.%s.mint.%w", key, err)
		}
		plan := activities.RotationPlan{Policy: each.Policy, Minter: minter}
		if each.Mint.AdminName != "" {
			plan.Admin = func() (llm.Secret, bool) { return secretOf(vault, each.Mint.AdminProvider, each.Mint.AdminName) }
		}
		r.plans[key] = plan
	}
	return r, nil
}

// newMinter makes the minter of a setting. The error begins with the setting's name.
func newMinter(m config.Mint) (rotation.Minter, error) {
	if mint.NeedsAdmin(m.Kind) && m.AdminName == "" {
		return nil, &mint.SettingError{Setting: "admin", Problem: "is missing: it names the vault's key that " + m.Kind + " administers keys by, such as " + m.Kind + "-admin/main"}
	}
	return mint.New(mint.Settings{
		Kind: m.Kind, Project: m.Project, User: m.User, Resource: m.Resource, APIVersion: m.APIVersion, URL: m.URL, Command: m.Command,
		Endpoint: m.Endpoint, Timeout: m.Timeout,
	}, http.DefaultClient)
}

// secretOf is a key that is in use, by its provider and name.
func secretOf(vault *keys.Vault, provider, name string) (llm.Secret, bool) {
	for _, key := range vault.Keys(provider) {
		if key.Name == name {
			return key.Secret, true
		}
	}
	return "", false
}

func (r *rotations) plan(provider, name string) (activities.RotationPlan, bool) {
	plan, ok := r.plans[provider+"/"+name]
	return plan, ok
}

func (r *rotations) policy(provider, name string) (rotation.Policy, bool) {
	plan, ok := r.plan(provider, name)
	return plan.Policy, ok
}

// Rotate starts the rotation of a key.
func (r *rotations) Rotate(ctx context.Context, provider, name string, dryRun bool, because string) (string, error) {
	key, err := r.vault.Describe(ctx, provider, name)
	if err != nil {
		return "", err
	}
	if _, ok := r.plan(provider, name); !ok {
		return "", rotation.ErrNoPolicy
	}
	switch {
	case key.State != keys.StateActive && key.State != keys.StateQuarantined:
		return "", keys.ErrChanged
	case key.Source != "":
		return "", keys.ErrElsewhere
	}
	id, err := launch.Rotation(ctx, r.temporal, workflows.KeyRotationInput{Provider: provider, Name: name, Because: because, DryRun: dryRun})
	if errors.Is(err, launch.ErrRotating) {
		return "", keys.ErrRotating
	}
	return id, err
}

// keyActivities are the activities that look after keys and replace them.
func (r *rotations) keyActivities(checker activities.KeyChecker, flights activities.Undrained, expiry []time.Duration, logger *slog.Logger) ([]any, error) {
	rotate, err := activities.NewRotation(activities.RotationConfig{Vault: r.vault, Plans: r.plan, Checker: checker, Flights: flights, Logger: logger})
	if err != nil {
		return nil, err
	}
	upkeep, err := activities.NewUpkeep(activities.UpkeepConfig{Vault: r.vault, Checker: checker, Policy: r.policy, Expiry: expiry, Logger: logger})
	if err != nil {
		return nil, err
	}
	return []any{rotate, upkeep}, nil
}
