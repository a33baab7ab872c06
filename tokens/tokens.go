package tokens

import (
	"sync"

	"github.com/tiktoken-go/tokenizer"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// bytesPerToken is what vendors' own documentation estimates by, for English text.
	bytesPerToken = 4
	// mostBytesPerToken is more than any text that people or programs write has.
	mostBytesPerToken = 8
	// perMessage is what a message costs beside its text: its role and its marks.
	perMessage = 4
	// mostCounted bounds the text that is counted: what is longer fits no model, whichever way it is counted.
	mostCounted = 8 << 20
)

// Count is how long a prompt is.
type Count struct {
	// About is the best that is known.
	About int64
	// AtLeast is what no model's tokenizer needs less than.
	AtLeast int64
}

// Estimate counts roughly, by bytes.
func Estimate(request llm.Request) Count {
	bytes := int64(0)
	texts(request, func(text string) { bytes += int64(len(text)) })
	return Count{About: (bytes + bytesPerToken - 1) / bytesPerToken, AtLeast: bytes / mostBytesPerToken}
}

// Exact counts by o200k_base, the tokenizer of OpenAI's models since GPT-4o. For these About is exact but for a few tokens of
// framing; the tokenizers of other vendors need more for the same text, or not much less: AtLeast is four fifths. A text that is
// too long to be counted is estimated.
func Exact(request llm.Request) Count {
	estimate := Estimate(request)
	codec, err := encoding()
	if err != nil || estimate.About > mostCounted/bytesPerToken {
		return estimate
	}
	total := int64(perMessage * len(request.Messages))
	texts(request, func(text string) {
		n, err := codec.Count(text)
		if err != nil { // a text that it does not take is estimated
			n = (len(text) + bytesPerToken - 1) / bytesPerToken
		}
		total += int64(n)
	})
	return Count{About: total, AtLeast: total * 4 / 5}
}

// encoding is loaded when it is first needed: 35 ms and 6 MB.
//
//nolint:gochecknoglobals // a table that never changes
var encoding = sync.OnceValues(func() (tokenizer.Codec, error) { return tokenizer.Get(tokenizer.O200kBase) })

// texts visits all words of a request. Pictures and sound are not counted.
func texts(request llm.Request, visit func(string)) {
	for _, message := range request.Messages {
		parts(message.Parts, visit)
	}
	for _, tool := range request.Tools {
		visit(tool.Name + tool.Description + string(tool.Parameters))
	}
	if request.Embed != nil {
		for _, text := range request.Embed.Texts {
			visit(text)
		}
	}
}

func parts(list []llm.Part, visit func(string)) {
	for _, part := range list {
		if part.Text != "" {
			visit(part.Text)
		}
		if part.ToolCall != nil {
			visit(part.ToolCall.Name + part.ToolCall.Arguments)
		}
		if part.ToolResult != nil {
			visit(part.ToolResult.Content)
			parts(part.ToolResult.Parts, visit)
		}
	}
}
