package ollama

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// decoder reads the lines of a streamed answer (https://docs.ollama.com/api/streaming). Thoughts, text and calls come in
// lines of their own or together; calls come whole.
type decoder struct {
	answer wire.Answer
	call   call
	now    func() time.Time

	index   int          // of the next part
	open    llm.PartType // of the part that is being written, empty if none
	thought []byte       // of that part, if it is a thought
	held    []llm.TokenLogprob
	ids     render.IDs
	started bool
	said    bool // there is an answer, not only thoughts
	calls   bool
	thinks  bool
	torn    bool // a line ended in the middle of its JSON
	done    bool
}

func newDecoder(answer wire.Answer, call call, now func() time.Time) *decoder {
	return &decoder{answer: answer, call: call, now: now}
}

// Decode implements [wire.Decoder].
func (d *decoder) Decode(frame wire.Frame) ([]llm.Event, *llm.Error) {
	var line chunk
	if err := json.Unmarshal(frame.Data, &line); err != nil {
		if !d.torn && cutShort(err, len(frame.Data)) {
			d.torn = true // if it is the last line, the stream was cut
			return nil, nil
		}
		if message, code := parse(frame.Data); message != "" || code != "" {
			return nil, inBand(d.answer, frame.Data, d.now())
		}
		return nil, d.bad("the answer is not JSON of the expected form")
	}
	if d.torn {
		return nil, d.bad("the answer is not JSON of the expected form")
	}
	if len(line.Error) > 0 && string(line.Error) != "null" {
		return nil, inBand(d.answer, frame.Data, d.now())
	}
	var events []llm.Event
	if !d.started {
		d.started = true
		events = append(events, llm.Event{Type: llm.EventStart, Model: line.Model})
	}
	d.held = append(d.held, fromLogprobs(line.Logprobs)...)
	events = d.write(events, llm.PartReasoning, line.Message.Thinking)
	events = d.write(events, llm.PartText, line.Message.Content)
	for _, call := range line.Message.ToolCalls {
		if call.Function.Name == "" {
			return events, d.bad("a tool call has no name")
		}
		events = d.close(events)
		object := render.Given(call.Function.Arguments)
		id := d.ids.Assign(call.ID, fmt.Sprintf("%s/%d", call.Function.Name, d.index))
		part := llm.Call(id, call.Function.Name, "")
		events = append(events,
			llm.Event{Type: llm.EventPart, Index: d.index, Part: &part},
			llm.Event{Type: llm.EventDelta, Index: d.index, Text: string(object)},
			llm.Event{Type: llm.EventPartEnd, Index: d.index})
		d.index++
		d.calls, d.said = true, true
	}
	if !line.Done {
		return events, nil
	}
	return d.finish(events, line)
}

// cutShort reports whether JSON of this length is good as far as it goes.
func cutShort(err error, length int) bool {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	return ok && syntax.Offset == int64(length) && syntax.Error() == "unexpected end of JSON input"
}

// write continues the part of this kind by text, or begins one.
func (d *decoder) write(events []llm.Event, kind llm.PartType, text string) []llm.Event {
	if text == "" {
		return events
	}
	if d.open != kind {
		events = d.close(events)
		d.open = kind
		events = append(events, llm.Event{Type: llm.EventPart, Index: d.index, Part: &llm.Part{Type: kind}})
	}
	if kind == llm.PartReasoning {
		d.thought = append(d.thought, text...)
		d.thinks = true
	} else {
		d.said = true
	}
	events = append(events, llm.Event{Type: llm.EventDelta, Index: d.index, Text: text, Logprobs: d.held})
	d.held = nil
	return events
}

// close ends the part that is being written. A thought is kept as it was, to be handed back to the same model.
func (d *decoder) close(events []llm.Event) []llm.Event {
	if d.open == "" {
		return events
	}
	end := llm.Event{Type: llm.EventPartEnd, Index: d.index}
	if d.open == llm.PartReasoning {
		if data, err := json.Marshal(string(d.thought)); err == nil {
			end.Part = &llm.Part{Type: llm.PartReasoning, Opaque: &llm.Opaque{Origin: d.call.origin, Data: data}}
		}
	}
	d.index, d.open, d.thought = d.index+1, "", nil
	return append(events, end)
}

func (d *decoder) finish(events []llm.Event, line chunk) ([]llm.Event, *llm.Error) {
	d.done = true
	usage := line.usage()
	if d.call.window.truncated(usage.InputTokens) {
		failure := d.bad("the server dropped a part of the prompt, which does not fit the context window")
		failure.Kind = llm.KindContextLength
		return events, failure
	}
	reason := llm.FinishStop
	switch {
	case line.DoneReason == "load", line.DoneReason == "unload":
		// The server's answer to an empty prompt, by which models are loaded: the prompt got lost.
		failure := d.bad("the model was loaded but gave no answer")
		failure.Kind = llm.KindTransient
		return events, failure
	case line.DoneReason == "length":
		reason = llm.FinishLength
	case d.calls:
		reason = llm.FinishToolCalls
	}
	if !d.said && (reason != llm.FinishLength || !d.thinks) {
		detail := llm.EmptyAnswer
		if reason == llm.FinishLength {
			detail = "the output limit was reached before any output"
		}
		failure := d.bad(detail)
		failure.Code = wire.Code(line.DoneReason)
		return events, failure
	}
	return append(d.close(events),
		llm.Event{Type: llm.EventFinish, FinishReason: reason, NativeFinishReason: wire.Code(line.DoneReason)},
		llm.Event{Type: llm.EventUsage, Usage: &usage}), nil
}

// End implements [wire.Decoder].
func (d *decoder) End() ([]llm.Event, *llm.Error) {
	if !d.done {
		return nil, wire.Cut(name, d.answer.Status)
	}
	return nil, nil
}

// Done implements [wire.Decoder].
func (d *decoder) Done() bool { return d.done }

func (d *decoder) bad(detail string) *llm.Error {
	return &llm.Error{
		Kind: llm.KindBadOutput, Provider: name, Status: d.answer.Status,
		RequestID: wire.Code(d.answer.Header.Get("X-Request-Id")), Detail: detail,
	}
}
