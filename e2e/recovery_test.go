package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// story is a prompt whose echo takes many events and has letters of several bytes.
const story = "Tell me about größere Flüsse in 日本, about rain and ❄️ snow, about the sea in the north and about all of the ships that sail there in winter."

func policy(name string) map[string]any {
	return map[string]any{"holdfast": map[string]any{"on_stream_failure": name}}
}

// Each fault of a stream, at each place, under each policy. What the client reads is one answer, whole and once, or an error
// that says so; never two halves of two answers, nor an end that did not come.
func TestAStreamThatBreaksIsRecoveredByPolicy(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	type place struct {
		route, first, second string
		vendor               simulator.Vendor
		after                int
	}
	places := map[string]place{
		"after the first word": {"recover", "openai/gpt-recover", "anthropic/claude-recover", simulator.OpenAI, 1},
		"in the middle":        {"recover", "openai/gpt-recover", "anthropic/claude-recover", simulator.OpenAI, 3},
		// Anthropic's terminal event is missing; that of OpenAI says nothing that the finish reason has not said.
		"after the last word": {"recover-ended", "anthropic/claude-ended", "openai/gpt-ended", simulator.Anthropic, 1000},
	}
	for _, kind := range []simulator.StreamFaultKind{simulator.StreamError, simulator.StreamCut, simulator.StreamReset, simulator.StreamNoTerminal, simulator.StreamHang} {
		for at, place := range places {
			whole, other := "["+place.first+"] You said: "+story, "["+place.second+"] You said: "+story
			for _, recovery := range []string{"continue", "restart", "fail"} {
				name := fmt.Sprintf("%s %s, %s", kind, at, recovery)
				fault := simulator.Fault{
					Match: simulator.Match{Model: place.first[strings.IndexByte(place.first, '/')+1:]}, Count: 1,
					Stream: &simulator.StreamFault{Kind: kind, After: place.after, SplitBytes: 3},
				}
				if kind == simulator.StreamError {
					fault.Status = http.StatusServiceUnavailable
				}
				if kind == simulator.StreamHang && at != "in the middle" {
					continue // each waits for its time to pass
				}
				providers.SetFault(place.vendor, fault)
				got := holdfast.ask(t, streamBody(place.route, story, policy(recovery)))
				got.requireOrder(t)
				found := holdfast.record(t, got.id)
				if kind == simulator.StreamReset && got.text == other && got.restarts == 0 {
					require.Len(t, found.Attempts, 2, name)
					continue // the reset overtook the first word: nothing had been seen
				}
				if recovery == "fail" {
					require.NotEmpty(t, got.failed, name)
					require.False(t, got.done, name)
					require.Empty(t, got.finish, "%s: an end was invented", name)
					require.Equal(t, "failed", found.State, name)
					require.Len(t, found.Attempts, 1, name)
					continue
				}
				want := whole
				if recovery == "restart" {
					want = other
					require.LessOrEqual(t, got.restarts, 1, name)
				}
				require.Empty(t, got.failed, name)
				require.Equal(t, want, got.text, name)
				require.True(t, got.done, name)
				require.Equal(t, "stop", got.finish, name)
				require.InDelta(t, len(want)/4, got.tokens, 12, "%s: all of the answer is counted", name)
				require.Equal(t, "succeeded", found.State, name)
				require.Len(t, found.Attempts, 2, name)
				require.Equal(t, "failed", found.Attempts[0].State, name)
				require.Positive(t, found.Attempts[0].Usage.OutputTokens, "%s: what was produced is counted", name)

				again := &reading{id: got.id}
				require.NoError(t, holdfast.resume(within(t, soon), again, nil))
				require.Equal(t, want, again.text, "%s: read back", name)
			}
		}
	}
}

// What the vendor has said to be finished is, whatever becomes of the connection.
func TestAFinishedStreamIsWhole(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	for _, kind := range []simulator.StreamFaultKind{simulator.StreamError, simulator.StreamCut, simulator.StreamNoTerminal, simulator.StreamHang} {
		fault := simulator.Fault{Match: simulator.Match{Model: "gpt-finished"}, Count: 1, Stream: &simulator.StreamFault{Kind: kind, After: 1000}}
		if kind == simulator.StreamError {
			fault.Status = http.StatusServiceUnavailable
		}
		providers.SetFault(simulator.OpenAI, fault)
		got := holdfast.ask(t, streamBody("finished", story, nil))
		require.Equal(t, "[openai/gpt-finished] You said: "+story, got.text, kind)
		require.Equal(t, "stop", got.finish, kind)
		require.True(t, got.done, kind)
		require.Positive(t, got.tokens, kind)
		require.Len(t, holdfast.record(t, got.id).Attempts, 1, kind)
	}
}

