package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

func jsonReader(body string) io.Reader { return strings.NewReader(body) }

// statuses makes n calls and lists what they got.
func (w *world) statuses(t *testing.T, vendor simulator.Vendor, n int) []int {
	t.Helper()
	var got []int
	for range n {
		got = append(got, w.hello(t, vendor).status)
	}
	return got
}

func TestFaultForTheNextCalls(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, vendor simulator.Vendor) {
		w := setup(t, simulator.Options{})
		id := w.sim.SetFault(vendor, simulator.Fault{Status: 503, Count: 2})
		require.Equal(t, []int{503, 503, 200}, w.statuses(t, vendor, 3))
		require.Empty(t, w.sim.Faults()[vendor], "a used-up fault is gone")
		calls := w.sim.Calls(vendor)
		require.Len(t, calls, 3)
		require.Equal(t, id, calls[1].Fault)
		require.Empty(t, calls[2].Fault)
	})
}

func TestFaultForAShareIsSpreadEvenly(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64][]int{
		0.5:  {200, 503, 200, 503, 200, 503, 200, 503, 200, 503},
		0.25: {200, 200, 200, 503, 200, 200, 200, 503, 200, 200},
		0.1:  {200, 200, 200, 200, 200, 200, 200, 200, 200, 503},
		0.7:  {200, 503, 503, 200, 503, 503, 200, 503, 503, 503},
		1:    {503, 503, 503, 503, 503, 503, 503, 503, 503, 503},
	} {
		w := setup(t, simulator.Options{})
		w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 503, Share: share})
		require.Equal(t, want, w.statuses(t, simulator.OpenAI, 10), "share %v", share)
	}
}

func TestFaultUntilATime(t *testing.T) {
	t.Parallel()
	var (
		mu  sync.Mutex
		now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	)
	w := setup(t, simulator.Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 500, For: time.Minute})
	require.Equal(t, now.Add(time.Minute), w.sim.Faults()[simulator.OpenAI][0].Until)
	require.Equal(t, []int{500}, w.statuses(t, simulator.OpenAI, 1))
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	require.Equal(t, []int{200}, w.statuses(t, simulator.OpenAI, 1))
	require.Empty(t, w.sim.Faults()[simulator.OpenAI])
}

func TestFaultsAreTriedInOrderAndMatch(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 404, Match: simulator.Match{Model: "gpt-4o"}})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 429, Match: simulator.Match{Key: "sk-a"}})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 401, Match: simulator.Match{Key: simulator.Fingerprint("sk-b")}})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 500, Share: 0.5})
	ask := func(model, key string) int {
		r := request(t.Context(), t, w.urls[simulator.OpenAI]+"/v1/chat/completions",
			jsonReader(`{"model":"`+model+`","messages":[{"role":"user","content":"x"}]}`))
		r.Header.Set("Authorization", "Bearer "+key)
		response, err := w.http.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		return response.StatusCode
	}
	require.Equal(t, 404, ask("gpt-4o", "sk-a-1"))
	require.Equal(t, 429, ask("gpt-4.1", "sk-a-1"))
	require.Equal(t, 401, ask("gpt-4.1", "sk-b"))
	require.Equal(t, 200, ask("gpt-4.1", "sk-c"), "the share spares the first")
	require.Equal(t, 500, ask("gpt-4.1", "sk-c"))
}

func TestFaultOnCompletionsSparesListingsAsAtTheVendor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault  simulator.Fault
		listed int
	}{
		{simulator.Fault{Status: 429}, 200},
		{simulator.Fault{Code: "insufficient_quota"}, 200},
		{simulator.Fault{Status: 400, Count: 1}, 200},
		{simulator.Fault{Status: 401}, 401},
		{simulator.Fault{Status: 503}, 503},
		{simulator.Fault{Status: 503, Match: simulator.Match{Operation: simulator.OperationComplete}}, 200},
		{simulator.Fault{Status: 429, Match: simulator.Match{Operation: simulator.OperationListModels}}, 429},
	} {
		w := setup(t, simulator.Options{})
		w.sim.SetFault(simulator.OpenAI, test.fault)
		response, err := w.http.Get(w.urls[simulator.OpenAI] + "/v1/models")
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, test.listed, response.StatusCode, "%+v", test.fault)
	}
}

