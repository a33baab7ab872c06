package activities

import (
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/tokens"
)

// bytesPerToken is what vendors' own documentation estimates by, for English text.
const bytesPerToken = 4

// reserved is how many tokens a call may use of its vendor's limit, as vendors count that themselves: the prompt and as much as
// the answer may take, if the request says.
func reserved(request llm.Request) int64 {
	total := tokens.Estimate(request).About
	if request.MaxOutputTokens != nil {
		total += *request.MaxOutputTokens
	}
	return total
}

// counted gives an answer a count of tokens if its vendor gave none, and marks it as an estimate: what is not counted at all
// would look as if it had cost nothing.
func counted(request llm.Request, answer llm.Response) llm.Response {
	if answer.Usage.InputTokens != 0 || answer.Usage.OutputTokens != 0 || len(answer.Usage.Raw) > 0 {
		return answer
	}
	out := size(answer.Message)
	for _, choice := range answer.Alternatives {
		out += size(choice.Message)
	}
	answer.Usage = llm.Usage{InputTokens: tokens.Estimate(request).About, OutputTokens: inTokens(out), Estimated: true}
	return answer
}

// produced is the count of an answer that broke off. What its vendor has counted by then is that of its beginning.
func produced(request llm.Request, answer llm.Response) llm.Usage {
	usage := counted(request, answer).Usage
	if !usage.Estimated {
		usage.OutputTokens = max(usage.OutputTokens, inTokens(size(answer.Message)))
		usage.Estimated = true
	}
	return usage
}

// size is how many bytes of words a message holds. Pictures and sound are not counted.
func size(message llm.Message) int {
	total := 0
	for _, part := range message.Parts {
		total += len(part.Text)
		if part.ToolCall != nil {
			total += len(part.ToolCall.Name) + len(part.ToolCall.Arguments)
		}
		if part.ToolResult != nil {
			total += len(part.ToolResult.Content) + size(llm.Message{Parts: part.ToolResult.Parts})
		}
	}
	return total
}

func inTokens(bytes int) int64 { return int64(bytes+bytesPerToken-1) / bytesPerToken }
