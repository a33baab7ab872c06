package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// adminKey is what the simulated vendors' administrations take.
const adminKey = "sk-admin-e2e-4fGhJkL9pQwErTy"

const rotatedProject = "proj_e2e"

// rotated is an instance whose only key of OpenAI is minted by the vendor's administration.
type rotated struct {
	*instance
	providers providers
	config    string
	// first is the key that was there before.
	first simulator.Credential
	db    *pgx.Conn
}

// rotating starts one. The vendor takes what its administration has made, and nothing else.
func rotating(t *testing.T) *rotated {
	t.Helper()
	providers := simulate(t)
	administration := httptest.NewServer(providers.Administration())
	t.Cleanup(administration.Close)
	t.Cleanup(administration.CloseClientConnections)
	r := &rotated{providers: providers, first: providers.Administer(simulator.AdminOpenAI, rotatedProject, administration.URL)}
	r.config = providers.configWith(t, settings{
		router: "disable_cooldowns: true, num_retries: 0",
		holdfast: fmt.Sprintf(`keys: {rotation: {openai/main: {every: 3650d, mint: {kind: openai, project: %s, admin: openai-admin/main, endpoint: "%s"}}}}`,
			rotatedProject, administration.URL),
	}, []string{"gpt", "openai/gpt-4.1"})
	r.instance = up(t, dataDir(t), r.config)
	r.db = r.database(t, "holdfast")
	command(t, adminKey, nil, "keys", "add", "openai-admin", "--name", "main", "--data", r.dir)
	command(t, r.first.Key, nil, "keys", "add", "openai", "--name", "main", "--handle", r.first.Handle, "--data", r.dir)
	require.Eventually(t, func() bool { return r.status(t, "Are you there?") == http.StatusOK }, soon, tick)
	return r
}

// restart starts the instance again after it was killed.
func (r *rotated) restart(t *testing.T) {
	t.Helper()
	r.instance = up(t, r.dir, r.config)
	r.db = r.database(t, "holdfast")
}

// keyRotation is a rotation as the database has it.
type keyRotation struct {
	ID, State, Step, Error string
}

// rotation is the latest of the key.
func (r *rotated) rotation(t *testing.T) (latest keyRotation) {
	t.Helper()
	row := r.db.QueryRow(within(t, soon), `SELECT id, state, step, error FROM key_rotations ORDER BY started_at DESC LIMIT 1`)
	_ = row.Scan(&latest.ID, &latest.State, &latest.Step, &latest.Error) // there may be none yet
	return latest
}

// status is what a client is told.
func (r *rotated) status(t *testing.T, prompt string) int {
	t.Helper()
	got, err := r.send(within(t, late), ask{route: "gpt", prompt: prompt})
	require.NoError(t, err)
	return got.status
}

// A rotation under load, with the former key refused from the moment that it is revoked: no client is told of it.
func TestARotationUnderLoadIsNotNoticed(t *testing.T) {
	t.Parallel()
	long(t)
	r := rotating(t)
	const clients = 200
	r.providers.takes(simulator.OpenAI, 4*time.Second)
	ctx, stop := context.WithCancel(t.Context())
	var answered atomic.Int64
	var failures sync.Map
	var crowd sync.WaitGroup
	for n := range clients {
		crowd.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				got, err := r.send(within(t, late), ask{route: "gpt", prompt: fmt.Sprintf("client %d asks %d", n, i)})
				if err != nil || got.status != http.StatusOK {
					failures.Store(fmt.Sprintf("%d: %v %d %s", n, err, got.status, got.body), true)
					return
				}
				answered.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return answered.Load() > clients }, late, tick)
	told := command(t, "", nil, "keys", "rotate", "openai", "main", "--data", r.dir)
	before := answered.Load()
	require.Eventually(t, func() bool { return answered.Load() > before+clients }, late, tick, "calls go on with the new key")
	stop()
	crowd.Wait()
	failures.Range(func(failure, _ any) bool { t.Errorf("a client was told: %v", failure); return true })
	require.Contains(t, told, "revoke")
	require.Contains(t, told, "done: version 1 before, 2 minted")

	handles := r.providers.Handles(simulator.AdminOpenAI, rotatedProject)
	require.Len(t, handles, 1)
	require.NotEqual(t, r.first.Handle, handles[0])
	refused, last := 0, ""
	for _, call := range r.providers.Completions(simulator.OpenAI) {
		if call.Status == http.StatusUnauthorized {
			refused++
		}
		last = call.Key
	}
	require.Zero(t, refused, "calls were made with a key that was revoked")
	require.NotEqual(t, simulator.Fingerprint(r.first.Key), last)
	t.Logf("%d completions were answered", answered.Load())
}

