package gemini

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

// content, part and the rest are the Content of https://ai.google.dev/api/caching#Content, as far as it is used here.
type content struct {
	Role  string `json:"role,omitempty"`
	Parts []part `json:"parts"`
}

type part struct {
	Text             string            `json:"text,omitempty"`
	FunctionCall     *functionCall     `json:"functionCall,omitempty"`
	FunctionResponse *functionResponse `json:"functionResponse,omitempty"`
	ThoughtSignature string            `json:"thoughtSignature,omitempty"`
}

type functionCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type functionResponse struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
}

// Roles of a content.
const (
	roleUser  = "user"
	roleModel = "model"
)

// noSignature stands where Gemini 3 demands the signature of a thought that it did not have, or that is lost
// (https://ai.google.dev/gemini-api/docs/thought-signatures).
const noSignature = "skip_thought_signature_validator"

// fromTurns renders turns. Gemini pairs results with calls by name and order, so each result gets its call's name.
func fromTurns(turns []llm.Message, signed bool) (contents []content, warnings []llm.Warning) {
	names := make(map[string]string)
	for _, turn := range turns {
		rendered := content{Role: roleUser}
		if turn.Role == llm.RoleAssistant {
			rendered.Role = roleModel
		}
		first := true
		for _, p := range turn.Parts {
			switch p.Type {
			case llm.PartToolCall:
				args, ok := render.Arguments(p.ToolCall.Arguments)
				if !ok {
					warnings = append(warnings, llm.Warning{Param: "messages", Message: "arguments of a tool call that are no JSON object were wrapped into one"})
				}
				names[p.ToolCall.ID] = p.ToolCall.Name
				call := part{FunctionCall: &functionCall{ID: p.ToolCall.ID, Name: p.ToolCall.Name, Args: args}}
				if first && signed {
					call.ThoughtSignature = noSignature // only the first of parallel calls has one
				}
				first = false
				rendered.Parts = append(rendered.Parts, call)
			case llm.PartToolResult:
				rendered.Parts = append(rendered.Parts, part{FunctionResponse: &functionResponse{
					ID: p.ToolResult.CallID, Name: names[p.ToolResult.CallID], Response: fromResult(*p.ToolResult),
				}})
			default:
				rendered.Parts = append(rendered.Parts, part{Text: p.Text})
			}
		}
		contents = append(contents, rendered)
	}
	return contents, warnings
}

// fromResult is a tool's result as the object that Gemini wants: the result itself if it is one, else under the key
// "output", or "error". An object that mentions $ref goes as text, since Gemini takes it for a schema (replay rule 20).
func fromResult(result llm.ToolResult) json.RawMessage {
	key := "output"
	if result.IsError {
		key = "error"
	} else if object, ok := render.Object([]byte(result.Content)); ok && !bytes.Contains(object, []byte(`"$ref"`)) {
		return object
	}
	text, err := json.Marshal(map[string]string{key: strings.ToValidUTF8(result.Content, "\uFFFD")})
	if err != nil { // a map of strings always encodes
		return json.RawMessage("{}")
	}
	return text
}
