package simulator

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

const (
	// ollamaLoad is a chat without messages, which only loads the model.
	ollamaLoad dialect = "load"
	// ollamaContext is the default size of the window, in tokens (docs.ollama.com/context-length): requests must ask for more.
	ollamaContext = 4096
	// ollamaImageTokens is what a picture takes of the window.
	ollamaImageTokens = 576
)

type ollamaMessageIn struct {
	Role       string             `json:"role"`
	Content    string             `json:"content"`
	Thinking   string             `json:"thinking"`
	Images     []json.RawMessage  `json:"images"`
	ToolCalls  []ollamaToolCallIn `json:"tool_calls"`
	ToolName   string             `json:"tool_name"`
	ToolCallID string             `json:"tool_call_id"`
}

type ollamaToolCallIn struct {
	ID       string `json:"id"`
	Function struct {
		Name      string                     `json:"name"`
		Arguments map[string]json.RawMessage `json:"arguments"`
	} `json:"function"`
}

// ollamaRequestIn has the types of api.ChatRequest (github.com/ollama/ollama v0.17, api/types.go). Unknown members are
// ignored, as by the server.
type ollamaRequestIn struct {
	Model       string            `json:"model"`
	Messages    []ollamaMessageIn `json:"messages"`
	Stream      *bool             `json:"stream"`
	Format      json.RawMessage   `json:"format"`
	Tools       []ollamaToolIn    `json:"tools"`
	Options     map[string]any    `json:"options"`
	Think       json.RawMessage   `json:"think"`
	Truncate    *bool             `json:"truncate"`
	TopLogprobs int               `json:"top_logprobs"`
}

type ollamaToolIn struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

func (o ollamaProtocol) parse(r *http.Request, _ string, body []byte) (*prompt, *wireError) {
	p := &prompt{body: body, choices: 1}
	if len(strings.TrimSpace(string(body))) == 0 {
		return p, ollamaInvalid("missing request body")
	}
	if r.URL.Path == "/api/embed" {
		return p, ollamaEmbedIn(p, body)
	}
	members, _ := decodeFields(body)
	p.messages = members["messages"]
	p.model, _ = members.text("model")
	var in ollamaRequestIn
	if err := json.Unmarshal(body, &in); err != nil {
		return p, ollamaInvalid(ollamaBinding(err))
	}
	if in.TopLogprobs < 0 || in.TopLogprobs > 20 {
		return p, ollamaInvalid("top_logprobs must be between 0 and 20")
	}
	if in.Model == "" {
		return p, ollamaInvalid("model is required")
	}
	p.stream = in.Stream == nil || *in.Stream
	if refused := ollamaThink(p, in.Think); refused != nil {
		return p, refused
	}
	window, refused := ollamaOptions(p, in.Options)
	if refused != nil {
		return p, refused
	}
	if len(in.Messages) == 0 {
		p.dialect, p.stream = ollamaLoad, false // one object, whatever stream says
		return p, nil
	}
	for _, read := range []func(*prompt, *ollamaRequestIn) *wireError{ollamaTools, ollamaFormat, ollamaConversation} {
		if refused := read(p, &in); refused != nil {
			return p, refused
		}
	}
	if in.Truncate != nil && !*in.Truncate && ollamaSize(in.Messages, p.tokens) > window {
		return p, ollamaInvalid("the input length exceeds the context length")
	}
	ollamaTruncate(p, in.Messages, window)
	return p, nil
}

// ollamaBinding is the decoder's own message, which the server passes on.
func ollamaBinding(err error) string {
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("json: cannot unmarshal %s into Go struct field ChatRequest.%s of type %s", mistyped.Value,
			mistyped.Field, mistyped.Type)
	}
	return err.Error()
}

// ollamaThink reads true, false or an effort, which gpt-oss takes only; and knows which models cannot think.
func ollamaThink(p *prompt, raw json.RawMessage) *wireError {
	if !present(raw) {
		p.thinking = ollamaThinks(p.model) // they do by default
		return nil
	}
	var (
		on     bool
		effort string
	)
	if json.Unmarshal(raw, &on) != nil {
		if json.Unmarshal(raw, &effort) != nil {
			return ollamaInvalid(`think must be a boolean or string ("high", "medium", "low", true, or false)`)
		}
		if effort != "high" && effort != "medium" && effort != "low" {
			return ollamaInvalid(fmt.Sprintf(`invalid think value: %q (must be "high", "medium", "low", true, or false)`, effort))
		}
		on = true
	}
	if on && !ollamaThinks(p.model) {
		return ollamaInvalid(fmt.Sprintf("%q does not support thinking", p.model))
	}
	if effort != "" && !strings.HasPrefix(p.model, "gpt-oss") {
		return ollamaInvalid(fmt.Sprintf("think value %q is not supported for this model", effort))
	}
	p.thinking = on || strings.HasPrefix(p.model, "gpt-oss") // which cannot be told not to
	return nil
}

