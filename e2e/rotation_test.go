package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// A key without an allowance, and one that is refused, are each replaced by the other within the completion, and not used again.
func TestAKeyThatIsOfNoUseIsReplacedByTheNext(t *testing.T) {
	t.Parallel()
	long(t)
	providers := simulate(t)
	holdfast := up(t, dataDir(t), providers.config(t,
		[]string{"spent", "openai/gpt-4.1", "anthropic/claude-sonnet-5"}, []string{"refused", "anthropic/claude-opus-4-1", "openai/gpt-4.1-mini"}))
	add := func(vendor, name, key string, flags ...string) {
		command(t, key, nil, append([]string{"keys", "add", vendor, "--name", name, "--data", holdfast.dir}, flags...)...)
	}
	const spent, charged, refused, good = "sk-spent-5tGbNhYuJmKi", "sk-charged-9oLpQaZsWx", "sk-ant-refused-3eDcRfVt", "sk-ant-good-7uJmNhBgV"
	add("openai", "first", spent)
	add("openai", "second", charged)
	add("anthropic", "first", refused)
	add("anthropic", "second", good)
	db := holdfast.database(t, "holdfast")

	for _, c := range []struct {
		route, vendor, code, kind, bad, good string
		rest                                 time.Duration
	}{
		{"spent", "openai", "insufficient_quota", "quota", spent, charged, 4 * time.Minute},
		{"refused", "anthropic", "invalid_api_key", "credential", refused, good, 20 * time.Second},
	} {
		vendor := simulator.Vendor(c.vendor)
		require.Eventually(t, func() bool { // the vault tells the worker by notification
			got := holdfast.mustSend(t, ask{route: c.route, prompt: "Which key?"})
			return holdfast.record(t, got.id()).Attempts[0].KeyName == "first"
		}, soon, tick)
		providers.SetFault(vendor, simulator.Fault{Match: simulator.Match{Key: c.bad}, Code: c.code})
		before := len(providers.withKey(vendor, c.bad))

		got := holdfast.mustSend(t, ask{route: c.route, prompt: "Any key will do."})
		found := holdfast.record(t, got.id())
		require.Len(t, found.Attempts, 2, "%+v", found)
		require.Equal(t, c.vendor, found.Provider, "another provider was asked though a key was left: %+v", found)
		require.Equal(t, c.kind, found.Attempts[0].ErrorKind)
		require.Equal(t, "first", found.Attempts[0].KeyName)
		require.Equal(t, "rotate_key", found.Attempts[0].Decision)
		require.Equal(t, "second", found.Attempts[1].KeyName)
		for range 5 {
			got = holdfast.mustSend(t, ask{route: c.route, prompt: "And again."})
			found = holdfast.record(t, got.id())
			require.Len(t, found.Attempts, 1, "%+v", found)
			require.Equal(t, "second", found.Attempts[0].KeyName)
		}
		require.Len(t, providers.withKey(vendor, c.bad), before+1, "the key was used again")
		require.NotEmpty(t, providers.withKey(vendor, c.good))
		require.Eventually(t, func() bool {
			known := healthOf(t, db, c.vendor+"#first")
			return known.State == "open" && known.Cause == c.kind && time.Until(known.Until) > c.rest
		}, soon, tick, "the key is not out of use for long")
	}
	testAReplacedKeyIsUsedAtOnce(t, holdfast, providers, add)
}

func testAReplacedKeyIsUsedAtOnce(t *testing.T, holdfast *instance, providers providers, add func(vendor, name, key string, flags ...string)) {
	t.Helper()
	const replaced = "sk-ant-replaced-6yHnBgTvF"
	add("anthropic", "first", replaced, "--replace")
	command(t, "", nil, "keys", "disable", "anthropic", "second", "--data", holdfast.dir)
	changed := time.Now()
	require.Eventually(t, func() bool {
		got := holdfast.mustSend(t, ask{route: "refused", prompt: "The new key."})
		found := holdfast.record(t, got.id())
		last := found.Attempts[len(found.Attempts)-1]
		return last.Provider == "anthropic" && last.KeyName == "first"
	}, soon, tick, "what is known of the key that was replaced is held against the new one")
	require.NotEmpty(t, providers.withKey(simulator.Anthropic, replaced))
	require.Less(t, time.Since(changed), 5*time.Second)
}

// withKey are the completions that were asked for with a key.
func (p providers) withKey(vendor simulator.Vendor, key string) []simulator.Call {
	var calls []simulator.Call
	for _, call := range p.Completions(vendor) {
		if call.Key == simulator.Fingerprint(key) {
			calls = append(calls, call)
		}
	}
	return calls
}
