package openai

import (
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// partErased stands where an item was deleted, so that those behind it keep their numbers.
const partErased llm.PartType = "erased"

// bundle is an item by the parts of its message that it holds, as indexes. Its kind is the prefix of its id; empty for one that
// was deleted.
type bundle struct {
	kind  string
	parts []int
}

// bundles are a message's items. What is said in a row is one item, as are the pictures and files beside it; each thought, each
// call and each result is one of its own. An item's number is its index here.
func bundles(m llm.Message) []bundle {
	var list []bundle
	for i, part := range m.Parts {
		kind := kindOf(part)
		if last := len(list) - 1; kind == prefixMessage && last >= 0 && list[last].kind == prefixMessage {
			list[last].parts = append(list[last].parts, i)
			continue
		}
		list = append(list, bundle{kind: kind, parts: []int{i}})
	}
	return list
}

func kindOf(part llm.Part) string {
	switch part.Type {
	case llm.PartReasoning:
		return prefixThought
	case llm.PartToolCall:
		return prefixCall
	case llm.PartToolResult:
		return prefixOutput
	case partErased:
		return ""
	default:
		return prefixMessage
	}
}

// Items lists what a message holds as OpenAI's items. Id names an item by its type's prefix and its number; [AnswerItems],
// [RequestItems] and [ConversationItems] make such functions. What was deleted is not listed, and keeps its number.
func Items(m llm.Message, id func(prefix string, n int) string) []Item {
	items := []Item{}
	for n, b := range bundles(m) {
		if b.kind != "" {
			items = append(items, b.item(m, id(b.kind, n)))
		}
	}
	return items
}

// item is the bundle as its message's role shows it.
func (b bundle) item(m llm.Message, id string) Item {
	parts := make([]llm.Part, 0, len(b.parts))
	for _, i := range b.parts {
		parts = append(parts, m.Parts[i])
	}
	return encodeItem(id, b.kind, m.Role, parts)
}

// PartsOf lists the indexes of the parts that a message's item holds; nil if there is no such item.
func PartsOf(m llm.Message, n int) []int {
	list := bundles(m)
	if n < 0 || n >= len(list) || list[n].kind == "" {
		return nil
	}
	return list[n].parts
}

// PickItem gives a message with the parts of one of its items alone. It says false if there is no such item.
func PickItem(m llm.Message, n int) (llm.Message, bool) {
	indexes := PartsOf(m, n)
	if indexes == nil {
		return llm.Message{}, false
	}
	picked := llm.Message{Role: m.Role, Parts: make([]llm.Part, 0, len(indexes))}
	for i, part := range m.Parts {
		if slices.Contains(indexes, i) {
			picked.Parts = append(picked.Parts, part)
		}
	}
	return picked, true
}
