package anthropic

import (
	"cmp"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// The words for why an answer ended (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons).
const (
	stopEndTurn   = "end_turn"
	stopMaxTokens = "max_tokens"
	stopSequence  = "stop_sequence"
	stopToolUse   = "tool_use"
	stopPauseTurn = "pause_turn"
	stopRefusal   = "refusal"
)

// stopOf says why an answer ended, and why it was declined if it was. Both are null where that is not known: nothing is made up.
// Of vendors' own words those count that tell more than the canonical ones.
func stopOf(answer llm.Response) (reason *string, details *StopDetails) {
	refused := slices.ContainsFunc(answer.Message.Parts, func(p llm.Part) bool { return p.Type == llm.PartRefusal })
	var word string
	switch {
	case answer.FinishReason == "":
		return nil, nil
	case answer.FinishReason == llm.FinishContentFilter, refused && answer.FinishReason == llm.FinishStop:
		word = stopRefusal
		details = &StopDetails{Type: stopRefusal}
		if explanation := answer.Message.Refusal(); explanation != "" {
			details.Explanation = &explanation
		}
	case answer.FinishReason == llm.FinishLength:
		word = cmp.Or(native(answer, stopPauseTurn), stopMaxTokens)
	case answer.FinishReason == llm.FinishToolCalls:
		word = stopToolUse
	default:
		word = cmp.Or(native(answer, stopSequence), stopEndTurn)
	}
	return &word, details
}

// native is the word if the vendor itself said it.
func native(answer llm.Response, word string) string {
	if answer.NativeFinishReason == word {
		return word
	}
	return ""
}
