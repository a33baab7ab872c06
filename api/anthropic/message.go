package anthropic

import (
	"encoding/json"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// Message is the answer object (https://platform.claude.com/docs/en/api/messages#response).
type Message struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Role  string `json:"role"`
	Model string `json:"model"`
	// Content are blocks, each of the form of its type.
	Content []any `json:"content"`
	// StopReason is null for an answer that did not come to its end.
	StopReason *string `json:"stop_reason"`
	// StopSequence is always null: vendors do not say which it was.
	StopSequence *string      `json:"stop_sequence"`
	StopDetails  *StopDetails `json:"stop_details"`
	Usage        Usage        `json:"usage"`
	// Warnings say what of the request the model's vendor could not honour. Anthropic has no such member; its SDKs pass over it.
	Warnings []llm.Warning `json:"warnings,omitempty"`
}

// StopDetails say why the model declined.
type StopDetails struct {
	Type     string  `json:"type"`
	Category *string `json:"category"`
	// Explanation is in the vendor's words; null if it gave none.
	Explanation *string `json:"explanation"`
}

// The blocks of an answer. A text without citations has no such member, as at Anthropic: there are clients that read null for wrong.
type (
	textBlock struct {
		Type      string     `json:"type"`
		Text      string     `json:"text"`
		Citations []citation `json:"citations,omitempty"`
	}
	thinkingBlock struct {
		Type      string `json:"type"`
		Thinking  string `json:"thinking"`
		Signature string `json:"signature"`
	}
	redactedBlock struct {
		Type string `json:"type"`
		Data string `json:"data"`
	}
	toolUseBlock struct {
		Type  string          `json:"type"`
		ID    string          `json:"id"`
		Name  string          `json:"name"`
		Input json.RawMessage `json:"input"`
	}
)

// citation is a page that a text rests on, in the form of Anthropic's own search.
type citation struct {
	Type      string `json:"type"`
	CitedText string `json:"cited_text"`
	// EncryptedIndex is what Anthropic finds the page again by. It is empty: where there is one, it is attached to the text.
	EncryptedIndex string  `json:"encrypted_index"`
	Title          *string `json:"title"`
	URL            string  `json:"url"`
}

// EncodeMessage makes the answer object of a completion. Id is the one that the client knows it by, and route stands for the
// model where the vendor named none. The dialect has one answer: alternatives are left out.
func EncodeMessage(id, route string, answer llm.Response) Message {
	encoded := newMessage(id, route, answer.Model)
	encoded.Warnings, encoded.Usage = answer.Warnings, encodeUsage(answer.Usage)
	encoded.StopReason, encoded.StopDetails = stopOf(answer)
	for _, part := range answer.Message.Parts {
		encoded.Content = append(encoded.Content, encodePart(part)...)
	}
	return encoded
}

// newMessage is a message without any content.
func newMessage(id, route, model string) Message {
	if model == "" {
		model = route
	}
	return Message{ID: id, Type: "message", Role: "assistant", Model: model, Content: []any{}, Usage: encodeUsage(llm.Usage{})}
}

// encodePart gives the blocks of a part, with what is attached to it behind it: none for a part without anything in it.
func encodePart(part llm.Part) []any {
	var blocks []any
	switch part.Type {
	case llm.PartText, llm.PartRefusal:
		if part.Text != "" {
			blocks = append(blocks, textBlock{Type: "text", Text: part.Text, Citations: pages(part.Citations)})
		}
		if part.Opaque != nil {
			blocks = append(blocks, attachment{To: llm.PartText, Sum: sumOf(part.Text), Opaque: part.Opaque}.block())
		}
	case llm.PartReasoning:
		switch {
		case part.Text != "":
			blocks = append(blocks, thinkingBlock{Type: "thinking", Thinking: part.Text, Signature: dialect.Seal(part.Opaque)})
		case part.Opaque != nil:
			blocks = append(blocks, redacted(dialect.Seal(part.Opaque)))
		}
	case llm.PartToolCall:
		if part.ToolCall == nil {
			return nil
		}
		blocks = append(blocks, toolUseBlock{
			Type: "tool_use", ID: part.ToolCall.ID, Name: part.ToolCall.Name, Input: inputOf(part.ToolCall.Arguments),
		})
		if part.Opaque != nil {
			blocks = append(blocks, attachment{To: llm.PartToolCall, Call: part.ToolCall.ID, Opaque: part.Opaque}.block())
		}
	case llm.PartServerTool:
		if part.Text != "" || part.Opaque != nil {
			blocks = append(blocks, attachment{To: llm.PartServerTool, Text: part.Text, Opaque: part.Opaque}.block())
		}
	default: // models that make pictures or sound are not served in this dialect
	}
	return blocks
}

func redacted(data string) redactedBlock { return redactedBlock{Type: "redacted_thinking", Data: data} }

func (a attachment) block() redactedBlock { return redacted(a.seal()) }

// pages are the pages that a text rests on; nil, which is null, if there are none. Other sources have a form that says where
// in the request they stand, which is not known.
func pages(citations []llm.Citation) []citation {
	var list []citation
	for _, c := range citations {
		if c.URL == "" {
			continue
		}
		page := citation{Type: "web_search_result_location", CitedText: c.Text, URL: c.URL}
		if c.Title != "" {
			page.Title = &c.Title
		}
		list = append(list, page)
	}
	return list
}
