package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

// maxStops is how many stop sequences Chat Completions takes.
const maxStops = 4

// newParams renders req. Its error is an *[llm.Error] of kind caller_fault.
func newParams(req llm.Request) (openaisdk.ChatCompletionNewParams, []llm.Warning, error) {
	messages, warnings, err := render.Repair(req.Messages)
	if err != nil {
		return openaisdk.ChatCompletionNewParams{}, nil, named(err)
	}
	params := openaisdk.ChatCompletionNewParams{Model: req.Model}
	for _, message := range messages {
		params.Messages = append(params.Messages, fromMessage(message)...)
	}
	if params.Tools, err = fromTools(req.Tools); err != nil {
		return openaisdk.ChatCompletionNewParams{}, nil, named(err)
	}
	params.ToolChoice = fromToolChoice(req.ToolChoice)
	if req.User != "" {
		params.User = param.NewOpt(req.User)
	}
	params.Seed = opt(req.Seed)
	if len(req.Tools) > 0 { // rejected, and without a meaning, when there are none
		params.ParallelToolCalls = opt(req.ParallelToolCalls)
	}
	return params, append(warnings, setLimits(&params, req)...), nil
}

// setLimits sets what depends on whether the model reasons: sampling, stop sequences and the limit on output.
func setLimits(params *openaisdk.ChatCompletionNewParams, req llm.Request) []llm.Warning {
	var warnings []llm.Warning
	family := familyOf(req.Model)
	if family.reasons {
		params.MaxCompletionTokens = opt(req.MaxOutputTokens)
	} else {
		params.MaxTokens = opt(req.MaxOutputTokens)
	}
	drop := func(name string) {
		warnings = append(warnings, llm.Warning{Param: name, Message: "left out: reasoning models do not take it"})
	}
	if family.parallelFixed && params.ParallelToolCalls.Valid() {
		params.ParallelToolCalls = param.Opt[bool]{}
		drop("parallel_tool_calls")
	}
	for _, number := range []struct {
		name   string
		value  *float64
		into   *param.Opt[float64]
		normal float64
	}{
		{"temperature", req.Temperature, &params.Temperature, 1},
		{"top_p", req.TopP, &params.TopP, 1},
		{"presence_penalty", req.PresencePenalty, &params.PresencePenalty, 0},
		{"frequency_penalty", req.FrequencyPenalty, &params.FrequencyPenalty, 0},
	} {
		switch {
		case number.value == nil:
		case !family.reasons:
			*number.into = param.NewOpt(*number.value)
		case *number.value != number.normal:
			drop(number.name)
		}
	}
	var stops []string
	for _, stop := range req.Stop {
		if stop != "" {
			stops = append(stops, stop)
		}
	}
	if family.reasons && len(stops) > 0 {
		drop("stop")
		stops = nil
	}
	if len(stops) > maxStops {
		warnings = append(warnings, llm.Warning{Param: "stop", Message: fmt.Sprintf("only the first %d sequences were sent", maxStops)})
		stops = stops[:maxStops]
	}
	params.Stop.OfStringArray = stops
	return warnings
}

// family is what a model's name tells about the parameters that it takes.
type family struct {
	reasons       bool // max_completion_tokens, and neither sampling nor stop
	parallelFixed bool // no parallel_tool_calls either
}

var (
	oSeries   = regexp.MustCompile(`^o[1-9]([^a-z0-9].*)?$`)
	gptSeries = regexp.MustCompile(`^gpt-([5-9]|[1-9][0-9])([^0-9].*)?$`)
)

// familyOf goes by the names in OpenAI's model list; a prefix such as openai/ is as aggregators write it.
func familyOf(model string) family {
	if slash := strings.LastIndexByte(model, '/'); slash >= 0 {
		model = model[slash+1:]
	}
	if oSeries.MatchString(model) {
		return family{reasons: true, parallelFixed: true}
	}
	return family{reasons: gptSeries.MatchString(model) && !strings.Contains(model, "-chat")}
}

