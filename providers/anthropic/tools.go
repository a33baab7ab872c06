package anthropic

import (
	"encoding/json"
	"strings"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

func fromTools(tools []llm.Tool) ([]anthropicsdk.ToolUnionParam, error) {
	var rendered []anthropicsdk.ToolUnionParam
	for i, tool := range tools {
		schema, err := render.Schema(i, tool)
		if err != nil {
			return nil, err
		}
		block := &anthropicsdk.ToolParam{Name: tool.Name, InputSchema: inputSchema(schema)}
		if tool.Description != "" {
			block.Description = param.NewOpt(tool.Description)
		}
		if tool.Strict != nil {
			block.Strict = param.NewOpt(*tool.Strict)
		}
		rendered = append(rendered, anthropicsdk.ToolUnionParam{OfTool: block})
	}
	return rendered, nil
}

// inputSchema keeps a schema as it was written, except that Anthropic wants its type said.
func inputSchema(schema json.RawMessage) anthropicsdk.ToolInputSchemaParam {
	if schema == nil {
		schema = json.RawMessage(`{"type":"object","properties":{}}`)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(schema, &members); err == nil && members["type"] == nil {
		rest := strings.TrimPrefix(string(schema), "{")
		if rest != "}" {
			rest = "," + rest
		}
		schema = json.RawMessage(`{"type":"object"` + rest)
	}
	return param.Override[anthropicsdk.ToolInputSchemaParam](schema)
}

// setToolChoice sets tool_choice, which is also where parallel calls are forbidden. Without tools there is neither, save
// that a conversation with calls in it must declare tools to be accepted: they are declared by name and forbidden.
func setToolChoice(params *anthropicsdk.MessageNewParams, req llm.Request, turns []llm.Message) []llm.Warning {
	if len(req.Tools) == 0 {
		if params.Tools = calledTools(turns); len(params.Tools) > 0 {
			params.ToolChoice.OfNone = &anthropicsdk.ToolChoiceNoneParam{}
			return []llm.Warning{{Param: "tools", Message: "the tools called in the conversation were declared, and forbidden, since none were given"}}
		}
		if req.ToolChoice != nil && (req.ToolChoice.Mode == llm.ToolChoiceRequired || req.ToolChoice.Mode == llm.ToolChoiceTool) {
			return []llm.Warning{{Param: "tool_choice", Message: "left out: there are no tools"}}
		}
		return nil
	}
	var disable param.Opt[bool]
	if req.ParallelToolCalls != nil && !*req.ParallelToolCalls {
		disable = param.NewOpt(true)
	}
	mode := llm.ToolChoiceAuto
	if req.ToolChoice != nil {
		mode = req.ToolChoice.Mode
	}
	switch mode {
	case llm.ToolChoiceNone:
		params.ToolChoice.OfNone = &anthropicsdk.ToolChoiceNoneParam{}
	case llm.ToolChoiceRequired:
		params.ToolChoice.OfAny = &anthropicsdk.ToolChoiceAnyParam{DisableParallelToolUse: disable}
	case llm.ToolChoiceTool:
		params.ToolChoice.OfTool = &anthropicsdk.ToolChoiceToolParam{Name: req.ToolChoice.Name, DisableParallelToolUse: disable}
	default:
		if req.ToolChoice != nil || disable.Valid() {
			params.ToolChoice.OfAuto = &anthropicsdk.ToolChoiceAutoParam{DisableParallelToolUse: disable}
		}
	}
	return nil
}

// calledTools declares each tool that is called in turns, by its name alone.
func calledTools(turns []llm.Message) []anthropicsdk.ToolUnionParam {
	var tools []anthropicsdk.ToolUnionParam
	seen := make(map[string]bool)
	for _, turn := range turns {
		for _, call := range turn.ToolCalls() {
			if !seen[call.Name] {
				seen[call.Name] = true
				tools = append(tools, anthropicsdk.ToolUnionParam{OfTool: &anthropicsdk.ToolParam{Name: call.Name, InputSchema: inputSchema(nil)}})
			}
		}
	}
	return tools
}
