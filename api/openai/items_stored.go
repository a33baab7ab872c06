package openai

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// StoredMessage is a message of a stored chat completion's request
// (https://platform.openai.com/docs/api-reference/chat/getMessages).
type StoredMessage struct {
	ID      string  `json:"id"`
	Role    string  `json:"role"`
	Content *string `json:"content"`
	Name    *string `json:"name"`
	// ContentParts are there where the message has several, or one that is no text; else Content says it all.
	ContentParts []StoredPart `json:"content_parts"`
	Refusal      *string      `json:"refusal"`
	ToolCalls    []toolCall   `json:"tool_calls,omitempty"`
	ToolCallID   string       `json:"tool_call_id,omitempty"`
}

// StoredPart is a part of such a message.
type StoredPart struct {
	Type       string          `json:"type"`
	Text       *string         `json:"text,omitempty"`
	ImageURL   *storedImage    `json:"image_url,omitempty"`
	InputAudio *inputAudio     `json:"input_audio,omitempty"`
	File       *storedDocument `json:"file,omitempty"`
}

type storedImage struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

type storedDocument struct {
	FileData string `json:"file_data,omitempty"`
	FileURL  string `json:"file_url,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// EncodeStoredMessages lists the messages of a stored chat completion's request. Their ids are the completion's with their
// number; one that has been erased is left out.
func EncodeStoredMessages(completionID string, messages []llm.Message) []StoredMessage {
	list := []StoredMessage{}
	for n, m := range messages {
		if stored, ok := storedMessage(m); ok {
			stored.ID = completionID + "-" + strconv.Itoa(n)
			list = append(list, stored)
		}
	}
	return list
}

func storedMessage(m llm.Message) (stored StoredMessage, ok bool) {
	stored.Role = string(m.Role)
	parts := m.Parts
	if m.Role == llm.RoleTool && len(parts) == 1 && parts[0].ToolResult != nil {
		result := parts[0].ToolResult
		stored.ToolCallID = result.CallID
		parts = result.Parts
		if result.Content != "" || len(parts) == 0 {
			parts = append([]llm.Part{llm.Text(result.Content)}, parts...)
		}
	}
	var said []llm.Part
	for _, part := range parts {
		ok = ok || part.Type != partErased
		if part.Type == llm.PartText || part.Media != nil {
			said = append(said, part)
		}
	}
	if m.Role == llm.RoleAssistant {
		answer := EncodeMessage(m)
		stored.Refusal, stored.ToolCalls = answer.Refusal, answer.ToolCalls
	}
	stored.Content, stored.ContentParts = storedContent(said)
	return stored, ok
}

// storedContent is a text, unless there is more than that to show.
func storedContent(said []llm.Part) (*string, []StoredPart) {
	var text strings.Builder
	parts := make([]StoredPart, 0, len(said))
	whole := len(said) > 0
	for _, part := range said {
		parts = append(parts, storedPart(part))
		whole = whole && part.Media == nil
		text.WriteString(part.Text)
	}
	var content *string
	if whole {
		joined := text.String()
		content = &joined
		if len(parts) == 1 {
			parts = nil
		}
	}
	if len(parts) == 0 {
		return content, nil
	}
	return content, parts
}

func storedPart(part llm.Part) StoredPart {
	if part.Media == nil {
		return StoredPart{Type: "text", Text: &part.Text}
	}
	shown := encodeMedia(part)
	switch part.Type {
	case llm.PartImage:
		return StoredPart{Type: "image_url", ImageURL: &storedImage{URL: shown.ImageURL, Detail: part.Media.Detail}}
	case llm.PartAudio:
		_, format, _ := strings.Cut(part.Media.MIME, "/")
		return StoredPart{Type: "input_audio", InputAudio: &inputAudio{Data: base64.StdEncoding.EncodeToString(part.Media.Data), Format: format}}
	default:
		return StoredPart{Type: "file", File: &storedDocument{FileData: shown.FileData, FileURL: shown.FileURL, Filename: shown.Filename}}
	}
}
