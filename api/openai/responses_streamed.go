package openai

import (
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// streamedItem is an item of which the client has been told.
type streamedItem struct {
	kind  string
	id    string
	index int // in the output
	parts []*streamedPart
	// ended says that nothing is to come, as far as is known; closed, that the client was told so.
	ended, closed bool
	// cut says that the answer ended inside it.
	cut bool
}

// streamedPart is a part of such an item.
type streamedPart struct {
	item    *streamedItem
	content int
	part    llm.Part // without its text
	text    []byte
	tokens  []llm.TokenLogprob
	open    bool
	plain   *plainChunk
}

// reopen makes a part, and its item, be told to be over once more.
func (p *streamedPart) reopen() { p.open, p.item.closed = true, false }

// whole is the part with its text.
func (p *streamedPart) whole() llm.Part {
	part := p.part
	if part.ToolCall == nil {
		part.Text = string(p.text)
		return part
	}
	call := *part.ToolCall
	call.Arguments = string(p.text)
	part.ToolCall = &call
	return part
}

// event says where the part is.
func (p *streamedPart) event(event ResponseEvent) ResponseEvent {
	event.ItemID, event.OutputIndex = p.item.id, &p.item.index
	if p.item.kind == prefixMessage {
		event.ContentIndex = &p.content
	}
	return event
}

// added tells of an item that begins with a part.
func (i *streamedItem) added(part llm.Part) ResponseEvent {
	item := encodeItem(i.id, i.kind, llm.RoleAssistant, []llm.Part{part})
	item.Status = statusInProgress
	nothing := ""
	switch i.kind {
	case prefixMessage:
		item.Content = &[]ItemContent{}
	case prefixCall:
		item.Arguments = &nothing
	}
	return ResponseEvent{Type: eventItemAdded, OutputIndex: &i.index, Item: &item}
}

// delta tells of a piece of text; first says that it is the part's first.
func (p *streamedPart) delta(text string, tokens []llm.TokenLogprob, first bool) []ResponseEvent {
	event := ResponseEvent{Delta: &text}
	switch p.part.Type {
	case llm.PartToolCall:
		event.Type = eventArgumentsDelta
	case llm.PartRefusal:
		event.Type = eventRefusalDelta
	case llm.PartReasoning:
		summaryIndex := 0
		event.Type, event.SummaryIndex = eventSummaryTextDelta, &summaryIndex
		if first { // a thought without words has no summary
			begun := ResponseEvent{Type: eventSummaryAdded, SummaryIndex: &summaryIndex, Part: summary{Type: "summary_text"}}
			return []ResponseEvent{p.event(begun), p.event(event)}
		}
	default:
		event.Type, event.Logprobs = eventTextDelta, encodeTokens(tokens)
	}
	return []ResponseEvent{p.event(event)}
}

// close tells that a part is over, if the client takes it for open.
func (p *streamedPart) close() []ResponseEvent {
	if !p.open {
		return nil
	}
	p.open = false
	text := string(p.text)
	switch {
	case p.part.Type == llm.PartToolCall:
		return p.closeCall(text)
	case p.part.Type == llm.PartReasoning && text == "":
		return nil
	case p.part.Type == llm.PartReasoning:
		summaryIndex := 0
		return []ResponseEvent{
			p.event(ResponseEvent{Type: eventSummaryTextDone, SummaryIndex: &summaryIndex, Text: &text}),
			p.event(ResponseEvent{Type: eventSummaryDone, SummaryIndex: &summaryIndex, Part: summary{Type: "summary_text", Text: text}}),
		}
	}
	shown := p.shown()
	done := p.event(ResponseEvent{Type: eventPartDone, Part: &shown})
	switch {
	case shown.Refusal != nil:
		return []ResponseEvent{p.event(ResponseEvent{Type: eventRefusalDone, Refusal: &text}), done}
	case shown.Text != nil:
		return []ResponseEvent{p.event(ResponseEvent{Type: eventTextDone, Text: &text, Logprobs: encodeTokens(p.tokens)}), done}
	default:
		return []ResponseEvent{done}
	}
}

// closeCall tells a call's arguments. Clients parse them, and nothing is no JSON.
func (p *streamedPart) closeCall(arguments string) []ResponseEvent {
	var events []ResponseEvent
	if arguments == "" {
		arguments = noArguments
		events = p.delta(arguments, nil, false)
	}
	return append(events, p.event(ResponseEvent{Type: eventArgumentsDone, Name: p.part.ToolCall.Name, Arguments: &arguments}))
}

// shown is a part of a message as it stands in its item.
func (p *streamedPart) shown() ItemContent {
	content := encodeContent(llm.RoleAssistant, p.whole())
	if p.part.Type == llm.PartText {
		content.Logprobs = encodeTokens(p.tokens)
	}
	return content
}

// close tells that an item is over, if the client takes it for open.
func (s *ResponseStream) close(i *streamedItem) []ResponseEvent {
	if i.closed {
		return nil
	}
	i.closed = true
	var events []ResponseEvent
	parts := make([]llm.Part, 0, len(i.parts))
	for _, p := range i.parts {
		events = append(events, p.close()...)
		parts = append(parts, p.whole())
	}
	item := encodeItem(i.id, i.kind, llm.RoleAssistant, parts)
	switch i.kind {
	case prefixMessage:
		for content, p := range i.parts {
			(*item.Content)[content] = p.shown()
		}
	case prefixThought:
		if s.encrypted {
			item.EncryptedContent = dialect.Seal(parts[0].Opaque)
		}
	}
	if i.cut {
		item.Status = statusIncomplete
	}
	return append(events, ResponseEvent{Type: eventItemDone, OutputIndex: &i.index, Item: &item})
}
