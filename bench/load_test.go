package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func nothing() {}

func TestLoopCountsOnlyTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		var opened, closed time.Time
		begin := time.Now()
		got := loop{
			clients: 4, warm: 2 * time.Second, window: 3 * time.Second,
			opened: func() { opened = time.Now() }, closed: func() { closed = time.Now() },
			call: func(context.Context) error { calls.Add(1); time.Sleep(300 * time.Millisecond); return nil },
		}.run(t.Context())
		require.Equal(t, 2*time.Second, opened.Sub(begin))
		require.Equal(t, 5*time.Second, closed.Sub(begin))
		// A client's calls end at 0.3, 0.6, … 5.1 s; of these 2.1 to 4.8 s lie in the window: ten.
		require.Len(t, got.Latencies, 40)
		require.Equal(t, 300*time.Millisecond, got.quantile(0.5))
		require.InDelta(t, 40.0/3, got.perSecond(), 1e-9)
		require.EqualValues(t, 17*4, calls.Load(), "calls under way at the end are let finish, and none is begun after it")
	})
}

func TestLoopSpreadsTheFirstCallsOverTheRamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var atOnce, most atomic.Int64
		loop{
			clients: 10, ramp: 10 * time.Second, window: 10 * time.Second, opened: nothing, closed: nothing,
			call: func(context.Context) error {
				now := atOnce.Add(1)
				for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
				}
				time.Sleep(100 * time.Millisecond)
				atOnce.Add(-1)
				time.Sleep(9900 * time.Millisecond)
				return nil
			},
		}.run(t.Context())
		require.EqualValues(t, 1, most.Load(), "ten clients, a second apart, never begin together")
	})
}

func TestLoopWaitsAsARefusalSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := loop{
			clients: 2, window: 10*time.Second - time.Millisecond, opened: nothing, closed: nothing,
			call: func(context.Context) error { time.Sleep(time.Millisecond); return &refused{after: time.Second} },
		}.run(t.Context())
		require.Equal(t, 20, got.Refused)
		require.Zero(t, got.Failed)
		require.Empty(t, got.Latencies)
		require.Zero(t, got.quantile(0.5))
	})
}

func TestLoopKeepsTheFirstFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := loop{
			clients: 1, window: time.Second, opened: nothing, closed: nothing,
			call: func(context.Context) error { time.Sleep(time.Millisecond); return errors.New("it broke") },
		}.run(t.Context())
		require.Equal(t, "it broke", got.FirstFail)
		require.Equal(t, 10, got.Failed, "a failing subject is not hammered")
	})
}

func TestChat(t *testing.T) {
	t.Parallel()
	answers := map[string]func(http.ResponseWriter, *http.Request){
		"/good": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = w.Write([]byte(strings.Repeat("x", answerBytes)))
		},
		"/busy": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"/down":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"/short": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path](w, r) }))
	defer server.Close()
	call := func(path string) error {
		return chat(server.Client(), server.URL+path, "m", "secret")(t.Context())
	}
	require.NoError(t, call("/good"))
	turnedAway, ok := errors.AsType[*refused](call("/busy"))
	require.True(t, ok)
	require.Equal(t, 3*time.Second, turnedAway.after)
	_, ok = errors.AsType[*refused](call("/down"))
	require.False(t, ok, "only who says when to come back has refused in good order")
	require.ErrorContains(t, call("/short"), "2 bytes")
	require.InDelta(t, 2048, len(chatBody("m")), 150)
}
