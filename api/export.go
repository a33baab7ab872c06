package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/completions/store"
)

// exportConversation gives all that is kept of a conversation, as JSON Lines.
func (s *Server) exportConversation(c *gin.Context) {
	conversation, err := s.conversation(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.export(c, conversation.ID, func(ctx context.Context, write func(store.ExportLine) error) error {
		return s.cfg.Record.ExportConversation(ctx, conversation.Tenant, conversation.ID, write)
	})
}

// export writes what is read line by line. The name is that of the file that it is to be kept in.
func (s *Server) export(c *gin.Context, name string, read func(context.Context, func(store.ExportLine) error) error) {
	w := newLineWriter(c, name)
	err := read(c.Request.Context(), func(line store.ExportLine) error { return w.write(line) })
	switch {
	case err == nil:
		w.begin()
	case !w.begun:
		s.fail(c, err)
	case c.Request.Context().Err() == nil && w.err == nil: // it is not the client that has gone
		p := problemOf(err)
		s.cfg.Logger.ErrorContext(c.Request.Context(), "an export broke off", "path", c.FullPath(), "error", err)
		_ = w.write(struct {
			Type  string          `json:"type"`
			Error json.RawMessage `json:"error"`
		}{"error", lineError(c, p)})
	}
}

// lineError is the inner object of what a client reads on failure.
func lineError(c *gin.Context, p *problem) json.RawMessage {
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	if encoded, err := json.Marshal(encodeFailure(c, p.failure(""))); err == nil {
		_ = json.Unmarshal(encoded, &body) // it has just been encoded
	}
	return body.Error
}

// lineWriter writes JSON Lines for as long as its reader takes them: the server's own limit is for answers of one piece.
type lineWriter struct {
	c          *gin.Context
	name       string
	controller *http.ResponseController
	encoder    *json.Encoder
	begun      bool
	extended   time.Time
	err        error
}

func newLineWriter(c *gin.Context, name string) *lineWriter {
	return &lineWriter{c: c, name: name, controller: http.NewResponseController(c.Writer), encoder: json.NewEncoder(c.Writer)}
}

// begin sends status and headers, unless they are out.
func (w *lineWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	header := w.c.Writer.Header()
	header.Set("Content-Type", "application/x-ndjson")
	header.Set("Content-Disposition", `attachment; filename="`+w.name+`.jsonl"`)
	header.Set("Cache-Control", "no-store")
	w.c.Writer.WriteHeader(http.StatusOK)
	w.c.Writer.WriteHeaderNow()
}

func (w *lineWriter) write(line any) error {
	w.begin()
	if now := time.Now(); now.Sub(w.extended) > time.Second { // not for each line
		w.extended = now
		_ = w.controller.SetWriteDeadline(now.Add(writeTime)) // not supported by test recorders
		_ = w.controller.Flush()
	}
	w.err = w.encoder.Encode(line)
	return w.err
}
