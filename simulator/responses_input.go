package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

// responsesItemIn is an input item: a message, or a piece of a former answer.
type responsesItemIn struct {
	Type             *string         `json:"type"`
	ID               *string         `json:"id"`
	Role             string          `json:"role"`
	Content          json.RawMessage `json:"content"`
	CallID           *string         `json:"call_id"`
	Name             string          `json:"name"`
	Arguments        json.RawMessage `json:"arguments"`
	Output           json.RawMessage `json:"output"`
	Summary          json.RawMessage `json:"summary"`
	EncryptedContent *string         `json:"encrypted_content"`
	Phase            *string         `json:"phase"`

	kind string
	text string
}

// responsesTypes are the types of input items (openai-go v3.95, responses.ResponseInputItemUnionParam).
func responsesTypes(kind string) bool {
	switch kind {
	case "message", "function_call", "function_call_output", "reasoning", "item_reference", "file_search_call",
		"computer_call", "computer_call_output", "web_search_call", "image_generation_call", "code_interpreter_call",
		"local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call",
		"apply_patch_call_output", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call",
		"custom_tool_call", "custom_tool_call_output", "compaction":
		return true
	default:
		return false
	}
}

func responsesInput(p *prompt, members fields) *wireError {
	if text, ok := members.text("input"); ok {
		p.text = text
		p.tokens += countTokens(len(text) + 12)
		return nil
	}
	var items []responsesItemIn
	if jsonType(members["input"]) != "array" || json.Unmarshal(members["input"], &items) != nil {
		return openAIInvalid("input", "invalid_type", "Invalid type for 'input': expected one of a string or array of input "+
			"items, but got "+article(jsonType(members["input"]))+" instead.")
	}
	if len(items) == 0 {
		return openAIInvalid("input", "empty_array", "Invalid 'input': empty array. Expected an array with minimum length 1, "+
			"but got an empty array instead.")
	}
	chars := 0
	for i := range items {
		item := &items[i]
		if refused := item.check(p, fmt.Sprintf("input[%d]", i)); refused != nil {
			return refused
		}
		chars += 12 + len(item.text) + len(item.Arguments)
		switch {
		case item.kind == "message" && item.Role == "user":
			p.hear(item.text, nil)
		case item.kind == "function_call_output":
			p.learn(item.text)
		case item.kind == "message" && item.Role == "assistant":
			p.say(item.text, false)
		case item.kind == "function_call":
			p.say("", true)
		}
	}
	p.tokens += countTokens(chars)
	if refused := responsesPairs(items); refused != nil {
		return refused
	}
	return responsesFollowing(items)
}

// check validates one item by itself, and reads its text.
func (item *responsesItemIn) check(p *prompt, at string) *wireError {
	item.kind = "message"
	if item.Type != nil {
		item.kind = *item.Type
	}
	switch {
	case !responsesTypes(item.kind):
		return openAIInvalid(at, "invalid_value", "Invalid value: '"+item.kind+"'. Supported values are: 'message', "+
			"'function_call', 'function_call_output', 'reasoning', 'item_reference', 'custom_tool_call', and "+
			"'custom_tool_call_output'.")
	case item.Type == nil && item.Role == "":
		return openAIMissing(at + ".role")
	}
	if refused := item.checkID(at); refused != nil {
		return refused
	}
	switch item.kind {
	case "message":
		return item.checkMessage(p, at)
	case "function_call":
		return item.checkCall(at)
	case "function_call_output":
		return item.checkOutput(p, at)
	case "reasoning":
		return item.checkReasoning(p, at)
	case "item_reference":
		return responsesNotFound(deref(item.ID))
	default:
		return nil
	}
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// checkID checks the id that an item of a former answer brings back.
func (item *responsesItemIn) checkID(at string) *wireError {
	if item.ID == nil {
		return nil
	}
	want := ""
	switch item.kind {
	case "message":
		want = "msg"
	case "function_call":
		want = "fc"
	case "reasoning":
		want = "rs"
	}
	const most = 64
	switch {
	case len(*item.ID) > most:
		return openAIInvalid(at+".id", "string_above_max_length", fmt.Sprintf("Invalid '%s.id': string too long. Expected a "+
			"string with maximum length %d, but got a string with length %d instead.", at, most, len(*item.ID)))
	case want != "" && !strings.HasPrefix(*item.ID, want):
		return openAIInvalid(at+".id", "invalid_value", "Invalid '"+at+".id': '"+*item.ID+"'. Expected an ID that begins with '"+
			want+"'.")
	case !isNameOf(*item.ID, "_-", most):
		return openAIInvalid(at+".id", "invalid_value", "Invalid '"+at+".id': '"+*item.ID+"'. Expected an ID that contains "+
			"letters, numbers, underscores, or dashes, but this value contained additional characters.")
	}
	return nil
}

func (item *responsesItemIn) checkMessage(p *prompt, at string) *wireError {
	switch item.Role {
	case "user", "system", "developer", "assistant":
	case "":
		return openAIMissing(at + ".role")
	default:
		return openAIInvalid(at+".role", "invalid_value", "Invalid value: '"+item.Role+"'. Supported values are: 'assistant', "+
			"'system', 'developer', and 'user'.")
	}
	if !present(item.Content) {
		return openAIMissing(at + ".content")
	}
	if json.Unmarshal(item.Content, &item.text) == nil {
		return nil
	}
	return item.readParts(p, item.Content, at+".content", responsesParts(item.Role))
}

// responsesParts are the types of content that a role may have.
func responsesParts(role string) string {
	if role == "assistant" {
		return "'output_text' and 'refusal'"
	}
	return "'input_text', 'input_image', and 'input_file'"
}

type responsesPartIn struct {
	Type     string  `json:"type"`
	Text     *string `json:"text"`
	Refusal  *string `json:"refusal"`
	ImageURL *string `json:"image_url"`
	FileID   string  `json:"file_id"`
	FileURL  string  `json:"file_url"`
	FileData string  `json:"file_data"`
	Filename string  `json:"filename"`
	Detail   string  `json:"detail"`
}

func (item *responsesItemIn) readParts(p *prompt, raw json.RawMessage, at, allowed string) *wireError {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return openAIInvalid(at, "invalid_type", "Invalid type for '"+at+"': expected one of an array of objects or string, but "+
			"got "+article(jsonType(raw))+" instead.")
	}
	for i, rawPart := range parts {
		here := fmt.Sprintf("%s[%d]", at, i)
		var part responsesPartIn
		if err := json.Unmarshal(rawPart, &part); err != nil {
			field, got, want := mistyped(err)
			if field == "" {
				field, got, want = "type", jsonType(rawPart), "object"
			}
			return openAIInvalid(here+"."+field, "invalid_type", "Invalid type for '"+here+"."+field+"': expected "+article(want)+
				", but got "+article(got)+" instead.")
		}
		if part.Type == "" || !strings.Contains(allowed, "'"+part.Type+"'") {
			return openAIInvalid(here, "invalid_value", "Invalid value: '"+part.Type+"'. Supported values are: "+allowed+".")
		}
		if refused := part.check(p, here); refused != nil {
			return refused
		}
		item.text += deref(part.Text)
	}
	return nil
}

