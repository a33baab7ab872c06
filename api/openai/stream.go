package openai

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// ChunkEncoder turns the events of an answer into chunks. It is used for one stream.
type ChunkEncoder struct {
	id      string
	created time.Time
	model   string
	usage   bool
	choices map[int]*chunkedChoice
	// servedFrom is where the answer comes from, if not from a provider as wanted.
	servedFrom string
	plain      map[plainKey]plainChunk
}

// chunkedChoice is what has been said of one answer.
type chunkedChoice struct {
	parts map[int]chunkedPart
	calls int
	// thoughts counts the reasoning parts, as the index of their details.
	thoughts int
}

type chunkedPart struct {
	kind llm.PartType
	// place is the tool call's or the thought's among its like.
	place int
	// said tells that the tool call has arguments.
	said bool
}

// NewChunkEncoder begins a stream. Model is what chunks name until the answer does; usage asks for the last chunk to count.
func NewChunkEncoder(id string, created time.Time, model string, usage bool) *ChunkEncoder {
	return &ChunkEncoder{
		id: id, created: created, model: model, usage: usage, choices: map[int]*chunkedChoice{}, plain: map[plainKey]plainChunk{},
	}
}

// ServedFrom implements [dialect.Stream]: the chunks that finish the answer say it.
func (e *ChunkEncoder) ServedFrom(from string) { e.servedFrom = from }

// FinishedAt implements [dialect.Stream]: chunks do not say it.
func (e *ChunkEncoder) FinishedAt(*time.Time) {}

// Encode implements [dialect.Stream]. Only the last chunk of an event has its place: whoever has seen less of them begins with the
// first.
func (e *ChunkEncoder) Encode(event llm.Event, place int64) []dialect.Frame {
	return frames(e.encode(event), place)
}

// frames are chunks as they are sent.
func frames(chunks []Chunk, place int64) []dialect.Frame {
	list := make([]dialect.Frame, 0, len(chunks))
	for i, chunk := range chunks {
		if i == len(chunks)-1 {
			chunk.SequenceNumber = place
		}
		list = append(list, dialect.Frame{Data: chunk})
	}
	return list
}

// encode gives the chunks for an event.
func (e *ChunkEncoder) encode(event llm.Event) []Chunk {
	switch event.Type {
	case llm.EventStart:
		if event.Model != "" {
			e.model = event.Model
		}
		clear(e.plain) // they name the model
		first := e.chunk(0, opening())
		first.Warnings = event.Warnings
		e.choices[0] = &chunkedChoice{parts: map[int]chunkedPart{}}
		return []Chunk{first}
	case llm.EventUsage:
		return nil
	default:
		return e.encodePart(event)
	}
}

// encodePart gives the chunks for an event of one of the answers.
func (e *ChunkEncoder) encodePart(event llm.Event) []Chunk {
	var chunks []Chunk
	choice := e.choices[event.Choice]
	if choice == nil {
		choice = &chunkedChoice{parts: map[int]chunkedPart{}}
		e.choices[event.Choice] = choice
		chunks = append(chunks, e.chunk(event.Choice, opening()))
	}
	switch event.Type {
	case llm.EventPart:
		if delta, ok := choice.begin(event); ok {
			chunks = append(chunks, e.chunk(event.Choice, delta))
		}
	case llm.EventDelta:
		if delta, ok := choice.more(event); ok {
			chunk := e.chunk(event.Choice, delta)
			chunk.Choices[0].Logprobs = encodeLogprobs(event.Logprobs)
			chunks = append(chunks, chunk)
		}
	case llm.EventPartEnd:
		if delta, ok := choice.end(event); ok {
			chunks = append(chunks, e.chunk(event.Choice, delta))
		}
	case llm.EventFinish:
		chunk := e.chunk(event.Choice, Delta{})
		reason := string(event.FinishReason)
		chunk.Warnings = event.Warnings
		chunk.Choices[0].FinishReason, chunk.Choices[0].NativeFinishReason = &reason, event.NativeFinishReason
		if e.servedFrom != "" {
			chunk.Holdfast = &Notice{ServedFrom: e.servedFrom}
		}
		chunks = append(chunks, chunk)
	default:
	}
	return chunks
}

// TextEvent implements [dialect.Stream].
func (e *ChunkEncoder) TextEvent() string { return "" }

// Restart implements [dialect.Stream].
func (e *ChunkEncoder) Restart() []dialect.Frame {
	chunk := e.chunk(0, Delta{})
	chunk.Choices, chunk.Holdfast = []ChunkChoice{}, &Notice{Event: "restart"}
	return []dialect.Frame{{Data: chunk}}
}

