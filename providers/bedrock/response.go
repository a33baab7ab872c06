package bedrock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// answerBody is the body of a successful Converse
// (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax).
type answerBody struct {
	Output struct {
		Message struct {
			Content []contentBlock `json:"content"`
		} `json:"message"`
	} `json:"output"`
	StopReason string          `json:"stopReason"`
	Usage      json.RawMessage `json:"usage"`
}

// contentBlock is a union; what is not known here has no member set.
type contentBlock struct {
	Text             *string           `json:"text"`
	ToolUse          *toolUse          `json:"toolUse"`
	ReasoningContent *thought          `json:"reasoningContent"`
	CitationsContent *citationsContent `json:"citationsContent"`
}

type toolUse struct {
	ToolUseID string          `json:"toolUseId"`
	Name      string          `json:"name"`
	Type      string          `json:"type"`
	Input     json.RawMessage `json:"input"`
}

// serverToolUse is the type of a tool that Bedrock runs itself.
const serverToolUse = "server_tool_use"

// thought is a reasoningContent block, and what is kept of it as opaque.
type thought struct {
	ReasoningText   *thoughtText `json:"reasoningText,omitempty"`
	RedactedContent []byte       `json:"redactedContent,omitempty"`
}

type thoughtText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

type citationsContent struct {
	Content []struct {
		Text string `json:"text"`
	} `json:"content"`
	Citations []citation `json:"citations"`
}

type citation struct {
	Title         string `json:"title"`
	Source        string `json:"source"`
	SourceContent []struct {
		Text string `json:"text"`
	} `json:"sourceContent"`
	Location map[string]struct {
		URL           string `json:"url"`
		DocumentIndex *int   `json:"documentIndex"`
	} `json:"location"`
}

func (c citation) canonical() llm.Citation {
	canonical := llm.Citation{Title: c.Title}
	for _, content := range c.SourceContent {
		canonical.Text += content.Text
	}
	for _, location := range c.Location { // a union: there is one
		canonical.URL, canonical.Document = location.URL, location.DocumentIndex
	}
	if canonical.URL == "" && canonical.Document == nil {
		canonical.URL = c.Source
	}
	return canonical
}

// fromAnswer reads a successful answer. Format is the tool whose arguments are the text, if there is one.
func fromAnswer(answer wire.Answer, origin llm.Origin, format string, now time.Time) (llm.Response, *llm.Error) {
	var body answerBody
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		return llm.Response{}, badOutput(answer, "", "the answer is not JSON of the expected form")
	}
	if body.StopReason == "" && len(body.Output.Message.Content) == 0 && saysError(answer) {
		answer.Status = http.StatusBadGateway // an error under a status of success, as proxies send it
		return llm.Response{}, classify(answer, now)
	}
	response := llm.Response{
		ID: requestID(answer.Header), Model: origin.Model,
		Message:            llm.Message{Role: llm.RoleAssistant},
		NativeFinishReason: wire.Code(body.StopReason),
		Usage:              fromUsage(body.Usage),
	}
	var ids render.IDs
	calls := false
	for i, block := range body.Output.Message.Content {
		part, failure := fromBlock(block, origin, format)
		switch {
		case failure != "":
			return llm.Response{}, badOutput(answer, response.NativeFinishReason, failure)
		case part == nil:
			continue
		case part.ToolCall != nil:
			part.ToolCall.ID = ids.Assign(part.ToolCall.ID, callSeed(response.ID, i))
			calls = true
		}
		response.Message.Parts = append(response.Message.Parts, *part)
	}
	response.FinishReason = fromStopReason(body.StopReason, calls)
	if failure := unusable(answer, body.StopReason, substance(response.Message.Parts)); failure != nil {
		return llm.Response{}, failure
	}
	return response, nil
}

// callSeed tells apart calls that come without an id.
func callSeed(id string, block int) string { return fmt.Sprintf("%s/%d", id, block) }