func (part *responsesPartIn) check(p *prompt, at string) *wireError {
	switch part.Type {
	case "input_text", "output_text":
		if part.Text == nil {
			return openAIMissing(at + ".text")
		}
	case "refusal":
		if part.Refusal == nil {
			return openAIMissing(at + ".refusal")
		}
	case "input_image":
		p.images++
		switch {
		case part.ImageURL == nil && part.FileID == "":
			return openAIInvalid(at, "missing_required_parameter", "Missing required parameter: '"+at+".image_url'.")
		case part.ImageURL != nil:
			if refused := openAIImageURL(*part.ImageURL, at+".image_url"); refused != nil {
				return refused
			}
		}
		return openAIDetail(part.Detail, at+".detail")
	case "input_file":
		if part.FileURL != "" {
			return nil
		}
		return openAIFile(part.FileID, part.FileData, part.Filename, at)
	}
	return nil
}

func (item *responsesItemIn) checkCall(at string) *wireError {
	switch {
	case item.CallID == nil:
		return openAIMissing(at + ".call_id")
	case item.Name == "":
		return openAIMissing(at + ".name")
	case !isNameOf(item.Name, "_-", 128):
		return openAIInvalid(at+".name", "invalid_value", "Invalid '"+at+".name': string does not match pattern. Expected a "+
			"string that matches the pattern '^[a-zA-Z0-9_-]+$'.")
	case !present(item.Arguments):
		return openAIMissing(at + ".arguments")
	case jsonType(item.Arguments) != "string":
		return openAIInvalid(at+".arguments", "invalid_type", "Invalid type for '"+at+".arguments': expected a string, but got "+
			article(jsonType(item.Arguments))+" instead.")
	}
	return item.checkCallID(at)
}

// checkCallID bounds a call's id.
func (item *responsesItemIn) checkCallID(at string) *wireError {
	const most = 64
	switch id := *item.CallID; {
	case id == "":
		return openAIInvalid(at+".call_id", "empty_string", "Invalid '"+at+".call_id': empty string. Expected a string with "+
			"minimum length 1, but got an empty string instead.")
	case len(id) > most:
		return openAIInvalid(at+".call_id", "string_above_max_length", fmt.Sprintf("Invalid '%s.call_id': string too long. "+
			"Expected a string with maximum length %d, but got a string with length %d instead.", at, most, len(id)))
	}
	return nil
}

func (item *responsesItemIn) checkOutput(p *prompt, at string) *wireError {
	switch {
	case item.CallID == nil:
		return openAIMissing(at + ".call_id")
	case !present(item.Output):
		return openAIMissing(at + ".output")
	}
	if refused := item.checkCallID(at); refused != nil {
		return refused
	}
	if json.Unmarshal(item.Output, &item.text) == nil {
		return nil
	}
	return item.readParts(p, item.Output, at+".output", responsesParts("user"))
}
