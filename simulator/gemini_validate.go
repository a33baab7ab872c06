package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// geminiSignature begins every thought signature that the simulator hands out, before it is encoded.
const geminiSignature = "holdfast-simulator:"

type geminiContentIn struct {
	Role  string            `json:"role"`
	Parts []json.RawMessage `json:"parts"`

	text      string
	calls     []geminiCallIn
	responses []string // what the functions answered
}

type geminiCallIn struct {
	name      string
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
		if content.Role == "user" {
			if content.text != "" || len(content.responses) == 0 {
				p.text = content.text
			}
			p.results = content.responses
		} else {
			p.results = nil
		}
	}
	p.tokens += countTokens(chars)
	if refused := geminiPairs(contents); refused != nil {
		return refused
	}
	if p.signed {
		return geminiSignatures(contents)
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
	if data == "" || data == "text" && text == "" && !part.has("thoughtSignature") {
		return geminiInvalid("* GenerateContentRequest." + at + ".data: required oneof field 'data' must have one initialized " +
			"field\n")
	}
	switch data {
	case "text":
		c.text += text
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
	c.calls = append(c.calls, geminiCallIn{name: name, signature: signature})
	return nil
}

func (c *geminiContentIn) readResponse(part fields, at string) *wireError {
	response, _ := decodeFields(part["functionResponse"])
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
	return nil
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

// geminiSignatures checks that each step of the current turn, which is what follows the user's last words, has its thought
// signature on its first call (ai.google.dev/gemini-api/docs/thought-signatures).
func geminiSignatures(contents []geminiContentIn) *wireError {
	start := 0
	for i, content := range contents {
		if content.Role == "user" && len(content.responses) == 0 {
			start = i
		}
	}
	for i := start; i < len(contents); i++ {
		if len(contents[i].calls) == 0 {
			continue
		}
		first := contents[i].calls[0]
		if first.signature == "" {
			return geminiInvalid(fmt.Sprintf("Function call is missing a thought_signature in functionCall parts. This is "+
				"required for tools to work correctly, and missing thought_signature may lead to degraded model performance. "+
				"Additional data, function call `default_api:%s` , position %d. Please refer to "+
				"https://ai.google.dev/gemini-api/docs/thought-signatures for more details.", first.name, i+1))
		}
		if !geminiAccepts(first.signature) {
			return geminiInvalid("Corrupted thought signature.")
		}
	}
	return nil
}

// geminiAccepts takes the signatures of this simulator, and the documented stand-ins for calls of other models, which
// clients send as they are or, where their type is bytes, encoded.
func geminiAccepts(signature string) bool {
	candidates := []string{signature}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		if decoded, err := encoding.DecodeString(signature); err == nil {
			candidates = append(candidates, string(decoded))
		}
	}
	for _, candidate := range candidates {
		switch {
		case strings.HasPrefix(candidate, geminiSignature), candidate == "skip_thought_signature_validator",
			candidate == "context_engineering_is_the_way_to_go":
			return true
		}
	}
	return false
}
