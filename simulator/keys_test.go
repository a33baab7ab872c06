package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// taken says whether each of some keys is accepted by OpenAI's simulator.
func taken(sim *simulator.Simulator, keys ...string) []bool {
	var all []bool
	for _, key := range keys {
		request := httptest.NewRequest(http.MethodGet, "/v1/models", nil)
		request.Header.Set("Authorization", "Bearer "+key)
		recorder := httptest.NewRecorder()
		sim.Handler(simulator.OpenAI).ServeHTTP(recorder, request)
		all = append(all, recorder.Code == http.StatusOK)
	}
	return all
}

func TestKeysAreIssuedAndRejected(t *testing.T) {
	t.Parallel()
	required := simulator.New(simulator.Options{RequireKeys: []string{"a"}})
	t.Cleanup(required.Close)
	require.Equal(t, []bool{true, false, false}, taken(required, "a", "b", ""))
	required.Issue("b")
	required.Issue("b")
	require.Equal(t, []bool{true, true, false}, taken(required, "a", "b", ""))
	required.Reject("b")
	required.Reject("a")
	require.Equal(t, []bool{false, false, false}, taken(required, "a", "b", ""), "without any key left none is accepted")
	required.Issue("a")
	require.Equal(t, []bool{true, false, false}, taken(required, "a", "b", ""))

	open := simulator.New(simulator.Options{})
	t.Cleanup(open.Close)
	open.Reject("a")
	require.Equal(t, []bool{false, true}, taken(open, "a", "b"), "any key is accepted, but that one")
	open.Issue("a")
	require.Equal(t, []bool{true, false}, taken(open, "a", "b"), "from the first that is issued, only those that are")
}

func TestKeysAreIssuedWhileCallsAreMade(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{RequireKeys: []string{"a"}})
	t.Cleanup(sim.Close)
	var group sync.WaitGroup
	for i := range 8 {
		key := string(rune('p' + i))
		group.Go(func() {
			for range 50 {
				sim.Issue(key)
				if !taken(sim, key)[0] || !taken(sim, "a")[0] {
					t.Error("an accepted key was refused")
				}
				sim.Reject(key)
				if taken(sim, key)[0] {
					t.Error("a rejected key was accepted")
				}
			}
		})
	}
	group.Wait()
}
