package relay_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/relay"
	"github.com/holdfast-dev/holdfast/transcript"
)

const secret = llm.Secret("all processes have this")

// record says who drives a completion.
type record struct {
	mu     sync.Mutex
	driver completions.Driver
	kept   *transcript.Log
	asked  int
}

func (r *record) Driver(context.Context, string) (completions.Driver, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.driver, nil
}

func (r *record) Transcript(context.Context, string) (*transcript.Log, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept, nil
}

func (r *record) set(driver completions.Driver) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.driver = driver
}

// driving is a process that drives completions and can be read by others.
type driving struct {
	hub     *handover.Hub
	name    string
	address string
}

func drive(t *testing.T, name string) *driving {
	t.Helper()
	d := &driving{hub: handover.NewHub(), name: name}
	server := relay.NewHTTPServer((&relay.Server{Secret: secret, Feeds: d.hub, Instance: func() string { return name }}).Handler(), slog.New(slog.DiscardHandler))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	d.address = listener.Addr().String()
	return d
}

func (d *driving) at() completions.Driver {
	return completions.Driver{State: completions.StateOpen, InstanceID: d.name, Address: d.address}
}

// speak opens the completion's feed for writing behind what was said before.
func (d *driving) speak(id string, before *transcript.Log) (*transcript.Feed, func()) {
	feed, leave := d.hub.Open(id)
	feed.Write(before)
	return feed, func() { feed.Written(); leave() }
}

func opening() []llm.Event {
	return []llm.Event{{Type: llm.EventStart, Model: "m"}, {Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}}
}

func says(text string) llm.Event { return llm.Event{Type: llm.EventDelta, Text: text} }

func textOf(feed *transcript.Feed) string { return feed.Snapshot().Collect().Response().Message.Text() }

// mirror follows a completion until it has its outcome; the test ends it.
func mirror(t *testing.T, r *record, id string) (*transcript.Feed, func()) {
	t.Helper()
	feed := &transcript.Feed{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	m := relay.NewMirror(r, secret, func() string { return "here/1" }, slog.New(slog.DiscardHandler))
	go func() { m.Follow(ctx, id, feed); close(done) }()
	stop := func() { cancel(); <-done }
	t.Cleanup(stop)
	return feed, func() {
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("it does not end with the outcome")
		}
	}
}

func TestWhatOneProcessSaysIsHeardAtAnother(t *testing.T) {
	t.Parallel()
	id := completions.NewID()
	there := drive(t, "there/1")
	r := &record{kept: &transcript.Log{}}
	feed, ended := mirror(t, r, id) // before anybody drives it
	spoken, end := there.speak(id, &transcript.Log{})
	spoken.Append(append(opening(), says("Hel"))...)
	r.set(there.at())
	heard := func(text string) {
		require.Eventually(t, func() bool { return textOf(feed) == text }, 10*time.Second, time.Millisecond, text)
	}
	heard("Hel")
	spoken.Append(says("lo"))
	heard("Hello")
	end() // the attempt fails; another process goes on

	heir := drive(t, "there/2")
	spoken, end = heir.speak(id, spoken.Snapshot())
	spoken.Append(says(" again"))
	r.set(heir.at())
	heard("Hello again")
	require.Equal(t, spoken.End(), feed.End())
	end()
	r.set(completions.Driver{State: completions.StateSucceeded})
	ended()
}

func TestAReaderOfSomethingElseIsToldToBeginAgain(t *testing.T) {
	t.Parallel()
	id := completions.NewID()
	first, heir := drive(t, "there/1"), drive(t, "there/2")
	r := &record{kept: &transcript.Log{}, driver: first.at()}
	spoken, end := first.speak(id, &transcript.Log{})
	spoken.Append(append(opening(), says("The sky is blue"))...)
	feed, _ := mirror(t, r, id)
	require.Eventually(t, func() bool { return textOf(feed) == "The sky is blue" }, 10*time.Second, time.Millisecond)
	var reader transcript.Reader
	reader.Read(feed)

	spoken, _ = heir.speak(id, &transcript.Log{}) // it knows less, and says something else
	spoken.Append(append(opening(), says("The sky is grey today"))...)
	r.set(heir.at())
	end()
	require.Eventually(t, func() bool { return textOf(feed) == "The sky is grey today" }, 10*time.Second, time.Millisecond)
	require.Equal(t, transcript.Restart, reader.Read(feed)[0].Type)
}

func TestWhereNoWayLeadsTheRecordIsRead(t *testing.T) {
	t.Parallel()
	kept := &transcript.Log{}
	for _, event := range append(opening(), says("kept")) {
		kept.Append(event)
	}
	for _, address := range []string{"", "127.0.0.1:1"} {
		r := &record{kept: kept, driver: completions.Driver{State: completions.StateOpen, InstanceID: "far/1", Address: address}}
		feed, _ := mirror(t, r, completions.NewID())
		require.Eventually(t, func() bool { return textOf(feed) == "kept" }, 10*time.Second, time.Millisecond, address)
	}
}

func TestStrangersAreToldNothing(t *testing.T) {
	t.Parallel()
	id := completions.NewID()
	there := drive(t, "there/1")
	spoken, end := there.speak(id, &transcript.Log{})
	defer end()
	spoken.Append(append(opening(), says("secret"))...)
	ask := func(path, token, instance string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+there.address+path, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("X-Holdfast-Instance", instance)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode == http.StatusOK {
			return response.StatusCode, ""
		}
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	path := "/internal/v1/streams/" + id + "?from=0-00000000"
	good, other := relay.Token(secret, id), relay.Token(secret, completions.NewID())
	for name, c := range map[string]struct {
		path, token, instance string
		status                int
	}{
		"no token":                     {path, "", "there/1", http.StatusForbidden},
		"that of another completion":   {path, other, "there/1", http.StatusForbidden},
		"that of another secret":       {path, relay.Token("guessed", id), "there/1", http.StatusForbidden},
		"no id":                        {"/internal/v1/streams/x?from=0-00000000", relay.Token(secret, "x"), "there/1", http.StatusForbidden},
		"another process":              {path, good, "there/0", http.StatusMisdirectedRequest},
		"no place":                     {"/internal/v1/streams/" + id, good, "there/1", http.StatusBadRequest},
		"a completion of someone else": {"/internal/v1/streams/" + completions.NewID() + "?from=0-00000000", good, "there/1", http.StatusForbidden},
		"all in order":                 {path, good, "there/1", http.StatusOK},
	} {
		status, body := ask(c.path, c.token, c.instance)
		require.Equal(t, c.status, status, name)
		require.Empty(t, body, name)
	}
}