func TestAToolCallIsNeverPutTogetherFromTwo(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	tools := []map[string]any{{"type": "function", "function": map[string]any{
		"name":       "get_weather",
		"parameters": map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}},
	}}}
	for _, recovery := range []string{"continue", "restart", "fail"} {
		providers.SetFault(simulator.OpenAI, simulator.Fault{
			Match: simulator.Match{Model: "gpt-tool-cut"}, Count: 1, Stream: &simulator.StreamFault{Kind: simulator.StreamCut, After: 2},
		})
		extra := policy(recovery)
		extra["tools"] = tools
		got := holdfast.ask(t, streamBody("tool-cut", "Call the tool get_weather.", extra))
		found := holdfast.record(t, got.id)
		if recovery != "restart" {
			require.NotEmpty(t, got.failed, recovery)
			require.Empty(t, got.finish)
			require.Len(t, found.Attempts, 1)
			require.Contains(t, found.Attempts[0].Reason, "in the middle of a stream")
			continue
		}
		require.Equal(t, 1, got.restarts)
		require.JSONEq(t, `{"city":"Paris"}`, got.arguments)
		require.Equal(t, "tool_calls", got.finish)
		require.Len(t, found.Attempts, 2)
	}
}

func TestJSONIsNeverPutTogetherFromTwo(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{
		Match: simulator.Match{Model: "gpt-json-cut"}, Count: 1, Stream: &simulator.StreamFault{Kind: simulator.StreamCut, After: 1},
	})
	extra := policy("continue")
	extra["response_format"] = map[string]any{"type": "json_object"}
	got := holdfast.ask(t, streamBody("json-cut", `Please answer with {"JSON": "of several words", "and": "a second member", "and so": "on and on"}`, extra))
	require.NotEmpty(t, got.failed, "%+v", got)
	require.Len(t, holdfast.record(t, got.id).Attempts, 1)
}

// The provider's own repetition of what the client has is not passed on.
func TestAModelThatRepeatsItselfIsTrimmed(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetBehaviour(simulator.Gemini, simulator.Behaviour{Continuation: simulator.ContinuationOverlap})
	defer providers.SetBehaviour(simulator.Gemini, simulator.Behaviour{})
	providers.SetFault(simulator.OpenAI, simulator.Fault{
		Match: simulator.Match{Model: "gpt-overlap"}, Count: 1, Stream: &simulator.StreamFault{Kind: simulator.StreamCut, After: 5},
	})
	got := holdfast.ask(t, streamBody("overlap", story, nil))
	require.Equal(t, "[openai/gpt-overlap] You said: "+story, got.text)
	require.Len(t, holdfast.record(t, got.id).Attempts, 2)
}

func TestAStreamIsAttachedToAgain(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-attach"}, SlowBytes: 3000})
	response, err := holdfast.open(within(t, late), http.MethodPost, "/v1/chat/completions", streamBody("attach", story, nil), "Idempotency-Key", "attach")
	require.NoError(t, err)
	got := &reading{}
	for !got.done { // a new connection for every two events
		events := 0
		stop := func() bool { events++; return events == 2 }
		if response != nil {
			require.NoError(t, got.read(response, stop))
			response = nil
			continue
		}
		require.NoError(t, holdfast.resume(within(t, late), got, stop))
	}
	require.Equal(t, "[openai/gpt-attach] You said: "+story, got.text)
	require.Equal(t, "stop", got.finish)
	require.Positive(t, got.tokens)
	require.Greater(t, got.connections, 5)
	got.requireOrder(t)
	require.Len(t, holdfast.record(t, got.id).Attempts, 1)

	wrong, err := holdfast.do(within(t, soon), http.MethodGet, "/v1/chat/completions/"+got.id+"?stream=true&starting_after=soon", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, wrong.status)
	lost := &reading{id: got.id}
	response, err = holdfast.open(within(t, soon), http.MethodGet, "/v1/chat/completions/"+got.id+"?stream=true&starting_after=20-00000bad", nil)
	require.NoError(t, err)
	require.NoError(t, lost.read(response, nil))
	require.Equal(t, 1, lost.restarts, "who has read something else is told")
	require.Equal(t, got.text, lost.text)
}

