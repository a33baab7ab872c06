package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
	"github.com/holdfast-dev/holdfast/workflows"
)

var errFinal = errors.New("it is not to be mended")

// keyStand is a vault, a provider and its administration, as far as a rotation sees them. What is done stands in did.
type keyStand struct {
	did []string
	// fails says how often a step fails before it goes well; -1 is for ever.
	fails map[string]int
	// refused are the secrets that the provider does not take.
	refused  map[llm.Secret]bool
	versions map[int]*rotation.Version
	current  int
	flights  []int
	ended    rotation.Rotation
	// left is a rotation whose workflow was ended from outside, shared that another key is the same credential.
	left      rotation.Rotation
	shared    bool
	restoreAt string
	events    func(step string)
}

func newKeyStand() *keyStand {
	return &keyStand{
		fails: map[string]int{}, refused: map[llm.Secret]bool{}, current: 1,
		versions: map[int]*rotation.Version{1: {Number: 1, State: "active", Handle: "h1", Secret: "old"}, 2: {Number: 2, State: "pending"}},
	}
}

// does notes a step, and fails it if that is wanted.
func (k *keyStand) does(step string) error {
	if k.events != nil {
		k.events(step)
	}
	if n := k.fails[step]; n != 0 {
		k.fails[step] = n - 1
		if n < 0 {
			k.fails[step] = n
			return errFinal
		}
		return errors.New(step + " fails")
	}
	k.did = append(k.did, step)
	return nil
}

func (k *keyStand) Begin(_ context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	r.Former, r.Version, r.State = 1, 2, rotation.Running
	return r, k.does("begin")
}

// Step is where an operator's hand may come between: restoreAt names the step at which the former key is put back.
func (k *keyStand) Step(_ context.Context, _ string, step rotation.Step) error {
	if string(step) == k.restoreAt && k.current == 2 || k.restoreAt == "promote" && step == rotation.Drain {
		k.current, k.versions[1].State, k.versions[2].State, k.restoreAt = 1, "active", "draining", ""
	}
	return nil
}
func (*keyStand) Final(err error) bool { return errors.Is(err, errFinal) }

func (k *keyStand) Keep(_ context.Context, _ rotation.Rotation, minted rotation.Minted) error {
	k.versions[2].Secret, k.versions[2].Handle = minted.Key, minted.Handle
	return k.does("keep")
}

func (k *keyStand) Open(_ context.Context, _, _ string, version int) (rotation.Version, error) {
	return *k.versions[version], nil
}

func (k *keyStand) InUse(context.Context, string, string) (int, error) { return k.current, nil }

func (k *keyStand) Others(context.Context, rotation.Rotation) ([]string, bool, error) {
	return nil, k.shared, nil
}

func (k *keyStand) Abandoned(context.Context, rotation.Rotation) (rotation.Rotation, bool, error) {
	return k.left, k.left.ID != "", nil
}

func (k *keyStand) Retire(ctx context.Context, r rotation.Rotation, why string) error {
	if k.current != r.Version {
		return errFinal
	}
	return k.Erase(ctx, "", "", r.Former, why)
}

func (k *keyStand) Promote(context.Context, rotation.Rotation, bool) error {
	if err := k.does("promote"); err != nil {
		return err
	}
	k.current, k.versions[1].State, k.versions[2].State = 2, "draining", "active"
	return nil
}

func (k *keyStand) Undo(context.Context, rotation.Rotation, string) error {
	if k.current == 1 {
		return errFinal
	}
	k.current, k.versions[1].State, k.versions[2].State = 1, "active", "draining"
	return k.does("undo")
}

func (k *keyStand) Erase(_ context.Context, _, _ string, version int, _ string) error {
	k.versions[version].Secret, k.versions[version].State = "", "revoked"
	return k.does(fmt.Sprintf("erase %d", version))
}

func (k *keyStand) End(_ context.Context, id string, state rotation.State, problem string) (rotation.Rotation, error) {
	k.ended = rotation.Rotation{ID: id, State: state, Error: problem}
	return k.ended, k.does("end " + string(state))
}

func (k *keyStand) Mint(context.Context, rotation.Request) (rotation.Minted, error) {
	return rotation.Minted{Key: "new", Handle: "h2"}, k.does("mint")
}

func (k *keyStand) Abandon(context.Context, rotation.Request) error { return k.does("abandon") }

func (k *keyStand) Revoke(_ context.Context, _ rotation.Request, handle string) error {
	if err := k.does("revoke " + handle); err != nil {
		return err
	}
	k.refused[map[string]llm.Secret{"h0": "older", "h1": "old", "h2": "new", "h3": "left"}[handle]] = true
	return nil
}

