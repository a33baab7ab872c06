package chat_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-dev/holdfast/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asked is a request for an answer.
type asked struct{ method, uri, key, prefer, body string }

// api is a Holdfast whose answers are written by the test, one for each request.
type api struct {
	*httptest.Server
	mu     sync.Mutex
	script []http.HandlerFunc
	asked  []asked
	others map[string]http.HandlerFunc
}

func serve(t *testing.T, script ...http.HandlerFunc) *api {
	t.Helper()
	a := &api{script: script, others: map[string]http.HandlerFunc{
		"GET /v1/models":                  text(`{"data":[{"id":"demo"},{"id":"other"}]}`),
		"POST /v1/conversations":          text(`{"id":"conv_1"}`),
		"GET /v1/conversations/conv_1":    text(`{"id":"conv_1"}`),
		"GET /v1/conversations/conv_none": refuse(http.StatusNotFound, "not_found", "No such conversation.", ""),
		"GET /v1/holdfast/completions/c1": text(`{"provider":"openai","model":"gpt-4.1","attempts":[{},{}],"failovers":1,
			"accepted_at":"2027-01-15T08:00:00Z","finished_at":"2027-01-15T08:00:01.234Z"}`),
	}}
	a.Server = httptest.NewUnstartedServer(a)
	a.Start()
	t.Cleanup(a.Close)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.mu.Lock()
	handler := a.others[r.Method+" "+r.URL.Path]
	if handler == nil {
		a.asked = append(a.asked, asked{r.Method, r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), r.Header.Get("Prefer"), string(body)})
		if len(a.script) == 0 {
			handler = refuse(http.StatusTeapot, "unexpected", "Nothing more was expected.", "")
		} else {
			handler, a.script = a.script[0], a.script[1:]
		}
	}
	a.mu.Unlock()
	handler(w, r)
}

func (a *api) requests() []asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]asked{}, a.asked...)
}

func (a *api) client(t *testing.T) *chat.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &chat.Client{
		Locate: func() (chat.Endpoint, error) { return chat.Endpoint{URL: a.URL, Token: "token"}, nil },
		HTTP:   &http.Client{Transport: transport}, Patience: 10 * time.Second,
	}
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func refuse(status int, code, message, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":{"message":%q,"code":%q}}`, message, code)
	}
}

// unheard breaks the connection before anything has come.
func unheard(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// stream writes events as they are; "break" ends the connection there, and "hang" waits until the client goes.
func stream(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Holdfast-Completion-Id", "c1")
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range events {
			switch event {
			case "break":
				panic(http.ErrAbortHandler)
			case "hang":
				<-r.Context().Done()
				return
			}
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// says is an event with a text and its place.
func says(place int, text string) string {
	return fmt.Sprintf("id: %d-abcd\ndata: {\"id\":\"c1\",\"sequence_number\":%d,\"choices\":[{\"delta\":{\"content\":%q},\"finish_reason\":null}]}\n\n", place, place, text)
}

// begins is a chunk of an event that has more chunks.
func begins(text string) string { return strings.Join(strings.Split(says(0, text), "\n")[1:], "\n") }

const (
	ends     = "id: 99-abcd\ndata: {\"id\":\"c1\",\"sequence_number\":99,\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	restarts = "data: {\"id\":\"c1\",\"choices\":[],\"holdfast\":{\"event\":\"restart\"}}\n\n"
)

// shown is a screen that is read by the test.
type shown struct {
	chat.Screen
	out, notes bytes.Buffer
}

func screen() *shown {
	s := &shown{}
	s.Out, s.Notes = &s.out, &s.notes
	return s
}

func read(t *testing.T, a *api) (*chat.Answer, *shown, error) {
	t.Helper()
	s := screen()
	answer := a.client(t).Ask(chat.Question{Conversation: "conv_1", Model: "demo", Text: "hi"}, &s.Screen)
	err := answer.Read(t.Context())
	return answer, s, err
}

// chatting plays lines that come from a pipe, or from a person.
func chatting(t *testing.T, a *api, lines string, change ...func(*chat.Session)) (*shown, error) {
	t.Helper()
	s := screen()
	session := &chat.Session{
		Client: a.client(t), Lines: chat.NewPiped(strings.NewReader(lines), nil), Screen: &s.Screen, Interrupts: make(chan os.Signal), Again: "holdfast chat --conversation",
	}
	for _, c := range change {
		c(session)
	}
	err := session.Run(t.Context())
	return s, err
}

func person(s *chat.Session) { s.Interactive = true }

// asking presses Ctrl-C as soon as a line is waited for.
type asking struct {
	chat.Lines
	interrupts chan<- os.Signal
}

func (a asking) Next(ctx context.Context, prompt string) (string, bool, error) {
	a.interrupts <- os.Interrupt
	return a.Lines.Next(ctx, prompt)
}
