package mistral

import (
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

// chatRequest is ChatCompletionRequest of the API, as far as it is sent.
type chatRequest struct {
	Model             string          `json:"model"`
	Messages          []message       `json:"messages"`
	Tools             []tool          `json:"tools,omitempty"`
	ToolChoice        any             `json:"tool_choice,omitempty"`
	ParallelToolCalls *bool           `json:"parallel_tool_calls,omitempty"`
	Temperature       *float64        `json:"temperature,omitempty"`
	TopP              *float64        `json:"top_p,omitempty"`
	MaxTokens         *int64          `json:"max_tokens,omitempty"`
	Stop              []string        `json:"stop,omitempty"`
	RandomSeed        *int64          `json:"random_seed,omitempty"`
	PresencePenalty   *float64        `json:"presence_penalty,omitempty"`
	FrequencyPenalty  *float64        `json:"frequency_penalty,omitempty"`
	N                 *int64          `json:"n,omitempty"`
	ResponseFormat    *responseFormat `json:"response_format,omitempty"`
	ReasoningEffort   llm.Effort      `json:"reasoning_effort,omitempty"`
	PromptMode        string          `json:"prompt_mode,omitempty"`
	PromptCacheKey    string          `json:"prompt_cache_key,omitempty"`
	Stream            bool            `json:"stream,omitempty"`
}

// builder gathers a request.
type builder struct {
	params   chatRequest
	warnings []llm.Warning
	ids      callIDs
}

func (b *builder) warn(param, message string) {
	for _, warning := range b.warnings {
		if warning.Param == param && warning.Message == message {
			return
		}
	}
	b.warnings = append(b.warnings, llm.Warning{Param: param, Message: message})
}

// rendering is a request as it is sent.
type rendering struct {
	body     []byte
	warnings []llm.Warning
	// from is where the thoughts in the answer come from; begun is what its text will repeat.
	from  llm.Origin
	begun string
}

// newRendering renders req. Its error is an *[llm.Error].
func newRendering(req llm.Request, stream bool) (rendering, error) {
	repaired, warnings, err := render.Repair(req.Messages, render.Target(req, name, ""))
	if err != nil {
		return rendering{}, render.Named(name, err)
	}
	system, turns, more := render.Turns(repaired)
	b := &builder{warnings: append(warnings, more...), params: chatRequest{Model: req.Model, Stream: stream}}
	if err := b.setMessages(system, turns); err != nil {
		return rendering{}, render.Named(name, err)
	}
	if err := b.setTools(req); err != nil {
		return rendering{}, render.Named(name, err)
	}
	if err := b.setFormat(req); err != nil {
		return rendering{}, render.Named(name, err)
	}
	b.setSampling(req)
	b.setThinking(req)
	b.leaveOut(req)
	extras, err := render.Extras(req, name, "model", "messages")
	if err != nil {
		return rendering{}, render.Named(name, err)
	}
	body, err := render.Body(b.params, extras)
	if err != nil {
		return rendering{}, &llm.Error{Kind: llm.KindCallerFault, Provider: name, Detail: "the request could not be encoded"}
	}
	from := llm.Origin{Provider: name, Model: req.Model}
	return rendering{body: body, warnings: b.warnings, from: from, begun: begun(b.params.Messages)}, nil
}

// maxTemperature is the API's upper bound (https://docs.mistral.ai/api/endpoint/chat).
const maxTemperature = 1.5

// setSampling leaves out what is the same as nothing. The default of the temperature differs by model, so 1 is something.
func (b *builder) setSampling(req llm.Request) {
	if req.Temperature != nil {
		temperature := min(max(*req.Temperature, 0), maxTemperature)
		b.params.Temperature = &temperature
		if temperature != *req.Temperature {
			b.warn("temperature", "clamped: Mistral's range is 0 to 1.5")
		}
	}
	if req.TopP != nil && *req.TopP != 1 {
		b.params.TopP = req.TopP
	}
	if req.PresencePenalty != nil && *req.PresencePenalty != 0 {
		b.params.PresencePenalty = req.PresencePenalty
	}
	if req.FrequencyPenalty != nil && *req.FrequencyPenalty != 0 {
		b.params.FrequencyPenalty = req.FrequencyPenalty
	}
	if req.N != nil && *req.N != 1 {
		b.params.N = req.N
	}
	b.params.MaxTokens, b.params.RandomSeed = req.MaxOutputTokens, req.Seed
	for _, stop := range req.Stop {
		if stop != "" {
			b.params.Stop = append(b.params.Stop, stop)
		}
	}
	b.params.PromptCacheKey = req.PromptCacheKey
}

// setThinking turns thinking on and off, where the model can. The API knows two efforts, none and high.
func (b *builder) setThinking(req llm.Request) {
	effort := render.Effort(req.Reasoning)
	switch {
	case effort == "":
	case alwaysThinks(req.Model):
		if effort == llm.EffortNone {
			b.warn("reasoning", "left out: this model cannot but think")
			return
		}
		b.params.PromptMode = "reasoning"
		if effort != llm.EffortHigh || req.Reasoning.BudgetTokens != nil {
			b.warn("reasoning", "switched on: this model has no levels of thinking")
		}
	case !takesEffort(req.Model):
		if effort != llm.EffortNone {
			b.warn("reasoning", "left out: this model does not think")
		}
	case effort == llm.EffortNone:
		b.params.ReasoningEffort = llm.EffortNone
	default:
		b.params.ReasoningEffort = llm.EffortHigh
		if effort != llm.EffortHigh || req.Reasoning.BudgetTokens != nil {
			b.warn("reasoning", "set to high: Mistral knows none and high")
		}
	}
}

// leaveOut warns of what Mistral has nothing for.
func (b *builder) leaveOut(req llm.Request) {
	if req.TopK != nil {
		b.warn("top_k", "left out: Mistral has no top_k")
	}
	if req.Logprobs != nil {
		b.warn("logprobs", "left out: Mistral gives no log probabilities")
	}
	if len(req.LogitBias) > 0 {
		b.warn("logit_bias", "left out: Mistral has no bias on tokens")
	}
	if req.User != "" {
		b.warn("user", "left out: Mistral has no field for the end user")
	}
	if req.Verbosity != "" && req.Verbosity != "medium" {
		b.warn("verbosity", "left out: Mistral has no verbosity")
	}
	if req.ServiceTier != "" && req.ServiceTier != "auto" && req.ServiceTier != "default" {
		b.warn("service_tier", "left out: Mistral has no service tiers to choose from")
	}
}