func (k *keyStand) Check(_ context.Context, _ string, key llm.Secret) error {
	if err := k.does("check"); err != nil {
		return err
	}
	if k.refused[key] {
		return &llm.Error{Kind: llm.KindCredential, Provider: "openai"}
	}
	return nil
}

func (k *keyStand) CallsInFlight(context.Context, string, time.Time) (int, error) {
	if len(k.flights) == 0 {
		return 0, nil
	}
	count := k.flights[0]
	k.flights = k.flights[1:]
	return count, nil
}

// rotate runs a rotation, with time skipped, and checks what must be true whatever comes of it: the key in use is one that the
// provider takes.
func (k *keyStand) rotate(t *testing.T, in workflows.KeyRotationInput, prepare func(*testsuite.TestWorkflowEnvironment)) rotation.Rotation {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	workflows.RegisterOperations(env)
	acts, err := activities.NewRotation(activities.RotationConfig{
		Vault: k, Checker: k, Flights: k, Now: env.Now,
		Plans: func(string, string) (activities.RotationPlan, bool) {
			return activities.RotationPlan{Minter: k, Policy: rotation.Policy{Drain: 10 * time.Minute}}, true
		},
	})
	require.NoError(t, err)
	env.RegisterActivity(acts)
	if prepare != nil {
		prepare(env)
	}
	in.Provider, in.Name = "openai", "main"
	env.ExecuteWorkflow(workflows.KeyRotationWorkflow, in)
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	var ended rotation.Rotation
	require.NoError(t, env.GetWorkflowResult(&ended))
	secret := k.versions[k.current].Secret
	require.NotEmpty(t, secret, "nothing is left of the key in use")
	if ended.State != rotation.Failed {
		require.False(t, k.refused[secret], "the provider does not take the key in use")
	}
	return ended
}

func TestARotationTakesItsStepsInOrder(t *testing.T) {
	t.Parallel()
	k := newKeyStand()
	k.flights = []int{3, 1, 0}
	ended := k.rotate(t, workflows.KeyRotationInput{Because: "it is old"}, nil)
	require.Equal(t, rotation.Done, ended.State)
	require.Empty(t, ended.Error)
	require.Equal(t, []string{
		"begin", "mint", "keep", "check", "check", "check", "check", "check", "promote", "check", "erase 1", "revoke h1", "end done",
	}, k.did)
	require.Equal(t, 2, k.current)
}

func TestARehearsalLeavesTheKeyInUse(t *testing.T) {
	t.Parallel()
	k := newKeyStand()
	ended := k.rotate(t, workflows.KeyRotationInput{DryRun: true}, nil)
	require.Equal(t, rotation.Rehearsed, ended.State)
	require.Equal(t, 1, k.current)
	require.NotContains(t, k.did, "promote")
	require.NotContains(t, k.did, "revoke h1")
	require.Contains(t, k.did, "revoke h2")
	require.Equal(t, "revoked", k.versions[2].State)
}

// What fails for a while is done at last, and only once what may be done once only.
func TestARotationGetsOverFailuresForAWhile(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"begin", "mint", "keep", "check", "promote", "revoke h1", "erase 1", "end done"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			k := newKeyStand()
			k.fails[step] = 2
			require.Equal(t, rotation.Done, k.rotate(t, workflows.KeyRotationInput{}, nil).State)
			require.Equal(t, 2, k.current)
			require.Equal(t, "revoked", k.versions[1].State)
		})
	}
}

