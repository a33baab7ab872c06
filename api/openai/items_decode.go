package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// ItemFinder gives the message that holds what the item with an id holds, and nothing else. [ErrNoItem] says that there is none.
type ItemFinder func(id string) (llm.Message, error)

// ErrNoItem is what an [ItemFinder] gives for an id that names nothing, or nothing that is kept.
var ErrNoItem = errors.New("there is no such item")

// inputItem is an item on the wire: a message, a thought, a function call or its output. What only answers have is read and left
// out, since clients send answers back as they came.
type inputItem struct {
	Type      string          `json:"type"`
	ID        string          `json:"id"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`

	Summary          []summary `json:"summary"`
	EncryptedContent *string   `json:"encrypted_content"`

	Status          json.RawMessage `json:"status"`
	Phase           json.RawMessage `json:"phase"`
	Async           json.RawMessage `json:"async"`
	Caller          json.RawMessage `json:"caller"`
	Namespace       json.RawMessage `json:"namespace"`
	CreatedBy       json.RawMessage `json:"created_by"`
	ParsedArguments json.RawMessage `json:"parsed_arguments"` // the Python SDK's own
	CacheControl    *cacheControl   `json:"cache_control"`
}

// itemReader puts items together to messages. What the assistant says in a row is one message.
type itemReader struct {
	find     ItemFinder
	messages []llm.Message
	// spoken says where the parts of a message item are, by its id.
	spoken map[string]span
	// carried are carriers that came before what they are for.
	carried map[string]carrier
}

// span is a piece of a message: its index, and those of its parts from where to where.
type span struct{ message, from, to int }

// decodeItems reads a list of items; at is the parameter that holds them. An error is a *[dialect.InvalidError], or the finder's.
func decodeItems(list []json.RawMessage, at string, find ItemFinder) ([]llm.Message, error) {
	reader := itemReader{find: find, spoken: map[string]span{}, carried: map[string]carrier{}}
	for i, raw := range list {
		if err := reader.read(raw, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return nil, err
		}
	}
	return reader.messages, nil
}

func (r *itemReader) read(raw json.RawMessage, at string) error {
	item, err := parseItem(raw, at)
	if err != nil {
		return err
	}
	switch item.Type {
	case "message":
		m, err := item.message(at)
		if err != nil {
			return err
		}
		r.add(m)
		r.said(item.ID, len(m.Parts))
		return nil
	case "function_call":
		if item.CallID == "" || item.Name == "" {
			return invalid(at, "missing_required_parameter", "%s: a function call needs call_id and name.", at)
		}
		r.add(llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call(item.CallID, item.Name, item.Arguments)}})
		r.said("", 1)
		return nil
	case "function_call_output":
		m, err := item.output(at)
		if err == nil {
			r.add(m)
		}
		return err
	case "reasoning":
		return r.thought(item, at)
	default:
		return r.refer(item.ID, at)
	}
}

