package simulator

import (
	"bytes"
	"net/http"
	"strings"
)

const (
	eventStream = "text/event-stream"
	// wordsAPiece is how many words of a text one event of a stream carries.
	wordsAPiece = 4
)

// stream sends the answer event by event, each flushed. A fault of the call as a whole (malformed, empty, slow_bytes)
// treats the events as one body.
func (x *exchange) stream(a shapedAnswer, fault *Fault) {
	p, now := x.call.prompt, x.sim.now()
	frames := x.protocol.stream(p, a, x.sim.ids, now)
	header := x.w.Header()
	x.protocol.headers(header, x.reply(now), nil)
	contentType := x.protocol.streamType()
	if p.streamAs != "" {
		contentType = p.streamAs
	}
	header["Content-Type"] = []string{contentType}
	header["Cache-Control"] = []string{"no-cache"}
	if fault != nil && fault.Stream == nil && (fault.Malformed || fault.Empty || fault.SlowBytes > 0) {
		var body bytes.Buffer
		for _, frame := range frames {
			body.Write(frame.data)
		}
		x.send(http.StatusOK, body.Bytes(), fault)
		return
	}
	x.call.Status = http.StatusOK
	x.state.calls.update(x.recorded())
	x.w.WriteHeader(http.StatusOK)
	out := &streamWriter{x: x, contentType: contentType}
	if fault != nil {
		out.fault = fault.Stream
	}
	out.flush()
	out.sendAll(frames, fault)
}

// streamWriter sends the events of one stream.
type streamWriter struct {
	x           *exchange
	contentType string
	fault       *StreamFault // nil for none
	events      int
}

func (s *streamWriter) sendAll(frames []frame, fault *Fault) {
	breaks := s.fault != nil && s.fault.Kind != ""
	if breaks && s.fault.Kind == StreamEmpty {
		return
	}
	delay := s.x.state.behaviour.Load().EventDelay
	content := 0
	for _, next := range frames {
		due := next.content && content == s.endAfter() || next.terminal
		if breaks && due {
			s.breakOff(next, fault)
			return
		}
		if next.content {
			if content > 0 && !s.x.wait(delay) {
				s.x.abort()
			}
			content++
		}
		s.send(next.data)
	}
	if breaks { // a stream without an ending to break off before
		s.breakOff(frame{}, fault)
	}
}

func (s *streamWriter) endAfter() int {
	if s.fault == nil || s.fault.Kind == "" {
		return -1
	}
	return s.fault.After
}

// breakOff is what the fault does in the place of the next event.
func (s *streamWriter) breakOff(next frame, fault *Fault) {
	switch s.fault.Kind {
	case StreamError:
		e := s.x.protocol.faultError(fault, s.x.call.Model)
		e.dialect, e.events = s.x.call.prompt.dialect, s.events
		s.send(s.x.protocol.streamError(e, s.x.call.RequestID))
	case StreamCut:
		event := s.fault.reshape(next.data, s.contentType)
		s.write(event[:len(event)/2])
		s.x.abort()
	case StreamReset:
		s.x.reset()
	case StreamHang:
		s.x.until(s.x.r.Context(), nil)
		s.x.abort()
	case StreamNoTerminal, StreamEmpty:
	}
}

func (s *streamWriter) send(event []byte) {
	s.events++
	s.write(s.fault.reshape(event, s.contentType))
}

// write sends and flushes, in the pieces that the fault asks for.
func (s *streamWriter) write(data []byte) {
	size := len(data)
	if s.fault != nil && s.fault.SplitBytes > 0 {
		size = s.fault.SplitBytes
	}
	for len(data) > 0 {
		n := min(size, len(data))
		if _, err := s.x.w.Write(data[:n]); err != nil {
			s.x.abort() // the client left
		}
		s.flush()
		data = data[n:]
	}
}

func (s *streamWriter) flush() { _ = http.NewResponseController(s.x.w).Flush() }

// pieces splits a text as a stream carries it: a few words at a time, the blanks before a word with it. Nothing for "".
func pieces(text string) []string {
	var split []string
	words, start, inWord := 0, 0, false
	for i, r := range text {
		blank := strings.ContainsRune(" \n\t", r)
		if blank && inWord {
			words++
			if words == wordsAPiece {
				split, start, words = append(split, text[start:i]), i, 0
			}
		}
		inWord = !blank
	}
	if start < len(text) {
		split = append(split, text[start:])
	}
	return split
}

// halves splits the arguments of a call, which come in at least two pieces.
func halves(arguments string) []string {
	middle := len(cutText(arguments, len(arguments)/2))
	if middle == 0 {
		return []string{arguments}
	}
	return []string{arguments[:middle], arguments[middle:]}
}

// serverEvent writes a server-sent event; name may be empty.
func serverEvent(name string, data []byte) []byte {
	event := make([]byte, 0, len(name)+len(data)+16)
	if name != "" {
		event = append(append(append(event, "event: "...), name...), '\n')
	}
	event = append(append(event, "data: "...), data...)
	return append(event, "\n\n"...)
}
