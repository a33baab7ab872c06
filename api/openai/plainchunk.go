package openai

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-dev/holdfast/llm"
)

// plainKey tells apart the chunks of a stream that differ in nothing but a text and their place.
type plainKey struct {
	choice int
	kind   llm.PartType
}

// plainChunk is what stands around the text of such chunks: before it, between it and the place, and behind that.
type plainChunk struct{ before, between, behind []byte }

// AppendText adds the chunk for an event to what is to be written, as JSON, if the event is a piece of text as nearly all are;
// it says false of others, which are for [ChunkEncoder.Encode]. Place is the chunk's SequenceNumber.
func (e *ChunkEncoder) AppendText(out []byte, event llm.Event, place int64) ([]byte, bool) {
	choice := e.choices[event.Choice]
	if event.Type != llm.EventDelta || event.Text == "" || len(event.Logprobs) > 0 || place == 0 || choice == nil {
		return out, false
	}
	key := plainKey{event.Choice, choice.parts[event.Index].kind}
	if key.kind != llm.PartText && key.kind != llm.PartReasoning {
		return out, false
	}
	around, known := e.plain[key]
	if !known {
		around = e.plainOf(key)
		e.plain[key] = around
	}
	out = append(out, around.before...)
	out = appendString(out, event.Text)
	out = append(out, around.between...)
	out = strconv.AppendInt(out, place, 10)
	return append(out, around.behind...), true
}

// plainOf cuts a chunk at its text and its place. Neither mark stands in another member: there, quotes are escaped.
func (e *ChunkEncoder) plainOf(key plainKey) plainChunk {
	delta, _ := (&chunkedChoice{}).say(chunkedPart{kind: key.kind}, "x")
	chunk := e.chunk(key.choice, delta)
	chunk.SequenceNumber = 1
	const text, place = `content":"x"`, `"sequence_number":1`
	whole, err := json.Marshal(chunk)
	if err != nil { // words and numbers
		return plainChunk{}
	}
	before, rest, _ := bytes.Cut(whole, []byte(text))
	between, behind, _ := bytes.Cut(rest, []byte(place))
	return plainChunk{
		before: append(bytes.Clone(before), text[:len(text)-len(`"x"`)]...), between: append(bytes.Clone(between), place[:len(place)-1]...), behind: behind,
	}
}

// appendString adds a text as encoding/json writes it.
func appendString(out []byte, text string) []byte {
	if !verbatim(text) {
		encoded, err := json.Marshal(text)
		if err != nil { // a text can always be encoded
			return append(out, `""`...)
		}
		return append(out, encoded...)
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"')
}

// verbatim reports whether encoding/json writes a text as it is.
func verbatim(text string) bool {
	ascii := true
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(text) && !strings.Contains(text, "\u2028") && !strings.Contains(text, "\u2029")
}
