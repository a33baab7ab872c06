package anthropic

import (
	"errors"
	"strings"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

// newParams renders req. Its error is an *[llm.Error] of kind caller_fault.
func newParams(req llm.Request) (anthropicsdk.MessageNewParams, []llm.Warning, error) {
	repaired, warnings, err := render.Repair(req.Messages)
	if err != nil {
		return anthropicsdk.MessageNewParams{}, nil, named(err)
	}
	system, turns, more := render.Turns(repaired)
	warnings = append(warnings, more...)
	params := anthropicsdk.MessageNewParams{Model: req.Model, MaxTokens: maxTokens(req.Model, promptBytes(req))}
	if req.MaxOutputTokens != nil {
		params.MaxTokens = *req.MaxOutputTokens
	}
	for _, text := range system {
		params.System = append(params.System, anthropicsdk.TextBlockParam{Text: text})
	}
	for i, turn := range turns {
		message, wrapped := fromTurn(turn, i == len(turns)-1)
		params.Messages = append(params.Messages, message)
		if wrapped {
			warnings = append(warnings, llm.Warning{Param: "messages", Message: "arguments of a tool call that are no JSON object were wrapped into one"})
		}
	}
	if params.Tools, err = fromTools(req.Tools); err != nil {
		return anthropicsdk.MessageNewParams{}, nil, named(err)
	}
	warnings = append(warnings, setToolChoice(&params, req, turns)...)
	warnings = append(warnings, setSampling(&params, req)...)
	if req.User != "" {
		params.Metadata.UserID = param.NewOpt(req.User)
	}
	return params, warnings, nil
}

// promptBytes is about how long the rendered prompt is.
func promptBytes(req llm.Request) int {
	var total int
	for _, message := range req.Messages {
		for _, part := range message.Parts {
			total += len(part.Text)
			if part.ToolCall != nil {
				total += len(part.ToolCall.Name) + len(part.ToolCall.Arguments)
			}
			if part.ToolResult != nil {
				total += len(part.ToolResult.Content)
			}
		}
	}
	for _, tool := range req.Tools {
		total += len(tool.Name) + len(tool.Description) + len(tool.Parameters)
	}
	return total
}

func fromTurn(turn llm.Message, last bool) (message anthropicsdk.MessageParam, wrapped bool) {
	message.Role = anthropicsdk.MessageParamRoleUser
	if turn.Role == llm.RoleAssistant {
		message.Role = anthropicsdk.MessageParamRoleAssistant
	}
	for i, part := range turn.Parts {
		switch part.Type {
		case llm.PartToolCall:
			input, ok := render.Arguments(part.ToolCall.Arguments)
			wrapped = wrapped || !ok
			message.Content = append(message.Content, anthropicsdk.NewToolUseBlock(part.ToolCall.ID, input, part.ToolCall.Name))
		case llm.PartToolResult:
			message.Content = append(message.Content, fromResult(*part.ToolResult))
		default:
			text := part.Text
			if last && turn.Role == llm.RoleAssistant && i == len(turn.Parts)-1 {
				text = strings.TrimRight(text, " \t\r\n") // rejected at the end of a turn to be continued
			}
			message.Content = append(message.Content, anthropicsdk.NewTextBlock(text))
		}
	}
	return message, wrapped
}

func fromResult(result llm.ToolResult) anthropicsdk.ContentBlockParamUnion {
	block := &anthropicsdk.ToolResultBlockParam{ToolUseID: result.CallID}
	if result.Content != "" { // an empty text block is rejected, an absent one is not
		block.Content = []anthropicsdk.ToolResultBlockParamContentUnion{{OfText: &anthropicsdk.TextBlockParam{Text: result.Content}}}
	}
	if result.IsError {
		block.IsError = param.NewOpt(true)
	}
	return anthropicsdk.ContentBlockParamUnion{OfToolResult: block}
}

func setSampling(params *anthropicsdk.MessageNewParams, req llm.Request) []llm.Warning {
	var warnings []llm.Warning
	warn := func(name, text string) { warnings = append(warnings, llm.Warning{Param: name, Message: text}) }
	fixed := fixedSampling(req.Model)
	if req.Temperature != nil {
		temperature := min(max(*req.Temperature, 0), 1)
		switch {
		case fixed && *req.Temperature != 1:
			warn("temperature", "left out: this model does not take it")
		case fixed:
		default:
			params.Temperature = param.NewOpt(temperature)
		}
		if temperature != *req.Temperature && !fixed {
			warn("temperature", "clamped: Anthropic's range is 0 to 1")
		}
	}
	if req.TopP != nil && *req.TopP != 1 { // 1 is the same as nothing
		switch {
		case fixed:
			warn("top_p", "left out: this model does not take it")
		case req.Temperature != nil:
			warn("top_p", "left out: Anthropic takes temperature or top_p, not both")
		default:
			params.TopP = param.NewOpt(*req.TopP)
		}
	}
	for _, stop := range req.Stop {
		if strings.TrimSpace(stop) == "" {
			warn("stop", "a sequence of nothing but white space was left out")
			continue
		}
		params.StopSequences = append(params.StopSequences, stop)
	}
	if req.Seed != nil {
		warn("seed", "left out: Anthropic has no seed")
	}
	if req.PresencePenalty != nil && *req.PresencePenalty != 0 {
		warn("presence_penalty", "left out: Anthropic has no penalties")
	}
	if req.FrequencyPenalty != nil && *req.FrequencyPenalty != 0 {
		warn("frequency_penalty", "left out: Anthropic has no penalties")
	}
	return warnings
}

// named puts this provider's name on an error from shared rendering.
func named(err error) error {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		e.Provider = name
	}
	return err
}