// Killed at each step, a rotation goes on, or is undone; and the vendor has a key that works at every moment.
func TestARotationSurvivesADeathAtEachStep(t *testing.T) {
	t.Parallel()
	long(t)
	r := rotating(t)
	admin := func(operation simulator.AdminOperation, after bool) func() {
		return func() {
			r.providers.SetAdminFault(simulator.AdminFault{API: simulator.AdminOpenAI, Operation: operation, Count: 1, After: after, Hang: true})
		}
	}
	for _, c := range []struct {
		name, step string
		hang       func()
	}{
		{"before the vendor has minted", "mint", admin(simulator.AdminCreate, false)},
		{"after the vendor has minted", "mint", admin(simulator.AdminCreate, true)},
		{"while it is tried", "verify", func() {
			r.providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Operation: simulator.OperationListModels}, Hang: true})
		}},
		{"while it drains, which begins with the wait for everybody to hear", "promote", func() {}},
		{"before the vendor has revoked", "revoke", admin(simulator.AdminDelete, false)},
		{"after the vendor has revoked", "revoke", admin(simulator.AdminDelete, true)},
	} {
		before := r.rotation(t).ID
		c.hang()
		command(t, "", nil, "keys", "rotate", "openai", "main", "--wait=false", "--data", r.dir)
		require.Eventually(t, func() bool {
			now := r.rotation(t)
			return now.ID != before && now.Step == c.step
		}, late, tick, c.name)
		pass(t, 300*time.Millisecond) // it hangs by now
		r.kill(t)
		r.providers.ClearAdminFaults()
		r.providers.ClearFaults(simulator.OpenAI)
		r.restart(t)
		require.Eventually(t, func() bool {
			got, err := r.send(within(t, late), ask{route: "gpt", prompt: "Are you there " + c.name + "?"})
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, got.status, "%s: %s", c.name, got.body)
			now := r.rotation(t)
			return now.ID != before && now.State != "running"
		}, 2*time.Minute, 4*tick, c.name)
		now := r.rotation(t)
		require.Equal(t, "done", now.State, "%s: %+v", c.name, now)
		require.Empty(t, now.Error, c.name)
		require.Len(t, r.providers.Handles(simulator.AdminOpenAI, rotatedProject), 1, "%s: something is left at the vendor", c.name)
	}
	refused := 0
	for _, call := range r.providers.Completions(simulator.OpenAI) {
		if call.Status == http.StatusUnauthorized {
			refused++
		}
	}
	require.Zero(t, refused, "the vendor was called with a key that did not work")
	var left int
	require.NoError(t, r.db.QueryRow(within(t, soon), `SELECT count(*) FROM key_versions WHERE sealed IS NOT NULL`).Scan(&left))
	require.Zero(t, left, "a key that is out of use is still in the vault")
}

// A rehearsal changes nothing, and what the vendor refuses is undone, with an alert.
func TestARotationIsRehearsedAndUndone(t *testing.T) {
	t.Parallel()
	long(t)
	r := rotating(t)
	told := command(t, "", nil, "keys", "rotate", "openai", "main", "--dry-run", "--data", r.dir)
	require.Contains(t, told, "rehearsed")
	require.NotContains(t, told, "promote")
	require.Equal(t, []string{r.first.Handle}, r.providers.Handles(simulator.AdminOpenAI, rotatedProject))

	r.providers.Reject(adminKey)
	r.providers.SetAdminFault(simulator.AdminFault{API: simulator.AdminOpenAI, Operation: simulator.AdminCreate, Status: http.StatusUnauthorized})
	p, err := spawn(binary(t), nil, nil, "keys", "rotate", "openai", "main", "--data", r.dir)
	require.NoError(t, err)
	require.NotZero(t, p.exitCode(t, late))
	require.Contains(t, p.stderr.String(), "undone at step")
	require.NotContains(t, p.stderr.String(), adminKey)
	require.Equal(t, []string{r.first.Handle}, r.providers.Handles(simulator.AdminOpenAI, rotatedProject))
	var title string
	require.NoError(t, r.db.QueryRow(within(t, soon), `SELECT title FROM alerts`).Scan(&title))
	require.Equal(t, "key openai/main was not rotated", title)
	r.mustSend(t, ask{route: "gpt", prompt: "As before?"})
}

// In an emergency a key is replaced on every worker within two seconds, also while a provider refuses the former one already, and
// clients are told nothing.
func TestAKeyIsReplacedEverywhereAtOnce(t *testing.T) {
	t.Parallel()
	long(t)
	r := rotating(t)
	const next = "sk-emergency-8uJnHyTgBvF"
	r.providers.Issue(next)
	command(t, next, nil, "keys", "set", "openai", "main", "--keep-former", "--data", r.dir)
	changed := time.Now()
	r.providers.Reject(r.first.Key)
	require.Eventually(t, func() bool {
		r.mustSend(t, ask{route: "gpt", prompt: "Which key?"})
		return len(r.providers.withKey(simulator.OpenAI, next)) > 0
	}, 2*time.Second, tick)
	t.Logf("in use after %s", time.Since(changed).Round(time.Millisecond))

	// The former one was kept. Brought back, it is refused, and quarantined, with an alert; the provider has no other.
	command(t, "", nil, "keys", "restore", "openai", "main", "1", "--data", r.dir)
	require.Eventually(t, func() bool {
		return r.status(t, "And now?") == http.StatusServiceUnavailable
	}, soon, tick)
	listed := command(t, "", nil, "keys", "list", "--data", r.dir)
	require.Contains(t, listed, "quarantined")
	require.Contains(t, listed, "openai has refused it (HTTP 401)")

	// Taken again by its provider, it comes back by itself.
	r.providers.Issue(r.first.Key)
	require.Eventually(t, func() bool {
		return r.status(t, "Are you back?") == http.StatusOK
	}, 2*time.Minute, 10*tick)
	require.Contains(t, command(t, "", nil, "keys", "history", "openai", "main", "--data", r.dir), "key.readmit")
}
