package cohere

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// place is where the API puts a part: contents and calls are counted apart, and there is one plan.
type place struct {
	list  string
	index int
}

const (
	contents = "content"
	calls    = "tool_calls"
	planned  = "tool_plan"
)

// part is a part in the making.
type part struct {
	at        int // its index in the answer
	kind      llm.PartType
	text      []byte
	citations []llm.Citation
	ended     bool
}

// decoder makes events of what an answer says, step by step.
type decoder struct {
	answer  wire.Answer
	from    llm.Origin
	now     func() time.Time
	events  []llm.Event
	started bool
	parts   map[place]*part
	order   []*part
	held    []llm.TokenLogprob
	ids     render.IDs
	called  bool
	said    bool // there is an answer, not only thoughts
	done    bool
}

func (d *decoder) emit(event llm.Event) { d.events = append(d.events, event) }

func (d *decoder) start(id string) {
	if !d.started {
		d.started = true
		d.emit(llm.Event{Type: llm.EventStart, ID: wire.Code(id)})
	}
}

// begin gives the part at this place, and begins one if there is none or it has ended.
func (d *decoder) begin(at place, begun llm.Part) *part {
	if p := d.parts[at]; p != nil && !p.ended && p.kind == begun.Type && begun.Type != llm.PartToolCall {
		return p
	}
	d.end(d.parts[at])
	p := &part{at: len(d.order), kind: begun.Type}
	d.parts[at], d.order = p, append(d.order, p)
	d.emit(llm.Event{Type: llm.EventPart, Index: p.at, Part: &begun})
	return p
}

func (d *decoder) write(p *part, text string) {
	if text == "" {
		return
	}
	p.text = append(p.text, text...)
	delta := llm.Event{Type: llm.EventDelta, Index: p.at, Text: text}
	if p.kind == llm.PartText {
		delta.Logprobs, d.held = d.held, nil
	}
	d.emit(delta)
}

func (d *decoder) content(index int, piece content) {
	at := place{contents, index}
	if piece.Thinking != "" || piece.Type == "thinking" {
		d.write(d.begin(at, llm.Part{Type: llm.PartReasoning}), piece.Thinking)
	}
	if piece.Text != "" {
		d.said = true
		d.write(d.begin(at, llm.Part{Type: llm.PartText}), piece.Text)
	}
}

// contentEnd ends a thought. Texts stay open, as citations of them may follow.
func (d *decoder) contentEnd(index int) {
	if p := d.parts[place{contents, index}]; p != nil && p.kind == llm.PartReasoning {
		d.end(p)
	}
}

func (d *decoder) plan(text string) {
	if text != "" {
		d.said = true
		d.write(d.begin(place{planned, 0}, llm.Part{Type: llm.PartText}), text)
	}
}

// toolCall begins a call. It is not ok if the call has no name.
func (d *decoder) toolCall(index int, call toolCall) (ok bool) {
	if call.Function.Name == "" {
		return false
	}
	d.called, d.said = true, true
	id := d.ids.Assign(call.ID, fmt.Sprintf("%s/%d", call.Function.Name, len(d.order)))
	p := d.begin(place{calls, index}, llm.Call(id, call.Function.Name, ""))
	if call.Function.Arguments != "null" { // of functions without parameters
		d.write(p, call.Function.Arguments)
	}
	return true
}

func (d *decoder) arguments(index int, text string) {
	if p := d.parts[place{calls, index}]; p != nil && !p.ended && (text != "null" || len(p.text) > 0) {
		d.write(p, text)
	}
}

// cite adds a citation to its text. Citations of thoughts are passed over.
func (d *decoder) cite(c citation) {
	at := place{contents, c.ContentIndex}
	if c.Type == "PLAN" {
		at = place{planned, 0}
	}
	if p := d.parts[at]; p != nil && p.kind == llm.PartText && !p.ended {
		p.citations = append(p.citations, c.canonical()...)
	}
}

// end ends a part, if it has not ended. A thought is kept as it was, to be handed back to the same model.
func (d *decoder) end(p *part) {
	if p == nil || p.ended {
		return
	}
	p.ended = true
	event := llm.Event{Type: llm.EventPartEnd, Index: p.at}
	switch {
	case p.kind == llm.PartToolCall && len(p.text) == 0:
		d.emit(llm.Event{Type: llm.EventDelta, Index: p.at, Text: "{}"})
	case p.kind == llm.PartReasoning && len(p.text) > 0:
		if data, err := json.Marshal(string(p.text)); err == nil {
			event.Part = &llm.Part{Type: p.kind, Opaque: &llm.Opaque{Origin: d.from, Data: data}}
		}
	case len(p.citations) > 0:
		event.Part = &llm.Part{Type: p.kind, Citations: p.citations}
	}
	d.emit(event)
}

// finish ends the answer. Its error says that it is none.
func (d *decoder) finish(reason, vendor string, used json.RawMessage) *llm.Error {
	d.done = true
	native := wire.Code(reason)
	failure := d.bad(native, "the vendor broke the answer off")
	switch reason {
	case "":
		failure.Kind = llm.KindStreamBroken
		return failure
	case "ERROR", "USER_CANCEL":
		failure.Kind = kindOf(500, vendor)
		return failure
	case "TIMEOUT":
		failure.Kind = llm.KindTimeout
		return failure
	case "ERROR_LIMIT":
		failure.Kind, failure.Detail = llm.KindContextLength, "the context window was full before the answer was complete"
		return failure
	}
	canonical := fromFinish(reason, d.called)
	thoughts := len(d.order) > 0 && canonical == llm.FinishLength // an answer that the limit cut short
	if !d.said && !thoughts {
		failure.Detail = llm.EmptyAnswer
		if canonical == llm.FinishLength {
			failure.Detail = "the output limit was reached before any output"
		}
		return failure
	}
	for _, p := range d.order {
		d.end(p)
	}
	d.emit(llm.Event{Type: llm.EventFinish, FinishReason: canonical, NativeFinishReason: native})
	if usage, ok := fromUsage(used); ok {
		d.emit(llm.Event{Type: llm.EventUsage, Usage: &usage})
	}
	return nil
}

func (d *decoder) bad(code, detail string) *llm.Error {
	return &llm.Error{Kind: llm.KindBadOutput, Provider: name, Status: d.answer.Status, Code: code, Detail: detail}
}