func TestFaultReplacedAndCleared(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{ID: "outage", Status: 503})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{ID: "outage", Status: 500})
	w.sim.SetFault(simulator.Gemini, simulator.Fault{Status: 500})
	require.Equal(t, []int{500}, w.statuses(t, simulator.OpenAI, 1))
	require.Equal(t, 1, w.sim.Faults()[simulator.OpenAI][0].Applied)
	require.True(t, w.sim.ClearFault(simulator.OpenAI, "outage"))
	require.False(t, w.sim.ClearFault(simulator.OpenAI, "outage"))
	require.Equal(t, []int{200}, w.statuses(t, simulator.OpenAI, 1))
	require.Equal(t, []int{500}, w.statuses(t, simulator.Gemini, 1))
	w.sim.ClearFaults("")
	require.Equal(t, []int{200}, w.statuses(t, simulator.Gemini, 1))
}

func TestResetCutsTheConnection(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, vendor simulator.Vendor) {
		w := setup(t, simulator.Options{})
		w.sim.SetFault(vendor, simulator.Fault{Reset: true, Count: 1})
		path, body := hello(vendor)
		_, err := w.http.Do(request(t.Context(), t, w.urls[vendor]+path, jsonReader(body)))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Zero(t, w.sim.Calls(vendor)[0].Status)
		require.Equal(t, []int{200}, w.statuses(t, vendor, 1))
	})
}

func TestMalformedAndEmptyBodies(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, vendor simulator.Vendor) {
		w := setup(t, simulator.Options{})
		w.sim.SetFault(vendor, simulator.Fault{Malformed: true, Count: 1})
		w.sim.SetFault(vendor, simulator.Fault{Empty: true, Count: 1})
		w.sim.SetFault(vendor, simulator.Fault{Malformed: true, Status: 502, Count: 1})
		broken := w.hello(t, vendor)
		require.Equal(t, 200, broken.status)
		require.NotEmpty(t, broken.body)
		require.False(t, json.Valid(broken.body))
		empty := w.hello(t, vendor)
		require.Equal(t, 200, empty.status)
		require.Empty(t, empty.body)
		gateway := w.hello(t, vendor)
		require.Equal(t, 502, gateway.status)
		require.False(t, json.Valid(gateway.body))
	})
}

func TestHangEndsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, vendor simulator.Vendor) {
		w := setup(t, simulator.Options{})
		w.sim.SetFault(vendor, simulator.Fault{Hang: true})
		path, body := hello(vendor)
		ctx := within(t, 30*time.Second)
		leave, cancel := context.WithCancelCause(ctx)
		failed := make(chan error, 1)
		go func() {
			_, err := w.http.Do(request(leave, t, w.urls[vendor]+path, jsonReader(body)))
			failed <- err
		}()
		require.NoError(t, w.sim.WaitCalls(ctx, vendor, 1))
		require.False(t, w.sim.Calls(vendor)[0].Done)
		cancel(errLeft)
		require.ErrorIs(t, <-failed, errLeft)
		require.Eventually(t, func() bool { return w.sim.Calls(vendor)[0].Done }, 10*time.Second, time.Millisecond)
		require.Zero(t, w.sim.Calls(vendor)[0].Status)
	})
}

func TestHangAndLatencyEndWhenTheSimulatorCloses(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{{Hang: true}, {Latency: time.Hour}} {
		w := setup(t, simulator.Options{})
		w.sim.SetFault(simulator.OpenAI, fault)
		failed := make(chan error, 1)
		go func() {
			path, body := hello(simulator.OpenAI)
			_, err := w.http.Do(request(t.Context(), t, w.urls[simulator.OpenAI]+path, jsonReader(body)))
			failed <- err
		}()
		require.NoError(t, w.sim.WaitCalls(within(t, 30*time.Second), simulator.OpenAI, 1))
		w.sim.Close()
		require.ErrorIs(t, <-failed, io.EOF)
	}
}

func TestLatencyDelaysAnswersAndErrors(t *testing.T) {
	t.Parallel()
	const delay = 50 * time.Millisecond
	w := setup(t, simulator.Options{Behaviour: simulator.Behaviour{Latency: delay}})
	timed := func() (int, time.Duration) {
		start := time.Now()
		status := w.hello(t, simulator.OpenAI).status
		return status, time.Since(start)
	}
	status, took := timed()
	require.Equal(t, 200, status)
	require.GreaterOrEqual(t, took, delay)
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 500, Latency: 2 * delay})
	status, took = timed()
	require.Equal(t, 500, status)
	require.GreaterOrEqual(t, took, 2*delay)
}

