package openai

import (
	"encoding/json"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// carrier takes through a client what a vendor wants back with a call, or with a text, whose items have no member for it. It is
// the encrypted content of a reasoning item without a summary, which clients hand back as they got it. It stands behind all other
// items: what it carries may come to light when the item that it is for is long open.
type carrier struct {
	// For is the call's id, or that of the message item.
	For   string    `json:"for"`
	Parts []carried `json:"parts"`
}

// carried is what belongs to one part of the item.
type carried struct {
	Content int `json:"content,omitempty"`
	// Type is set if the part is no text, though it is shown as one.
	Type   llm.PartType `json:"type,omitempty"`
	Opaque *llm.Opaque  `json:"opaque"`
}

// carrierOrigin marks a carrier. No provider has this name.
const carrierOrigin = "holdfast:carrier"

func (c carrier) seal() string {
	content, err := json.Marshal(c)
	if err != nil { // what an adapter made is valid JSON
		return ""
	}
	return dialect.Seal(&llm.Opaque{Origin: llm.Origin{Provider: carrierOrigin}, Data: content})
}

// unsealCarrier reads a carrier from what was unsealed. It says false of what is a thought's own.
func unsealCarrier(opaque *llm.Opaque) (c carrier, ok bool) {
	if opaque == nil || opaque.Origin.Provider != carrierOrigin {
		return carrier{}, false
	}
	if json.Unmarshal(opaque.Data, &c) != nil {
		return carrier{}, true
	}
	return c, true
}

// carriers are the items that take what is opaque in a message's calls and texts through a client. Each has the number of the
// item that it is for.
func carriers(m llm.Message, id func(prefix string, n int) string) []Item {
	var items []Item
	for n, b := range bundles(m) {
		if b.kind != prefixCall && b.kind != prefixMessage {
			continue
		}
		c := carrier{For: id(b.kind, n)}
		for content, i := range b.parts {
			part := m.Parts[i]
			if part.ToolCall != nil {
				c.For = part.ToolCall.ID
			}
			if part.Opaque == nil {
				continue
			}
			one := carried{Content: content, Opaque: part.Opaque}
			if part.Type == llm.PartServerTool {
				one.Type = part.Type
			}
			c.Parts = append(c.Parts, one)
		}
		if len(c.Parts) > 0 {
			items = append(items, Item{
				ID: id(prefixThought, n), Type: "reasoning", Status: statusCompleted, Summary: &[]summary{}, EncryptedContent: c.seal(),
			})
		}
	}
	return items
}

// fill gives the parts of an item what was carried for them. What does not fit is passed over: clients may change an item.
func (c carrier) fill(parts []llm.Part) {
	for _, one := range c.Parts {
		if one.Content < 0 || one.Content >= len(parts) {
			continue
		}
		part := &parts[one.Content]
		part.Opaque = one.Opaque
		if one.Type == llm.PartServerTool && part.Type == llm.PartText {
			part.Type = one.Type
		}
	}
}
