package openai

import (
	"bytes"
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
)

// Conversation is a decoded request to create a conversation.
type Conversation struct {
	Metadata map[string]string
	Messages []llm.Message
}

// maxItems bounds the items of one request to a conversation, as OpenAI does.
const maxItems = 20

// DecodeConversation reads the body of POST /v1/conversations
// (https://platform.openai.com/docs/api-reference/conversations/create); an empty body asks for an empty conversation. An error is
// a *[dialect.InvalidError].
func DecodeConversation(body []byte) (Conversation, error) {
	var wire struct {
		Metadata map[string]string `json:"metadata"`
		Items    []json.RawMessage `json:"items"`
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return Conversation{}, nil
	}
	if err := decodeStrictly(body, &wire); err != nil {
		return Conversation{}, err
	}
	if err := checkMetadata(wire.Metadata); err != nil {
		return Conversation{}, err
	}
	messages, err := conversationItems(wire.Items)
	return Conversation{Metadata: wire.Metadata, Messages: messages}, err
}

// DecodeConversationUpdate reads the body of POST /v1/conversations/{id}: the metadata that take the place of what there was. An
// error is a *[dialect.InvalidError].
func DecodeConversationUpdate(body []byte) (map[string]string, error) {
	var wire struct {
		Metadata map[string]string `json:"metadata"`
	}
	if err := decodeStrictly(body, &wire); err != nil {
		return nil, err
	}
	if wire.Metadata == nil {
		return nil, invalid("metadata", "missing_required_parameter", "Missing required parameter: 'metadata'.")
	}
	return wire.Metadata, checkMetadata(wire.Metadata)
}

// DecodeItems reads the body of POST /v1/conversations/{id}/items
// (https://platform.openai.com/docs/api-reference/conversations/create-item). An error is a *[dialect.InvalidError].
func DecodeItems(body []byte) ([]llm.Message, error) {
	var wire struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := decodeStrictly(body, &wire); err != nil {
		return nil, err
	}
	if len(wire.Items) == 0 {
		return nil, invalid("items", "missing_required_parameter", "You must provide at least one item.")
	}
	return conversationItems(wire.Items)
}

func conversationItems(items []json.RawMessage) ([]llm.Message, error) {
	if len(items) > maxItems {
		return nil, invalid("items", "invalid_value", "At most %d items are allowed.", maxItems)
	}
	return decodeItems(items, "items", nil)
}

// decodeStrictly reads a body in which nothing is unknown, and which is all.
func decodeStrictly(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explainJSON(err)
	}
	if decoder.More() {
		return invalid("", "invalid_json", "The body holds more than one JSON value.")
	}
	return nil
}
