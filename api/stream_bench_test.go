package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/openai"
	"github.com/holdfast-dev/holdfast/transcript"
)

// benchEvents is how many pieces the benchmarks' answer comes in.
const benchEvents = 1000

func benchStream() (first []byte, each [][]byte, last []byte) {
	const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1780000000,"model":"gpt-4.1-2025-04-14","service_tier":"default",` +
		`"system_fingerprint":"fp_1","choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null}` + "\n\n"
	for i := range benchEvents {
		each = append(each, fmt.Appendf(nil, chunk, fmt.Sprintf(`{"content":" word%d"}`, i), "null"))
	}
	return fmt.Appendf(nil, chunk, `{"role":"assistant","content":"","refusal":null}`, "null"), each,
		fmt.Appendf(nil, chunk+"data: [DONE]\n\n", `{}`, `"stop"`)
}

// pacedBody gives an event a read, each when the one before has reached the client.
type pacedBody struct {
	parts [][]byte
	taken <-chan struct{}
	read  int
}

func (p *pacedBody) Read(into []byte) (int, error) {
	if p.read == len(p.parts) {
		return 0, io.EOF
	}
	if p.read > 2 { // the first piece of text reaches the client with what comes before it
		<-p.taken
	}
	p.read++
	return copy(into, p.parts[p.read-1]), nil
}

func (p *pacedBody) Close() error { return nil }

// vendor answers every request with a body.
type vendor func() io.ReadCloser

func (v vendor) RoundTrip(request *http.Request) (*http.Response, error) {
	_ = request.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: v(), Request: request,
	}, nil
}

// sink is a client that takes everything.
type sink struct {
	header  http.Header
	flushed func()
	bytes   int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}
func (s *sink) Write(data []byte) (int, error) {
	s.bytes += len(data)
	return len(data), nil
}
func (s *sink) Flush()                           { s.flushed() }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkStreamThrough is the way of an answer from the vendor's bytes to the client's, but for the network: fast, as fast as
// it comes; paced, an event read and written at a time, as models speak.
func BenchmarkStreamThrough(b *testing.B) {
	first, each, last := benchStream()
	b.Run("fast", func(b *testing.B) {
		body := bytes.Join(append(append([][]byte{first}, each...), last), nil)
		benchThrough(b, func(chan struct{}) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) })
	})
	b.Run("paced", func(b *testing.B) {
		parts := append(append([][]byte{first}, each...), last)
		benchThrough(b, func(taken chan struct{}) io.ReadCloser { return &pacedBody{parts: parts, taken: taken} })
	})
}

func benchThrough(b *testing.B, body func(chan struct{}) io.ReadCloser) {
	b.ReportAllocs()
	gin.SetMode(gin.ReleaseMode)
	server := &Server{}
	for b.Loop() {
		taken := make(chan struct{}, benchEvents+10)
		client, err := openai.New(openai.Config{BaseURL: "http://vendor.test/v1", HTTPClient: &http.Client{Transport: vendor(func() io.ReadCloser { return body(taken) })}})
		if err != nil {
			b.Fatal(err)
		}
		out := &sink{header: http.Header{}, flushed: func() { taken <- struct{}{} }}
		c, _ := gin.CreateTestContext(out)
		c.Request = httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader("{}"))
		hub := handover.NewHub()
		watch := hub.Watch("chatcmpl-1", nil)
		feed, leave := hub.Open("chatcmpl-1")
		completion := completions.Completion{ID: "chatcmpl-1", Route: "demo", AcceptedAt: time.Unix(1780000000, 0), State: completions.StateSucceeded}
		w := newChunkWriter(c, chatForm(), view{Completion: completion})
		whole := server.relay(c, w, watch, func(ctx context.Context) (completions.Outcome, error) {
			answer, err := tell(ctx, client, feed)
			return completions.Outcome{Completion: completion, Answer: &answer}, err
		})
		leave()
		watch.Close()
		if !whole || w.err != nil || out.bytes < benchEvents*5 {
			b.Fatal(whole, w.err, out.bytes)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchEvents, "ns/event")
}

// tell is what the activity does with a stream.
func tell(ctx context.Context, client *openai.Client, feed *transcript.Feed) (llm.Response, error) {
	feed.Write(&transcript.Log{})
	defer feed.Written()
	var own llm.Collector
	splice := transcript.NewSplice(transcript.Way{})
	request := llm.Request{Model: "gpt-4.1", Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hi")}}}}
	for event, err := range client.Stream(ctx, "", request) {
		if err != nil {
			return llm.Response{}, err
		}
		own.Add(event)
		feed.Append(splice.Next(event)...)
	}
	answer := own.Response()
	if len(answer.Message.Parts) == 0 {
		return answer, errors.New("no answer")
	}
	return answer, nil
}
