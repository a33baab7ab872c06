package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"hash"
	"hash/fnv"
	"strconv"

	"github.com/holdfast-dev/holdfast/llm"
)

// attachment is what a vendor wants back with a part of an answer whose block has no member for it. It travels as the data of
// a redacted_thinking block, which clients hand back unchanged
// (https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks). It hides nothing.
type attachment struct {
	To llm.PartType `json:"to"`
	// Call is the id of the tool call that it belongs to.
	Call string `json:"call,omitempty"`
	// Sum is that of the text, or of the thought, that it belongs to: one that the client has changed is no longer what was
	// signed. Empty stands for a text without a word in it, which has no block of its own.
	Sum string `json:"sum,omitempty"`
	// Text tells in words what a tool did that the vendor ran itself: no block shows it.
	Text   string      `json:"text,omitempty"`
	Opaque *llm.Opaque `json:"opaque,omitempty"`
}

// seal writes the attachment as one word; [dialect.Unseal] does not take it for one of its own, which have data at their top.
func (a attachment) seal() string {
	content, err := json.Marshal(a)
	if err != nil { // what an adapter made is valid JSON
		return ""
	}
	return base64.StdEncoding.EncodeToString(content)
}

// unsealAttachment reads such a word back; false for any other.
func unsealAttachment(word string) (attachment, bool) {
	var a attachment
	content, err := base64.StdEncoding.DecodeString(word)
	if err != nil || json.Unmarshal(content, &a) != nil || a.Opaque != nil && len(a.Opaque.Data) == 0 {
		return attachment{}, false
	}
	switch a.To {
	case llm.PartText, llm.PartReasoning, llm.PartToolCall:
		return a, a.Opaque != nil
	case llm.PartServerTool:
		return a, a.Opaque != nil || a.Text != ""
	default:
		return attachment{}, false
	}
}

// alone reports whether the attachment is all there is of its part.
func (a attachment) alone() bool {
	return a.To == llm.PartServerTool || a.To == llm.PartText && a.Sum == ""
}

func (a attachment) part() llm.Part { return llm.Part{Type: a.To, Text: a.Text, Opaque: a.Opaque} }

// fits reports whether the attachment belongs to a part.
func (a attachment) fits(part llm.Part) bool {
	switch {
	case part.Type != a.To, part.Opaque != nil:
		return false
	case part.ToolCall != nil:
		return part.ToolCall.ID == a.Call
	default:
		return a.Sum != "" && sumOf(part.Text) == a.Sum
	}
}

// checksum tells whether a text is still what it was. It grows with a text that comes piece by piece.
type checksum struct{ sum hash.Hash64 }

func (c *checksum) add(text string) {
	if c.sum == nil {
		c.sum = fnv.New64a()
	}
	_, _ = c.sum.Write([]byte(text)) // it never fails
}

func (c *checksum) String() string {
	if c.sum == nil {
		return ""
	}
	return strconv.FormatUint(c.sum.Sum64(), 16)
}

func sumOf(text string) string {
	if text == "" {
		return ""
	}
	var c checksum
	c.add(text)
	return c.String()
}
