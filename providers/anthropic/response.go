package anthropic

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// The words for why an answer ended that mean more than that it did
// (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons).
const (
	stopMaxTokens = "max_tokens"
	stopPauseTurn = "pause_turn"
	stopRefusal   = "refusal"
	stopWindow    = "model_context_window_exceeded"
)

// reader reads one answer.
type reader struct {
	host   host
	origin llm.Origin
	answer wire.Answer
	now    time.Time
	ids    render.IDs
	id     string // of the message
}

func (c *Client) reader(req llm.Request, answer wire.Answer) *reader {
	origin := llm.Origin{Provider: c.host.provider, Model: req.Model, Account: c.host.account}
	return &reader{host: c.host, origin: origin, answer: answer, now: c.now()}
}

// answered is a message of the model's, whole or as it begins.
type answered struct {
	ID         string            `json:"id"`
	Model      string            `json:"model"`
	Content    []json.RawMessage `json:"content"`
	StopReason string            `json:"stop_reason"`
	// StopDetails say why the model declined.
	StopDetails *stopDetails    `json:"stop_details"`
	Usage       json.RawMessage `json:"usage"`
}

type stopDetails struct {
	Explanation string `json:"explanation"`
}

func (d *stopDetails) explanation() string {
	if d == nil {
		return ""
	}
	return d.Explanation
}

// whole reads an answer that came in one piece. An error object under a status of success, as proxies send it, is an error.
func (r *reader) whole() (llm.Response, *llm.Error) {
	var message answered
	if err := json.Unmarshal(r.answer.Body, &message); err != nil {
		return llm.Response{}, r.badOutput("", "the answer is not JSON of the expected form")
	}
	if len(message.Content) == 0 && message.StopReason == "" && parse(r.answer.Body).known() {
		return llm.Response{}, classify(r.host.provider, r.answer, r.now)
	}
	r.id = message.ID
	response := llm.Response{
		ID: message.ID, Model: message.Model,
		Message:            llm.Message{Role: llm.RoleAssistant},
		NativeFinishReason: wire.Code(message.StopReason),
		Usage:              fromUsage(message.Usage),
	}
	if response.Model == "" {
		response.Model = r.origin.Model
	}
	for i, raw := range message.Content {
		part, ok, failure := r.part(i, raw)
		if failure != nil {
			return llm.Response{}, failure
		}
		if ok {
			response.Message.Parts = append(response.Message.Parts, part)
		}
	}
	if refusal := refusalOf(message.StopReason, message.StopDetails); refusal != "" {
		response.Message.Parts = append(response.Message.Parts, llm.Part{Type: llm.PartRefusal, Text: refusal})
	}
	said, calls := false, false
	for _, part := range response.Message.Parts {
		said = said || part.Text != "" && part.Type != llm.PartReasoning || part.ToolCall != nil
		calls = calls || part.ToolCall != nil
	}
	if failure := r.unusable(message.StopReason, said); failure != nil {
		return llm.Response{}, failure
	}
	response.FinishReason = fromStopReason(message.StopReason, calls)
	return response, nil
}

// part reads a block of the answer; ok is false for one without anything in it.
func (r *reader) part(index int, raw json.RawMessage) (part llm.Part, ok bool, failure *llm.Error) {
	var block content
	if json.Unmarshal(raw, &block) != nil {
		return part, false, r.badOutput("", "a block of the answer is not of the expected form")
	}
	switch block.Type {
	case "":
		return part, false, nil
	case "text":
		part = llm.Text(block.Text)
		if part.Citations = citationsOf(block.Citations); part.Citations != nil {
			part.Opaque = r.opaque(raw)
		}
		return part, block.Text != "", nil
	case "thinking", "redacted_thinking":
		return llm.Part{Type: llm.PartReasoning, Text: block.Thinking, Opaque: r.opaque(raw)}, true, nil
	case "tool_use":
		if block.Name == "" {
			return part, false, r.badOutput("", "a tool call has no name")
		}
		input := render.Given(block.Input)
		return llm.Call(r.callID(block.ID, index), block.Name, string(input)), true, nil
	default:
		return llm.Part{Type: llm.PartServerTool, Text: words(block), Opaque: r.opaque(raw)}, true, nil
	}
}

func (r *reader) callID(id string, index int) string {
	return r.ids.Assign(id, fmt.Sprintf("%s/%d", r.id, index))
}

func (r *reader) opaque(raw json.RawMessage) *llm.Opaque {
	return &llm.Opaque{Origin: r.origin, Data: compacted(raw)}
}

// refusalOf is why the model declined, in the vendor's words. What it said before is its answer, cut short.
func refusalOf(stop string, details *stopDetails) string {
	if stop != stopRefusal {
		return ""
	}
	return details.explanation()
}

// unusable is the error that an answer amounts to, nil for a good one: what ended it, and whether it said anything but
// thoughts.
func (r *reader) unusable(stop string, said bool) *llm.Error {
	failure := r.badOutput(stop, llm.EmptyAnswer)
	switch stop {
	case stopWindow:
		failure.Kind, failure.Detail = llm.KindContextLength, "the context window was full before the answer was complete"
		return failure
	case stopRefusal:
		failure.Kind, failure.Detail = llm.KindRefusal, "the model declined without a word"
	case stopMaxTokens:
		failure.Detail = "the output limit was reached before any output"
	case stopPauseTurn:
		failure.Detail = "the turn was paused before any output"
	}
	if said {
		return nil
	}
	return failure
}

// fromStopReason follows replay rule 17. A turn that was paused is cut as one that reached its limit is: the conversation
// sent again with the answer so far goes on.
func fromStopReason(reason string, calls bool) llm.FinishReason {
	switch {
	case reason == stopMaxTokens, reason == stopPauseTurn:
		return llm.FinishLength
	case reason == stopRefusal:
		return llm.FinishContentFilter
	case calls:
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

func (r *reader) badOutput(code, detail string) *llm.Error {
	return &llm.Error{
		Kind: llm.KindBadOutput, Provider: r.host.provider, Status: r.answer.Status, Code: wire.Code(code),
		RequestID: requestID(r.answer.Header, ""), Detail: detail,
	}
}
