package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

type openAIMessageIn struct {
	Role       string             `json:"role"`
	Content    json.RawMessage    `json:"content"`
	ToolCalls  []openAIToolCallIn `json:"tool_calls"`
	ToolCallID *string            `json:"tool_call_id"`
	Refusal    *string            `json:"refusal"`
	Audio      json.RawMessage    `json:"audio"`
	// FunctionCall is the deprecated form of tool calls.
	FunctionCall json.RawMessage `json:"function_call"`

	text    string // that of Content
	noCalls bool   // tool_calls is there and empty
	images  int    // in Content
}

type openAIToolCallIn struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function *struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

type openAIToolIn struct {
	Type     string `json:"type"`
	Function *struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
		Strict     bool            `json:"strict"`
	} `json:"function"`
}

// openAIKnown lists the request's members (openai-go v3.95, ChatCompletionNewParams, and stream).
func openAIKnown(name string) bool {
	switch name {
	case "messages", "model", "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "n",
		"presence_penalty", "prompt_cache_key", "safety_identifier", "seed", "store", "temperature", "top_logprobs", "top_p",
		"parallel_tool_calls", "user", "audio", "logit_bias", "metadata", "modalities", "moderation",
		"prompt_cache_retention", "prompt_cache_options", "reasoning_effort", "service_tier", "stop", "stream",
		"stream_options", "verbosity", "function_call", "functions", "prediction", "response_format", "tool_choice", "tools",
		"web_search_options":
		return true
	default:
		return false
	}
}

// parse reads a request of any dialect; model is what an Azure path names.
func (openAIProtocol) parse(r *http.Request, model string, body []byte) (*prompt, *wireError) {
	members, ok := decodeFields(body)
	if !ok {
		return nil, openAIInvalid("", "", "We could not parse the JSON body of your request. (HINT: This likely means you "+
			"aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid "+
			"JSON. If you have trouble figuring out how to fix this, please contact us through our help center at "+
			"help.openai.com.)")
	}
	p := &prompt{body: body, messages: members["messages"], choices: 1, model: model}
	p.vendor = OpenAI
	if strings.HasPrefix(r.URL.Path, "/openai/") {
		p.vendor = AzureOpenAI
	}
	if p.model == "" {
		p.model, _ = members.text("model")
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/responses"):
		p.dialect = dialectResponses
		return p, openAIParseResponse(p, members)
	case p.model == "":
		return p, openAIInvalid("", "", "you must provide a model parameter")
	case strings.HasSuffix(r.URL.Path, "/embeddings"):
		return p, openAIParseEmbeddings(p, members)
	}
	if strings.HasPrefix(p.model, "text-embedding-") {
		return p, openAIInvalid("model", "", "This is not a chat model and thus not supported in the v1/chat/completions "+
			"endpoint. Did you mean to use v1/completions?").withStatus(http.StatusNotFound)
	}
	if name, found := members.unknown(openAIKnown); found {
		return p, openAIInvalid("", "", "Unrecognized request argument supplied: "+name)
	}
	for _, read := range []func(*prompt, fields) *wireError{
		openAIConversation, openAITools, openAILimits, openAIEffort, openAILogprobsAsked, openAIFormat, openAIStreaming,
	} {
		if refused := read(p, members); refused != nil {
			return p, refused
		}
	}
	return p, nil
}

func openAIConversation(p *prompt, members fields) *wireError {
	if !members.has("messages") {
		return openAIInvalid("messages", "missing_required_parameter", "Missing required parameter: 'messages'.")
	}
	var messages []openAIMessageIn
	if err := json.Unmarshal(members["messages"], &messages); err != nil {
		field, got, want := mistyped(err)
		name := strings.TrimSuffix("messages."+field, ".")
		return openAIInvalid(name, "invalid_type", fmt.Sprintf(
			"Invalid type for '%s': expected %s, but got %s instead.", name, article(want), article(got)))
	}
	if len(messages) == 0 {
		return openAIInvalid("messages", "empty_array", "Invalid 'messages': empty array. Expected an array with minimum "+
			"length 1, but got an empty array instead.")
	}
	chars := 0
	for i := range messages {
		messages[i].noCalls = messages[i].ToolCalls != nil && len(messages[i].ToolCalls) == 0
		if refused := messages[i].check(i); refused != nil {
			return refused
		}
		chars += len(messages[i].text) + 12
		p.images += messages[i].images
		for _, call := range messages[i].ToolCalls {
			chars += len(call.Function.Name) + len(call.Function.Arguments)
		}
		if messages[i].Role == "user" {
			p.hear(messages[i].text, nil)
		}
		if messages[i].Role == "tool" {
			p.learn(messages[i].text)
		}
		if messages[i].Role == "assistant" {
			p.say(messages[i].text, len(messages[i].ToolCalls) > 0)
		}
	}
	p.tokens = countTokens(chars + 12)
	return openAIPairs(messages)
}

