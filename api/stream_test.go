package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
	"github.com/holdfast-dev/holdfast/workflows"
)

const streamed = `{"model":"demo","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`

// open posts a request and gives the response with its body unread.
func (b *bundle) open(t *testing.T, body string, header ...string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/v1/chat/completions", strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer token-of-a")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// speaks is an answer that comes word by word: each word is published when the test says so. Nil words end it by failing.
func (b *bundle) speaks(words <-chan string, fails *llm.Error) func(workflows.CompletionInput) {
	return func(in workflows.CompletionInput) {
		ctx := context.Background()
		b.hub.Claim(in.ID)
		fence := completions.Fence{ID: in.ID, Epoch: in.Epoch, InstanceID: "node/1"}
		now := time.Now()
		_, _ = b.store.StartFirst(ctx, fence, completions.NewAttempt{Deployment: "d", Provider: "openai", Model: "gpt-4.1", StartedAt: now})
		b.hub.Calling(in.ID)
		var c llm.Collector
		var feed *transcript.Feed
		say := func(event llm.Event) {
			c.Add(event)
			feed.Append(event)
		}
		var leave func()
		feed, leave = b.hub.Open(in.ID)
		defer leave()
		feed.Write(&transcript.Log{})
		defer feed.Written()
		first := true
		for word := range words {
			if first {
				first = false
				say(llm.Event{Type: llm.EventStart, Model: "gpt-4.1"})
				say(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}})
			}
			say(llm.Event{Type: llm.EventDelta, Text: word})
		}
		if fails != nil {
			_, _ = b.store.RecordFailure(ctx, fence, completions.Failure{Error: *fails, At: time.Now()})
		} else {
			say(llm.Event{Type: llm.EventPartEnd})
			say(llm.Event{Type: llm.EventFinish, FinishReason: llm.FinishStop})
			say(llm.Event{Type: llm.EventUsage, Usage: &llm.Usage{InputTokens: 3, OutputTokens: 2}})
			_, _ = b.store.RecordSuccess(ctx, fence, completions.Success{Number: 1, Provider: "openai", Model: "gpt-4.1", Answer: c.Response(), AnsweredAt: now, At: now})
		}
		outcome, _ := b.store.Outcome(ctx, "", in.ID)
		b.hub.Deliver(in.ID, outcome)
	}
}

// data reads the data of the next event that is not a comment.
func data(t *testing.T, lines *bufio.Reader) string {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok {
			return text
		}
	}
}

func TestAnAnswerIsPassedOnAsItComes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	words := make(chan string)
	b.play = b.speaks(words, nil)
	go func() { words <- "Hel" }()
	response := b.open(t, streamed)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream; charset=utf-8", response.Header.Get("Content-Type"))
	require.NotEmpty(t, response.Header.Get("X-Holdfast-Completion-Id"))
	lines := bufio.NewReader(response.Body)
	require.Contains(t, data(t, lines), `"role":"assistant"`)
	require.Contains(t, data(t, lines), `"content":"Hel"`, "before the answer is complete")
	words <- "lo"
	require.Contains(t, data(t, lines), `"content":"lo"`)
	close(words)
	require.Contains(t, data(t, lines), `"finish_reason":"stop"`)
	require.Contains(t, data(t, lines), `"total_tokens":5`)
	require.Equal(t, "[DONE]", data(t, lines))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.Empty(t, strings.TrimSpace(string(rest)))
}

func TestAFailureBeforeTheFirstWordHasItsOwnStatus(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	words := make(chan string)
	close(words)
	b.play = b.speaks(words, &llm.Error{Kind: llm.KindContextLength})
	response := b.open(t, streamed)
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.Equal(t, "application/json; charset=utf-8", response.Header.Get("Content-Type"))
}

func TestAFailureInTheMiddleIsToldInBand(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	words := make(chan string, 1)
	words <- "Hel"
	close(words)
	b.play = b.speaks(words, &llm.Error{Kind: llm.KindStreamBroken, Provider: "secret-vendor"})
	sdk := openaisdk.NewClient(option.WithBaseURL(b.url+"/v1"), option.WithAPIKey("token-of-a"), option.WithMaxRetries(0))
	stream := sdk.Chat.Completions.NewStreaming(t.Context(), openaisdk.ChatCompletionNewParams{
		Model: "demo", Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("hi")},
	})
	defer func() { require.NoError(t, stream.Close()) }()
	var text string
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			text += choice.Delta.Content
			require.Empty(t, choice.FinishReason, "an end is never invented")
		}
	}
	require.Equal(t, "Hel", text)
	require.ErrorContains(t, stream.Err(), "no_model_available")
	require.NotContains(t, stream.Err().Error(), "secret-vendor")
}

