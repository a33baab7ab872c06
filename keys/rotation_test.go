package keys_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/rotation"
)

func entry(name string, key string) keys.Entry {
	return keys.Entry{Provider: "openai", Name: name, Key: secret(key)}
}

// alertsOf lists the titles of what was raised.
func alertsOf(t *testing.T, pool *pgxpool.Pool) (titles []string) {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT title FROM alerts ORDER BY raised_at`)
	require.NoError(t, err)
	for rows.Next() {
		var title string
		require.NoError(t, rows.Scan(&title))
		titles = append(titles, title)
	}
	require.NoError(t, rows.Err())
	return titles
}

func TestARotationReplacesAKeyAndErasesTheFormer(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	vault, _ := follow(t, pool, keyFile(t))
	weight, ends := 5, time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	_, err := vault.Add(ctx, keys.Entry{Provider: "openai", Name: "main", Key: "CANARY-1", Attributes: keys.Attributes{Weight: &weight, ExpiresAt: &ends}})
	require.NoError(t, err)
	_, err = vault.Add(ctx, entry("second", "CANARY-2"))
	require.NoError(t, err)

	r, err := vault.Begin(ctx, rotation.Rotation{ID: "run-1", Provider: "openai", Name: "main", Because: "it is old"})
	require.NoError(t, err)
	require.Equal(t, 1, r.Former)
	require.Equal(t, 2, r.Version)
	again, err := vault.Begin(ctx, rotation.Rotation{ID: "run-1", Provider: "openai", Name: "main"})
	require.NoError(t, err)
	require.Equal(t, r, again)

	require.NoError(t, vault.Keep(ctx, r, rotation.Minted{Key: "CANARY-3", Handle: "h2", Former: "h1"}))
	shows(t, vault, time.Second, "main=CANARY-1", "second=CANARY-2") // what is minted is not in use
	minted, err := vault.Open(ctx, "openai", "main", 2)
	require.NoError(t, err)
	require.Equal(t, "CANARY-3", minted.Secret.Reveal())
	require.Equal(t, "pending", minted.State)

	for range 2 { // a step may be repeated
		require.NoError(t, vault.Promote(ctx, r, true))
		shows(t, vault, 2*time.Second, "main=CANARY-3", "second=CANARY-2")
	}
	former, err := vault.Open(ctx, "openai", "main", 1)
	require.NoError(t, err)
	require.Equal(t, rotation.Version{Number: 1, State: "draining", Handle: "h1", Secret: "CANARY-1"}, former)

	require.NoError(t, vault.Undo(ctx, r, "it was refused"))
	shows(t, vault, 2*time.Second, "main=CANARY-1", "second=CANARY-2")
	require.NoError(t, vault.Promote(ctx, r, true))
	require.NoError(t, vault.Retire(ctx, r, "revoked"))
	former, err = vault.Open(ctx, "openai", "main", 1)
	require.NoError(t, err)
	require.Empty(t, former.Secret)
	ended, err := vault.End(ctx, "run-1", rotation.Done, "")
	require.NoError(t, err)
	require.Equal(t, rotation.Done, ended.State)
	require.Empty(t, alertsOf(t, pool))

	info, err := vault.Describe(ctx, "openai", "main")
	require.NoError(t, err)
	require.Equal(t, 2, info.Version)
	require.Equal(t, 5, info.Weight)
	require.Nil(t, info.ExpiresAt, "the end is the former key's")
	require.ErrorIs(t, vault.Undo(ctx, r, "too late"), keys.ErrChanged)
	shows(t, vault, 2*time.Second, "main=CANARY-3", "second=CANARY-2")

	var left int
	require.NoError(t, pool.QueryRow(ctx, `SELECT count(*) FROM key_versions WHERE sealed IS NOT NULL`).Scan(&left))
	require.Zero(t, left, "something is left of a former key")
}

func TestAKeySetByHandIsNotOvertakenByARotation(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	vault := open(t, pool, keyFile(t))
	_, err := vault.Add(ctx, entry("main", "CANARY-1"))
	require.NoError(t, err)
	r, err := vault.Begin(ctx, rotation.Rotation{ID: "run-1", Provider: "openai", Name: "main"})
	require.NoError(t, err)
	require.NoError(t, vault.Keep(ctx, r, rotation.Minted{Key: "CANARY-2"}))
	byHand, err := vault.Set(ctx, entry("main", "CANARY-3"), keys.FormerErased)
	require.NoError(t, err)
	require.Equal(t, 3, byHand.Version)
	require.ErrorIs(t, vault.Promote(ctx, r, true), keys.ErrChanged)
	require.ErrorIs(t, vault.Undo(ctx, r, "x"), keys.ErrChanged)
	now, err := vault.Open(ctx, "openai", "main", 3)
	require.NoError(t, err)
	require.Equal(t, "CANARY-3", now.Secret.Reveal())

	// Its workflow was ended from outside; the next rotation says so.
	_, err = vault.Begin(ctx, rotation.Rotation{ID: "run-2", Provider: "openai", Name: "main"})
	require.NoError(t, err)
	require.Equal(t, []string{"key openai/main was not rotated, and a new key may be left at its provider"}, alertsOf(t, pool))
}

func TestTheFormerKeyIsErasedOrKept(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	vault, _ := follow(t, pool, keyFile(t))
	for _, key := range []string{"CANARY-1", "CANARY-2"} {
		_, err := vault.Set(ctx, entry("main", key), keys.FormerErased)
		require.NoError(t, err)
	}
	_, err := vault.Set(ctx, entry("main", "CANARY-3"), keys.FormerKept)
	require.NoError(t, err)
	shows(t, vault, time.Second, "main=CANARY-3")
	_, err = vault.Restore(ctx, "openai", "main", 1)
	require.ErrorIs(t, err, keys.ErrChanged)
	restored, err := vault.Restore(ctx, "openai", "main", 2)
	require.NoError(t, err)
	require.Equal(t, 2, restored.Version)
	shows(t, vault, time.Second, "main=CANARY-2")
	_, err = vault.Restore(ctx, "openai", "main", 3)
	require.NoError(t, err)
	shows(t, vault, time.Second, "main=CANARY-3")
	_, err = vault.Restore(ctx, "openai", "nobody", 3)
	require.ErrorIs(t, err, keys.ErrNotFound)
}

func TestARefusedKeyIsQuarantinedEverywhereAndComesBack(t *testing.T) {
	t.Parallel()
	ctx, pool, url := t.Context(), pgtest.New(t), keyFile(t)
	one, _ := follow(t, pool, url)
	two, _ := follow(t, pool, url)
	for _, name := range []string{"main", "second"} {
		_, err := one.Add(ctx, entry(name, "CANARY-"+name))
		require.NoError(t, err)
	}
	shows(t, two, time.Second, "main=CANARY-main", "second=CANARY-second")
	mark := two.Keys("openai")[0].Mark

	quarantined, err := two.Quarantine(ctx, "openai", "main", "another", "openai has refused it (HTTP 401)")
	require.NoError(t, err)
	require.False(t, quarantined, "another key was refused")
	quarantined, err = two.Quarantine(ctx, "openai", "main", mark, "openai has refused it (HTTP 401)")
	require.NoError(t, err)
	require.True(t, quarantined)
	for _, vault := range []*keys.Vault{one, two} {
		shows(t, vault, 2*time.Second, "second=CANARY-second")
	}
	for range 2 {
		quarantined, err = one.Quarantine(ctx, "openai", "main", mark, "again")
		require.NoError(t, err)
		require.False(t, quarantined)
	}
	require.Equal(t, []string{"openai refuses key main"}, alertsOf(t, pool))

	watched, _, err := one.Watched(ctx)
	require.NoError(t, err)
	require.Equal(t, "quarantined", watched[0].State)
	require.False(t, watched[0].Verify, "it is tried again at once")
	_, err = pool.Exec(ctx, `UPDATE provider_keys SET verify_at = clock_timestamp() WHERE state = 'quarantined'`)
	require.NoError(t, err)
	watched, _, err = one.Watched(ctx)
	require.NoError(t, err)
	require.True(t, watched[0].Verify)
	require.NoError(t, one.Verified(ctx, watched[0], false, ""))
	var pause time.Duration
	require.NoError(t, pool.QueryRow(ctx, `SELECT verify_at - clock_timestamp() FROM provider_keys WHERE name = 'main'`).Scan(&pause))
	require.InDelta(t, time.Minute, pause, float64(5*time.Second), "it is left alone for longer each time")
	require.NoError(t, one.Verified(ctx, watched[0], true, "its provider takes it again"))
	for _, vault := range []*keys.Vault{one, two} {
		shows(t, vault, 2*time.Second, "main=CANARY-main", "second=CANARY-second")
	}
	require.NotEqual(t, mark, two.Keys("openai")[0].Mark, "what was known against it does not hold any more")
	quarantined, err = two.Quarantine(ctx, "openai", "main", mark, "a late refusal")
	require.NoError(t, err)
	require.False(t, quarantined)
}

func TestEveryChangeIsWrittenDownAndNoKeyIs(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	vault := open(t, pool, keyFile(t))
	ctx := audit.WithActor(t.Context(), "token:ops")
	_, err := vault.Add(ctx, entry("main", canary))
	require.NoError(t, err)
	weight := 7
	_, err = vault.Edit(ctx, "openai", "main", keys.Attributes{Weight: &weight})
	require.NoError(t, err)
	_, err = vault.Set(ctx, entry("main", canary+"2"), keys.FormerKept)
	require.NoError(t, err)
	_, err = vault.Disable(ctx, "openai", "main")
	require.NoError(t, err)
	_, err = vault.Enable(t.Context(), "openai", "main")
	require.NoError(t, err)
	history, err := vault.History(ctx, "openai", "main")
	require.NoError(t, err)
	var said []string
	for _, event := range history.Events {
		said = append(said, event.Actor+" "+event.Action)
		require.NotContains(t, string(event.Before)+string(event.After), "CANARY")
	}
	require.Equal(t, []string{"holdfast key.enable", "token:ops key.disable", "token:ops key.set", "token:ops key.edit", "token:ops key.add"}, said)
	require.Nil(t, history.Events[4].Before)
	require.Contains(t, string(history.Events[3].Before), `"weight": 0`)
	require.Contains(t, string(history.Events[3].After), `"weight": 7`)
	require.Len(t, history.Versions, 1)

	for _, wrong := range []keys.Attributes{{Weight: ptr(-1)}, {Weight: ptr(1001)}, {Account: ptr("no such / account")}, {Tenants: &[]string{"Bad Name"}}} {
		_, err := vault.Edit(ctx, "openai", "main", wrong)
		require.ErrorIs(t, err, keys.ErrBadAttribute)
	}
}

func ptr[T any](value T) *T { return &value }

func TestKeysAreWrappedAnewWhereTheKeeperChanges(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	formerURL, url := keyFile(t), keyFile(t)
	former := open(t, pool, formerURL)
	for _, name := range []string{"one", "two", "three"} {
		_, err := former.Add(ctx, entry(name, "CANARY-"+name))
		require.NoError(t, err)
	}
	_, err := former.Set(ctx, entry("one", "CANARY-uno"), keys.FormerKept)
	require.NoError(t, err)
	_, err = keys.Open(ctx, keys.Options{Pool: pool, KeeperURL: url, CreateLocal: true})
	require.ErrorContains(t, err, "the vault holds 3 keys", "a new file beside keys of another is a mistake, most often")

	_ = open(t, pgtest.New(t), url) // the file is made elsewhere
	both, err := keys.Open(ctx, keys.Options{Pool: pool, KeeperURL: url, FormerKeepers: []string{formerURL}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, both.Close()) })
	require.NoError(t, both.Reload(ctx))
	require.Len(t, both.Keys("openai"), 3, "keys of the former keeper are served meanwhile")

	// Cut off after the first row, it goes on with the others.
	_, err = pool.Exec(ctx, `ALTER TABLE provider_keys ADD CONSTRAINT cut CHECK (name <> 'two' OR keeper LIKE 'file:%' AND length(keeper) > 1000)  NOT VALID`)
	require.NoError(t, err)
	_, err = both.Rewrap(ctx)
	require.Error(t, err)
	_, err = pool.Exec(ctx, `ALTER TABLE provider_keys DROP CONSTRAINT cut`)
	require.NoError(t, err)
	done, err := both.Rewrap(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, done.Done)
	require.Equal(t, 1, done.Before)
	require.Empty(t, done.Left)

	alone := open(t, pool, url)
	require.NoError(t, alone.Reload(ctx))
	require.Len(t, alone.Keys("openai"), 3)
	kept, err := alone.Open(ctx, "openai", "one", 1)
	require.NoError(t, err)
	require.Equal(t, "CANARY-one", kept.Secret.Reveal())
	done, err = alone.Rewrap(ctx)
	require.NoError(t, err)
	require.Zero(t, done.Done)
}

// minted begins a rotation, and keeps a new key for it.
func minted(t *testing.T, vault *keys.Vault, id, key string) rotation.Rotation {
	t.Helper()
	r, err := vault.Begin(t.Context(), rotation.Rotation{ID: id, Provider: "openai", Name: "main"})
	require.NoError(t, err)
	require.NoError(t, vault.Keep(t.Context(), r, rotation.Minted{Key: secret(key), Handle: "h-" + key}))
	return r
}

// A key that is refused in use right after its promotion gives way to the former one at once, without its workflow.
func TestAPromotedKeyThatIsRefusedGivesWayAtOnce(t *testing.T) {
	t.Parallel()
	for _, formerWorks := range []bool{true, false} {
		ctx, pool := t.Context(), pgtest.New(t)
		vault, _ := follow(t, pool, keyFile(t))
		_, err := vault.Add(ctx, entry("main", "CANARY-1"))
		require.NoError(t, err)
		r := minted(t, vault, "run-1", "CANARY-2")
		require.NoError(t, vault.Promote(ctx, r, formerWorks))
		shows(t, vault, time.Second, "main=CANARY-2")
		quarantined, err := vault.Quarantine(ctx, "openai", "main", vault.Keys("openai")[0].Mark, "openai has refused it (HTTP 401)")
		require.NoError(t, err)
		require.True(t, quarantined)
		if formerWorks {
			shows(t, vault, time.Second, "main=CANARY-1")
		} else {
			shows(t, vault, time.Second)
		}
		require.Equal(t, []string{"openai refuses key main"}, alertsOf(t, pool))
	}
}

func TestNothingIsPromotedThatIsBeingUndone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	vault := open(t, pgtest.New(t), keyFile(t))
	_, err := vault.Add(ctx, entry("main", "CANARY-1"))
	require.NoError(t, err)
	r := minted(t, vault, "run-1", "CANARY-2")
	require.NoError(t, vault.Step(ctx, r.ID, rotation.Undo))
	require.NoError(t, vault.Step(ctx, r.ID, rotation.Promote), "a late try of a step before")
	require.ErrorIs(t, vault.Promote(ctx, r, true), keys.ErrChanged)
	_, err = vault.End(ctx, r.ID, rotation.Undone, "x")
	require.NoError(t, err)
	require.ErrorIs(t, vault.Promote(ctx, r, true), keys.ErrChanged)

	// What an operator has disabled is not put into use.
	r = minted(t, vault, "run-2", "CANARY-3")
	_, err = vault.Disable(ctx, "openai", "main")
	require.NoError(t, err)
	require.ErrorIs(t, vault.Promote(ctx, r, true), keys.ErrChanged)
	info, err := vault.Describe(ctx, "openai", "main")
	require.NoError(t, err)
	require.Equal(t, keys.StateDisabled, info.State)
}

func TestTheFormerKeyIsRetiredOnlyBehindTheNewOne(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	vault := open(t, pgtest.New(t), keyFile(t))
	_, err := vault.Add(ctx, entry("main", "CANARY-1"))
	require.NoError(t, err)
	r := minted(t, vault, "run-1", "CANARY-2")
	require.ErrorIs(t, vault.Retire(ctx, r, "x"), keys.ErrChanged, "it is in use")
	require.NoError(t, vault.Promote(ctx, r, true))
	_, err = vault.Restore(ctx, "openai", "main", 1)
	require.NoError(t, err)
	require.ErrorIs(t, vault.Retire(ctx, r, "x"), keys.ErrChanged, "an operator has put it back")
	require.ErrorIs(t, vault.Erase(ctx, "openai", "main", 1, "x"), keys.ErrChanged, "it is in use")
	_, err = vault.Restore(ctx, "openai", "main", 2)
	require.NoError(t, err)
	require.NoError(t, vault.Retire(ctx, r, "x"))
	_, err = vault.Restore(ctx, "openai", "main", 1)
	require.ErrorIs(t, err, keys.ErrChanged, "nothing is left of it")
	for _, version := range []int{-1, 0, 99, 1 << 40} {
		_, err = vault.Restore(ctx, "openai", "main", version)
		require.ErrorIs(t, err, keys.ErrChanged)
	}
	_, err = vault.History(ctx, "openai", "nobody")
	require.ErrorIs(t, err, keys.ErrNotFound)
}

// A key that is refused for some calls only goes in and out: it is left alone for longer each time, and operators are told once.
func TestAKeyThatFlapsIsLeftAloneForLonger(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	vault, _ := follow(t, pool, keyFile(t))
	_, err := vault.Add(ctx, entry("main", "CANARY-1"))
	require.NoError(t, err)
	var last time.Duration
	for n := range 4 {
		require.NoError(t, vault.Reload(ctx))
		quarantined, err := vault.Quarantine(ctx, "openai", "main", vault.Keys("openai")[0].Mark, "refused")
		require.NoError(t, err)
		require.True(t, quarantined)
		var pause time.Duration
		require.NoError(t, pool.QueryRow(ctx, `SELECT verify_at - clock_timestamp() FROM provider_keys`).Scan(&pause))
		require.Greater(t, pause, last, "time %d", n)
		last = pause + pause/2
		watched, _, err := vault.Watched(ctx)
		require.NoError(t, err)
		require.NoError(t, vault.Verified(ctx, watched[0], true, "back"))
	}
	require.LessOrEqual(t, len(alertsOf(t, pool)), 2, "once an hour at most")
}

func TestAnotherKeyThatIsTheSameIsTold(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	vault, _ := follow(t, pgtest.New(t), keyFile(t))
	_, err := vault.Add(ctx, entry("main", "CANARY-1"))
	require.NoError(t, err)
	r := minted(t, vault, "run-1", "CANARY-2")
	_, err = vault.Add(ctx, keys.Entry{Provider: "azure", Name: "main", Key: "CANARY-3", Attributes: keys.Attributes{Handle: ptr("h-other")}})
	require.NoError(t, err)
	handles, shared, err := vault.Others(ctx, r)
	require.NoError(t, err)
	require.Equal(t, []string{"h-other"}, handles)
	require.False(t, shared)
	_, err = vault.Add(ctx, entry("twin", "CANARY-1"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, shared, err := vault.Others(ctx, r); return err == nil && shared }, 2*time.Second, tick)
	_, err = vault.Add(ctx, keys.Entry{Provider: "openai", Name: "file", Source: "file:///nowhere"})
	require.NoError(t, err)
	_, err = vault.Begin(ctx, rotation.Rotation{ID: "run-2", Provider: "openai", Name: "file"})
	require.ErrorIs(t, err, keys.ErrElsewhere)
}
