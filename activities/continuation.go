package activities

import (
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// instruction asks a model that cannot be made to go on with a text of its own to do so.
const instruction = "Your answer was cut off by a technical fault; its beginning stands above, and its reader has it. " +
	"Go on exactly behind its last character, in the same language, style and format. " +
	"Do not repeat any of it, do not begin again, and do not say anything about this. " +
	"If it ends in the middle of a word, begin with the rest of that word. If it is complete already, say nothing more."

// leastOutput is the least number of tokens that a continuation is allowed: some vendors refuse fewer.
const leastOutput = 16

// sendable is a text without the blanks at its end, which some vendors refuse.
func sendable(text string) string { return strings.TrimRight(text, " \t\r\n") }

// continued is the request for the rest of an answer. The text counts against the request's own limit.
func continued(request llm.Request, text string, prefilled bool) llm.Request {
	if text != "" {
		messages := append([]llm.Message{}, request.Messages...)
		messages = append(messages, llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text(text)}})
		if !prefilled {
			messages = append(messages, llm.Message{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(instruction)}})
		}
		request.Messages = messages
	}
	if request.MaxOutputTokens != nil {
		left := max(leastOutput, *request.MaxOutputTokens-inTokens(len(text)))
		request.MaxOutputTokens = &left
	}
	return request
}

// joined is what an answer used that a second attempt went on with: the prompt is counted once, without what was sent only to
// have it gone on with, and the answer as a whole. Prompt is how large the prompt is thought to be at least.
func joined(rest llm.Usage, text string, prompt int64) llm.Usage {
	again := inTokens(len(text))
	usage := rest
	usage.InputTokens = max(prompt, rest.InputTokens-again-inTokens(len(instruction)))
	usage.CacheReadTokens, usage.CacheWriteTokens = min(rest.CacheReadTokens, usage.InputTokens), min(rest.CacheWriteTokens, usage.InputTokens)
	usage.OutputTokens = rest.OutputTokens + again
	usage.Estimated, usage.Raw = true, nil
	return usage
}
