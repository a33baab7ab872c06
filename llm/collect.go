package llm

import (
	"cmp"
	"iter"
	"slices"
)

// Collector puts the events of an answer together. The zero value is ready.
type Collector struct {
	response Response
	choices  []Choice
	parts    []map[int]*collected // by choice, then by index
}

// collected is a part in the making.
type collected struct {
	part Part
	text []byte
}

// Add takes the next event.
func (c *Collector) Add(event Event) {
	c.response.Warnings = append(c.response.Warnings, event.Warnings...)
	switch event.Type {
	case EventStart:
		c.response.ID, c.response.Model, c.response.Rendering = event.ID, event.Model, event.Rendering
		c.response.RateLimit = event.RateLimit
	case EventPart:
		if event.Part != nil {
			c.choice(event.Choice)[event.Index] = begun(*event.Part)
		}
	case EventDelta:
		if p := c.choice(event.Choice)[event.Index]; p != nil {
			p.text = append(p.text, event.Text...)
		}
		choice := &c.choices[event.Choice]
		choice.Logprobs = append(choice.Logprobs, event.Logprobs...)
	case EventPartEnd:
		if p := c.choice(event.Choice)[event.Index]; p != nil && event.Part != nil {
			p.part.Opaque, p.part.Citations = event.Part.Opaque, event.Part.Citations
		}
	case EventFinish:
		c.choice(event.Choice)
		c.choices[event.Choice].FinishReason, c.choices[event.Choice].NativeFinishReason = event.FinishReason, event.NativeFinishReason
	case EventUsage:
		if event.Usage != nil {
			c.response.Usage = *event.Usage
		}
	}
}

func (c *Collector) choice(n int) map[int]*collected {
	for len(c.choices) <= n {
		c.choices = append(c.choices, Choice{})
		c.parts = append(c.parts, map[int]*collected{})
	}
	return c.parts[n]
}

func begun(part Part) *collected {
	p := &collected{part: part, text: []byte(part.Text)}
	if part.ToolCall != nil {
		call := *part.ToolCall
		p.part.ToolCall, p.text = &call, []byte(call.Arguments)
	}
	return p
}

// Response is the answer as far as it has come. Parts without any content are left out.
func (c *Collector) Response() Response {
	response := c.response
	for n, parts := range c.parts {
		choice := c.choices[n]
		choice.Message = Message{Role: RoleAssistant, Parts: ordered(parts)}
		if n > 0 {
			response.Alternatives = append(response.Alternatives, choice)
			continue
		}
		response.Message, response.Logprobs = choice.Message, choice.Logprobs
		response.FinishReason, response.NativeFinishReason = choice.FinishReason, choice.NativeFinishReason
	}
	return response
}

func ordered(parts map[int]*collected) []Part {
	indexes := make([]int, 0, len(parts))
	for index := range parts {
		indexes = append(indexes, index)
	}
	slices.SortFunc(indexes, cmp.Compare[int])
	var whole []Part
	for _, index := range indexes {
		p := parts[index]
		part := p.part
		if part.ToolCall != nil {
			call := *part.ToolCall
			call.Arguments = string(p.text)
			part.ToolCall = &call
		} else {
			part.Text = string(p.text)
		}
		if part.Text != "" || part.ToolCall != nil || part.Media != nil || part.Opaque != nil {
			whole = append(whole, part)
		}
	}
	return whole
}

// Collect ranges over a stream and gives the answer, or the error that ended it.
func Collect(stream iter.Seq2[Event, error]) (Response, error) {
	var c Collector
	for event, err := range stream {
		if err != nil {
			return Response{}, err
		}
		c.Add(event)
	}
	return c.Response(), nil
}

// Events is the stream of an answer that is there already: collected again it is the same.
func Events(response Response) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, event := range EventsOf(response) {
			if !yield(event, nil) {
				return
			}
		}
	}
}

// EventsOf lists the events of an answer that is there already.
func EventsOf(response Response) []Event {
	events := []Event{{Type: EventStart, ID: response.ID, Model: response.Model, Warnings: response.Warnings, Rendering: response.Rendering, RateLimit: response.RateLimit}}
	choices := append([]Choice{{
		Message: response.Message, Logprobs: response.Logprobs,
		FinishReason: response.FinishReason, NativeFinishReason: response.NativeFinishReason,
	}}, response.Alternatives...)
	for n, choice := range choices {
		logprobs := choice.Logprobs
		for i, part := range choice.Message.Parts {
			begin, text := part, part.Text
			begin.Text, begin.Opaque, begin.Citations = "", nil, nil
			if part.ToolCall != nil {
				begin.ToolCall = &ToolCall{ID: part.ToolCall.ID, Name: part.ToolCall.Name}
				text = part.ToolCall.Arguments
			}
			events = append(events, Event{Type: EventPart, Choice: n, Index: i, Part: &begin})
			if text != "" {
				delta := Event{Type: EventDelta, Choice: n, Index: i, Text: text}
				if part.Type == PartText {
					delta.Logprobs, logprobs = logprobs, nil
				}
				events = append(events, delta)
			}
			end := Event{Type: EventPartEnd, Choice: n, Index: i}
			if part.Opaque != nil || part.Citations != nil {
				end.Part = &Part{Type: part.Type, Opaque: part.Opaque, Citations: part.Citations}
			}
			events = append(events, end)
		}
		events = append(events, Event{Type: EventFinish, Choice: n, FinishReason: choice.FinishReason, NativeFinishReason: choice.NativeFinishReason})
	}
	usage := response.Usage
	return append(events, Event{Type: EventUsage, Usage: &usage})
}
