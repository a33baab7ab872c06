package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/simulator"
)

func TestPostgresStoppedForTenSeconds(t *testing.T) {
	t.Parallel()
	long(t)
	providers := simulate(t)
	providers.takes(simulator.OpenAI, 300*time.Millisecond)
	postgres := pgtest.Server(t)
	holdfast := up(t, dataDir(t), providers.config(t, []string{"steady", "openai/gpt-4.1"}), "DATABASE_URL="+postgres.URL)

	load := startLoad(t, holdfast.client, "steady", "caught", 8)
	load.awaitAnswers(t, 20)
	postgres.Stop(t)
	newcomers := startLoad(t, holdfast.client, "steady", "newcomer", 4)
	pass(t, 10*time.Second)
	require.NotZero(t, newcomers.unavailable.Load(), "nobody noticed: this test has tested nothing")
	postgres.Start(t)
	back := time.Now()
	load.awaitAnswers(t, 20)
	newcomers.awaitAnswers(t, 4)
	t.Logf("answers again %s after PostgreSQL is back", time.Since(back).Round(time.Millisecond))
	load.stop(t)
	newcomers.stop(t)
	requireAllAnswered(t, holdfast, load, newcomers)
}

func TestAManagedPostgresThatDiesComesBack(t *testing.T) {
	t.Parallel()
	long(t)
	providers := simulate(t)
	providers.takes(simulator.OpenAI, 300*time.Millisecond)
	holdfast := up(t, dataDir(t), providers.config(t, []string{"steady", "openai/gpt-4.1"}))

	load := startLoad(t, holdfast.client, "steady", "caught", 8)
	load.awaitAnswers(t, 20)
	died := holdfast.postmaster(t)
	require.NoError(t, syscall.Kill(died, syscall.SIGKILL)) // a child of our own child
	killed := time.Now()
	require.Eventually(t, func() bool {
		now := holdfast.postmaster(t)
		return now != 0 && now != died
	}, late, tick, "PostgreSQL was not started again")
	t.Logf("PostgreSQL runs again %s after its end", time.Since(killed).Round(time.Millisecond))
	load.awaitAnswers(t, 20)
	t.Logf("answers again %s after its end", time.Since(killed).Round(time.Millisecond))
	load.stop(t)
	require.True(t, holdfast.alive())
	requireAllAnswered(t, holdfast, load)
}

// patience is how long a client of the load waits for its answer: several times the outage.
const patience = 45 * time.Second

// load is a number of clients that ask one question after the other, each with a key, and repeat what was not answered.
type load struct {
	answers     atomic.Int64
	unavailable atomic.Int64
	next        atomic.Int64
	halt        context.CancelFunc
	clients     sync.WaitGroup

	mu    sync.Mutex
	asked []ask
	wrong []string // replies that nobody should have got
}

// startLoad begins to ask; name begins the keys and tells loads apart.
func startLoad(t testing.TB, c client, route, name string, clients int) *load {
	t.Helper()
	ctx, halt := context.WithCancel(t.Context())
	l := &load{halt: halt}
	c.http = &http.Client{Timeout: patience, Transport: c.http.Transport}
	for range clients {
		l.clients.Go(func() {
			for ctx.Err() == nil {
				n := l.next.Add(1)
				a := ask{route: route, prompt: fmt.Sprintf("%s question %d", name, n), key: fmt.Sprintf("%s-%d", name, n)}
				l.mu.Lock()
				l.asked = append(l.asked, a)
				l.mu.Unlock()
				l.insist(ctx, c, a)
			}
		})
	}
	t.Cleanup(func() {
		halt()
		l.clients.Wait()
	})
	return l
}

// insist repeats the request, as Retry-After asks, until it is answered or the load is halted.
func (l *load) insist(ctx context.Context, c client, a ask) {
	for ctx.Err() == nil {
		got, err := c.send(context.WithoutCancel(ctx), a)
		wait, problem := l.judge(got, err)
		if problem != "" {
			l.mu.Lock()
			l.wrong = append(l.wrong, a.key+": "+problem)
			l.mu.Unlock()
		}
		if err == nil && got.status == http.StatusOK {
			l.answers.Add(1)
			return
		}
		l.unavailable.Add(1)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// judge says how long to wait before the next try, and what is wrong with the reply.
func (l *load) judge(got reply, err error) (wait time.Duration, problem string) {
	wait = time.Second
	if err != nil {
		return wait, "no reply: " + err.Error()
	}
	if word := infrastructure(got.body); word != "" {
		return wait, fmt.Sprintf("a reply says %q: %s", word, got.body)
	}
	switch got.status {
	case http.StatusOK:
		return 0, ""
	case http.StatusServiceUnavailable:
		seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			return wait, fmt.Sprintf("503 with Retry-After %q: %s", got.header.Get("Retry-After"), got.body)
		}
		return wait, ""
	default:
		return wait, fmt.Sprintf("%d: %s", got.status, got.body)
	}
}

// infrastructure finds a word that no client should read.
func infrastructure(body []byte) string {
	text := strings.ToLower(string(body))
	for _, word := range []string{"postgres", "temporal", "sql", "pgx", "127.0.0.1", "dial", "workflow", "connection refused"} {
		if strings.Contains(strings.ReplaceAll(text, "temporarily", ""), word) {
			return word
		}
	}
	return ""
}

// awaitAnswers waits until so many more requests have been answered.
func (l *load) awaitAnswers(t *testing.T, more int64) {
	t.Helper()
	until := l.answers.Load() + more
	require.Eventually(t, func() bool { return l.answers.Load() >= until }, late, tick, "no answers come any more: %v", &l.unavailable)
}

// stop lets each client finish what it is waiting for.
func (l *load) stop(t *testing.T) {
	t.Helper()
	l.halt()
	l.clients.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Empty(t, l.wrong)
	t.Logf("%d asked, %d answered, %d told to come back", len(l.asked), l.answers.Load(), l.unavailable.Load())
}

// requireAllAnswered requires that whatever was accepted has been answered, once.
func requireAllAnswered(t *testing.T, holdfast *instance, loads ...*load) {
	t.Helper()
	require.Eventually(t, func() bool { return len(holdfast.recorded(t, "open")) == 0 }, late, 2*tick, "completions are still open")
	require.Empty(t, holdfast.recorded(t, "failed"))
	for _, l := range loads {
		require.GreaterOrEqual(t, len(holdfast.recorded(t, "succeeded")), int(l.answers.Load()))
		for _, a := range l.asked {
			got := holdfast.mustSend(t, a)
			require.Contains(t, got.text(t), "You said: "+a.prompt)
		}
	}
}
