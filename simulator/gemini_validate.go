package simulator

import (
	"encoding/json"
	"fmt"
)

type geminiContentIn struct {
	Role  string            `json:"role"`
	Parts []json.RawMessage `json:"parts"`

	text      string
	calls     []geminiCallIn
	responses []string // what the functions answered
	images    int
	vendor    Vendor // who serves the request
	// textSignatures are those of parts other than calls.
	textSignatures []string
}

type geminiCallIn struct {
	name      string
	args      json.RawMessage
	signature string
}

func geminiConversation(p *prompt, members fields) *wireError {
	var raw []json.RawMessage
	if members.has("contents") && json.Unmarshal(members["contents"], &raw) != nil {
		raw = []json.RawMessage{members["contents"]} // a single content is taken for a list of one
	}
	if len(raw) == 0 {
		return geminiInvalid("* GenerateContentRequest.contents: contents is not specified\n")
	}
	contents := make([]geminiContentIn, len(raw))
	chars := 0
	for i := range raw {
		content := &contents[i]
		content.vendor = p.vendor
		if refused := content.read(raw[i], fmt.Sprintf("contents[%d]", i)); refused != nil {
			return refused
		}
		if content.Role == "" && len(raw) == 1 {
			content.Role = "user"
		}
		if content.Role != "user" && content.Role != "model" {
			return geminiInvalid("Please use a valid role: user, model.")
		}
		chars += 12 + len(content.text)
		p.images += content.images
		if content.Role == "user" {
			text := content.text
			if text == "" && len(content.responses) > 0 {
				text = p.text
			}
			p.hear(text, content.responses)
		} else {
			p.say(content.text, len(content.calls) > 0)
		}
	}
	p.tokens += countTokens(chars)
	if refused := geminiPairs(contents); refused != nil {
		return refused
	}
	if p.signed {
		return geminiSignatures(p, contents)
	}
	return nil
}

// read validates one content by itself.
func (c *geminiContentIn) read(raw json.RawMessage, at string) *wireError {
	if json.Unmarshal(raw, c) != nil {
		return geminiInvalid("Invalid value at '" + at + "' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content)")
	}
	if len(c.Parts) == 0 {
		return geminiInvalid("* GenerateContentRequest." + at + ".parts: contents.parts must not be empty.\n")
	}
	for i, part := range c.Parts {
		if refused := c.readPart(part, fmt.Sprintf("%s.parts[%d]", at, i)); refused != nil {
			return refused
		}
	}
	return nil
}

func (c *geminiContentIn) readPart(raw json.RawMessage, at string) *wireError {
	part, ok := decodeFields(raw)
	if !ok {
		return geminiInvalid("Invalid value at '" + at + "' (type.googleapis.com/google.ai.generativelanguage.v1beta.Part)")
	}
	part = part.camel()
	data := ""
	for name := range part {
		switch name {
		case "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
			"toolCall", "toolResponse":
			if data != "" {
				return geminiInvalid("Invalid value at '" + at + "' (oneof), oneof field 'data' is already set. Cannot set '" +
					name + "'")
			}
			data = name
		case "thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata", "audioTranscription",
			"mediaProcessing", "speechMetadata":
		default:
			return geminiUnknown(name, at)
		}
	}
	text, _ := part.text("text")
	// A part may be a signature alone: an empty text beside it is lost on the way through the vendor's Go SDK.
	if (data == "" || data == "text" && text == "") && !part.has("thoughtSignature") {
		return geminiInvalid("* GenerateContentRequest." + at + ".data: required oneof field 'data' must have one initialized " +
			"field\n")
	}
	if signature, _ := part.text("thoughtSignature"); signature != "" && data != "functionCall" {
		c.textSignatures = append(c.textSignatures, signature)
	}
	switch data {
	case "text":
		if !part.flag("thought") {
			c.text += text
		}
	case "inlineData", "fileData":
		return c.readMedia(part, data, at)
	case "functionCall":
		return c.readCall(part, at)
	case "functionResponse":
		return c.readResponse(part, at)
	}
	return nil
}

func (c *geminiContentIn) readCall(part fields, at string) *wireError {
	call, _ := decodeFields(part["functionCall"])
	name, _ := call.text("name")
	switch {
	case name == "":
		return geminiInvalid("* GenerateContentRequest." + at + ".function_call.name: Name cannot be empty.\n")
	case call.has("args") && jsonType(call["args"]) != "object":
		return geminiInvalid("Invalid value at '" + at + ".function_call.args' (type.googleapis.com/google.protobuf.Struct)")
	case c.Role == "user":
		return geminiInvalid("Please ensure that function call parts are only in turns of the model.")
	}
	signature, _ := part.text("thoughtSignature")
	c.calls = append(c.calls, geminiCallIn{name: name, args: call["args"], signature: signature})
	return nil
}

func (c *geminiContentIn) readResponse(part fields, at string) *wireError {
	response, _ := decodeFields(part["functionResponse"])
	if unknown, found := response.unknown(func(name string) bool {
		switch name {
		case "id", "name", "response", "willContinue", "will_continue", "scheduling", "parts":
			return true
		default:
			return false
		}
	}); found {
		return geminiUnknown(unknown, at+".function_response")
	}
	name, _ := response.text("name")
	switch {
	case name == "":
		return geminiInvalid("* GenerateContentRequest." + at + ".function_response.name: Name cannot be empty.\n")
	case !response.has("response"):
		return geminiInvalid("* GenerateContentRequest." + at + ".function_response.response: required field is not set.\n")
	case jsonType(response["response"]) != "object":
		return geminiInvalid("Invalid value at '" + at + ".function_response.response' (type.googleapis.com/google.protobuf." +
			"Struct)")
	case c.Role == "model":
		return geminiInvalid("Please ensure that function response parts are only in turns of the user.")
	}
	c.responses = append(c.responses, string(response["response"]))
	return geminiReferences(response)
}

// geminiPairs checks the order of function calls and their responses.
func geminiPairs(contents []geminiContentIn) *wireError {
	for i := range contents {
		content := &contents[i]
		if len(content.responses) > 0 && (i == 0 || len(contents[i-1].calls) == 0) {
			return geminiInvalid("Please ensure that function response turn comes immediately after a function call turn.")
		}
		if len(content.calls) == 0 {
			continue
		}
		if i == 0 || contents[i-1].Role != "user" {
			return geminiInvalid("Please ensure that function call turn comes immediately after a user turn or after a function " +
				"response turn.")
		}
		if i == len(contents)-1 || len(contents[i+1].responses) != len(content.calls) {
			return geminiInvalid("Please ensure that the number of function response parts is equal to the number of function " +
				"call parts of the function call turn.")
		}
	}
	return nil
}
