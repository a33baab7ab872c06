package wire_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// words is a decoder of a protocol whose every event is a word, and whose last is "END".
type words struct{ began, done bool }

func (w *words) Decode(frame wire.Frame) ([]llm.Event, *llm.Error) {
	if string(frame.Data) == "END" {
		w.done = true
		return nil, nil
	}
	events := []llm.Event{{Type: llm.EventDelta, Text: string(frame.Data)}}
	if !w.began {
		w.began = true
		events = append([]llm.Event{{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}}, events...)
	}
	return events, nil
}

func (w *words) End() ([]llm.Event, *llm.Error) {
	if !w.done {
		return nil, wire.Cut("x", http.StatusOK)
	}
	return []llm.Event{{Type: llm.EventPartEnd}, {Type: llm.EventFinish, FinishReason: llm.FinishStop}}, nil
}

func (w *words) Done() bool { return w.done }

// call streams from a server.
func call(client *http.Client, url string) wire.Call {
	return wire.Call{
		Provider: "x", Framing: wire.SSE, Decoder: func(wire.Answer) wire.Decoder { return &words{} }, Model: "m",
		Classify: func(answer wire.Answer) *llm.Error {
			return &llm.Error{Kind: wire.KindOfStatus(answer.Status), Provider: "x", Status: answer.Status}
		},
		Send: func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
			if err != nil {
				return err
			}
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			return err
		},
	}
}

// speak serves the frames, and then waits until the client leaves, if it is to hang.
func speak(t *testing.T, hang bool, frames ...string) (server *httptest.Server, connections *atomic.Int64, left chan struct{}) {
	t.Helper()
	connections, left = &atomic.Int64{}, make(chan struct{}, 8)
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, frame := range frames {
			_, _ = w.Write([]byte("data: " + frame + "\n\n"))
			_ = http.NewResponseController(w).Flush()
		}
		if hang {
			<-r.Context().Done()
			left <- struct{}{}
			return
		}
		<-time.After(5 * time.Millisecond) // the end of the body comes after the last event, not with it
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, connections, left
}

func TestAStreamsConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	server, connections, _ := speak(t, false, "a", "b", "END")
	client := wire.NewClient(server.Client())
	for range 5 {
		response, err := llm.Collect(wire.Stream(t.Context(), call(client, server.URL)))
		require.NoError(t, err)
		require.Equal(t, "ab", response.Message.Text())
		require.Equal(t, "m", response.Model)
	}
	require.LessOrEqual(t, connections.Load(), int64(2), "on a busy machine the end of a body may come too late to be waited for, once")
}

func TestAServerThatDoesNotEndItsBodyIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	server, _, left := speak(t, true, "a", "END")
	started := time.Now()
	_, err := llm.Collect(wire.Stream(t.Context(), call(wire.NewClient(server.Client()), server.URL)))
	require.NoError(t, err)
	require.Less(t, time.Since(started), 5*time.Second)
	<-left
}

func TestLeavingTheLoopEndsTheCall(t *testing.T) {
	t.Parallel()
	server, _, left := speak(t, true, "a", "b")
	for event, err := range wire.Stream(t.Context(), call(wire.NewClient(server.Client()), server.URL)) {
		require.NoError(t, err)
		if event.Output() {
			break
		}
	}
	<-left
}

func TestTheDeadlineEndsAStream(t *testing.T) {
	t.Parallel()
	server, _, left := speak(t, true, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := llm.Collect(wire.Stream(ctx, call(wire.NewClient(server.Client()), server.URL)))
	require.Equal(t, llm.KindTimeout, llm.KindOf(err))
	<-left
}

func TestAStreamWithoutItsEndIsBroken(t *testing.T) {
	t.Parallel()
	server, _, _ := speak(t, false, "a", "b")
	var text string
	var failure error
	for event, err := range wire.Stream(t.Context(), call(wire.NewClient(server.Client()), server.URL)) {
		text += event.Text
		failure = err
	}
	require.Equal(t, "ab", text)
	require.Equal(t, llm.KindStreamBroken, llm.KindOf(failure))
}

func TestAStreamWithoutAWordIsBadOutput(t *testing.T) {
	t.Parallel()
	server, _, _ := speak(t, false, "END")
	_, err := llm.Collect(wire.Stream(t.Context(), call(wire.NewClient(server.Client()), server.URL)))
	require.Equal(t, llm.KindBadOutput, llm.KindOf(err))
}

func TestAnErrorsStatusIsClassifiedBeforeAnythingIsDecoded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer server.Close()
	_, err := llm.Collect(wire.Stream(t.Context(), call(wire.NewClient(server.Client()), server.URL)))
	require.Equal(t, llm.KindOverloaded, llm.KindOf(err))
}