// End implements [dialect.Stream]: the count, if it was asked for, then the word that says it is the end.
func (e *ChunkEncoder) End(answer llm.Response, place int64) []dialect.Frame {
	var list []dialect.Frame
	if e.usage {
		chunk := e.chunk(0, Delta{})
		usage := encodeUsage(answer.Usage)
		chunk.Choices, chunk.Usage = []ChunkChoice{}, &nullable[Usage]{&usage}
		list = frames([]Chunk{chunk}, place)
	}
	return append(list, dialect.Frame{Text: "[DONE]"})
}

// Fail implements [dialect.Stream]: OpenAI's SDKs raise it as they would an error's status. There is no [DONE] behind it.
func (e *ChunkEncoder) Fail(failure dialect.Failure, _ int64) []dialect.Frame {
	return []dialect.Frame{{Data: EncodeFailure(failure)}}
}

// Idle implements [dialect.Stream].
func (e *ChunkEncoder) Idle() string { return ": keep-alive\n\n" }

func (e *ChunkEncoder) chunk(choice int, delta Delta) Chunk {
	chunk := Chunk{
		ID: e.id, Object: "chat.completion.chunk", Created: e.created.Unix(), Model: e.model,
		Choices: []ChunkChoice{{Index: choice, Delta: delta}},
	}
	if e.usage {
		chunk.Usage = &nullable[Usage]{}
	}
	return chunk
}

// opening is how each answer begins.
func opening() Delta {
	nothing := ""
	return Delta{Role: "assistant", Content: &nothing}
}

// begin notes a part. Only a tool call is said at once: clients wait for its name.
func (c *chunkedChoice) begin(event llm.Event) (Delta, bool) {
	if event.Part == nil {
		return Delta{}, false
	}
	part := chunkedPart{kind: event.Part.Type}
	defer func() { c.parts[event.Index] = part }()
	switch {
	case event.Part.ToolCall != nil:
		part.place = c.calls
		c.calls++
		call := event.Part.ToolCall
		part.said = call.Arguments != ""
		return Delta{ToolCalls: []toolCallDelta{{
			Index: part.place, ID: call.ID, Type: "function", Function: &methodDelta{Name: call.Name, Arguments: call.Arguments},
		}}}, true
	case part.kind == llm.PartReasoning:
		part.place = c.thoughts
		c.thoughts++
	}
	if event.Part.Text == "" {
		return Delta{}, false
	}
	return c.say(part, event.Part.Text)
}

func (c *chunkedChoice) more(event llm.Event) (Delta, bool) {
	part, ok := c.parts[event.Index]
	if !ok || event.Text == "" {
		return Delta{}, false
	}
	part.said = true
	c.parts[event.Index] = part
	return c.say(part, event.Text)
}

// say adds text to a part. The use of a vendor's own tool has no form in this dialect.
func (c *chunkedChoice) say(part chunkedPart, text string) (Delta, bool) {
	switch part.kind {
	case llm.PartText:
		return Delta{Content: &text}, true
	case llm.PartRefusal:
		return Delta{Refusal: text}, true
	case llm.PartReasoning:
		return Delta{ReasoningContent: text}, true
	case llm.PartToolCall:
		return Delta{ToolCalls: []toolCallDelta{{Index: part.place, Function: &methodDelta{Arguments: text}}}}, true
	default:
		return Delta{}, false
	}
}

// end says what came to light at a part's end.
func (c *chunkedChoice) end(event llm.Event) (Delta, bool) {
	part := c.parts[event.Index]
	if part.kind == llm.PartToolCall && !part.said { // clients parse the arguments, and nothing is no JSON
		delta := toolCallDelta{Index: part.place, Function: &methodDelta{Arguments: noArguments}}
		if event.Part != nil && event.Part.Opaque != nil {
			delta.ExtraContent = &extraContent{Holdfast: dialect.Seal(event.Part.Opaque)}
		}
		return Delta{ToolCalls: []toolCallDelta{delta}}, true
	}
	if event.Part == nil {
		return Delta{}, false
	}
	switch {
	case part.kind == llm.PartReasoning && event.Part.Opaque != nil:
		return Delta{ReasoningDetails: []reasoningDetail{{
			Type: "reasoning.encrypted", Data: dialect.Seal(event.Part.Opaque), Format: detailFormat, Index: part.place,
		}}}, true
	case part.kind == llm.PartToolCall && event.Part.Opaque != nil:
		return Delta{ToolCalls: []toolCallDelta{{Index: part.place, ExtraContent: &extraContent{Holdfast: dialect.Seal(event.Part.Opaque)}}}}, true
	case part.kind == llm.PartText && len(event.Part.Citations) > 0:
		return Delta{Annotations: annotations(llm.Message{Parts: []llm.Part{*event.Part}})}, true
	default:
		return Delta{}, false
	}
}