// fromBlock reads one block: nil if there is nothing in it, failure if it makes no sense.
func fromBlock(block contentBlock, origin llm.Origin, format string) (part *llm.Part, failure string) {
	switch {
	case block.Text != nil && *block.Text != "":
		text := llm.Text(*block.Text)
		return &text, ""
	case block.ToolUse != nil && block.ToolUse.Type == serverToolUse:
		input := render.Given(block.ToolUse.Input)
		return &llm.Part{Type: llm.PartServerTool, Text: "[" + block.ToolUse.Name + ": " + string(input) + "]"}, ""
	case block.ToolUse != nil && block.ToolUse.Name == "":
		return nil, "a tool call has no name"
	case block.ToolUse != nil:
		input := render.Given(block.ToolUse.Input)
		called := render.Called(block.ToolUse.Name)
		if format != "" && called == format {
			text := llm.Text(string(input))
			return &text, ""
		}
		call := llm.Call(block.ToolUse.ToolUseID, called, string(input))
		return &call, ""
	case block.ReasoningContent != nil:
		return block.ReasoningContent.part(origin), ""
	case block.CitationsContent != nil:
		text := llm.Text("")
		for _, content := range block.CitationsContent.Content {
			text.Text += content.Text
		}
		for _, citation := range block.CitationsContent.Citations {
			text.Citations = append(text.Citations, citation.canonical())
		}
		if text.Text == "" {
			return nil, ""
		}
		return &text, ""
	default:
		return nil, ""
	}
}

// part is a thought as a part; nil if there is nothing in it.
func (t thought) part(origin llm.Origin) *llm.Part {
	part := &llm.Part{Type: llm.PartReasoning}
	switch {
	case t.ReasoningText != nil && *t.ReasoningText != (thoughtText{}):
		t.RedactedContent = nil
		part.Text = t.ReasoningText.Text
	case len(t.RedactedContent) > 0:
		t.ReasoningText = nil
	default:
		return nil
	}
	data, err := json.Marshal(t)
	if err != nil { // text and bytes always encode
		return nil
	}
	part.Opaque = &llm.Opaque{Origin: origin, Data: data}
	return part
}

// substance reports whether parts hold an answer: thoughts alone are none.
func substance(parts []llm.Part) bool {
	for _, part := range parts {
		if part.Type != llm.PartReasoning {
			return true
		}
	}
	return false
}

// unusable is the error that an answer amounts to, nil for a good one.
func unusable(answer wire.Answer, reason string, substance bool) *llm.Error {
	failure := badOutput(answer, wire.Code(reason), llm.EmptyAnswer)
	switch reason {
	case "model_context_window_exceeded":
		failure.Kind, failure.Detail = llm.KindContextLength, "the context window was full before the answer was complete"
		return failure
	case "malformed_model_output", "malformed_tool_use":
		failure.Detail = "the model wrote something malformed"
		return failure
	case "guardrail_intervened", "content_filtered":
		failure.Kind, failure.Detail = llm.KindContentPolicy, "the answer was blocked"
	case "max_tokens":
		failure.Detail = "the output limit was reached before any output"
	}
	if substance {
		return nil
	}
	return failure
}

// fromStopReason follows replay rule 17 of the vendors' words.
func fromStopReason(reason string, calls bool) llm.FinishReason {
	switch {
	case reason == "max_tokens":
		return llm.FinishLength
	case reason == "guardrail_intervened", reason == "content_filtered":
		return llm.FinishContentFilter
	case calls:
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

// fromUsage reads types.TokenUsage: its input tokens exclude what was read from and written to the cache
// (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html).
func fromUsage(raw json.RawMessage) llm.Usage {
	var usage struct {
		InputTokens           int64 `json:"inputTokens"`
		OutputTokens          int64 `json:"outputTokens"`
		CacheReadInputTokens  int64 `json:"cacheReadInputTokens"`
		CacheWriteInputTokens int64 `json:"cacheWriteInputTokens"`
		CacheDetails          []struct {
			TTL         string `json:"ttl"`
			InputTokens int64  `json:"inputTokens"`
		} `json:"cacheDetails"`
	}
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &usage) != nil {
		return llm.Usage{}
	}
	canonical := llm.Usage{
		OutputTokens: max(usage.OutputTokens, 0), CacheReadTokens: max(usage.CacheReadInputTokens, 0),
		CacheWriteTokens: max(usage.CacheWriteInputTokens, 0), Raw: raw,
	}
	for _, detail := range usage.CacheDetails {
		if detail.TTL == "1h" {
			canonical.CacheWrite1hTokens = min(max(detail.InputTokens, 0), canonical.CacheWriteTokens)
		}
	}
	canonical.InputTokens = max(usage.InputTokens, 0) + canonical.CacheReadTokens + canonical.CacheWriteTokens
	return canonical
}

func badOutput(answer wire.Answer, code, detail string) *llm.Error {
	return &llm.Error{
		Kind: llm.KindBadOutput, Provider: name, Status: answer.Status, Code: code,
		RequestID: requestID(answer.Header), Detail: detail,
	}
}

// requestID is AWS's id for the call.
func requestID(header http.Header) string { return wire.Code(header.Get("X-Amzn-Requestid")) }
