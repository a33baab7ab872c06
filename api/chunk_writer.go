package api

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// chunkWriter writes a stream to its client, each event with its place.
type chunkWriter struct {
	c          *gin.Context
	id         string
	form       *form
	controller *http.ResponseController
	fresh      func() dialect.Stream
	encoder    dialect.Stream
	reader     transcript.Reader
	// skip is up to where the client has the answer already, and seen how many frames of the event that ends there; summed,
	// whether the place can be checked.
	skip    transcript.Cursor
	seen    int
	summed  bool
	resumed bool
	// restarts says that the client understands that an answer may begin again.
	restarts bool
	// warned is how many of the answer's warnings have been sent.
	warned    int
	committed bool // status and headers are out
	over      bool // the stream has ended, well or not
	ended     bool // the client was told how the completion has ended
	err       error
	out       bytes.Buffer
	// extended is when the reader was last given writeTime to take what is written.
	extended time.Time
}

// allFrames is more than any event has.
const allFrames = math.MaxInt

func newChunkWriter(c *gin.Context, form *form, v view) *chunkWriter {
	fresh := func() dialect.Stream { return form.stream(v) }
	return &chunkWriter{
		c: c, id: v.ID, form: form, controller: http.NewResponseController(c.Writer), fresh: fresh, encoder: fresh(), seen: allFrames,
	}
}

// read passes on what is new in the feed. One that has not come as far as a client that is back is not read yet.
func (w *chunkWriter) read(feed *transcript.Feed) {
	if w.over {
		return
	}
	if w.skip.At > 0 && w.reader.Cursor.At == 0 {
		there, ok := feed.Locate(w.skip.At)
		if !ok && feed.Base() <= w.skip.At {
			return
		}
		w.check(there, ok)
	}
	w.entries(w.reader.Read(feed))
	w.flush()
}

// check compares the place that the client has come to with what was said there. If something else was, the client is to
// begin again.
func (w *chunkWriter) check(there transcript.Cursor, ok bool) {
	if ok && (!w.summed || there.Sum == w.skip.Sum) {
		return
	}
	w.skip = transcript.Cursor{}
	w.restart()
}

// entries adds events to what is to be written.
func (w *chunkWriter) entries(entries []transcript.Entry) {
	for _, entry := range entries {
		switch {
		case w.over:
			return
		case entry.Type == transcript.Restart:
			w.skip = transcript.Cursor{}
			w.restart()
		default:
			w.entry(entry)
		}
	}
}

// entry adds one event. What the client has already only tells the encoder how far the answer has come.
func (w *chunkWriter) entry(entry transcript.Entry) {
	w.warned += len(entry.Warnings)
	switch over := entry.End.At - w.skip.At; {
	case entry.Type == llm.EventDelta && over > 0 && over < int64(len(entry.Text)):
		known, rest := entry.Event, entry.Event
		known.Text, rest.Text = transcript.Split(entry.Text, int64(len(entry.Text))-over)
		known.Logprobs, rest.Logprobs = nil, nil
		w.encoder.Encode(known, w.skip.At)
		w.event(rest, entry.End)
	default:
		w.event(entry.Event, entry.End)
	}
}

// event adds what the client does not have. Nearly all events are pieces of text, for which there is a short way.
func (w *chunkWriter) event(event llm.Event, end transcript.Cursor) {
	if end.At > w.skip.At {
		out := appendPlace(w.out.AvailableBuffer(), end)
		if name := w.encoder.TextEvent(); name != "" {
			out = append(append(append(out, "event: "...), name...), '\n')
		}
		out = append(out, "data: "...)
		if out, ok := w.encoder.AppendText(out, event, end.At); ok {
			w.out.Write(append(out, "\n\n"...))
			return
		}
	}
	w.frames(w.encoder.Encode(event, end.At), end)
}

// appendPlace adds the line of an event that says its place.
func appendPlace(out []byte, end transcript.Cursor) []byte {
	out = append(out, "id: "...)
	return append(end.Append(out), '\n')
}

// frames adds the frames of what ends at a place, but for those that the client has. Only the last has the place as its id:
// whoever has seen less of them begins with the first.
func (w *chunkWriter) frames(frames []dialect.Frame, end transcript.Cursor) {
	switch {
	case end.At < w.skip.At: // but for what has no place, such as the mark of the end
		frames = slices.DeleteFunc(frames, func(frame dialect.Frame) bool { return frame.Data != nil })
	case end.At == w.skip.At && end.At > 0:
		seen := 0
		frames = slices.DeleteFunc(frames, func(frame dialect.Frame) bool {
			seen++
			return frame.Data != nil && seen <= w.seen
		})
	}
	for i, frame := range frames {
		if i == len(frames)-1 && frame.Data != nil {
			w.out.Write(appendPlace(w.out.AvailableBuffer(), end))
		}
		w.frame(frame)
	}
}