// parseItem reads an item strictly, once it is known to be one that is taken.
func parseItem(raw json.RawMessage, at string) (inputItem, error) {
	var item inputItem
	var kind struct {
		Type *string `json:"type"`
		Role string  `json:"role"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return item, invalid(at, "invalid_type", "%s: an item is an object with a type.", at)
	}
	named := "message" // as it is where only a role is given
	switch {
	case kind.Type != nil:
		named = *kind.Type
	case kind.Role == "":
		named = "item_reference"
	}
	if why := refusedItem(named); why != "" {
		return item, invalid(at+".type", "unsupported_value", "%s: items of type '%s' are not supported: %s", at, named, why)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&item); err != nil {
		return item, within(at, explainJSON(err))
	}
	item.Type = named
	return item, nil
}

// within moves an error of a piece to where the piece stands.
func within(at string, err error) error {
	var own *dialect.InvalidError
	if !errors.As(err, &own) {
		return err
	}
	param := at
	if own.Param != "" && own.Param != "messages" { // which is what the reader of content knows of its place
		param += "." + strings.TrimPrefix(own.Param, at+".")
	}
	return &dialect.InvalidError{Param: param, Code: own.Code, Message: own.Message}
}

func (i inputItem) message(at string) (llm.Message, error) {
	switch i.Role {
	case "system", "developer", "user", "assistant":
	default:
		return llm.Message{}, invalid(at+".role", "invalid_value", "%s: '%s' is not one of system, developer, user, assistant.", at, i.Role)
	}
	m := message{Role: i.Role, CacheControl: i.CacheControl}
	if err := m.Content.read(i.Content); err != nil {
		return llm.Message{}, within(at+".content", err)
	}
	decoded, err := m.decode(at)
	return decoded, within(at, err)
}

func (i inputItem) output(at string) (llm.Message, error) {
	if i.CallID == "" {
		return llm.Message{}, invalid(at+".call_id", "missing_required_parameter", "%s: a function's output needs call_id.", at)
	}
	m := message{Role: "tool", ToolCallID: i.CallID, CacheControl: i.CacheControl}
	if err := m.Content.read(i.Output); err != nil {
		return llm.Message{}, within(at+".output", err)
	}
	decoded, err := m.decode(at)
	return decoded, within(at, err)
}

// read reads content that may be left out.
func (c *content) read(raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, c); err != nil {
		return explainJSON(err)
	}
	return nil
}

// add takes a message, or what the assistant goes on with.
func (r *itemReader) add(m llm.Message) {
	last := len(r.messages) - 1
	if m.Role == llm.RoleAssistant && last >= 0 && r.messages[last].Role == llm.RoleAssistant {
		r.messages[last].Parts = append(r.messages[last].Parts, m.Parts...)
		return
	}
	r.messages = append(r.messages, m)
}

// said notes where the parts of the last item are, so many of them, and gives them what came for them before.
func (r *itemReader) said(id string, count int) {
	last := len(r.messages) - 1
	parts := r.messages[last].Parts
	begin := len(parts) - count
	if call := parts[begin].ToolCall; call != nil {
		id = call.ID
	} else if id != "" {
		r.spoken[id] = span{last, begin, len(parts)}
	}
	if c, ok := r.carried[id]; ok {
		delete(r.carried, id)
		c.fill(parts[begin:])
	}
}

// thought reads a reasoning item. Of one that another service has encrypted the summary is kept; one that says nothing is left
// out.
func (r *itemReader) thought(item inputItem, at string) error {
	part := llm.Part{Type: llm.PartReasoning}
	if item.EncryptedContent != nil {
		part.Opaque = dialect.Unseal(*item.EncryptedContent)
	}
	if c, ok := unsealCarrier(part.Opaque); ok {
		r.attach(c)
		return nil
	}
	var content []summary
	if len(item.Content) > 0 && json.Unmarshal(item.Content, &content) != nil {
		return invalid(at+".content", "invalid_type", "%s: a thought's content is a list of texts.", at)
	}
	if len(item.Summary) > 0 {
		content = item.Summary
	}
	texts := make([]string, 0, len(content))
	for _, piece := range content {
		texts = append(texts, piece.Text)
	}
	if part.Text = strings.Join(texts, "\n\n"); part.Text != "" || part.Opaque != nil {
		r.add(llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{part}})
	}
	return nil
}

// attach gives an item what a carrier holds for it: the last call with that id, for there are vendors that use ids again.
func (r *itemReader) attach(c carrier) {
	if place, ok := r.spoken[c.For]; ok {
		c.fill(r.messages[place.message].Parts[place.from:place.to])
		return
	}
	for _, m := range slices.Backward(r.messages) {
		for n, part := range m.Parts {
			if part.ToolCall != nil && part.ToolCall.ID == c.For && part.Opaque == nil {
				c.fill(m.Parts[n : n+1])
				return
			}
		}
	}
	r.carried[c.For] = c
}

// refer takes the message that an id stands for.
func (r *itemReader) refer(id, at string) error {
	if id == "" {
		return invalid(at+".id", "missing_required_parameter", "%s: an item reference needs an id.", at)
	}
	err := ErrNoItem
	var m llm.Message
	if r.find != nil {
		m, err = r.find(id)
	}
	switch {
	case errors.Is(err, ErrNoItem) || err == nil && len(m.Parts) == 0:
		param, _, _ := strings.Cut(at, "[")
		return invalid(param, "item_not_found",
			"Item with id '%s' not found. Items are not kept when store is false. Try again with store set to true, or remove this item from your input.", id)
	case err != nil:
		return fmt.Errorf("item %s: %w", id, err)
	}
	// A carrier is no item of its own where all is kept: what it is for is referred to beside it.
	if place, ok := ParseItemID(id); !ok || place.Kind != prefixThought || m.Parts[0].Type == llm.PartReasoning {
		r.add(llm.Message{Role: m.Role, Parts: slices.Clone(m.Parts)})
	}
	return nil
}