func TestASilentStreamIsKeptAlive(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) { cfg.KeepAlive = 20 * time.Millisecond })
	words := make(chan string)
	b.play = b.speaks(words, nil)
	response := b.open(t, streamed)
	lines := bufio.NewReader(response.Body)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, ": keep-alive\n", line)
	close(words)
	for text := data(t, lines); text != "[DONE]"; text = data(t, lines) {
		require.True(t, json.Valid([]byte(text)))
	}
}

func TestAnAnswerThatIsThereAlreadyIsStreamedWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Idempotency-Key", "k")
	b.play = nil
	body := strings.Replace(hello, `"model"`, `"stream":true,"model"`, 1)
	response := b.open(t, body, "Idempotency-Key", "k")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "openai", response.Header.Get("X-Holdfast-Provider"))
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(content), `"content":"hello"`)
	require.True(t, strings.HasSuffix(string(content), "data: [DONE]\n\n"))
	require.NotContains(t, string(content), "usage", "nobody asked for it")
}

// Whoever could come back for an answer finds it; for the others it is not made any more.
func TestAClientThatLeavesItsStream(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body      string
		header    []string
		cancelled bool
	}{
		"with nothing":     {streamed, nil, true},
		"with a key":       {streamed, []string{"Idempotency-Key", "left"}, false},
		"stored":           {strings.Replace(streamed, `"model"`, `"store":true,"model"`, 1), nil, false},
		"to be gone on":    {strings.Replace(streamed, `"model"`, `"holdfast":{"on_disconnect":"continue"},"model"`, 1), nil, false},
		"to be cancelled":  {strings.Replace(streamed, `"model"`, `"holdfast":{"on_disconnect":"cancel"},"model"`, 1), []string{"Idempotency-Key", "left"}, true},
		"as it was before": {strings.Replace(streamed, `"model"`, `"store":false,"model"`, 1), nil, true},
	} {
		b := setup(t, nil)
		words := make(chan string)
		b.play = b.speaks(words, nil)
		go func() { words <- "Hel" }()
		response := b.open(t, c.body, c.header...)
		id := response.Header.Get("X-Holdfast-Completion-Id")
		require.NoError(t, response.Body.Close())
		if c.cancelled {
			require.NotEmpty(t, <-b.cancelled, name)
			close(words)
			continue
		}
		words <- "lo"
		close(words)
		response, object := b.do(t, http.MethodGet, "/v1/chat/completions/"+id, "a", "", "Prefer", "wait=10")
		require.Equal(t, http.StatusOK, response.StatusCode, name)
		require.NotEmpty(t, object["choices"], name)
		require.Empty(t, b.cancelled, name)
	}
}

func TestAClientComesBackBehindItsPlace(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	words := make(chan string)
	b.play = b.speaks(words, nil)
	go func() { words <- "Hel" }()
	response := b.open(t, streamed, "Idempotency-Key", "back")
	id := response.Header.Get("X-Holdfast-Completion-Id")
	lines := bufio.NewReader(response.Body)
	require.Contains(t, data(t, lines), `"sequence_number":1`)
	require.Contains(t, data(t, lines), `"sequence_number":5`, "the start, the part, three letters")
	require.NoError(t, response.Body.Close())

	read := func(query string, header ...string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/v1/chat/completions/"+id+"?stream=true"+query, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer token-of-a")
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(content)
	}
	running := make(chan string, 1)
	go func() { running <- read("&starting_after=5") }()
	words <- "lo wor"
	close(words)
	got := <-running
	require.NotContains(t, got, "Hel")
	require.Contains(t, got, `"content":"lo wor"`)
	require.NotContains(t, got, `"role"`, "it has been said how the message begins")
	require.Contains(t, got, `"finish_reason":"stop"`)
	require.True(t, strings.HasSuffix(got, "data: [DONE]\n\n"))
	require.NotContains(t, got, "total_tokens")

	ids := regexp.MustCompile(`id: (\d+)-([0-9a-f]{8})`)
	whole := read("&include_usage=true")
	require.Contains(t, whole, `"total_tokens":5`)
	last := ids.FindAllStringSubmatch(whole, -1)
	require.Equal(t, last[len(last)-2][2], last[1][2], "how it ends adds nothing to what was said")
	for _, place := range last { // each of its own places
		rest := read("&include_usage=true&starting_after=" + place[1] + "-" + place[2])
		require.NotContains(t, rest, `"event":"restart"`)
		require.True(t, strings.HasSuffix(whole, rest), "behind %s: %s", place[0], rest)
		require.True(t, strings.HasSuffix(rest, "data: [DONE]\n\n"), "behind %s: %s", place[0], rest)
		require.Equal(t, rest, read("&include_usage=true", "Last-Event-ID", place[1]))
	}
	for _, lost := range []string{"5-00000000", "4000"} {
		again := read("&starting_after=" + lost)
		require.Contains(t, again, `"choices":[],"holdfast":{"event":"restart"}`, lost)
		require.Contains(t, again, `"content":"Hello wor"`)
	}
	require.Contains(t, read("&starting_after=half"), "starting_after must be")
	require.Contains(t, read("&starting_after=7"), `"content":" wor"`)
}