func article(kind string) string {
	switch kind {
	case "":
		return "something else"
	case "null":
		return "null"
	case "object", "array", "integer":
		return "an " + kind
	default:
		return "a " + kind
	}
}

func openAITools(p *prompt, members fields) *wireError {
	var tools []openAIToolIn
	if members.has("tools") {
		if err := json.Unmarshal(members["tools"], &tools); err != nil {
			return openAIInvalid("tools", "invalid_type", "Invalid type for 'tools': expected an array of objects.")
		}
		if len(tools) == 0 {
			return openAIInvalid("tools", "empty_array", "Invalid 'tools': empty array. Expected an array with minimum length "+
				"1, but got an empty array instead.")
		}
	}
	for i, in := range tools {
		at := fmt.Sprintf("tools[%d]", i)
		if in.Type == "custom" {
			continue
		}
		if in.Type != "function" {
			return openAIInvalid(at+".type", "invalid_value", "Invalid value: '"+in.Type+"'. Supported values are: 'function' "+
				"and 'custom'.")
		}
		if in.Function == nil {
			return openAIInvalid(at+".function", "missing_required_parameter", "Missing required parameter: '"+at+".function'.")
		}
		if !isNameOf(in.Function.Name, "_-", 64) {
			return openAIInvalid(at+".function.name", "invalid_value", "Invalid '"+at+".function.name': string does not match "+
				"pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.")
		}
		if present(in.Function.Parameters) || in.Function.Strict {
			if reason := openAISchema(in.Function.Parameters, in.Function.Strict); reason != "" {
				return openAIInvalid(at+".function.parameters", "invalid_function_parameters", "Invalid schema for function '"+
					in.Function.Name+"': "+reason)
			}
		}
		p.tools = append(p.tools, tool{name: in.Function.Name, schema: in.Function.Parameters})
	}
	p.tokens += countTokens(len(members["tools"]))
	for _, name := range []string{"tool_choice", "parallel_tool_calls"} {
		if members.has(name) && len(tools) == 0 {
			return openAIInvalid(name, "", fmt.Sprintf(
				"Invalid value for '%[1]s': '%[1]s' is only allowed when 'tools' are specified.", name))
		}
	}
	p.single = members.has("parallel_tool_calls") && !members.flag("parallel_tool_calls")
	return openAIChoice(p, members)
}

func openAIChoice(p *prompt, members fields) *wireError {
	if !members.has("tool_choice") {
		return nil
	}
	if mode, ok := members.text("tool_choice"); ok {
		switch mode {
		case "auto":
		case "none":
			p.forbidden = true
		case "required":
			p.forced = true
		default:
			return openAIInvalid("tool_choice", "invalid_value", "Invalid value: '"+mode+"'. Supported values are: 'none', "+
				"'auto', and 'required'.")
		}
		return nil
	}
	var choice struct {
		Type     string `json:"type"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(members["tool_choice"], &choice) != nil || choice.Type != "function" {
		return openAIInvalid("tool_choice", "invalid_value", "Invalid value for 'tool_choice'.")
	}
	if named(p.tools, choice.Function.Name) == nil {
		return openAIInvalid("tool_choice", "", "Invalid value for 'tool_choice': no function named '"+choice.Function.Name+
			"' was specified in the 'tools' parameter.")
	}
	p.forced, p.choice, p.single = true, choice.Function.Name, true
	return nil
}
