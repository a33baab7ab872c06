package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
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

// StreamCall is a call whose answer is streamed.
type StreamCall struct {
	Provider string
	Auth     Auth
	// Send makes the request, as for [Exchange].
	Send func(context.Context) error
	// Classify turns an answer that is an error by its status into a canonical error.
	Classify func(Answer) *llm.Error
	Framing  Framing
	// Decoder makes the decoder for an answer, of which status and headers are known.
	Decoder func(Answer) Decoder
	// Whole reads an answer that came in one piece although a stream was asked for, as some hosts send errors and some do
	// not stream at all. It is used when the media type is application/json and the body's beginning does not belie it; nil
	// if that cannot be.
	Whole func(Answer) (llm.Response, *llm.Error)
	// Model is given to [llm.EventStart] where the vendor does not say which model answers.
	Model    string
	Warnings []llm.Warning
}

// Stream makes the call and yields its events. See [llm.Provider] for what is promised of the sequence.
func Stream(ctx context.Context, call StreamCall) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // leaving the loop ends the call
		defer cancel()
		s := &stream{StreamCall: call, ctx: ctx, yield: yield}
		if failure := s.run(); failure != nil && !s.left { //nolint:contextcheck // it runs with s.ctx
			yield(llm.Event{}, Scrub(failure, call.Auth.Key))
		}
	}
}

type stream struct {
	StreamCall
	ctx     context.Context //nolint:containedctx // the struct lives as long as one call
	yield   func(llm.Event, error) bool
	started bool
	output  bool
	left    bool // the consumer has left the loop
}

func (s *stream) run() *llm.Error {
	ex := &exchange{ctx: s.ctx, auth: s.Auth, live: true}
	if err := ex.run(s.Provider, s.Send); err != nil {
		failure, _ := errors.AsType[*llm.Error](err) // run gives no other
		return failure
	}
	if ex.body == nil { // only a success is left unread
		return s.Classify(ex.answer)
	}
	defer func() { _ = ex.body.Close() }() // what is left in it is not wanted
	body := bufio.NewReader(ex.body)
	if s.Whole != nil && inOnePiece(ex.answer.Header, body) {
		return s.whole(ex, body)
	}
	return s.frames(ex, body)
}

// frames reads an answer that came as a stream.
func (s *stream) frames(ex *exchange, body io.Reader) *llm.Error {
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
func (s *stream) whole(ex *exchange, body io.Reader) *llm.Error {
	var err error
	if ex.answer.Body, err = readBounded(io.NopCloser(body), MaxBody); err != nil {
		ex.err = err
		return networkError(s.ctx, s.Provider, ex)
	}
	if severalLines(ex.answer.Body) {
		return s.frames(ex, bytes.NewReader(ex.answer.Body))
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
		if event.Model == "" {
			event.Model = s.Model
		}
	} else if !s.started {
		s.started = true
		if s.left = !s.yield(llm.Event{Type: llm.EventStart, Model: s.Model, Warnings: s.Warnings}, nil); s.left {
			return
		}
	}
	s.output = s.output || event.Output()
	s.left = !s.yield(event, nil)
}

// Cut is the error of a stream that ended before its terminal event.
func Cut(provider string, status int) *llm.Error {
	return &llm.Error{Kind: llm.KindStreamBroken, Provider: provider, Status: status, Detail: "the stream ended before the answer was complete"}
}