func TestACancelledStreamEndsAtItsProvider(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{
		Match: simulator.Match{Model: "gpt-cancel"}, Count: 1, Stream: &simulator.StreamFault{Kind: simulator.StreamHang, After: 3},
	})
	response, err := holdfast.open(within(t, late), http.MethodPost, "/v1/chat/completions", streamBody("cancel", story, nil))
	require.NoError(t, err)
	got := &reading{}
	ended := make(chan error, 1)
	said := make(chan struct{})
	var once sync.Once
	go func() {
		ended <- got.read(response, func() bool {
			if strings.Contains(got.text, "Tell") {
				once.Do(func() { close(said) })
			}
			return false
		})
	}()
	select {
	case <-said:
	case <-time.After(soon):
		t.Fatal("nothing was said")
	}
	id := response.Header.Get("X-Holdfast-Completion-Id")
	begun := time.Now()
	reply, err := holdfast.do(within(t, soon), http.MethodPost, "/v1/chat/completions/"+id+"/cancel", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, reply.status, "%s", reply.body)
	require.Contains(t, string(reply.body), `"status":"cancelled"`)
	require.Contains(t, string(reply.body), `"finish_reason":null`)
	require.Contains(t, reply.text(t), "You said: Tell")
	require.Eventually(t, func() bool { return providers.lastDone(simulator.OpenAI, "gpt-cancel") }, time.Second-time.Since(begun), 10*time.Millisecond,
		"the provider's connection is closed within a second")
	require.NoError(t, <-ended)
	require.Equal(t, "cancelled", got.failed)
	require.Empty(t, got.finish)
	found := holdfast.record(t, id)
	require.Equal(t, "cancelled", found.State)
	require.Positive(t, found.Attempts[0].Usage.OutputTokens)
	again := &reading{id: id}
	require.NoError(t, holdfast.resume(within(t, soon), again, nil))
	require.Equal(t, got.text, again.text, "what was said can be read again")
	require.Equal(t, "cancelled", again.failed)
}

func TestAnOperatorCancelsACompletion(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-cancel-by-operator"}, Hang: true, Count: 1})
	waiting := make(chan outcome, 1)
	go func() {
		got, err := holdfast.send(t.Context(), ask{route: "cancel-by-operator", prompt: "never answered", key: "by-operator"})
		waiting <- outcome{got, err}
	}()
	require.Eventually(t, func() bool { return providers.asked("never answered") }, soon, tick)
	id := holdfast.recorded(t, "open")
	for _, open := range id { // those of other tests among them are not touched
		if holdfast.record(t, open).WorkflowID == "completion/default/by-operator" {
			require.Contains(t, command(t, "", nil, "completions", "cancel", open, "--data", holdfast.dir), "is being cancelled")
			result := <-waiting
			require.NoError(t, result.err)
			require.Equal(t, 499, result.status, "%s", result.body)
			require.Contains(t, command(t, "", nil, "completions", "cancel", open, "--data", holdfast.dir), "has ended before: cancelled")
			return
		}
	}
	t.Fatal("it is not among the open completions")
}

func TestAClientThatGoesAwayTakesItsCompletionAlong(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	for _, model := range []string{"gpt-gone-streamed", "gpt-gone-whole"} {
		providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: model}, Latency: 2 * time.Second})
	}
	for name, c := range map[string]struct {
		extra  map[string]any
		key    string
		stream bool
		state  string
	}{
		"streamed":                {nil, "", true, "cancelled"},
		"whole":                   {nil, "", false, "cancelled"},
		"streamed with a key":     {nil, "gone-1", true, "succeeded"},
		"whole with a key":        {nil, "gone-2", false, "succeeded"},
		"stored":                  {map[string]any{"store": true}, "", true, "succeeded"},
		"to be continued":         {map[string]any{"holdfast": map[string]any{"on_disconnect": "continue"}}, "", true, "succeeded"},
		"a key, to be cancelled":  {map[string]any{"holdfast": map[string]any{"on_disconnect": "cancel"}}, "gone-3", true, "cancelled"},
		"whole, to be cancelled ": {map[string]any{"holdfast": map[string]any{"on_disconnect": "cancel"}}, "gone-4", false, "cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := streamBody("gone-streamed", story+name, c.extra)
			if !c.stream {
				body["model"] = "gone-whole"
				delete(body, "stream")
				delete(body, "stream_options")
			}
			var headers []string
			if c.key != "" {
				headers = []string{"Idempotency-Key", c.key}
			}
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				if response, err := holdfast.open(ctx, http.MethodPost, "/v1/chat/completions", body, headers...); err == nil {
					_ = (&reading{}).read(response, nil)
				}
			}()
			require.Eventually(t, func() bool { return providers.asked(story + name) }, soon, tick)
			leave()
			require.Eventually(t, func() bool { return holdfast.stateOf(t, story+name) == c.state }, soon, tick)
		})
	}
}

// stateOf is the state of the completion that a prompt was sent for; empty if there is none.
func (i *instance) stateOf(t testing.TB, prompt string) (state string) {
	t.Helper()
	const query = `SELECT coalesce(max(c.state), '') FROM completions c JOIN completion_requests r ON r.completion_id = c.id
		WHERE r.body #>> '{messages,0,parts,0,text}' = $1`
	require.NoError(t, i.database(t, "holdfast").QueryRow(within(t, soon), query, prompt).Scan(&state))
	return state
}
