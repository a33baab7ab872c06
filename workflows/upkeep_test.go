package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
	"github.com/holdfast-dev/holdfast/workflows"
)

// watchedKeys are keys to be looked after, and what was done about them.
type watchedKeys struct {
	keys []rotation.Key
	now  time.Time
	mu   sync.Mutex
	did  []string
}

func (w *watchedKeys) Watched(context.Context) ([]rotation.Key, time.Time, error) {
	return w.keys, w.now, nil
}

func (w *watchedKeys) Open(_ context.Context, _, name string, version int) (rotation.Version, error) {
	return rotation.Version{Number: version, Secret: llm.Secret(name)}, nil
}

func (w *watchedKeys) Verified(_ context.Context, key rotation.Key, works bool, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, fmt.Sprintf("%s works: %t", key.Subject(), works))
	return nil
}

func (w *watchedKeys) Expiring(_ context.Context, key rotation.Key, span time.Duration, rotated bool) error {
	w.did = append(w.did, fmt.Sprintf("%s ends within %s, rotated: %t", key.Subject(), span, rotated))
	return nil
}

func (w *watchedKeys) Check(_ context.Context, _ string, key llm.Secret) error {
	if key == "bad" {
		return &llm.Error{Kind: llm.KindCredential, Provider: "openai"}
	}
	return nil
}

// lookAfter runs one round at a time, and lists the rotations that it starts.
func (w *watchedKeys) lookAfter(t *testing.T, now time.Time, policies map[string]rotation.Policy) (started []string) {
	t.Helper()
	w.now = now
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.RegisterOperations(env)
	acts, err := activities.NewUpkeep(activities.UpkeepConfig{
		Vault: w, Checker: w, Expiry: []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour},
		Policy: func(provider, name string) (rotation.Policy, bool) {
			policy, ok := policies[provider+"/"+name]
			return policy, ok
		},
	})
	require.NoError(t, err)
	env.RegisterActivity(acts)
	env.OnWorkflow(workflows.KeyRotationWorkflow, mock.Anything, mock.Anything).Return(
		func(ctx workflow.Context, in workflows.KeyRotationInput) (rotation.Rotation, error) {
			require.Equal(t, workflows.KeyRotationID(in.Provider, in.Name), workflow.GetInfo(ctx).WorkflowExecution.ID)
			started = append(started, in.Name+": "+in.Because)
			return rotation.Rotation{}, nil
		}).Maybe()
	env.ExecuteWorkflow(workflows.KeyUpkeepWorkflow)
	require.NoError(t, env.GetWorkflowError())
	return started
}

func TestKeysAreLookedAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	soon, later := now.Add(3*24*time.Hour), now.Add(400*24*time.Hour)
	w := &watchedKeys{keys: []rotation.Key{
		{Provider: "openai", Name: "main", State: "active", Since: now.Add(-31 * 24 * time.Hour), ExpiresAt: &later},
		{Provider: "openai", Name: "young", State: "active", Since: now.Add(-time.Hour)},
		{Provider: "openai", Name: "ending", State: "active", ExpiresAt: &soon},
		{Provider: "openai", Name: "rotated", State: "active", Since: now, ExpiresAt: &soon},
		{Provider: "openai", Name: "off", State: "disabled", ExpiresAt: &soon},
		{Provider: "openai", Name: "good", State: "quarantined", Verify: true},
		{Provider: "openai", Name: "bad", State: "quarantined", Verify: true},
		{Provider: "openai", Name: "resting", State: "quarantined"},
	}}
	policies := map[string]rotation.Policy{
		"openai/main": {Every: 30 * 24 * time.Hour}, "openai/young": {Every: 30 * 24 * time.Hour}, "openai/rotated": {BeforeExpiry: 7 * 24 * time.Hour},
	}
	started := w.lookAfter(t, now, policies)
	require.ElementsMatch(t, []string{"main: it is in use since 2026-02-28T12:00:00Z", "rotated: it ends at 2026-04-03T12:00:00Z"}, started)
	require.ElementsMatch(t, []string{
		"openai/ending ends within 168h0m0s, rotated: false", "openai/rotated ends within 168h0m0s, rotated: true",
		"openai/good works: true", "openai/bad works: false",
	}, w.did)
}

// A year of rounds, some of which are missed for weeks: each rotation that is due is started, and one only.
func TestMissedRoundsAreMadeUpForOnce(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	begin := time.Date(2026, 1, 15, 0, 0, 0, 0, berlin)
	w := &watchedKeys{keys: []rotation.Key{{Provider: "openai", Name: "main", State: "active", Since: begin}}}
	policies := map[string]rotation.Policy{"openai/main": {At: "30 2 29 * *", Zone: berlin}}
	var times []string
	for now := begin; now.Before(begin.AddDate(1, 0, 0)); now = now.Add(6 * time.Hour) {
		if now.Month() >= time.July && now.Month() <= time.September { // nobody looks
			continue
		}
		if started := w.lookAfter(t, now, policies); len(started) > 0 {
			times = append(times, now.Format("01-02 15h"))
			w.keys[0].Since = now
		}
	}
	// None in February, which has no 29th; that of July to September is made up for in October, once.
	require.Equal(t, []string{"01-29 06h", "03-29 07h", "04-29 07h", "05-29 07h", "06-29 07h", "10-01 01h", "10-29 06h", "11-29 06h", "12-29 06h"}, times)
}

var errAway = errors.New("the database is away")

// A round that fails is the next one's work.
func TestARoundThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	workflows.RegisterOperations(env)
	acts, err := activities.NewUpkeep(activities.UpkeepConfig{
		Vault: &brokenVault{}, Checker: &watchedKeys{}, Policy: func(string, string) (rotation.Policy, bool) { return rotation.Policy{}, false },
	})
	require.NoError(t, err)
	env.RegisterActivity(acts)
	env.ExecuteWorkflow(workflows.KeyUpkeepWorkflow)
	require.ErrorContains(t, env.GetWorkflowError(), "the database is away")
}

type brokenVault struct{ watchedKeys }

func (*brokenVault) Watched(context.Context) ([]rotation.Key, time.Time, error) {
	return nil, time.Time{}, errAway
}
