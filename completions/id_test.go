package completions_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
)

func TestNewIDsAreValidAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := completions.NewID()
		require.True(t, completions.ValidID(id), id)
		require.False(t, seen[id], id)
		seen[id] = true
	}
}

func TestAKeyNamesOneCompletionOfItsTenant(t *testing.T) {
	t.Parallel()
	id := completions.IDForKey("acme", "order-7")
	require.True(t, completions.ValidID(id))
	require.Equal(t, id, completions.IDForKey("acme", "order-7"))
	require.NotEqual(t, id, completions.IDForKey("acme", "order-8"))
	require.NotEqual(t, id, completions.IDForKey("other", "order-7"))
	require.NotEqual(t, completions.IDForKey("ab", "c"), completions.IDForKey("a", "bc"))
	require.Equal(t, "chatcmpl-", id[:9])
}

func TestWhatIsNotAnIDIsRefused(t *testing.T) {
	t.Parallel()
	good := completions.NewID()
	for _, id := range []string{"", "chatcmpl-", good + "0", good[:len(good)-1], strings.ToUpper(good), "x" + good, good + "\n", "chatcmpl-%"} {
		require.False(t, completions.ValidID(id), id)
	}
}

func TestAWorkflowIsNamedByItsKeyWhereThatIsReadable(t *testing.T) {
	t.Parallel()
	const id = "chatcmpl-00000000000000000000000000"
	long := strings.Repeat("k", 128)
	for key, want := range map[string]string{
		"order-7":      "completion/acme/order-7",
		"a.b_c:d":      "completion/acme/a.b_c:d",
		long:           "completion/acme/" + long,
		long + "k":     "completion/acme/" + id,
		"":             "completion/acme/" + id,
		"with space":   "completion/acme/" + id,
		"../other/key": "completion/acme/" + id,
		"schlüssel":    "completion/acme/" + id,
	} {
		require.Equal(t, want, completions.WorkflowID("acme", id, key), key)
	}
}

func TestAKeyThatIsTheIDOfAnotherCompletionDoesNotNameItsWorkflow(t *testing.T) {
	t.Parallel()
	first := completions.NewID()
	second := completions.IDForKey("acme", first)
	require.NotEqual(t, completions.WorkflowID("acme", first, ""), completions.WorkflowID("acme", second, first))
}
