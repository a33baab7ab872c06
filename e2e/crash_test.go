package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

func TestKillMinusNineLosesNothing(t *testing.T) {
	t.Parallel()
	long(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))

	providers := simulate(t)
	providers.takes(simulator.OpenAI, 2*time.Second)
	providers.takes(simulator.Anthropic, 3*time.Second)
	providers.takes(simulator.Gemini, 4*time.Second)
	config := providers.config(t,
		[]string{"two", "openai/gpt-4.1"}, []string{"three", "anthropic/claude-sonnet-5"}, []string{"four", "gemini/gemini-2.5-flash"})
	dir := dataDir(t)
	holdfast := up(t, dir, config)

	const rounds, inFlight = 3, 50
	var crowd crowd
	var restarted time.Time
	for round := range rounds {
		asks := crowdOf(t, holdfast.client, round, inFlight, random)
		sent := crowd.send(holdfast.client, asks)
		pass(t, 300*time.Millisecond+time.Duration(random.Int64N(int64(3*time.Second))))
		holdfast.kill(t)
		sent.Wait()
		restarted = time.Now()
		holdfast = up(t, dir, config)
		t.Logf("kill %d: serving again after %s", round+1, time.Since(restarted).Round(time.Millisecond))
	}
	require.Eventually(t, func() bool { return len(holdfast.recorded(t, "open")) == 0 }, late, 2*tick, "completions are still open")
	t.Logf("from the last restart to the last completion: %s", time.Since(restarted).Round(time.Millisecond))

	crowd.requireAnswers(t, holdfast, providers)
	requireNothingStuck(t, holdfast)
	requireNewTurns(t, holdfast.client, crowd.conversations())
}

// crowd is many clients and what they were told.
type crowd struct {
	mu       sync.Mutex
	asks     []ask
	accepted []string // the ids of what was answered with 200 or 202
	refused  []string // anything else that a client was told
}

// crowdOf makes a round of asks: each with a key, every fifth on a conversation of its own, every fourth not waiting.
func crowdOf(t testing.TB, c client, round, n int, random *rand.Rand) []ask {
	t.Helper()
	routes := []string{"two", "three", "four"}
	asks := make([]ask, n)
	for i := range asks {
		asks[i] = ask{
			route: routes[random.IntN(len(routes))], prompt: fmt.Sprintf("question %d of round %d", i, round),
			key: fmt.Sprintf("key-%d-%d", round, i), async: i%4 == 3,
		}
		if i%5 == 0 {
			asks[i].conversation = c.newConversation(t)
		}
	}
	return asks
}

// send sends all of them at once; the group waits until each client has its answer or has lost its connection.
func (c *crowd) send(to client, asks []ask) *sync.WaitGroup {
	c.asks = append(c.asks, asks...)
	var sent sync.WaitGroup
	for _, a := range asks {
		sent.Go(func() {
			got, err := to.send(context.Background(), a)
			c.mu.Lock()
			defer c.mu.Unlock()
			switch {
			case err != nil: // the connection died with its process
			case got.status == http.StatusOK, got.status == http.StatusAccepted:
				c.accepted = append(c.accepted, got.id())
			default:
				c.refused = append(c.refused, fmt.Sprintf("%d %s", got.status, got.body))
			}
		})
	}
	return &sent
}

func (c *crowd) conversations() map[string]ask {
	found := map[string]ask{}
	for _, a := range c.asks {
		if a.conversation != "" {
			found[a.conversation] = a
		}
	}
	return found
}

