package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// decoder reads the frames of one answer. Each is a GenerateContentResponse; there is no terminal one: the answer is whole
// when every candidate has given the reason for its end.
type decoder struct {
	host    host
	now     func() time.Time
	answer  wire.Answer
	origin  llm.Origin
	whole   bool // the answer comes in one piece: nothing can be missing at its end
	id      string
	started bool
	usage   json.RawMessage
	choices []*choice
	events  []llm.Event
}

// choice is an answer in the making.
type choice struct {
	number int
	next   int          // index of the next part
	open   llm.PartType // of the part before it, if more text may join it
	calls  int
	ids    render.IDs
	said   []byte // the text so far, which citations point into
	quoted []source
	finish genaisdk.FinishReason
	// output says that there is more than thoughts; media that a file came, which is no part of a message yet.
	output, media bool
}

// Decode implements [wire.Decoder].
func (d *decoder) Decode(frame wire.Frame) ([]llm.Event, *llm.Error) {
	d.events = nil
	failure := d.decode(bytes.TrimSpace(frame.Data))
	if failure != nil {
		d.count()
	}
	return d.events, failure
}

func (d *decoder) decode(data []byte) *llm.Error {
	switch {
	case len(data) == 0 && !d.whole, string(data) == "[DONE]":
		return nil
	case bytes.HasPrefix(data, []byte("[")): // what streamGenerateContent sends without alt=sse, and how it writes errors
		var list []json.RawMessage
		if json.Unmarshal(data, &list) != nil {
			return d.bad("", "the answer is not JSON of the expected form")
		}
		for _, item := range list {
			if failure := d.one(item); failure != nil {
				return failure
			}
		}
		return nil
	default:
		return d.one(data)
	}
}

// one reads one GenerateContentResponse, or an error in its place.
func (d *decoder) one(data []byte) *llm.Error {
	var body generated
	if json.Unmarshal(data, &body) != nil {
		if vendor := parse(data); vendor.Code >= http.StatusBadRequest {
			return d.refused(vendor)
		}
		return d.bad("", "the answer is not JSON of the expected form")
	}
	if len(body.Error) > 0 && string(body.Error) != "null" {
		return d.refused(parse(data))
	}
	if reason := body.PromptFeedback.BlockReason; reason != "" && len(body.Candidates) == 0 {
		failure := d.bad(reason, "the prompt was blocked")
		failure.Kind = llm.KindContentPolicy
		d.usage = body.UsageMetadata
		return failure
	}
	if !d.started {
		d.started, d.id = true, body.ResponseID
		d.events = append(d.events, llm.Event{Type: llm.EventStart, ID: body.ResponseID, Model: body.ModelVersion})
	}
	if len(body.UsageMetadata) > 0 {
		d.usage = body.UsageMetadata
	}
	for _, c := range body.Candidates {
		if failure := d.candidate(c); failure != nil {
			return failure
		}
	}
	return nil
}

// refused classifies an error that came in place of (more of) the answer.
func (d *decoder) refused(vendor vendorError) *llm.Error {
	if vendor.Code < http.StatusBadRequest {
		return d.bad("", "the answer is an error of unknown form")
	}
	answer := d.answer
	answer.Status = vendor.Code
	return vendor.canonical(d.host.name, answer, d.now())
}

func (d *decoder) candidate(from candidate) *llm.Error {
	if from.Index < 0 || from.Index >= maxCandidates {
		return d.bad("", "the answer numbers its candidates in an impossible way")
	}
	for len(d.choices) <= from.Index {
		d.choices = append(d.choices, &choice{number: len(d.choices)})
	}
	c := d.choices[from.Index]
	if from.FinishReason != "" && from.FinishReason != genaisdk.FinishReasonUnspecified {
		c.finish = from.FinishReason
	}
	c.quoted = append(c.quoted, from.Grounding.sources()...)
	c.quoted = append(c.quoted, from.Citations.sources()...)
	before := len(d.events)
	for _, p := range from.Content.Parts {
		if failure := d.part(c, p); failure != nil {
			return failure
		}
	}
	d.attach(c, before, from.Logprobs.canonical())
	return nil
}

// attach gives log probabilities to the last text of the candidate since an event.
func (d *decoder) attach(c *choice, since int, tokens []llm.TokenLogprob) {
	for i := len(d.events) - 1; i >= since && len(tokens) > 0; i-- {
		if event := &d.events[i]; event.Type == llm.EventDelta && event.Choice == c.number && event.Text != "" {
			event.Logprobs = tokens
			return
		}
	}
}

func (d *decoder) part(c *choice, p receivedPart) *llm.Error {
	raw, words := p.serverTool()
	switch {
	case p.FunctionCall != nil:
		if p.FunctionCall.Name == "" {
			return d.bad(string(c.finish), "a tool call has no name")
		}
		args := render.Given(p.FunctionCall.Args)
		id := c.ids.Assign(p.FunctionCall.ID, fmt.Sprintf("%s/%d/%d/%s/%s", d.id, c.number, c.calls, p.FunctionCall.Name, args))
		c.calls, c.output = c.calls+1, true
		call := llm.Part{Type: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: id, Name: p.FunctionCall.Name}}
		d.closed(c, call, string(args), d.opaque(p.Signature, false))
	case raw != nil:
		c.output = true
		d.closed(c, llm.Part{Type: llm.PartServerTool}, words, &llm.Opaque{Origin: d.origin, Data: raw})
	case len(p.InlineData) > 0, len(p.FileData) > 0:
		c.media = true
	case p.Thought:
		d.text(c, llm.PartReasoning, p)
	default:
		d.text(c, llm.PartText, p)
	}
	return nil
}