func TestARestartEndsTheStreamOfAClientThatDoesNotKnowIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy, ends string
	}{"unknown": {"continue", "stream_interrupted"}, "known": {"restart", "[DONE]"}} {
		b := setup(t, nil)
		said := make(chan struct{})
		b.play = func(in workflows.CompletionInput) {
			b.hub.Claim(in.ID)
			feed, leave := b.hub.Open(in.ID)
			defer leave()
			feed.Write(&transcript.Log{})
			for _, event := range []llm.Event{
				{Type: llm.EventStart}, {Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}, {Type: llm.EventDelta, Text: "Half"},
			} {
				feed.Append(event)
			}
			<-said
			feed.Append(llm.Event{Type: transcript.Restart})
			b.answer(in)
		}
		response := b.open(t, strings.Replace(streamed, `"model"`, `"holdfast":{"on_stream_failure":"`+c.policy+`"},"model"`, 1))
		lines := bufio.NewReader(response.Body)
		data(t, lines)
		require.Contains(t, data(t, lines), "Half")
		close(said)
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		require.Contains(t, string(rest), c.ends, name)
		if c.policy == "restart" {
			require.Contains(t, string(rest), `"event":"restart"`)
			require.Contains(t, string(rest), `"content":"hello"`)
		} else {
			require.NotContains(t, string(rest), "hello", "two answers in one")
		}
	}
}

func TestACompletionIsCancelled(t *testing.T) {
	t.Parallel()
	var ended []string
	b := setup(t, func(cfg *api.Config) { cfg.CancelCalls = func(id string) { ended = append(ended, id) } })
	words := make(chan string, 1)
	words <- "Hel"
	b.play = b.speaks(words, &llm.Error{Kind: llm.KindCancelled})
	response := b.open(t, streamed)
	id := response.Header.Get("X-Holdfast-Completion-Id")
	go func() { <-b.cancelled; close(words) }()
	for range 2 { // again changes nothing
		response, object := b.do(t, http.MethodPost, "/v1/chat/completions/"+id+"/cancel", "a", "")
		require.Equal(t, http.StatusOK, response.StatusCode, "%v", object)
		require.Equal(t, "cancelled", object["status"])
	}
	require.Equal(t, []string{id}, ended)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(content), `"code":"cancelled"`)
	require.NotContains(t, string(content), "[DONE]")
	response, _ = b.do(t, http.MethodPost, "/v1/chat/completions/"+id+"/cancel", "somebody-else", "")
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	response, object := b.do(t, http.MethodGet, "/v1/chat/completions/"+id, "a", "")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "cancelled", object["status"])
}

func TestAStreamThatOutlivesItsProcessIsToldHowToGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	words := make(chan string)
	defer close(words)
	b.play = b.speaks(words, nil)
	go func() { words <- "Hel" }()
	response := b.open(t, streamed)
	lines := bufio.NewReader(response.Body)
	data(t, lines)
	require.Contains(t, data(t, lines), "Hel")
	b.server.Drain()
	b.server.Interrupt()
	b.server.Interrupt()
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.Contains(t, string(rest), `"code":"temporarily_unavailable"`)
	require.Contains(t, string(rest), "starting_after")
	require.NotContains(t, string(rest), "[DONE]")
	require.Empty(t, b.cancelled, "it is not the client that left")
}

func TestTheRequestsPolicyComesBeforeItsRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) {
		cfg.Recovery = func(route string) failover.Recovery {
			return map[string]failover.Recovery{"demo": failover.RecoveryRestart}[route]
		}
	})
	started := make(chan failover.Recovery, 1)
	b.play = func(in workflows.CompletionInput) { started <- in.Recovery; b.answer(in) }
	for body, want := range map[string]failover.Recovery{
		streamed: failover.RecoveryRestart,
		strings.Replace(streamed, `"model"`, `"holdfast":{"on_stream_failure":"fail"},"model"`, 1): failover.RecoveryFail,
		hello: "", // nobody sees a part of an answer that comes whole
	} {
		response := b.open(t, body)
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.Equal(t, want, <-started, body)
	}
}

func TestTheGatewaysOwnWordsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, wrong := range []string{`{"on_stream_failure":"retry"}`, `{"on_disconnect":"stop"}`, `{"unknown":1}`} {
		response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", strings.Replace(hello, `"model"`, `"holdfast":`+wrong+`,"model"`, 1))
		require.Equal(t, http.StatusBadRequest, response.StatusCode, "%v", object)
	}
}