// frame adds one server-sent event.
func (w *chunkWriter) frame(frame dialect.Frame) {
	content := []byte(frame.Text)
	if frame.Data != nil {
		var err error
		if content, err = json.Marshal(frame.Data); err != nil { // what is encoded here are words and numbers
			return
		}
	}
	if frame.Event != "" {
		w.out.WriteString("event: " + frame.Event + "\n")
	}
	w.out.WriteString("data: ")
	w.out.Write(content)
	w.out.WriteString("\n\n")
}

// restart takes back what the client has seen, if it knows what that means, and else ends its stream.
func (w *chunkWriter) restart() {
	frames := w.encoder.Restart()
	if !w.restarts || len(frames) == 0 {
		w.flush()
		w.fail(nil, interrupted(w.form))
		return
	}
	for _, frame := range frames {
		w.frame(frame)
	}
	w.encoder, w.warned = w.fresh(), 0
}

// end passes on what the client does not have yet of a whole answer, and how it finished, with the count that is on record,
// which the vendor may have left to be estimated.
func (w *chunkWriter) end(told *transcript.Log, answer llm.Response, completion completions.Completion) {
	from := completion.ServedFrom
	ends := finishes(answer)
	if w.finish(told, int64(len(ends)+1)); w.over {
		return
	}
	if from != "" {
		w.encoder.ServedFrom(string(from))
	}
	w.encoder.FinishedAt(completion.FinishedAt)
	place := told.End()
	ends[0].Warnings = ends[0].Warnings[min(w.warned, len(answer.Warnings)):]
	for _, event := range ends {
		place.At++
		w.frames(w.encoder.Encode(event, place.At), place)
	}
	place.At++
	w.frames(w.encoder.End(answer, place.At), place)
	w.flush()
	w.over, w.ended = true, true
}

// finish passes on what the client does not have yet of an answer to which nothing is added any more, but for so many events
// that say how it ended; none if it has no end.
func (w *chunkWriter) finish(told *transcript.Log, ends int64) {
	if w.over {
		return
	}
	if w.skip.At > 0 && w.reader.Cursor.At == 0 {
		there, ok := told.Locate(w.skip.At)
		if !ok && w.skip.At > told.End().At && w.skip.At <= told.End().At+ends {
			there, ok = told.End(), true // it has all of the answer, and a part of how it ended
		}
		w.check(there, ok)
	}
	w.entries(w.reader.Finish(told))
	w.flush()
}

func (w *chunkWriter) comment() {
	w.out.WriteString(w.encoder.Idle())
	w.flush()
}

// fail tells the error by its status while that is still possible, and else in band.
func (w *chunkWriter) fail(s *Server, err error) {
	if w.over {
		return
	}
	w.over = true
	// Whoever reads again where a failure has a form of its own reads that.
	if !w.committed && s != nil && (!w.resumed || !w.form.whole) {
		w.c.Header(headerID, w.id)
		s.fail(w.c, err)
		return
	}
	for _, frame := range w.encoder.Fail(problemOf(err).failure(w.id), w.reader.Cursor.At+1) {
		w.frame(frame)
	}
	w.flush()
}

// flush writes what has been added, at once.
func (w *chunkWriter) flush() {
	if w.out.Len() == 0 || w.err != nil {
		w.out.Reset()
		return
	}
	if !w.committed {
		w.committed = true
		header := w.c.Writer.Header()
		header.Set("Content-Type", "text/event-stream; charset=utf-8")
		header.Set("Cache-Control", "no-cache")
		header.Set("X-Accel-Buffering", "no") // nginx would keep the events back
		header.Set(headerID, w.id)
		w.c.Writer.WriteHeader(http.StatusOK)
	}
	if now := time.Now(); now.Sub(w.extended) > time.Second { // not for each event, of which there may be hundreds a second
		w.extended = now
		_ = w.controller.SetWriteDeadline(now.Add(writeTime)) // not supported by test recorders
	}
	if _, w.err = w.c.Writer.Write(w.out.Bytes()); w.err == nil {
		w.err = w.controller.Flush()
	}
	w.out.Reset()
	if w.out.Cap() > 64<<10 { // a reader that had fallen behind
		w.out = bytes.Buffer{}
	}
}