// fromMessage renders one canonical message; the results of a tool message become one message each.
func fromMessage(message llm.Message) []openaisdk.ChatCompletionMessageParamUnion {
	switch message.Role {
	case llm.RoleSystem:
		return []openaisdk.ChatCompletionMessageParamUnion{openaisdk.SystemMessage(texts(message))}
	case llm.RoleAssistant:
		return []openaisdk.ChatCompletionMessageParamUnion{{OfAssistant: fromAssistant(message)}}
	case llm.RoleTool:
		var results []openaisdk.ChatCompletionMessageParamUnion
		for _, part := range message.Parts {
			results = append(results, openaisdk.ToolMessage(part.ToolResult.Content, part.ToolResult.CallID))
		}
		return results
	default:
		return []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage(texts(message))}
	}
}

// texts joins the texts of a message: compatible hosts understand a string, not all of them a list of parts.
func texts(message llm.Message) string {
	parts := make([]string, 0, len(message.Parts))
	for _, part := range message.Parts {
		parts = append(parts, part.Text)
	}
	return strings.Join(parts, "\n")
}

func fromAssistant(message llm.Message) *openaisdk.ChatCompletionAssistantMessageParam {
	assistant := &openaisdk.ChatCompletionAssistantMessageParam{}
	// A refusal goes as words like any other: beside it content would still be required, and few hosts know the field.
	if text := message.Text() + message.Refusal(); text != "" {
		assistant.Content.OfString = param.NewOpt(text)
	}
	for _, call := range message.ToolCalls() {
		arguments := call.Arguments
		if strings.TrimSpace(arguments) == "" {
			arguments = "{}" // some hosts parse it
		}
		assistant.ToolCalls = append(assistant.ToolCalls, openaisdk.ChatCompletionMessageToolCallUnionParam{
			OfFunction: &openaisdk.ChatCompletionMessageFunctionToolCallParam{
				ID:       call.ID,
				Function: openaisdk.ChatCompletionMessageFunctionToolCallFunctionParam{Name: call.Name, Arguments: arguments},
			},
		})
	}
	return assistant
}

func fromTools(tools []llm.Tool) ([]openaisdk.ChatCompletionToolUnionParam, error) {
	var rendered []openaisdk.ChatCompletionToolUnionParam
	for i, tool := range tools {
		schema, err := render.Schema(i, tool)
		if err != nil {
			return nil, err
		}
		function := shared.FunctionDefinitionParam{Name: tool.Name, Strict: opt(tool.Strict)}
		if tool.Description != "" {
			function.Description = param.NewOpt(tool.Description)
		}
		if schema != nil {
			if function.Parameters, err = members(schema); err != nil {
				return nil, err
			}
		}
		rendered = append(rendered, openaisdk.ChatCompletionFunctionTool(function))
	}
	return rendered, nil
}

// members splits an object into its members, each kept as it was written: going through any would round large numbers.
func members(object json.RawMessage) (shared.FunctionParameters, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(object, &raw); err != nil {
		return nil, &llm.Error{Kind: llm.KindCallerFault, Param: "tools", Detail: "the parameters are no JSON object"}
	}
	parameters := make(shared.FunctionParameters, len(raw))
	for key, value := range raw {
		parameters[key] = value
	}
	return parameters, nil
}

func fromToolChoice(choice *llm.ToolChoice) openaisdk.ChatCompletionToolChoiceOptionUnionParam {
	switch {
	case choice == nil:
		return openaisdk.ChatCompletionToolChoiceOptionUnionParam{}
	case choice.Mode == llm.ToolChoiceTool:
		return openaisdk.ToolChoiceOptionFunctionToolChoice(openaisdk.ChatCompletionNamedToolChoiceFunctionParam{Name: choice.Name})
	default:
		return openaisdk.ChatCompletionToolChoiceOptionUnionParam{OfAuto: param.NewOpt(string(choice.Mode))}
	}
}

func opt[T comparable](value *T) param.Opt[T] {
	if value == nil {
		return param.Opt[T]{}
	}
	return param.NewOpt(*value)
}

// named puts this provider's name on an error from shared rendering.
func named(err error) error {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		e.Provider = name
	}
	return err
}
