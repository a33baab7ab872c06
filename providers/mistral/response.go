package mistral

import (
	"encoding/json"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// completion is ChatCompletionResponse and CompletionChunk of the API in one: a whole answer has messages where a streamed
// one has deltas.
type completion struct {
	ID      wire.Text `json:"id"`
	Object  string    `json:"object"`
	Model   string    `json:"model"`
	Choices []struct {
		Index        int     `json:"index"`
		Message      *delta  `json:"message"`
		Delta        *delta  `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage json.RawMessage `json:"usage"`
}

type delta struct {
	Content   json.RawMessage `json:"content"` // null, a text, or chunks
	ToolCalls []callDelta     `json:"tool_calls"`
}

type callDelta struct {
	ID       wire.Text `json:"id"`
	Index    int       `json:"index"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"` // a text, or the object itself
	} `json:"function"`
}

// arguments is the piece of the arguments that has come.
func (c callDelta) arguments() string {
	var text string
	if json.Unmarshal(c.Function.Arguments, &text) == nil {
		return text
	}
	return string(c.Function.Arguments)
}

// fromUsage reads UsageInfo. Prompt tokens include cached ones, completion tokens include thoughts.
func fromUsage(raw json.RawMessage) (llm.Usage, bool) {
	var counted struct {
		PromptTokens     int64 `json:"prompt_tokens"`
		CompletionTokens int64 `json:"completion_tokens"`
		NumCachedTokens  int64 `json:"num_cached_tokens"`
		Prompt           struct {
			CachedTokens int64 `json:"cached_tokens"`
			AudioTokens  int64 `json:"audio_tokens"`
		} `json:"prompt_tokens_details"`
		Completion struct {
			ReasoningTokens int64 `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	}
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &counted) != nil {
		return llm.Usage{}, false
	}
	input, output := max(counted.PromptTokens, 0), max(counted.CompletionTokens, 0)
	return llm.Usage{
		InputTokens: input, OutputTokens: output,
		CacheReadTokens:  min(max(counted.NumCachedTokens, counted.Prompt.CachedTokens, 0), input),
		InputAudioTokens: min(max(counted.Prompt.AudioTokens, 0), input),
		ReasoningTokens:  min(max(counted.Completion.ReasoningTokens, 0), output),
		Raw:              raw,
	}, true
}

// fromFinish follows replay rule 17. Model_length is the end of the model's own window.
func fromFinish(reason string, calls bool) llm.FinishReason {
	switch {
	case reason == "length", reason == "model_length":
		return llm.FinishLength
	case strings.Contains(reason, "content_filter"):
		return llm.FinishContentFilter
	case calls:
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

// fromAnswer reads an answer in one piece, which is a stream of one frame.
func (c *Client) fromAnswer(answer wire.Answer, sent rendering) (llm.Response, *llm.Error) {
	if !answer.OK() {
		return llm.Response{}, classify(answer, c.now())
	}
	d := newDecoder(answer, sent, c.now)
	d.whole = true
	events, failure := d.Decode(wire.Frame{Data: answer.Body})
	if failure == nil {
		var last []llm.Event
		last, failure = d.End()
		events = append(events, last...)
	}
	if failure != nil {
		return llm.Response{}, failure
	}
	var collector llm.Collector
	for _, event := range events {
		collector.Add(event)
	}
	return collector.Response(), nil
}
