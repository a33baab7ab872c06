package wire

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"iter"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// MaxFrame is how many bytes one event of a stream may take: an event may carry a picture, or the whole answer once more.
const MaxFrame = 16 << 20

// Frame is one message of a stream before its meaning is known.
type Frame struct {
	// Event is the event's name (SSE, AWS event streams); empty where the protocol has none.
	Event string
	// Data may be overwritten when the next frame is asked for.
	Data []byte
}

// Framing splits a body into frames. It ends without an error at the end of the body, wherever that comes; whether the
// answer was whole by then is for the [Decoder] to say. [SSE] and [Lines] are two.
type Framing func(body io.Reader) iter.Seq2[Frame, error]

// Decoder turns the frames of one answer into events, in the order that [llm.EventType] demands. It is used once.
type Decoder interface {
	// Decode gives the events of the next frame, and after them the error that the frame amounts to: one that the vendor
	// reports in band, or one of kind bad_output for what cannot be understood. The list may be overwritten by the next call.
	Decode(frame Frame) ([]llm.Event, *llm.Error)
	// End is called where the stream ends without an error: at the end of the body, or once Decode has said that it is done.
	// It gives the events that were kept back, and an error if the answer is not whole or not usable; one of kind
	// stream_broken if the vendor's terminal event did not come.
	End() ([]llm.Event, *llm.Error)
	// Done reports whether the frame that ends the vendor's protocol has come, so that no more need be read.
	Done() bool
}

// Finisher is a [Decoder] that knows when the vendor has said how its answer finished, before the end of its protocol. What is
// missing behind that is no part of the answer: a cut there, an error or silence leaves it whole.
type Finisher interface {
	Finished() bool
}

// finished reports whether nothing of the answer can be missing any more.
func finished(decoder Decoder) bool {
	f, ok := decoder.(Finisher)
	return ok && f.Finished()
}

// Stream makes the call and yields its events. See [llm.Provider] for what is promised of the sequence.
func Stream(ctx context.Context, call Call) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // leaving the loop ends the call
		defer cancel()
		if refusal := call.refusal(); refusal != nil {
			yield(llm.Event{}, refusal)
			return
		}
		s := &stream{Call: call, ex: &exchange{ctx: ctx, auth: call.Auth, live: true}, ctx: ctx, yield: yield}
		if failure := s.run(); failure != nil && !s.left { //nolint:contextcheck // it runs with s.ctx
			yield(llm.Event{}, s.ex.told(failure))
		}
	}
}

type stream struct {
	Call
	ex      *exchange
	ctx     context.Context //nolint:containedctx // the struct lives as long as one call
	yield   func(llm.Event, error) bool
	started bool
	output  bool
	left    bool // the consumer has left the loop
}

func (s *stream) run() *llm.Error {
	ex := s.ex
	if failure := ex.run(s.Provider, s.Send); failure != nil {
		return failure
	}
	if ex.body == nil { // only a success is left unread
		return s.Classify(ex.answer)
	}
	defer func() { _ = ex.body.Close() }() // what is left in it is not wanted
	body := bufio.NewReader(ex.body)
	if s.Whole != nil && inOnePiece(ex.answer.Header, body) {
		return s.whole(body)
	}
	return s.frames(body)
}

// frames reads an answer that came as a stream.
func (s *stream) frames(body io.Reader) *llm.Error {
	ex := s.ex
	decoder := s.Decoder(ex.answer)
	var total int64
	for frame, err := range s.Framing(body) {
		if total += int64(len(frame.Data)); err == nil && total > MaxBody {
			err = errTooLarge
		}
		whole := finished(decoder)
		if err != nil {
			if whole {
				break
			}
			ex.err = err
			return networkError(s.ctx, s.Provider, ex)
		}
		failure := s.emit(decoder.Decode(frame))
		if failure != nil && whole {
			break
		}
		if failure != nil || s.left {
			return failure
		}
		if decoder.Done() {
			break
		}
	}
	if s.ctx.Err() != nil && !finished(decoder) {
		ex.err = s.ctx.Err()
		return networkError(s.ctx, s.Provider, ex)
	}
	if failure := s.emit(decoder.End()); failure != nil || s.left {
		return failure
	}
	settle(ex.body)
	if !s.output {
		return &llm.Error{Kind: llm.KindBadOutput, Provider: s.Provider, Status: ex.answer.Status, Detail: llm.EmptyAnswer}
	}
	return nil
}

// settleTime is how long the end of a body is waited for after the answer's own end.
const settleTime = 50 * time.Millisecond

// settle reads what little is left of a body, so that its connection can be used again: over HTTP/1 a body that is left
// before its end takes the connection with it.
func settle(body io.ReadCloser) {
	impatience := time.AfterFunc(settleTime, func() { _ = body.Close() }) // ends the read
	defer impatience.Stop()
	_, _ = io.CopyN(io.Discard, body, 64<<10) // what comes now means nothing
}

// whole reads an answer in one piece.
func (s *stream) whole(body io.Reader) *llm.Error {
	ex := s.ex
	var err error
	if ex.answer.Body, err = readBounded(io.NopCloser(body), MaxBody); err != nil {
		ex.err = err
		return networkError(s.ctx, s.Provider, ex)
	}
	if severalLines(ex.answer.Body) {
		return s.frames(bytes.NewReader(ex.answer.Body))
	}
	response, failure := s.Whole(ex.answer)
	if failure != nil {
		return failure
	}
	for _, event := range llm.EventsOf(response) {
		if s.send(event); s.left {
			return nil
		}
	}
	return nil
}

func (s *stream) emit(events []llm.Event, failure *llm.Error) *llm.Error {
	for _, event := range events {
		if s.send(event); s.left {
			return nil
		}
	}
	return failure
}

func (s *stream) send(event llm.Event) {
	if event.Type == llm.EventStart {
		if s.started {
			return
		}
		s.started = true
		event.Warnings = append(event.Warnings, s.Warnings...)
		event.RateLimit = s.ex.limit
		if event.Model == "" {
			event.Model = s.Model
		}
	} else if !s.started {
		s.started = true
		if s.left = !s.yield(s.start(), nil); s.left {
			return
		}
	}
	s.output = s.output || event.Output()
	s.left = !s.yield(event, nil)
}

// start begins an answer that its vendor begins without a word.
func (s *stream) start() llm.Event {
	return llm.Event{Type: llm.EventStart, Model: s.Model, Warnings: s.Warnings, RateLimit: s.ex.limit}
}

// Cut is the error of a stream that ended before its terminal event.
func Cut(provider string, status int) *llm.Error {
	return &llm.Error{Kind: llm.KindStreamBroken, Provider: provider, Status: status, Detail: "the stream ended before the answer was complete"}
}
