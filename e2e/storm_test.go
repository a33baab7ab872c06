package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// A steady load is on one provider, which dies. The next one has a limit that is less than the load: it is not pushed over. When
// the first is back, its load comes back over a while, and not at once.
func TestAFailoverDoesNotPushTheNextProviderOver(t *testing.T) {
	t.Parallel()
	long(t)
	const (
		every     = 50 * time.Millisecond // twenty a second
		limit     = 90                    // a minute: so many at once, and then three in two seconds
		overload  = 9 * time.Second
		ramp      = 6 * time.Second
		primary   = "gpt-4.1"
		secondary = "claude-sonnet-5"
	)
	providers := simulate(t)
	config := providers.configWith(t, settings{router: "cooldown_time: 1", holdfast: "breaker: {max_cooldown: 4s, window: 5s, ramp: 6s}"},
		[]string{"storm", "openai/" + primary, "anthropic/" + secondary})
	holdfast := up(t, dataDir(t), config)
	providers.SetLimit(simulator.Anthropic, simulator.Limit{RequestsPerMinute: limit})
	steady := startSteady(t, holdfast.client, "storm", every)
	pass(t, 2*time.Second)

	fault := providers.SetFault(simulator.OpenAI, simulator.Fault{Status: http.StatusServiceUnavailable})
	pass(t, overload)
	at := providers.Limits()[simulator.Anthropic]
	t.Logf("%d at once, then %d a minute: %d accepted, %d refused, of %d asked", limit, limit, at.Accepted, at.Refused, steady.asked())
	require.GreaterOrEqual(t, at.Accepted, int64(limit), "its limit was not reached: this test has tested nothing")
	require.LessOrEqual(t, float64(at.Refused), 0.05*float64(at.Accepted), "the failover has pushed the next provider over")

	providers.SetLimit(simulator.Anthropic, simulator.Limit{}) // room enough: what returns need not, for want of another
	require.Eventually(t, func() bool { return steady.waiting() < 10 }, 2*soon, tick, "what waited for the limit goes on waiting")
	require.True(t, providers.ClearFault(simulator.OpenAI, fault))
	db := holdfast.database(t, "holdfast")
	require.Eventually(t, func() bool { return healthOf(t, db, "openai/"+primary).State == "closed" }, soon, tick)
	closed := healthOf(t, db, "openai/"+primary).Since
	pass(t, time.Until(closed.Add(ramp+3*time.Second)))
	steady.stop(t, holdfast.client)

	shares := shareOf(providers.clientCalls(simulator.OpenAI, primary), providers.clientCalls(simulator.Anthropic, secondary), closed, int(ramp/time.Second)+2)
	t.Logf("its share in each second since its breaker closed: %.2f", shares)
	require.Less(t, mean(shares[:2]), 0.5, "all of it came back at once")
	require.Less(t, mean(shares[:2]), mean(shares[2:4]), "its share does not rise")
	require.Less(t, mean(shares[2:4]), mean(shares[4:6]), "its share does not rise")
	require.Greater(t, mean(shares[6:]), 0.95, "it does not all come back")
}

// shareOf is how many of all calls were the first's, in each second from a moment on.
func shareOf(first, second []simulator.Call, from time.Time, seconds int) []float64 {
	count := func(calls []simulator.Call, second int) (n float64) {
		for _, call := range calls {
			if since := call.Time.Sub(from); since >= 0 && int(since/time.Second) == second {
				n++
			}
		}
		return n
	}
	shares := make([]float64, seconds)
	for i := range shares {
		if all := count(first, i) + count(second, i); all > 0 {
			shares[i] = count(first, i) / all
		}
	}
	return shares
}

func mean(numbers []float64) (sum float64) {
	for _, number := range numbers {
		sum += number / float64(len(numbers))
	}
	return sum
}

// steady is a load that does not wait for its answers: so many requests a second, whatever becomes of them.
type steady struct {
	halt    context.CancelFunc
	clients sync.WaitGroup

	mu                 sync.Mutex
	begun, ended, good int
	wrong              []string
	failed             []string // the ids of completions that failed
}

// startSteady begins to ask.
func startSteady(t testing.TB, c client, route string, every time.Duration) *steady {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	asking, halt := context.WithCancel(ctx)
	s := &steady{halt: halt}
	s.clients.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-asking.Done():
				return
			case <-ticker.C:
				s.clients.Go(func() { s.one(ctx, c, route) })
			}
		}
	})
	t.Cleanup(func() { leave(); s.clients.Wait() })
	return s
}

func (s *steady) one(ctx context.Context, c client, route string) {
	s.mu.Lock()
	s.begun++
	n := s.begun
	s.mu.Unlock()
	got, err := c.send(ctx, ask{route: route, prompt: fmt.Sprint("steady ", n)})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
	switch {
	case err != nil:
		s.wrong = append(s.wrong, err.Error())
	case got.status != http.StatusOK:
		s.wrong, s.failed = append(s.wrong, fmt.Sprintf("%d %s", got.status, got.body)), append(s.failed, got.id())
	default:
		s.good++
	}
}

func (s *steady) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// waiting is how many have no answer yet.
func (s *steady) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun - s.ended
}

// stop waits for what was asked; all of it must have been answered.
func (s *steady) stop(t testing.TB, c client) {
	t.Helper()
	s.halt()
	s.clients.Wait()
	t.Logf("%d asked, %d answered", s.begun, s.good)
	for _, id := range s.failed {
		t.Logf("failed: %+v", c.record(t, id))
	}
	require.Empty(t, s.wrong)
}
