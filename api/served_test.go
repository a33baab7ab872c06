package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
	"github.com/holdfast-dev/holdfast/workflows"
)

// serves is an answer that is not from a provider as wanted.
func (b *bundle) serves(from completions.ServedFrom) func(workflows.CompletionInput) {
	return func(in workflows.CompletionInput) {
		ctx := context.Background()
		b.hub.Claim(in.ID)
		fence := completions.Fence{ID: in.ID, Epoch: in.Epoch, InstanceID: "node/1"}
		now := time.Now()
		answer := llm.Response{Model: "gpt-4.1", FinishReason: llm.FinishStop, Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("hello")}}}
		success := completions.Success{Provider: "openai", Model: "gpt-4.1", Answer: answer, Streamed: in.Recovery != "", AnsweredAt: now, At: now, ServedFrom: from}
		if from == completions.ServedDegraded {
			success.Number = 1
			plan := failover.Plan{
				Candidates: []failover.Candidate{{Deployment: "d", Provider: "ollama", Model: "llama3", Reason: "the only one", Group: "local", Degraded: true, Timeout: time.Minute, Keys: []string{"main"}}},
				Excluded:   []failover.Excluded{{Deployment: "e", Provider: "openai", Model: "gpt-4.1", Reason: "no key"}},
			}
			_, _ = b.store.StartFirst(ctx, fence, completions.NewAttempt{Deployment: "d", Provider: "ollama", Model: "llama3", StartedAt: now, Plan: &plan})
		}
		_, _ = b.store.RecordSuccess(ctx, fence, success)
		outcome, _ := b.store.Outcome(ctx, "", in.ID)
		b.hub.Deliver(in.ID, outcome)
	}
}

func TestAnswersThatAreNotAsWantedSaySo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from                      completions.ServedFrom
		cache, degraded, attempts string
	}{
		{completions.ServedCache, "hit", "", "0"},
		{completions.ServedStale, "stale", "", "0"},
		{completions.ServedDegraded, "", "true", "1"},
	} {
		t.Run(string(c.from), func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			b.play = b.serves(c.from)
			response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Equal(t, c.cache, response.Header.Get("X-Holdfast-Cache"))
			require.Equal(t, c.degraded, response.Header.Get("X-Holdfast-Degraded"))
			require.Equal(t, c.attempts, response.Header.Get("X-Holdfast-Attempts"))
			_, record := b.do(t, http.MethodGet, "/v1/holdfast/completions/"+object["id"].(string), "a", "") //nolint:forcetypeassert // a test
			require.Equal(t, string(c.from), record["served_from"])

			stream := b.open(t, streamed)
			content, err := io.ReadAll(stream.Body)
			require.NoError(t, err)
			require.Equal(t, c.cache, stream.Header.Get("X-Holdfast-Cache"), "nothing was sent before the end was known")
			require.Equal(t, 1, strings.Count(string(content), `"holdfast":{"served_from":"`+string(c.from)+`"}`), "%s", content)
		})
	}
}

func TestAStreamThatHasBegunSaysAtItsEndWhereItIsFrom(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	read := make(chan struct{})
	b.play = func(in workflows.CompletionInput) {
		feed, leave := b.hub.Open(in.ID)
		defer leave()
		feed.Write(&transcript.Log{})
		defer feed.Written()
		feed.Append(llm.Event{Type: llm.EventStart, Model: "gpt-4.1"})
		feed.Append(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}})
		feed.Append(llm.Event{Type: llm.EventDelta, Text: "hello"})
		<-read
		b.serves(completions.ServedDegraded)(in)
	}
	response := b.open(t, streamed)
	require.Empty(t, response.Header.Get("X-Holdfast-Degraded"), "nobody could know")
	close(read)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	chunks := strings.Split(strings.TrimSpace(string(content)), "\n\n")
	require.Contains(t, chunks[0], "gpt-4.1")
	finish, done := chunks[len(chunks)-3], chunks[len(chunks)-1]
	require.Contains(t, finish, `"finish_reason":"stop"`)
	require.Contains(t, finish, `"holdfast":{"served_from":"degraded"}`)
	require.Equal(t, "data: [DONE]", done)
}

func TestAnAnswerAsWantedSaysNothingOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	response, _ := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
	require.Empty(t, response.Header.Values("X-Holdfast-Cache"))
	require.Empty(t, response.Header.Values("X-Holdfast-Degraded"))
	content, err := io.ReadAll(b.open(t, streamed).Body)
	require.NoError(t, err)
	require.NotContains(t, string(content), "served_from")
}

func TestARecordShowsThePlan(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.play = b.serves(completions.ServedDegraded)
	_, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
	path := "/v1/holdfast/completions/" + object["id"].(string) //nolint:forcetypeassert // a test
	_, record := b.do(t, http.MethodGet, path, "a", "")
	require.Equal(t, map[string]any{
		"candidates": []any{map[string]any{
			"deployment": "d", "provider": "ollama", "model": "llama3", "fallback": "local", "degraded": true, "timeout_ms": 60000.0,
			"retries": 0.0, "reason": "the only one",
		}},
		"excluded": []any{map[string]any{"deployment": "e", "provider": "openai", "model": "gpt-4.1", "reason": "no key"}},
	}, record["plan"])
	response, _ := b.do(t, http.MethodGet, path, "b", "")
	require.Equal(t, http.StatusNotFound, response.StatusCode, "it is the tenant's own")

	b.play = b.serves(completions.ServedCache)
	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
	_, record = b.do(t, http.MethodGet, "/v1/holdfast/completions/"+object["id"].(string), "a", "") //nolint:forcetypeassert // a test
	require.NotContains(t, record, "plan")
}

// refuses ends with a failure that says when to come back.
func (b *bundle) refuses(failure llm.Error) func(workflows.CompletionInput) {
	return func(in workflows.CompletionInput) {
		ctx := context.Background()
		b.hub.Claim(in.ID)
		_, _ = b.store.RecordFailure(ctx, completions.Fence{ID: in.ID, Epoch: in.Epoch}, completions.Failure{Error: failure, At: time.Now()})
		outcome, _ := b.store.Outcome(ctx, "", in.ID)
		b.hub.Deliver(in.ID, outcome)
	}
}

func TestWhoFindsEveryProviderRestingIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, c := range []struct {
		failure llm.Error
		want    string
	}{
		{llm.Error{Kind: llm.KindOverloaded, Code: "every_provider_rests", Detail: "every deployment rests", RetryAfter: 41500 * time.Millisecond}, "42"},
		{llm.Error{Kind: llm.KindOverloaded, Code: "every_provider_rests"}, "5"},
		{llm.Error{Kind: llm.KindOverloaded, Code: "held_back", Detail: "not sent: openai/gpt-4.1 is open", RetryAfter: 7 * time.Second}, "7"},
		{llm.Error{Kind: llm.KindRateLimit, Code: "held_back", RetryAfter: 48 * time.Hour}, "3600"},
	} {
		b.play = b.refuses(c.failure)
		response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		require.Equal(t, c.want, response.Header.Get("Retry-After"))
		require.Equal(t, "no_model_available", code(object))
		failure, _ := object["error"].(map[string]any)
		require.Equal(t, "No model could answer this request at the moment.", failure["message"])
		require.NotEmpty(t, failure["completion_id"])
	}
}
