package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// A long answer is killed at fifty moments of its twenty seconds: streams that began at random times before it meet the kill
// each at a moment of its own. Every client comes back with the last place that it has seen.
func TestKillMinusNineTearsNoStream(t *testing.T) {
	t.Parallel()
	long(t)
	const streams, lasts = 50, 20 * time.Second
	providers := simulate(t)
	config := providers.config(t, []string{"long", "openai/gpt-4.1"})
	dir := dataDir(t)
	words := strings.Repeat("and the rain went on over the hills, größer und größer, ", 16)
	events := len(strings.Fields(words))/4 + 3
	providers.SetBehaviour(simulator.OpenAI, simulator.Behaviour{EventDelay: lasts / time.Duration(events)})

	holdfast := up(t, dir, config)
	address := &addresses{current: holdfast.client}
	random := rand.New(rand.NewPCG(4, 2))
	readers := make([]*reading, streams)
	failures := make([]error, streams)
	var readings sync.WaitGroup
	begun := time.Now()
	for i := range readers {
		readers[i] = &reading{}
		wait := time.Duration(random.Int64N(int64(lasts - time.Second)))
		readings.Go(func() {
			pass(t, wait)
			failures[i] = address.readAll(t, readers[i], fmt.Sprintf("%s (%d)", words, i), fmt.Sprintf("torn-%d", i))
		})
	}
	pass(t, time.Until(begun.Add(lasts)))
	holdfast.kill(t)
	killed := time.Now()
	address.gone()
	holdfast = up(t, dir, config)
	address.moved(holdfast.client)
	t.Logf("serving again %s after the kill", time.Since(killed).Round(time.Millisecond))
	readings.Wait()

	torn := 0
	for i, got := range readers {
		require.NoError(t, failures[i])
		requireSame(t, fmt.Sprintf("[openai/gpt-4.1] You said: %s (%d)", words, i), got.text, "stream %d, over %d connections", i, got.connections)
		require.Equal(t, "stop", got.finish)
		require.Zero(t, got.restarts)
		require.Positive(t, got.tokens)
		got.requireOrder(t)
		found := holdfast.record(t, got.id)
		require.Equal(t, "succeeded", found.State)
		succeeded := 0
		for _, attempt := range found.Attempts {
			if attempt.State == "succeeded" {
				succeeded++
			} else {
				require.Equal(t, "possibly_billed", attempt.State, "%+v", found)
			}
		}
		require.Equal(t, 1, succeeded, "%+v", found)
		if len(found.Attempts) > 1 {
			torn++
		}
	}
	require.Greater(t, torn, streams/2, "the kill has hit too few streams to tell anything")
	requireNothingStuck(t, holdfast)
	var pieces int
	require.NoError(t, holdfast.database(t, "holdfast").QueryRow(within(t, soon), `SELECT count(*) FROM completion_transcripts`).Scan(&pieces))
	require.Zero(t, pieces, "the answers take the place of what was kept meanwhile")
	t.Logf("%d of %d streams were torn; all whole %s after the kill", torn, streams, time.Since(killed).Round(time.Millisecond))
}

// addresses is where the clients find Holdfast, which moves when it is started again.
type addresses struct {
	mu      sync.Mutex
	current client
	away    bool
}

func (a *addresses) gone() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = true
}

func (a *addresses) moved(to client) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current, a.away = to, false
}

func (a *addresses) where() (client, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current, !a.away
}

// readAll reads a stream to its end over any number of connections, as an application does that wants all of an answer: by
// the place that it has seen, or from the beginning by its key if it has not even learnt the id.
func (a *addresses) readAll(t testing.TB, got *reading, prompt, key string) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*late)
	defer cancel()
	var last error
	for !got.done && got.failed == "" {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), last)
		}
		to, there := a.where()
		switch {
		case !there:
		case got.id == "":
			response, err := to.open(ctx, http.MethodPost, "/v1/chat/completions", streamBody("long", prompt, nil), "Idempotency-Key", key)
			if last = err; err == nil {
				last = got.read(response, nil)
			}
		default:
			last = to.resume(ctx, got, nil)
		}
		if !got.done {
			<-ticker.C
		}
	}
	return nil
}

// requireSame shows of two long texts where they part.
func requireSame(t testing.TB, want, got, message string, args ...any) {
	t.Helper()
	at := 0
	for at < len(want) && at < len(got) && want[at] == got[at] {
		at++
	}
	around := func(text string) string { return text[max(0, min(len(text), at-40)):min(len(text), at+60)] }
	if want != got {
		require.Failf(t, "the texts part at byte "+fmt.Sprint(at), "want …%q…\n got …%q…\n%s", around(want), around(got), fmt.Sprintf(message, args...))
	}
}
