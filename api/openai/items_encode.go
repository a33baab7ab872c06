package openai

import (
	"encoding/base64"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// Item is an entry of a response or of a conversation, as OpenAI's clients parse it
// (https://platform.openai.com/docs/api-reference/conversations/list-items-object).
type Item struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Status  string         `json:"status"`
	Role    string         `json:"role,omitempty"`
	Content *[]ItemContent `json:"content,omitempty"`
	CallID  string         `json:"call_id,omitempty"`
	Name    string         `json:"name,omitempty"`
	// Arguments are those of a function call, in JSON.
	Arguments *string `json:"arguments,omitempty"`
	// Output is a tool's: a text, or a list of content where there is more than text.
	Output  any        `json:"output,omitempty"`
	Summary *[]summary `json:"summary,omitempty"`
	// EncryptedContent carries through the client what vendors want back.
	EncryptedContent string `json:"encrypted_content,omitempty"`
}

// ItemContent is one part of a message item.
type ItemContent struct {
	Type        string          `json:"type"`
	Text        *string         `json:"text,omitempty"`
	Refusal     *string         `json:"refusal,omitempty"`
	Annotations *[]Annotation   `json:"annotations,omitempty"`
	Logprobs    *[]tokenLogprob `json:"logprobs,omitempty"`
	ImageURL    string          `json:"image_url,omitempty"`
	Detail      string          `json:"detail,omitempty"`
	FileURL     string          `json:"file_url,omitempty"`
	FileData    string          `json:"file_data,omitempty"`
	Filename    string          `json:"filename,omitempty"`
	InputAudio  *inputAudio     `json:"input_audio,omitempty"`
}

// Annotation is a page that a text rests on. Unlike in a chat completion, its members stand beside its type.
type Annotation struct {
	Type string `json:"type"`
	urlCitation
}

// summary is a piece of a thought as it was shown.
type summary struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// The states of items and of responses.
const (
	statusCompleted  = "completed"
	statusInProgress = "in_progress"
	statusIncomplete = "incomplete"
	statusFailed     = "failed"
)

// encodeItem shows parts of a message as one item, whose type is said by the prefix of its id.
func encodeItem(id, kind string, role llm.Role, parts []llm.Part) Item {
	item := Item{ID: id, Status: statusCompleted}
	switch part := parts[0]; kind {
	case prefixThought:
		item.Type, item.Summary = "reasoning", &[]summary{}
		if part.Text != "" {
			item.Summary = &[]summary{{Type: "summary_text", Text: part.Text}}
		}
	case prefixCall:
		arguments := part.ToolCall.Arguments
		if arguments == "" {
			arguments = noArguments // clients parse them, and nothing is no JSON
		}
		item.Type, item.CallID, item.Name, item.Arguments = "function_call", part.ToolCall.ID, part.ToolCall.Name, &arguments
	case prefixOutput:
		item.Type, item.CallID, item.Output = "function_call_output", part.ToolResult.CallID, encodeOutput(*part.ToolResult)
	default:
		content := make([]ItemContent, 0, len(parts))
		for _, part := range parts {
			content = append(content, encodeContent(role, part))
		}
		item.Type, item.Role, item.Content = "message", string(role), &content
	}
	return item
}

// encodeOutput is a text wherever it can be: not every client reads the other form.
func encodeOutput(result llm.ToolResult) any {
	if len(result.Parts) == 0 {
		return result.Content
	}
	content := []ItemContent{}
	if result.Content != "" {
		content = append(content, encodeContent(llm.RoleTool, llm.Text(result.Content)))
	}
	for _, part := range result.Parts {
		content = append(content, encodeContent(llm.RoleTool, part))
	}
	return content
}

// encodeContent shows a part of what was said. What came of a vendor's own tool is told in words.
func encodeContent(role llm.Role, part llm.Part) ItemContent {
	text := part.Text
	switch {
	case part.Media != nil:
		return encodeMedia(part)
	case part.Type == llm.PartRefusal:
		return ItemContent{Type: "refusal", Refusal: &text}
	case role == llm.RoleAssistant:
		return ItemContent{Type: "output_text", Text: &text, Annotations: encodeCitations(part.Citations), Logprobs: &[]tokenLogprob{}}
	default:
		return ItemContent{Type: "input_text", Text: &text}
	}
}

// encodeCitations are the pages that a text rests on; other sources have no form in this dialect.
func encodeCitations(citations []llm.Citation) *[]Annotation {
	list := []Annotation{}
	for _, c := range citations {
		if c.URL != "" {
			list = append(list, Annotation{"url_citation", urlCitation{URL: c.URL, Title: c.Title, StartIndex: c.Start, EndIndex: c.End}})
		}
	}
	return &list
}

// encodeMedia shows a picture, a file or a sound: by its address where it came by one.
func encodeMedia(part llm.Part) ItemContent {
	address := part.Media.URL
	if address == "" {
		address = "data:" + part.Media.MIME + ";base64," + base64.StdEncoding.EncodeToString(part.Media.Data)
	}
	switch part.Type {
	case llm.PartImage:
		detail := part.Media.Detail
		if detail == "" {
			detail = "auto"
		}
		return ItemContent{Type: "input_image", ImageURL: address, Detail: detail}
	case llm.PartAudio:
		_, format, _ := strings.Cut(part.Media.MIME, "/")
		return ItemContent{Type: "input_audio", InputAudio: &inputAudio{Data: base64.StdEncoding.EncodeToString(part.Media.Data), Format: format}}
	default:
		file := ItemContent{Type: "input_file", FileData: address, Filename: part.Media.Name}
		if part.Media.URL != "" {
			file.FileURL, file.FileData = address, ""
		}
		return file
	}
}

// encodeTokens are log probabilities in the form of this dialect, in which no list is null.
func encodeTokens(tokens []llm.TokenLogprob) *[]tokenLogprob {
	list := make([]tokenLogprob, 0, len(tokens))
	for _, token := range tokens {
		entry := tokenLogprob{Token: token.Token, Logprob: token.Logprob, Bytes: notNil(token.Bytes), Top: []tokenLogprob{}}
		for _, top := range token.Top {
			entry.Top = append(entry.Top, tokenLogprob{Token: top.Token, Logprob: top.Logprob, Bytes: notNil(top.Bytes)})
		}
		list = append(list, entry)
	}
	return &list
}

// notNil is a list that is written as one even if it is empty.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