// requireAnswers requires exactly one answer for each that was accepted, and the same one for each repetition.
func (c *crowd) requireAnswers(t *testing.T, holdfast *instance, providers providers) {
	t.Helper()
	require.Empty(t, c.refused, "nobody may be told anything else")
	recorded := holdfast.recorded(t, "")
	require.NotEmpty(t, recorded)
	for _, id := range c.accepted {
		require.Contains(t, recorded, id, "an accepted completion is not in the record")
	}
	repeated, lost := 0, 0
	for _, id := range recorded {
		found := holdfast.record(t, id)
		require.Equal(t, "succeeded", found.State, "%+v", found)
		require.NotNil(t, found.FinishedAt)
		last := len(found.Attempts) - 1
		require.GreaterOrEqual(t, last, 0, "%+v", found)
		for i, attempt := range found.Attempts {
			if i == last {
				require.Equal(t, "succeeded", attempt.State, "%+v", found)
				continue
			}
			require.Equal(t, "possibly_billed", attempt.State, "%+v", found)
			require.Contains(t, attempt.Reason, "died")
			lost++
		}
		if last > 0 {
			repeated++
		}
	}
	require.Positive(t, repeated, "no kill hit a call: this test has tested nothing")
	t.Logf("%d accepted of %d sent; %d repeated, %d calls possibly billed", len(recorded), len(c.asks), repeated, lost)

	calls := providers.prompts()
	sent := c.repeat(holdfast.client)
	for i, a := range c.asks {
		got := sent[i]
		require.NoError(t, got.err)
		require.Equal(t, http.StatusOK, got.status, "%s: %s", a.key, got.body)
		require.Contains(t, got.text(t), "You said: "+a.prompt)
		if !slices.Contains(recorded, got.id()) { // it had not been accepted; now it was asked for the first time
			continue
		}
		require.GreaterOrEqual(t, len(holdfast.record(t, got.id()).Attempts), calls[a.prompt],
			"a call that reached the provider is missing in the record of %s", a.key)
	}
	for prompt, n := range calls {
		require.Equal(t, n, providers.prompts()[prompt], "repeating the request repeated the call of %q", prompt)
	}
}

type outcome struct {
	reply
	err error
}

// repeat sends every request again, waiting for the answer.
func (c *crowd) repeat(to client) []outcome {
	outcomes := make([]outcome, len(c.asks))
	var sent sync.WaitGroup
	for i, a := range c.asks {
		a.async = false
		sent.Go(func() { outcomes[i].reply, outcomes[i].err = to.send(context.Background(), a) })
	}
	sent.Wait()
	return outcomes
}

// requireNothingStuck looks into the database for what no API shows.
func requireNothingStuck(t *testing.T, holdfast *instance) {
	t.Helper()
	db := holdfast.database(t, "holdfast")
	for what, query := range map[string]string{
		"open completions":                               `SELECT count(*) FROM completions WHERE state = 'open'`,
		"attempts under way":                             `SELECT count(*) FROM attempts WHERE state = 'started'`,
		"conversations held by a turn":                   `SELECT count(*) FROM conversations WHERE active_completion IS NOT NULL`,
		"completions with no answer":                     `SELECT count(*) FROM completions c WHERE state = 'succeeded' AND NOT EXISTS (SELECT FROM completion_answers a WHERE a.completion_id = c.id)`,
		"completions with several successes":             `SELECT count(*) FROM (SELECT FROM attempts WHERE state = 'succeeded' GROUP BY completion_id HAVING count(*) > 1) AS several`,
		"turns that are not one question and one answer": `SELECT count(*) FROM (SELECT FROM conversation_items GROUP BY completion_id HAVING count(*) <> 2) AS odd`,
	} {
		var n int
		require.NoError(t, db.QueryRow(within(t, soon), query).Scan(&n))
		require.Zero(t, n, what)
	}
}

// requireNewTurns requires each conversation to hold its turn once, and to take another.
func requireNewTurns(t *testing.T, c client, conversations map[string]ask) {
	t.Helper()
	require.NotEmpty(t, conversations)
	type told struct {
		outcome
		ask
	}
	results := make(chan told, len(conversations))
	for id, first := range conversations {
		turns := c.turns(t, id)
		require.Len(t, turns, 2, "%s: %q", first.key, turns)
		require.Equal(t, "user: "+first.prompt, turns[0])
		require.Contains(t, turns[1], "You said: "+first.prompt)
		go func() {
			next := ask{route: "two", prompt: "and after " + first.prompt, conversation: id}
			got, err := c.send(context.Background(), next)
			results <- told{outcome{got, err}, next}
		}()
	}
	for range conversations {
		got := <-results
		require.NoError(t, got.err)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		require.Contains(t, got.text(t), "You said: "+got.prompt)
		require.Len(t, c.turns(t, got.conversation), 4)
	}
}
