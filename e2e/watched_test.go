package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// watched is one instance whose breakers are on, with times that a test can wait for. Its tests inflict nothing on an account as
// a whole: what they have faults for is models of their own.
var watched = sharedInstance{config: watchedConfig}

// The longest rest of watched, and the time over which traffic comes back.
const (
	longestRest = 4 * time.Second
	comingBack  = 2 * time.Second
)

func watchedConfig(p providers) string {
	return p.configText(settings{
		router: "cooldown_time: 1, context_window_fallbacks: [{short: [roomy]}]",
		holdfast: "breaker: {max_cooldown: 4s, window: 5s, min_calls: 4, ramp: 2s}, routes: {" +
			"hedged: {hedge: {after: 300ms}}, hedged-stream: {hedge: {after: 300ms}}, " +
			"kept: {cache: {ttl: 4s, stale: 300s}, when_down: {stale_cache: true}}, kept-stream: {cache: {ttl: 300s}}, " +
			"parked: {when_down: {park: always}}, unparked: {when_down: {park: never}}}",
	},
		[]string{"later-last", "openai/gpt-later-last", "openai/gpt-later-last", "anthropic/claude-later-last"},
		[]string{"later-first", "openai/gpt-later-first", "openai/gpt-later-first", "anthropic/claude-later-first"},
		[]string{"patient", "openai/gpt-patient"},
		[]string{"shedding", "anthropic/claude-shedding", "openai/gpt-beside-shedding"},
		[]string{"outage", "openai/gpt-outage", "anthropic/claude-beside-outage"},
		[]string{"half", "openai/gpt-half", "anthropic/claude-beside-half"},
		[]string{"parked", "openai/gpt-parked", "anthropic/claude-parked"},
		[]string{"unparked", "openai/gpt-unparked", "anthropic/claude-unparked"},
		[]string{"hedged", "openai/gpt-hedged", "anthropic/claude-hedged"},
		[]string{"hedged-stream", "openai/gpt-hedged-stream", "anthropic/claude-hedged-stream"},
		[]string{"kept", "openai/gpt-kept", "anthropic/claude-kept"},
		[]string{"kept-stream", "openai/gpt-kept-stream"},
		[]string{"sighted", "openai/gpt-blind; supports_vision: false", "anthropic/claude-sighted"},
		[]string{"handy", "openai/gpt-handless; supports_function_calling: false", "anthropic/claude-handy"},
		[]string{"short", "openai/gpt-short; max_input_tokens: 1000"},
		[]string{"roomy", "gemini/gemini-roomy; max_input_tokens: 100000"},
	)
}

// health is what processes know of a domain.
type health struct {
	State  string    `json:"state"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Cause  string    `json:"cause"`
	Reason string    `json:"reason"`
}

// healthOf reads what is known of a domain; its zero value is nothing.
func healthOf(t testing.TB, db *pgx.Conn, domain string) (known health) {
	t.Helper()
	err := db.QueryRow(within(t, soon), `SELECT health FROM provider_health WHERE domain = $1`, domain).Scan(&known)
	if !errors.Is(err, pgx.ErrNoRows) {
		require.NoError(t, err)
	}
	return known
}

// announcements are the changes of a domain that processes tell each other, as they come.
type announcements struct {
	mu   sync.Mutex
	told []health
}

// announced begins to collect the changes of a domain.
func announced(t testing.TB, db *pgx.Conn, domain string) *announcements {
	t.Helper()
	_, err := db.Exec(within(t, soon), `LISTEN holdfast_health`)
	require.NoError(t, err)
	a := &announcements{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			heard, err := db.WaitForNotification(ctx)
			if err != nil {
				return
			}
			var standing struct {
				Domain string `json:"domain"`
				Health health `json:"health"`
			}
			if json.Unmarshal([]byte(heard.Payload), &standing) == nil && standing.Domain == domain {
				a.mu.Lock()
				a.told = append(a.told, standing.Health)
				a.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
	return a
}

// states are those that were told by now, in order.
func (a *announcements) states() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	states := make([]string, len(a.told))
	for i, told := range a.told {
		states[i] = told.State
	}
	return states
}

// count is how often a state was told of.
func (a *announcements) count(state string) int {
	n := 0
	for _, told := range a.states() {
		if told == state {
			n++
		}
	}
	return n
}

// clientCalls are the calls for a model that were made for a client: those that are no probes.
func (p providers) clientCalls(vendor simulator.Vendor, model string) []simulator.Call {
	return slices.DeleteFunc(p.Completions(vendor), func(call simulator.Call) bool { return call.Model != model || call.Text == "ping" })
}

// spread lets steps of a loop follow each other at a pace, until the end of the time.
func spread(t testing.TB, lasts, pace time.Duration, step func()) {
	t.Helper()
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for end := time.Now().Add(lasts); time.Now().Before(end); <-ticker.C {
		step()
	}
}
