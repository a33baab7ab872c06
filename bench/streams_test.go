package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

// firstLines hands over what is printed, write by write.
type firstLines struct{ lines chan string }

func (f firstLines) Write(p []byte) (int, error) {
	f.lines <- strings.TrimSpace(string(p))
	return len(p), nil
}

// serveStreams runs the provider of the kinds for the test and gives their base URLs.
func serveStreams(t *testing.T, kinds ...string) []string {
	t.Helper()
	stdin, end := io.Pipe()
	out := firstLines{lines: make(chan string, len(kinds))}
	var serving sync.WaitGroup
	serving.Go(func() { require.NoError(t, ServeStreams(context.Background(), kinds, stdin, out)) })
	t.Cleanup(func() { _ = end.Close(); serving.Wait() })
	var urls []string
	for range kinds {
		urls = append(urls, <-out.lines)
	}
	return urls
}

func TestStreamsAreReadThroughThePlainProxyToTheirEnd(t *testing.T) {
	t.Parallel()
	provider := serveStreams(t, "80,0s", "5,20ms")
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.POST("/fast", relayer(http.DefaultClient, provider[0]+"/chat/completions"))
	router.POST("/paced", relayer(http.DefaultClient, provider[1]+"/chat/completions"))
	server := httptest.NewServer(router)
	defer server.Close()
	for url, events := range map[string]int{
		provider[0] + "/chat/completions": 80, server.URL + "/fast": 80, provider[1] + "/chat/completions": 5, server.URL + "/paced": 5,
	} {
		var counted tally
		counted.begin()
		began := time.Now()
		require.NoError(t, counted.stream(server.Client(), url, "m", "", events)(t.Context()), url)
		counted.end()
		require.Len(t, counted.late, events)
		require.Equal(t, events, counted.chunks)
		require.Len(t, counted.first, 1)
		counted.sort()
		require.Positive(t, counted.late[0])
		require.Less(t, quantile(counted.late, 1), time.Since(began), "an event cannot be under way for longer than its stream")
		if events == 5 {
			require.Greater(t, time.Since(began), 80*time.Millisecond)
			require.Less(t, quantile(counted.late, 0.5), 20*time.Millisecond, "paced events were kept back")
		}
		require.Zero(t, counted.open.Load())
	}
}

// sse is a stream of these events.
func sse(events ...string) string { return "data: " + strings.Join(events, "\n\ndata: ") + "\n\n" }

func TestAStreamThatLacksSomethingHasFailed(t *testing.T) {
	t.Parallel()
	stamped := fmt.Sprintf("at=%019d and words", 5)
	said := func(text string) string { return fmt.Sprintf(`{"choices":[{"delta":{"content":%q}}]}`, text) }
	const stop = `{"choices":[{"delta":{},"finish_reason":"stop"}]}`
	for name, test := range map[string]struct {
		body string
		want string
	}{
		"whole":                     {sse(said(stamped), said(stamped), stop, "[DONE]"), ""},
		"two events in a piece":     {": a comment\n\n" + sse(said(stamped+" "+stamped), stop, "[DONE]"), ""},
		"no [DONE]":                 {sse(said(stamped), said(stamped), stop), "without [DONE]"},
		"no reason":                 {sse(said(stamped), said(stamped), "[DONE]"), `finish reason ""`},
		"cut short by the provider": {sse(said(stamped), said(stamped), strings.ReplaceAll(stop, "stop", "length"), "[DONE]"), "length"},
		"an event is missing":       {sse(said(stamped), stop, "[DONE]"), "1 events of the provider's 2"},
		"an error in band":          {sse(said(stamped), `{"error":{"message":"it broke"}}`), "it broke"},
		"no JSON":                   {sse("{"), "no JSON"},
		"nothing":                   {"", "without [DONE]"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(test.body)) }))
		var counted tally
		err := counted.stream(server.Client(), server.URL, "m", "secret", 2)(t.Context())
		server.Close()
		if test.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, 1, counted.ended, name)
			continue
		}
		require.ErrorContains(t, err, test.want, name)
		require.Equal(t, 1, counted.failed, name)
		require.Equal(t, err.Error(), counted.firstFail, name)
	}
}

func TestATallyCountsOnlyWhileItIsTold(t *testing.T) {
	t.Parallel()
	piece := fmt.Sprintf("at=%019d", 5)
	var counted tally
	r := reader{tally: &counted, started: time.Unix(0, 0)}
	r.text(piece, time.Unix(0, 10))
	counted.begin()
	r.text(piece+" "+piece, time.Unix(0, 25))
	counted.end()
	r.text(piece, time.Unix(0, 40))
	counted.add(&r, nil)
	require.Equal(t, 4, r.events, "an answer is whole or not, whatever is counted")
	require.Equal(t, []time.Duration{20, 20}, counted.late)
	require.Equal(t, 1, counted.chunks)
	require.Empty(t, counted.first, "the first piece came before the count")
}

func TestDrainCountsEachCallToItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var begun, ended atomic.Int64
		began := time.Now()
		drain{clients: 3, window: 2 * time.Second, call: func(context.Context) error {
			begun.Add(1)
			time.Sleep(1500 * time.Millisecond)
			ended.Add(1)
			return nil
		}}.run(t.Context())
		require.EqualValues(t, 6, begun.Load())
		require.EqualValues(t, 6, ended.Load())
		require.Equal(t, 3*time.Second, time.Since(began))
	})
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		drain{clients: 3, call: func(context.Context) error { calls.Add(1); return nil }}.run(t.Context())
		require.EqualValues(t, 3, calls.Load(), "each client makes one call at least")
	})
}

func TestStreamKindsComeThroughAnArgument(t *testing.T) {
	t.Parallel()
	for _, kind := range Defaults().streamKinds() {
		parsed, err := parseStreamKind(kind.argument())
		require.NoError(t, err)
		parsed.name = kind.name
		require.Equal(t, kind, parsed)
	}
	for _, wrong := range []string{"", "x,1s", "0,1s", "5", "5,fast"} {
		_, err := parseStreamKind(wrong)
		require.Error(t, err, wrong)
	}
	require.Greater(t, slowStreams().length(), openRamp+openSettle+openWindow, "slow streams must be open until the end of the count")
	opts := Defaults()
	opts.Sections = []string{SectionShort}
	require.Empty(t, opts.streamKinds())
}
