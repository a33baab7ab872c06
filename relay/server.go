package relay

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

const (
	// quiet is how often a stream that has nothing to say says so, and silence how long its reader waits for that.
	quiet   = 5 * time.Second
	silence = 15 * time.Second
	// headerInstance names the process that is meant: addresses are used again.
	headerInstance = "X-Holdfast-Instance"
)

// batch is a line of a stream between processes.
type batch struct {
	// From is the cursor in front of the events.
	From string `json:"from,omitempty"`
	// Again says that the answer begins at Base: what the reader has is void.
	Again  bool        `json:"again,omitempty"`
	Base   int64       `json:"base,omitempty"`
	Events []llm.Event `json:"events,omitempty"`
	// End says that this process writes no more.
	End bool `json:"end,omitempty"`
}

// Feeds finds the feed of a completion that this process writes. Package handover implements it.
type Feeds interface {
	Written(id string) (*transcript.Feed, bool)
}

// Server tells other processes what the completions say that this one drives.
type Server struct {
	Secret llm.Secret
	Feeds  Feeds
	// Instance is this process's current id.
	Instance func() string
}

// Handler serves GET /internal/v1/streams/{id}?from=CURSOR, as JSON lines.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /internal/v1/streams/{id}", s.stream)
	return mux
}

// NewHTTPServer serves the handler over HTTP/2 without TLS, and over HTTP/1 for who asks by hand.
func NewHTTPServer(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: handler, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	presented, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !completions.ValidID(id) || !grants(s.Secret, id, presented) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.Header.Get(headerInstance) != s.Instance() {
		w.WriteHeader(http.StatusMisdirectedRequest)
		return
	}
	from, summed, err := transcript.ParseCursor(r.URL.Query().Get("from"))
	if err != nil || !summed {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	feed, ok := s.Feeds.Written(id)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	s.tell(w, r, feed, from)
}

// tell sends what the feed says until it is written no more, or nobody listens.
func (s *Server) tell(w http.ResponseWriter, r *http.Request, feed *transcript.Feed, from transcript.Cursor) {
	ready := feed.Watch()
	defer feed.Unwatch(ready)
	ticker := time.NewTicker(quiet)
	defer ticker.Stop()
	out := &lines{encoder: json.NewEncoder(w), controller: http.NewResponseController(w)}
	reader := transcript.Reader{Cursor: from}
	for {
		writing := feed.Writing() // before reading: what is written after that is the end of another attempt
		before := reader.Cursor
		if entries := reader.Read(feed); len(entries) > 0 {
			out.send(batchOf(before, entries))
		}
		if !writing {
			out.send(batch{End: true})
			return
		}
		select {
		case <-ready:
		case <-ticker.C:
			out.send(batch{})
		case <-r.Context().Done():
			return
		}
		if out.err != nil {
			return
		}
	}
}

func batchOf(from transcript.Cursor, entries []transcript.Entry) batch {
	next := batch{From: from.String()}
	if entries[0].Type == transcript.Restart {
		next = batch{Again: true, Base: entries[0].End.At}
		entries = entries[1:]
	}
	for _, entry := range entries {
		next.Events = append(next.Events, entry.Event)
	}
	return next
}

// lines writes a stream of JSON lines, each at once.
type lines struct {
	encoder    *json.Encoder
	controller *http.ResponseController
	err        error
}

func (l *lines) send(next batch) {
	if l.err != nil {
		return
	}
	_ = l.controller.SetWriteDeadline(time.Now().Add(silence)) // not supported by test recorders
	if l.err = l.encoder.Encode(next); l.err == nil {
		l.err = l.controller.Flush()
	}
}
