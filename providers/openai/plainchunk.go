package openai

import (
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// plainChunk is what nearly all chunks of a stream are: text for one choice, and nothing else that matters. Reading them by
// themselves costs a tenth of decoding everything that a chunk may be.
type plainChunk struct {
	choice int
	text   string
}

// readPlain reads a chunk if it is a plain one, and says false of anything that it is not sure to read as the full decoding
// would: members that matter unless they are null, names in other letters than those of the protocol, and errors. Apart is the
// member that holds the counts at hosts that have them apart; empty if there is none.
func readPlain(data []byte, apart string) (plainChunk, bool) {
	s := scanner{data: data}
	var chunk plainChunk
	found := false
	ok := s.object(func(name []byte) bool {
		switch string(name) {
		case "choices":
			if found {
				return false
			}
			found = true
			return s.only(func() bool { return s.choice(&chunk) })
		case "usage", "error", "citations":
			return s.null()
		case "id", "model": // they count in the first chunk only; anything but a text is left to the full decoding
			return s.text()
		default:
			return string(name) != apart && s.skip()
		}
	})
	return chunk, ok && found && s.atEnd()
}

// choice reads the one choice of a plain chunk.
func (s *scanner) choice(chunk *plainChunk) bool {
	found := false
	ok := s.object(func(name []byte) bool {
		switch string(name) {
		case "index":
			digit, ok := s.digit()
			chunk.choice = digit
			return ok
		case "delta":
			if found {
				return false
			}
			found = true
			return s.delta(chunk)
		case "finish_reason", "logprobs", "error", "message":
			return s.null()
		default:
			return s.skip()
		}
	})
	return ok && found
}

// delta reads the content of a plain chunk.
func (s *scanner) delta(chunk *plainChunk) bool {
	ok := s.object(func(name []byte) bool {
		switch string(name) {
		case "content":
			var ok bool
			chunk.text, ok = s.decoded()
			return ok
		case "refusal", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "tool_calls", "annotations":
			return s.null()
		default:
			return s.skip()
		}
	})
	return ok && chunk.text != ""
}

// plain gives the event of a plain chunk that goes on with a text; ok is false for all others, which are decoded in full.
func (d *decoder) plain(data []byte) (events []llm.Event, ok bool) {
	if !d.started {
		return nil, false
	}
	apart := ""
	if at := d.client.profile.Usage; len(at) > 0 {
		apart = at[0]
	}
	chunk, ok := readPlain(data, apart)
	if !ok || chunk.choice >= len(d.choices) {
		return nil, false
	}
	choice := d.choices[chunk.choice]
	if choice == nil || choice.text == nil || choice.thoughts != nil {
		return nil, false
	}
	d.plainly = slices.Grow(d.plainly[:0], 1)[:1]
	d.plainly[0] = llm.Event{Type: llm.EventDelta, Choice: chunk.choice, Index: choice.text.index, Text: chunk.text}
	return d.plainly, true
}