func ollamaThinks(model string) bool {
	for _, family := range []string{"qwen3", "deepseek-r1", "deepseek-v3.1", "gpt-oss", "magistral"} {
		if strings.HasPrefix(model, family) {
			return true
		}
	}
	return false
}

// ollamaOptions reads the options that matter here, and gives the size of the window. Unknown options are ignored with a
// line in the server's log.
func ollamaOptions(p *prompt, options map[string]any) (window int, refused *wireError) {
	window = ollamaContext
	for _, name := range []string{"num_ctx", "num_predict", "seed", "top_k", "num_keep", "repeat_last_n", "num_gpu", "num_thread"} {
		value, found := options[name]
		if !found {
			continue
		}
		number, ok := value.(float64)
		if !ok {
			return 0, ollamaInvalid(fmt.Sprintf("option %q must be of type integer", name))
		}
		switch {
		case name == "num_ctx" && number >= 1:
			window = int(number)
		case name == "num_predict" && number >= 1: // -1 is no limit
			p.maxTokens = int(number)
		}
	}
	for _, name := range []string{"temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty"} {
		if value, found := options[name]; found {
			if _, ok := value.(float64); !ok {
				return 0, ollamaInvalid(fmt.Sprintf("option %q must be of type float32", name))
			}
		}
	}
	stop, found := options["stop"]
	if !found {
		return window, nil
	}
	list, ok := stop.([]any)
	if !ok {
		return 0, ollamaInvalid(`option "stop" must be of type array`)
	}
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return 0, ollamaInvalid(`option "stop" must be of an array of strings`)
		}
		p.stop = append(p.stop, text)
	}
	return window, nil
}

func ollamaFormat(p *prompt, in *ollamaRequestIn) *wireError {
	if !present(in.Format) {
		return nil
	}
	switch string(in.Format) {
	case `""`:
		return nil
	case `"json"`:
		p.schema = []byte(`{"type":"object","properties":{"answer":{"type":"string"}}}`)
		return nil
	}
	if jsonType(in.Format) != "object" { // llm/server.go, where the runner is asked
		return ollamaError(http.StatusInternalServerError, fmt.Sprintf(`invalid format: %q; expected "json" or a valid JSON Schema `+
			"object", in.Format))
	}
	p.schema = in.Format
	return nil
}

func ollamaTools(p *prompt, in *ollamaRequestIn) *wireError {
	for _, given := range in.Tools {
		if given.Function.Name == "" {
			continue
		}
		p.tools = append(p.tools, tool{name: given.Function.Name, schema: given.Function.Parameters})
		p.tokens += countTokens(len(given.Function.Name) + len(given.Function.Description) + len(given.Function.Parameters))
	}
	if len(in.Tools) > 0 && strings.HasPrefix(in.Model, "gemma") {
		return ollamaInvalid("registry.ollama.ai/library/" + in.Model + " does not support tools")
	}
	return nil
}

func ollamaConversation(p *prompt, in *ollamaRequestIn) *wireError {
	for i := range in.Messages {
		m := &in.Messages[i]
		for _, image := range m.Images {
			data := ""
			if json.Unmarshal(image, &data) != nil {
				return ollamaInvalid("json: cannot unmarshal " + jsonType(image) + " into Go struct field " +
					"ChatRequest.messages.images of type api.ImageData")
			}
			// Plain base64: a data: URI has a colon and a comma in it, which are not.
			if _, err := base64.StdEncoding.DecodeString(data); err != nil {
				return ollamaInvalid(err.Error())
			}
			p.images++
		}
		switch strings.ToLower(m.Role) {
		case "user":
			p.hear(m.Content, nil)
		case "tool":
			p.learn(m.Content)
		case "assistant":
			p.say(m.Content, len(m.ToolCalls) > 0)
		}
	}
	p.prefill() // as the templates of most models have it (github.com/ollama/ollama/issues/6778)
	return nil
}
