package openai

import (
	"bytes"
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// maxChoices is how many answers one request may have (https://platform.openai.com/docs/api-reference/chat/create).
const maxChoices = 128

// decoder reads the chunks of Chat Completions
// (https://platform.openai.com/docs/api-reference/chat-streaming/streaming).
//
// The ends of parts and choices are kept back to the end of the stream: hosts go on with a choice after its finish reason.
type decoder struct {
	client  *Client
	answer  wire.Answer
	origin  llm.Origin
	id      string
	started bool
	done    bool
	choices []*streamedChoice // by index, nil where nothing came
	sources json.RawMessage
	// plainly is the list of the events of a plain chunk, which is used again.
	plainly []llm.Event
}

func newDecoder(c *Client, answer wire.Answer, origin llm.Origin) *decoder {
	return &decoder{client: c, answer: answer, origin: origin}
}

// Done implements [wire.Decoder].
func (d *decoder) Done() bool { return d.done }

// Decode implements [wire.Decoder].
func (d *decoder) Decode(frame wire.Frame) ([]llm.Event, *llm.Error) {
	data := bytes.TrimSpace(frame.Data)
	switch {
	case len(data) == 0:
		return nil, nil
	case string(data) == "[DONE]":
		d.done = true
		return nil, nil
	}
	if frame.Event != "error" {
		if events, ok := d.plain(data); ok {
			return events, nil
		}
	}
	var chunk completion
	err := json.Unmarshal(data, &chunk)
	bare := err == nil && len(chunk.Choices) == 0 && bareError(data)
	if err != nil || bare || isObject(chunk.Error) || frame.Event == "error" {
		if failure := d.inBand(data, bare || frame.Event == "error"); failure != nil {
			return nil, failure
		}
	}
	if err != nil || data[0] != '{' {
		return nil, d.client.badOutput(d.answer, "", "an event of the stream is not of the expected form")
	}
	var events []llm.Event
	if !d.started && (chunk.ID != "" || len(chunk.Choices) > 0) {
		d.started, d.id = true, string(chunk.ID)
		events = append(events, llm.Event{Type: llm.EventStart, ID: d.id, Model: chunk.Model})
	}
	if isObject(chunk.Citations) {
		d.sources = chunk.Citations
	}
	for _, choice := range chunk.Choices {
		if choice.Index < 0 || choice.Index >= maxChoices {
			return events, d.client.badOutput(d.answer, "", "an event of the stream is not of the expected form")
		}
		events = append(events, d.choice(choice.Index).next(choice)...)
	}
	if usage := d.client.profile.usage(data, chunk.Usage); isObject(usage) {
		counted := fromUsage(usage)
		events = append(events, llm.Event{Type: llm.EventUsage, Usage: &counted})
	}
	return events, nil
}

// bareError reports whether an event is an error without the usual envelope, as vLLM (object: error) and FastAPI (detail) write
// it.
func bareError(data []byte) bool {
	var said struct {
		Object  string          `json:"object"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
		ID      json.RawMessage `json:"id"`
		Choices json.RawMessage `json:"choices"`
		Usage   json.RawMessage `json:"usage"`
	}
	if json.Unmarshal(data, &said) != nil || said.Choices != nil || said.Usage != nil {
		return false
	}
	return said.Object == "error" || said.ID == nil && (said.Message != nil || said.Detail != nil)
}

// inBand is the error that an event amounts to, with the status that it names itself. An event that is an error by its name
// may hold nothing else.
func (d *decoder) inBand(data []byte, byName bool) *llm.Error {
	answer := d.answer
	answer.Body = data
	vendor, ok := parse(data)
	if !ok && !byName {
		return nil
	}
	answer.Status = statusOf(vendor)
	return d.client.classify(answer)
}

func (d *decoder) choice(n int) *streamedChoice {
	for len(d.choices) <= n {
		d.choices = append(d.choices, nil)
	}
	if d.choices[n] == nil {
		d.choices[n] = &streamedChoice{n: n, decoder: d}
	}
	return d.choices[n]
}

// End implements [wire.Decoder]. A stream is whole if it came to its last event, or if each of its choices was finished:
// some hosts leave out the last event, others the reason.
func (d *decoder) End() ([]llm.Event, *llm.Error) {
	var events []llm.Event
	if len(d.choices) == 0 {
		if d.done {
			return nil, d.client.badOutput(d.answer, "", "the answer has no choices")
		}
		return nil, wire.Cut(d.client.profile.Name, d.answer.Status)
	}
	for _, choice := range d.choices {
		// Without a reason, text may be whole; a tool call that was not finished must not be made.
		if choice == nil || choice.finish == "" && (!d.done || len(choice.calls) > 0) {
			return events, wire.Cut(d.client.profile.Name, d.answer.Status)
		}
		ends, failure := choice.end()
		if events = append(events, ends...); failure != nil {
			return events, failure
		}
	}
	return events, nil
}

// Finished implements [wire.Finisher].
func (d *decoder) Finished() bool {
	for _, choice := range d.choices {
		if choice == nil || choice.finish == "" {
			return false
		}
	}
	return len(d.choices) > 0
}