func TestSlowBytesDripTheWholeBody(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{Seed: 1})
	w.sim.SetFault(simulator.Gemini, simulator.Fault{SlowBytes: 2000, Count: 1})
	start := time.Now()
	slow := w.hello(t, simulator.Gemini)
	require.True(t, json.Valid(slow.body))
	require.Greater(t, len(slow.body), 200, "else it is sent at once")
	require.GreaterOrEqual(t, time.Since(start), 100*time.Millisecond)
}

func TestFaultValidation(t *testing.T) {
	t.Parallel()
	for reason, fault := range map[string]simulator.Fault{
		"nothing happens":     {},
		"status 42":           {Status: 42},
		"share 1.5":           {Status: 500, Share: 1.5},
		"count -1":            {Status: 500, Count: -1},
		"latency -1s":         {Latency: -time.Second},
		"only one of hang":    {Hang: true, Reset: true},
		"needs a status":      {Code: "weird"},
		"operation \"dance\"": {Status: 500, Match: simulator.Match{Operation: "dance"}},
	} {
		err := fault.Validate()
		require.ErrorIs(t, err, simulator.ErrInvalidFault)
		require.ErrorContains(t, err, reason)
	}
	require.NoError(t, simulator.Fault{Code: "insufficient_quota"}.Validate())
	both := simulator.Fault{Status: 42, Share: 2}.Validate()
	require.ErrorContains(t, both, "status")
	require.ErrorContains(t, both, "share")
}

func TestFaultJSONRoundTrip(t *testing.T) {
	t.Parallel()
	fault := simulator.Fault{
		ID: "f", Match: simulator.Match{Model: "m", Key: "k", Operation: simulator.OperationComplete}, Status: 429, Code: "c",
		Type: "t", Message: "m", RetryAfter: 90 * time.Second, Latency: time.Millisecond, Hang: true, Reset: true,
		Malformed: true, Empty: true, SlowBytes: 7, Count: 3, Share: 0.5, For: time.Minute,
		Until: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Applied: 2,
	}
	data, err := json.Marshal(fault)
	require.NoError(t, err)
	require.Contains(t, string(data), `"retry_after":"1m30s"`)
	var back simulator.Fault
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, fault, back)

	small, err := json.Marshal(simulator.Fault{Status: 503, For: time.Minute})
	require.NoError(t, err)
	require.JSONEq(t, `{"status":503,"for":"1m0s"}`, string(small))
	require.ErrorContains(t, json.Unmarshal([]byte(`{"latency":5}`), &back), "such as \"60s\"")
	require.ErrorContains(t, json.Unmarshal([]byte(`{"statsu":5}`), &back), "statsu")
}

func TestOversizedBodiesAreRefused(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, vendor simulator.Vendor) {
		w := setup(t, simulator.Options{MaxBodyBytes: 20})
		require.Equal(t, http.StatusRequestEntityTooLarge, w.hello(t, vendor).status)
	})
}

var errLeft = errors.New("the client left")

// Whoever probes a vendor by what is free does not disturb what is scripted for its completions.
func TestAFaultThatGoesByCountingIsNotUsedUpByWhatIsFree(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{{Status: 503, Count: 2}, {Status: 503, Share: 0.5}} {
		w := setup(t, simulator.Options{})
		w.sim.SetFault(simulator.Anthropic, fault)
		for range 3 {
			_, err := w.anthropic.Models.List(t.Context(), anthropicsdk.ModelListParams{})
			require.NoError(t, err)
			_, err = w.anthropic.Messages.CountTokens(t.Context(), anthropicsdk.MessageCountTokensParams{
				Model: "claude-sonnet-5", Messages: []anthropicsdk.MessageParam{anthropicsdk.NewUserMessage(anthropicsdk.NewTextBlock("a"))},
			})
			require.NoError(t, err)
		}
		require.Zero(t, w.sim.Faults()[simulator.Anthropic][0].Applied)
		require.Empty(t, w.sim.Completions(simulator.Anthropic))
		if fault.Count > 0 {
			require.Equal(t, []int{503, 503, 200}, w.statuses(t, simulator.Anthropic, 3))
		} else {
			require.Equal(t, []int{200, 503, 200, 503}, w.statuses(t, simulator.Anthropic, 4))
		}
	}
	w := setup(t, simulator.Options{})
	w.sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 503, Count: 1, Match: simulator.Match{Operation: simulator.OperationListModels}})
	_, err := w.openai.Models.List(t.Context())
	require.Error(t, err, "a fault that is meant for it")
}
