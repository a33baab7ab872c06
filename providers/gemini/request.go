package gemini

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

// maxStops is how many stop sequences generateContent takes.
const maxStops = 5

// call is one request, rendered.
type call struct {
	model    string
	contents []content
	tools    []tool
	params   genaisdk.GenerateContentConfig
}

// tool is the Tool of https://ai.google.dev/api/caching#Tool, as far as it is used here.
type tool struct {
	FunctionDeclarations []declaration `json:"functionDeclarations"`
}

type declaration struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Parameters is standard JSON Schema; the older field "parameters" takes a subset of OpenAPI's only (replay rule 16).
	Parameters json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

// config is what the SDK is given: parameters, and contents and tools through its hook for the encoded body.
func (c call) config() *genaisdk.GenerateContentConfig {
	config := c.params
	continuation := false // each continuation is a further request, billed
	config.AutomaticContinuation = &continuation
	config.HTTPOptions = &genaisdk.HTTPOptions{ExtrasRequestProvider: func(body map[string]any) map[string]any {
		body["contents"] = c.contents
		if len(c.tools) > 0 {
			body["tools"] = c.tools
		}
		return body
	}}
	return &config
}

var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

// newCall renders req. Its error is an *[llm.Error].
func newCall(req llm.Request) (call, []llm.Warning, error) {
	if !modelName.MatchString(req.Model) || strings.Contains(req.Model, "..") {
		// The name becomes a part of the address: nothing that could lead elsewhere may be in it.
		return call{}, nil, &llm.Error{Kind: llm.KindModelGone, Provider: name, Param: "model", Detail: "this is no name of a model"}
	}
	repaired, warnings, err := render.Repair(req.Messages)
	if err != nil {
		return call{}, nil, named(err)
	}
	system, turns, more := render.Turns(repaired)
	warnings = append(warnings, more...)
	rendered := call{model: req.Model}
	rendered.contents, more = fromTurns(turns, signed(req.Model))
	warnings = append(warnings, more...)
	if len(system) > 0 {
		rendered.params.SystemInstruction = &genaisdk.Content{}
		for _, text := range system {
			rendered.params.SystemInstruction.Parts = append(rendered.params.SystemInstruction.Parts, &genaisdk.Part{Text: text})
		}
	}
	if rendered.tools, err = fromTools(req.Tools); err != nil {
		return call{}, nil, named(err)
	}
	if len(req.Tools) > 0 {
		rendered.params.ToolConfig = fromToolChoice(req.ToolChoice)
	} else if req.ToolChoice != nil && (req.ToolChoice.Mode == llm.ToolChoiceRequired || req.ToolChoice.Mode == llm.ToolChoiceTool) {
		warnings = append(warnings, llm.Warning{Param: "tool_choice", Message: "left out: there are no tools"})
	}
	warnings = append(warnings, setParams(&rendered.params, req)...)
	return rendered, slices.Compact(warnings), nil
}

// signed reports whether the model demands thought signatures on function calls, as all do from Gemini 3 on.
func signed(model string) bool {
	model = model[strings.LastIndexByte(model, '/')+1:]
	return strings.HasPrefix(model, "gemini-") && !strings.HasPrefix(model, "gemini-1") && !strings.HasPrefix(model, "gemini-2")
}

func fromTools(tools []llm.Tool) ([]tool, error) {
	if len(tools) == 0 {
		return nil, nil
	}
	var rendered tool
	for i, t := range tools {
		schema, err := render.Schema(i, t)
		if err != nil {
			return nil, err
		}
		rendered.FunctionDeclarations = append(rendered.FunctionDeclarations, declaration{Name: t.Name, Description: t.Description, Parameters: schema})
	}
	return []tool{rendered}, nil
}

func fromToolChoice(choice *llm.ToolChoice) *genaisdk.ToolConfig {
	if choice == nil {
		return nil
	}
	calling := &genaisdk.FunctionCallingConfig{Mode: genaisdk.FunctionCallingConfigModeAuto}
	switch choice.Mode {
	case llm.ToolChoiceNone:
		calling.Mode = genaisdk.FunctionCallingConfigModeNone
	case llm.ToolChoiceRequired:
		calling.Mode = genaisdk.FunctionCallingConfigModeAny
	case llm.ToolChoiceTool:
		calling.Mode = genaisdk.FunctionCallingConfigModeAny
		calling.AllowedFunctionNames = []string{choice.Name}
	default:
	}
	return &genaisdk.ToolConfig{FunctionCallingConfig: calling}
}

func setParams(params *genaisdk.GenerateContentConfig, req llm.Request) []llm.Warning {
	var warnings []llm.Warning
	warn := func(name, text string) { warnings = append(warnings, llm.Warning{Param: name, Message: text}) }
	params.Temperature = single(req.Temperature)
	params.TopP = single(req.TopP)
	params.PresencePenalty = single(req.PresencePenalty)
	params.FrequencyPenalty = single(req.FrequencyPenalty)
	if limit := req.MaxOutputTokens; limit != nil {
		params.MaxOutputTokens = int32(min(max(*limit, 0), math.MaxInt32))
	}
	if seed := req.Seed; seed != nil {
		if *seed >= math.MinInt32 && *seed <= math.MaxInt32 {
			params.Seed = new(int32(*seed))
		} else {
			warn("seed", "left out: Gemini takes 32 bits")
		}
	}
	for _, stop := range req.Stop {
		if stop != "" {
			params.StopSequences = append(params.StopSequences, stop)
		}
	}
	if len(params.StopSequences) > maxStops {
		params.StopSequences = params.StopSequences[:maxStops]
		warn("stop", fmt.Sprintf("only the first %d sequences were sent", maxStops))
	}
	if req.ParallelToolCalls != nil && !*req.ParallelToolCalls && len(req.Tools) > 0 {
		warn("parallel_tool_calls", "left out: Gemini cannot forbid parallel calls")
	}
	if req.User != "" {
		warn("user", "left out: Gemini takes no user id")
	}
	for _, t := range req.Tools {
		if t.Strict != nil && *t.Strict {
			warn("tools.strict", "left out: Gemini has no strict tools")
			break
		}
	}
	return warnings
}

func single(value *float64) *float32 {
	if value == nil {
		return nil
	}
	return new(float32(*value))
}

// named puts this provider's name on an error from shared rendering.
func named(err error) error {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		e.Provider = name
	}
	return err
}