// text takes words. They join those before them, unless a signature hangs on either.
func (d *decoder) text(c *choice, kind llm.PartType, p receivedPart) {
	if p.Text == "" && p.Signature == "" {
		return
	}
	if kind == llm.PartText && p.Text != "" {
		c.said, c.output = append(c.said, p.Text...), true
	}
	if p.Signature != "" {
		d.closed(c, llm.Part{Type: kind}, p.Text, d.opaque(p.Signature, false))
		return
	}
	if c.open != kind {
		d.close(c)
		c.open = kind
		c.next++
		d.add(c, llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: kind}})
	}
	d.add(c, llm.Event{Type: llm.EventDelta, Text: p.Text})
}

// closed adds a part that nothing joins.
func (d *decoder) closed(c *choice, begin llm.Part, text string, own *llm.Opaque) {
	d.close(c)
	c.next++
	d.add(c, llm.Event{Type: llm.EventPart, Part: &begin})
	if text != "" {
		d.add(c, llm.Event{Type: llm.EventDelta, Text: text})
	}
	end := llm.Event{Type: llm.EventPartEnd}
	if own != nil {
		end.Part = &llm.Part{Type: begin.Type, Opaque: own}
	}
	if begin.Type == llm.PartText && text != "" {
		if found := c.citations(); found != nil {
			end.Part.Citations = found // a signed text has an opaque
		}
	}
	d.add(c, end)
}

// close ends the part that text may have joined.
func (d *decoder) close(c *choice) {
	if c.open == "" {
		return
	}
	end := llm.Event{Type: llm.EventPartEnd}
	switch c.open {
	case llm.PartReasoning: // without a signature, but to be given back all the same
		end.Part = &llm.Part{Type: c.open, Opaque: d.opaque("", true)}
	case llm.PartText:
		if found := c.citations(); found != nil {
			end.Part = &llm.Part{Type: c.open, Citations: found}
		}
	default:
	}
	c.open = ""
	d.add(c, end)
}

func (d *decoder) add(c *choice, event llm.Event) {
	event.Choice, event.Index = c.number, c.next-1
	d.events = append(d.events, event)
}

func (d *decoder) opaque(signature string, thought bool) *llm.Opaque {
	if signature == "" && !thought {
		return nil
	}
	data, err := json.Marshal(opaque{Signature: signature, Thought: thought})
	if err != nil { // a string always encodes
		return nil
	}
	return &llm.Opaque{Origin: d.origin, Data: data}
}

// count adds what was used so far.
func (d *decoder) count() {
	if len(d.usage) > 0 {
		usage := fromUsage(d.usage)
		d.events = append(d.events, llm.Event{Type: llm.EventUsage, Usage: &usage})
	}
}

// Done implements [wire.Decoder]. Nothing but the body's end says that no more comes.
func (d *decoder) Done() bool { return false }

// Finished implements [wire.Finisher].
func (d *decoder) Finished() bool {
	for _, c := range d.choices {
		if c.finish == "" {
			return false
		}
	}
	return len(d.choices) > 0
}

// End implements [wire.Decoder].
func (d *decoder) End() ([]llm.Event, *llm.Error) {
	d.events = nil
	defer func() { d.events = nil }()
	if len(d.choices) == 0 {
		d.count()
		if d.whole || d.started {
			return d.events, d.bad("", "the answer has no candidates")
		}
		return d.events, wire.Cut(d.host.name, d.answer.Status)
	}
	for _, c := range d.choices {
		if c.finish == "" && !d.whole {
			d.count()
			return d.events, wire.Cut(d.host.name, d.answer.Status)
		}
		d.close(c)
	}
	for _, c := range d.choices {
		native := wire.Code(string(c.finish))
		reason, kind, detail := fromFinishReason(c.finish, c.calls > 0, c.output)
		if kind != "" && c.number == 0 {
			failure := d.bad(native, detail)
			if failure.Kind = kind; c.media && kind == llm.KindBadOutput {
				failure.Detail = "the answer is an image or a sound, which cannot be passed on"
			}
			d.count()
			return d.events, failure
		}
		if kind != "" { // a further answer that came to nothing; the first one stands
			reason = llm.FinishContentFilter
		}
		finish := llm.Event{Type: llm.EventFinish, Choice: c.number, FinishReason: reason, NativeFinishReason: native}
		if c.media {
			finish.Warnings = []llm.Warning{{Param: "answer", Message: "an image or a sound that the model made was left out: it cannot be passed on"}}
		}
		d.events = append(d.events, finish)
	}
	d.count()
	return d.events, nil
}

func (d *decoder) bad(code, detail string) *llm.Error {
	return &llm.Error{Kind: llm.KindBadOutput, Provider: d.host.name, Status: d.answer.Status, Code: wire.Code(code), Detail: detail}
}
