package anthropic

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// block is a piece of a message's content, with what is read of any kind of it
// (https://platform.claude.com/docs/en/api/messages#body-messages). Other members are passed over: those of answers come back,
// and newer ones are added all the time.
type block struct {
	at string // its path

	Type         string          `json:"type"`
	Text         string          `json:"text"`
	Thinking     string          `json:"thinking"`
	Signature    string          `json:"signature"`
	Data         string          `json:"data"`
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Input        json.RawMessage `json:"input"`
	ToolUseID    string          `json:"tool_use_id"`
	ToolName     string          `json:"tool_name"`
	IsError      bool            `json:"is_error"`
	Content      json.RawMessage `json:"content"`
	Source       json.RawMessage `json:"source"`
	Title        string          `json:"title"`
	Context      string          `json:"context"`
	Citations    json.RawMessage `json:"citations"`
	CacheControl *cacheControl   `json:"cache_control"`
	// Transformations say whether an image may be made smaller.
	Transformations json.RawMessage `json:"transformations"`
}

// blocksOf reads a content: a list of blocks, or a string in place of one text.
func blocksOf(at string, raw json.RawMessage) ([]block, error) {
	if absent(raw) {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "" {
			return nil, nil
		}
		return []block{{at: at, Type: "text", Text: text}}, nil
	}
	var list []json.RawMessage
	if err := readKnown(at, raw, &list); err != nil {
		return nil, invalid(at, codeType, "Input should be a string or a list of blocks.")
	}
	blocks := make([]block, 0, len(list))
	for i, raw := range list {
		b := block{at: item(at, i)}
		if err := readKnown(b.at, raw, &b); err != nil {
			return nil, err
		}
		if b.Type == "" {
			return nil, required(under(b.at, "type"))
		}
		blocks = append(blocks, b)
	}
	return blocks, nil
}

// text reads a block of text. Its citations are the vendor's own: what it wants back of them is attached to the text.
func (b block) text() (llm.Part, error) { return b.hinted(llm.Text(b.Text)) }

// hinted is a part with the block's hint for the cache.
func (b block) hinted(part llm.Part) (llm.Part, error) {
	var err error
	part.Cache, err = b.CacheControl.decode(under(b.at, "cache_control"))
	return part, err
}

// shown reads what a user, or a tool, says and shows: as a rule one part.
func (b block) shown() ([]llm.Part, error) {
	var part llm.Part
	var err error
	switch b.Type {
	case "text":
		part, err = b.text()
	case "image":
		part, err = b.image()
	case "document":
		return b.document()
	case "search_result":
		return nil, b.unsupported("Send what was found as text, or as a document.")
	case "container_upload":
		return nil, b.unsupported("Containers are Anthropic's own: send the file as a document.")
	case "thinking", "redacted_thinking", "tool_use":
		return nil, b.unsupported("Only the assistant has them.")
	default:
		return nil, b.unsupported("")
	}
	return []llm.Part{part}, err
}

// said reads what the assistant said; ok is false for what is of no use: a thought without words or signature.
func (b block) said() (part llm.Part, ok bool, err error) {
	switch {
	case b.Type == "text":
		part, err = b.text()
		return part, true, err
	case b.Type == "thinking":
		part = llm.Part{Type: llm.PartReasoning, Text: b.Thinking, Opaque: dialect.Unseal(b.Signature)}
		return part, part.Text != "" || part.Opaque != nil, nil
	case b.Type == "redacted_thinking":
		if a, own := unsealAttachment(b.Data); own && a.alone() {
			return a.part(), true, nil
		}
		part = llm.Part{Type: llm.PartReasoning, Opaque: dialect.Unseal(b.Data)}
		return part, part.Opaque != nil, nil
	case b.Type == "tool_use":
		part, err = b.toolUse()
		return part, true, err
	case b.Type == "tool_result":
		return part, false, b.unsupported("The results of tools belong into the user's message behind the calls.")
	case strings.HasSuffix(b.Type, "_tool_use"), strings.HasSuffix(b.Type, "_tool_result"):
		part, err = b.hinted(llm.Part{Type: llm.PartServerTool, Text: b.words()})
		return part, part.Text != "", err
	case b.Type == "image", b.Type == "document":
		return part, false, b.unsupported("An assistant's message holds words and calls only.")
	default:
		return part, false, b.unsupported("")
	}
}

func (b block) toolUse() (llm.Part, error) {
	switch {
	case b.ID == "":
		return llm.Part{}, required(under(b.at, "id"))
	case b.Name == "":
		return llm.Part{}, required(under(b.at, "name"))
	case absent(b.Input):
		b.Input = json.RawMessage(noInput)
	case b.Input[0] != '{':
		return llm.Part{}, invalid(under(b.at, "input"), codeType, "Input should be an object.")
	}
	return b.hinted(llm.Call(b.ID, b.Name, argumentsOf(b.Input)))
}

func (b block) unsupported(words string) error {
	return invalid(under(b.at, "type"), codeUnsupported, "%s", strings.TrimSpace("Blocks of type '"+b.Type+"' are not supported here. "+words))
}

func compact(raw json.RawMessage) json.RawMessage {
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return raw
	}
	return out.Bytes()
}
