package mistral

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// maxChoices bounds what is believed of a choice's index.
const maxChoices = 128

// decoder reads the frames of a streamed answer: data-only events, and [DONE] at the end. What ends an answer is the reasons
// why its choices finished; without [DONE] after them nothing is missing.
type decoder struct {
	answer  wire.Answer
	sent    rendering
	now     func() time.Time
	whole   bool // there is one frame, and it is the answer
	started bool
	done    bool
	choices map[int]*choice
}

func newDecoder(answer wire.Answer, sent rendering, now func() time.Time) *decoder {
	return &decoder{answer: answer, sent: sent, now: now, choices: make(map[int]*choice)}
}

// Decode implements [wire.Decoder].
func (d *decoder) Decode(frame wire.Frame) ([]llm.Event, *llm.Error) {
	if string(bytes.TrimSpace(frame.Data)) == "[DONE]" {
		d.done = true
		return nil, nil
	}
	var got completion
	if err := json.Unmarshal(frame.Data, &got); err != nil || len(got.Choices) == 0 {
		if vendor := parse(frame.Data); got.Object == "error" || len(got.Usage) == 0 && (vendor != vendorError{}) {
			return nil, inBand(d.answer, frame.Data, d.now())
		}
		if err != nil {
			return nil, d.bad("", "the answer is not JSON of the expected form")
		}
	}
	var events []llm.Event
	if !d.started {
		d.started = true
		events = append(events, llm.Event{Type: llm.EventStart, ID: wire.Code(string(got.ID)), Model: got.Model})
	}
	for _, part := range got.Choices {
		if part.Index < 0 || part.Index >= maxChoices {
			return events, d.bad("", "the answer has too many choices")
		}
		c := d.choices[part.Index]
		if c == nil {
			c = &choice{
				number: part.Index, whole: d.whole, from: d.sent.from, again: repetition{begun: d.sent.begun}, calls: make(map[int]*call),
			}
			d.choices[part.Index] = c
		}
		step := part.Delta
		if step == nil {
			step = part.Message
		}
		var failure *llm.Error
		if events, failure = d.step(events, c, step, part.FinishReason); failure != nil {
			return events, failure
		}
	}
	if usage, ok := fromUsage(got.Usage); ok {
		events = append(events, llm.Event{Type: llm.EventUsage, Usage: &usage})
	}
	return events, nil
}

// step takes what one frame adds to a choice.
func (d *decoder) step(events []llm.Event, c *choice, step *delta, finish *string) ([]llm.Event, *llm.Error) {
	if c.reason != "" {
		return events, nil
	}
	if step != nil {
		var ok bool
		if events, ok = c.content(events, step.Content); !ok {
			return events, d.bad("", "the answer is not JSON of the expected form")
		}
		for _, piece := range step.ToolCalls {
			if events, ok = c.call(events, piece); !ok {
				return events, d.bad("", "a tool call has no name")
			}
		}
	}
	if finish == nil || *finish == "" {
		return events, nil
	}
	c.reason = wire.Code(*finish)
	if *finish == "error" {
		failure := d.bad(c.reason, "the vendor broke the answer off")
		failure.Kind = llm.KindTransient
		return events, failure
	}
	events = c.close(events)
	if c.reason == "" {
		c.reason = "unknown"
	}
	return append(events, llm.Event{
		Type: llm.EventFinish, Choice: c.number,
		FinishReason: fromFinish(*finish, len(c.calls) > 0), NativeFinishReason: wire.Code(*finish),
	}), nil
}

// End implements [wire.Decoder].
func (d *decoder) End() ([]llm.Event, *llm.Error) {
	first := d.choices[0]
	if d.whole && first == nil {
		return nil, d.bad("", llm.EmptyAnswer)
	}
	if first == nil {
		return nil, wire.Cut(name, d.answer.Status)
	}
	for _, c := range d.choices {
		if c.reason == "" {
			return nil, wire.Cut(name, d.answer.Status)
		}
	}
	long := fromFinish(first.reason, false) == llm.FinishLength
	switch {
	case first.said, long && first.index > 0: // thoughts alone are an answer that the limit cut short
		return nil, nil
	case first.reason == "model_length":
		failure := d.bad(first.reason, "the context window was full before any output")
		failure.Kind = llm.KindContextLength
		return nil, failure
	case long:
		return nil, d.bad(first.reason, "the output limit was reached before any output")
	default:
		return nil, d.bad(first.reason, llm.EmptyAnswer)
	}
}

// Done implements [wire.Decoder].
func (d *decoder) Done() bool { return d.done }

// Finished implements [wire.Finisher].
func (d *decoder) Finished() bool {
	for _, c := range d.choices {
		if c.reason == "" {
			return false
		}
	}
	return len(d.choices) > 0
}

func (d *decoder) bad(code, detail string) *llm.Error {
	return &llm.Error{Kind: llm.KindBadOutput, Provider: name, Status: d.answer.Status, Code: code, Detail: detail}
}
