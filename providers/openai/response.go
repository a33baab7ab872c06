package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// fromAnswer reads a successful answer. The model is empty if the host does not say which one answered. Aggregators also
// send errors with status 200; those are classified as such.
func (c *Client) fromAnswer(answer wire.Answer, origin llm.Origin) (llm.Response, *llm.Error) {
	var completion completion
	if err := json.Unmarshal(answer.Body, &completion); err != nil {
		if inBand, ok := inBandError(answer); ok {
			return llm.Response{}, c.classify(inBand)
		}
		return llm.Response{}, c.badOutput(answer, "", "the answer is not JSON of the expected form")
	}
	if len(completion.Choices) == 0 || isObject(completion.Error) {
		if inBand, ok := inBandError(answer); ok {
			return llm.Response{}, c.classify(inBand)
		}
		return llm.Response{}, c.badOutput(answer, "", "the answer has no choices")
	}
	response := llm.Response{ID: string(completion.ID), Model: completion.Model, Usage: fromUsage(c.profile.usage(answer.Body, completion.Usage))}
	choices := make([]llm.Choice, len(completion.Choices))
	slices.SortStableFunc(completion.Choices, func(a, b choice) int { return a.Index - b.Index })
	for n, choice := range completion.Choices {
		var failure *llm.Error
		if choices[n], failure = c.fromChoice(answer, completion, choice, n, origin); failure != nil {
			return llm.Response{}, failure
		}
	}
	response.Message, response.Logprobs = choices[0].Message, choices[0].Logprobs
	response.FinishReason, response.NativeFinishReason = choices[0].FinishReason, choices[0].NativeFinishReason
	response.Alternatives = slices.Clip(choices[1:])
	if len(response.Alternatives) == 0 {
		response.Alternatives = nil
	}
	return response, nil
}

// isObject reports whether raw is there and not null.
func isObject(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func (c *Client) fromChoice(answer wire.Answer, whole completion, from choice, n int, origin llm.Origin) (llm.Choice, *llm.Error) {
	if isObject(from.Error) {
		return llm.Choice{}, c.choiceError(answer, from.Error)
	}
	choice := llm.Choice{Message: llm.Message{Role: llm.RoleAssistant}, NativeFinishReason: wire.Code(from.FinishReason)}
	parts := &choice.Message.Parts
	thoughts, text := from.Message.read()
	if thoughts.any() {
		*parts = append(*parts, llm.Part{Type: llm.PartReasoning, Text: thoughts.text, Opaque: thoughts.kept().opaque(origin)})
	}
	if text != "" {
		*parts = append(*parts, llm.Part{Type: llm.PartText, Text: text, Citations: citations(from.Message.Annotations, whole.Citations)})
	}
	if from.Message.Refusal != "" {
		*parts = append(*parts, llm.Part{Type: llm.PartRefusal, Text: from.Message.Refusal})
	}
	var ids render.IDs
	for i, call := range from.Message.ToolCalls {
		if call.Function.Name == "" {
			return llm.Choice{}, c.badOutput(answer, choice.NativeFinishReason, "a tool call has no name")
		}
		id := ids.Assign(string(call.ID), seed(string(whole.ID), n, i))
		*parts = append(*parts, llm.Call(id, render.Called(call.Function.Name), call.arguments()))
	}
	if text != "" {
		choice.Logprobs = from.Logprobs.tokens()
	}
	choice.FinishReason = fromFinishReason(from.FinishReason, len(from.Message.ToolCalls) > 0)
	if failure := c.unusable(answer, from.FinishReason, *parts); failure != nil {
		return llm.Choice{}, failure
	}
	return choice, nil
}

// choiceError classifies an error object that stands in a choice.
func (c *Client) choiceError(answer wire.Answer, raw json.RawMessage) *llm.Error {
	vendor, _ := parse(raw)
	answer.Status = statusOf(vendor)
	return c.failure(answer, vendor)
}

// seed tells apart the calls that come without an id.
func seed(id string, choice, call int) string {
	if choice == 0 {
		return fmt.Sprintf("%s/%d", id, call)
	}
	return fmt.Sprintf("%s/%d/%d", id, choice, call)
}

// unusable is the error that an answer amounts to which holds nothing but thoughts, or which its host gave up.
func (c *Client) unusable(answer wire.Answer, finish string, parts []llm.Part) *llm.Error {
	said := slices.ContainsFunc(parts, func(part llm.Part) bool { return part.Type != llm.PartReasoning })
	if said && finish != "error" && finish != "abort" && finish != "insufficient_system_resource" {
		return nil
	}
	failure := c.badOutput(answer, wire.Code(finish), llm.EmptyAnswer)
	switch {
	case finish == "insufficient_system_resource": // https://api-docs.deepseek.com/api/create-chat-completion
		failure.Kind, failure.Detail = llm.KindOverloaded, "the host ran out of resources while answering"
	case finish == "error":
		failure.Detail = "the model failed while answering"
	case finish == "abort": // vLLM's, for a request that was taken off its queue
		failure.Kind, failure.Detail = llm.KindStreamBroken, "the host gave the answer up"
	case fromFinishReason(finish, false) == llm.FinishContentFilter:
		failure.Kind, failure.Detail = llm.KindContentPolicy, "the answer was filtered out"
	case fromFinishReason(finish, false) == llm.FinishLength:
		failure.Detail = "the output limit was reached before any output"
	case len(parts) > 0:
		failure.Detail = "the answer holds nothing but thoughts"
	}
	return failure
}

// fromFinishReason follows replay rule 17. Hosts that say stop beside tool calls mean tool_calls.
func fromFinishReason(reason string, calls bool) llm.FinishReason {
	switch {
	case reason == "length", reason == "max_tokens", reason == "model_length":
		return llm.FinishLength
	case reason == "content_filter", reason == "safety", reason == "guardrail_intervened":
		return llm.FinishContentFilter
	case calls:
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

// citations are the sources of a text: annotations of type url_citation, and the bare addresses that xAI and Perplexity put
// beside the choices.
func citations(annotations []annotation, addresses json.RawMessage) []llm.Citation {
	var found []llm.Citation
	for _, note := range annotations {
		if cited := note.URLCitation; cited.URL != "" {
			found = append(found, llm.Citation{URL: cited.URL, Title: cited.Title, Text: cited.Content, Start: max(cited.StartIndex, 0), End: max(cited.EndIndex, 0)})
		}
	}
	var bare []string
	if found != nil || json.Unmarshal(addresses, &bare) != nil {
		return found
	}
	for _, address := range bare {
		found = append(found, llm.Citation{URL: address})
	}
	return found
}

func (c *Client) badOutput(answer wire.Answer, code, detail string) *llm.Error {
	return &llm.Error{
		Kind: llm.KindBadOutput, Provider: c.profile.Name, Status: answer.Status, Code: code,
		RequestID: requestID(answer.Header), Detail: detail,
	}
}

func requestID(header http.Header) string {
	for _, name := range []string{"X-Request-Id", "X-Generation-Id", "Apim-Request-Id"} {
		if id := wire.Code(strings.TrimSpace(header.Get(name))); id != "" {
			return id
		}
	}
	return ""
}