// What fails for good is undone, and the key in use works.
func TestAFailedStepIsUndone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(k *keyStand)
		want    rotation.State
		current int
		problem string
	}{
		{"nothing is minted", func(k *keyStand) { k.fails["mint"] = 1_000_000 }, rotation.Undone, 1, "mint fails"},
		{"the new key is refused", func(k *keyStand) { k.refused["new"] = true }, rotation.Undone, 1, "credential"},
		{"the new key is refused after a while", func(k *keyStand) {
			k.events = func(step string) { k.refused["new"] = step == "check" && len(k.did) > 4 }
		}, rotation.Undone, 1, "credential"},
		{"another was put in its place", func(k *keyStand) { k.fails["promote"] = -1 }, rotation.Undone, 1, "not to be mended"},
		{"it is refused in use", func(k *keyStand) {
			k.flights = []int{1, 1}
			k.events = func(string) {
				if k.current == 2 {
					k.refused["new"] = true
				}
			}
		}, rotation.Undone, 1, "credential"},
		{"the former key is refused before, and the new one in use", func(k *keyStand) {
			k.refused["old"] = true
			k.events = func(string) {
				if k.current == 2 {
					k.refused["new"] = true
				}
			}
		}, rotation.Failed, 2, "the new one stays in use"},
		{"whether the former key is taken cannot be told", func(k *keyStand) {
			k.events = func(step string) {
				if step == "check" && len(k.did) > 6 {
					k.fails["check"] = 1_000_000
				}
			}
		}, rotation.Undone, 1, "trying the former key"},
		{"another key is the same credential", func(k *keyStand) { k.shared = true }, rotation.Undone, 1, "same credential"},
		{"the former cannot be revoked", func(k *keyStand) { k.fails["revoke h1"] = 1_000_000 }, rotation.Done, 2, "by hand"},
		{"what its provider calls the former is not known", func(k *keyStand) { k.versions[1].Handle = "" }, rotation.Done, 2, "by hand"},
		{"nothing can be taken away", func(k *keyStand) { k.fails["mint"], k.fails["abandon"] = 1_000_000, 1_000_000 }, rotation.Failed, 1, "could not be taken away"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := newKeyStand()
			c.prepare(k)
			ended := k.rotate(t, workflows.KeyRotationInput{}, nil)
			require.Equal(t, c.want, ended.State, ended.Error)
			require.Contains(t, ended.Error, c.problem)
			require.Equal(t, c.current, k.current)
			if c.want == rotation.Undone {
				require.Contains(t, k.did, "abandon")
				require.Equal(t, "revoked", k.versions[2].State)
				require.False(t, k.refused["old"], "the former key was revoked")
			}
		})
	}
}

// Whatever an operator puts into use meanwhile is not taken away.
func TestWhatAnOperatorPutsIntoUseStays(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"promote", "drain", "revoke"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			k := newKeyStand()
			k.flights = []int{1, 0}
			k.restoreAt = at
			ended := k.rotate(t, workflows.KeyRotationInput{}, nil)
			require.NotEqual(t, rotation.Running, ended.State)
			require.NotEmpty(t, ended.Error)
			require.Equal(t, 1, k.current)
			require.NotContains(t, k.did, "revoke h1")
			require.NotContains(t, k.did, "erase 1")
		})
	}
}

// What a rotation has left whose workflow was ended from outside is done first: what it has minted is taken away, or, if that is in
// use, what it was to replace revoked.
func TestTheNextRotationTakesAwayWhatIsLeft(t *testing.T) {
	t.Parallel()
	k := newKeyStand()
	k.versions[3] = &rotation.Version{Number: 3, State: "pending", Handle: "h3", Secret: "left"}
	k.left = rotation.Rotation{ID: "before", Provider: "openai", Name: "main", Former: 1, Version: 3}
	require.Equal(t, rotation.Done, k.rotate(t, workflows.KeyRotationInput{}, nil).State)
	require.Contains(t, k.did, "revoke h3")

	k = newKeyStand()
	k.versions[0] = &rotation.Version{Number: 0, State: "draining", Handle: "h0", Secret: "older"}
	k.left = rotation.Rotation{ID: "before", Provider: "openai", Name: "main", Former: 0, Version: 1}
	require.Equal(t, rotation.Done, k.rotate(t, workflows.KeyRotationInput{}, nil).State)
	require.Contains(t, k.did, "revoke h0")
}

// Cancelled at any moment, it is undone, or done with.
func TestACancelledRotationLeavesAKeyThatWorks(t *testing.T) {
	t.Parallel()
	for after := time.Duration(0); after < 30*time.Second; after += 900 * time.Millisecond {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			k := newKeyStand()
			k.flights = []int{5, 5}
			ended := k.rotate(t, workflows.KeyRotationInput{}, func(env *testsuite.TestWorkflowEnvironment) {
				env.RegisterDelayedCallback(env.CancelWorkflow, after)
			})
			require.True(t, slices.Contains([]rotation.State{rotation.Undone, rotation.Done}, ended.State), ended.State)
		})
	}
}

// Calls that never end are not waited for for ever.
func TestDrainingHasAnEnd(t *testing.T) {
	t.Parallel()
	k := newKeyStand()
	for range 1000 {
		k.flights = append(k.flights, 1)
	}
	require.Equal(t, rotation.Done, k.rotate(t, workflows.KeyRotationInput{}, nil).State)
	require.Greater(t, len(k.flights), 800)
}
