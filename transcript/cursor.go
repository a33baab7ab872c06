package transcript

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// Cursor is a place in a transcript. The zero value is its beginning.
type Cursor struct {
	// At counts what was said up to here: a byte of text is one, and so is every other event.
	At int64
	// Sum is a checksum of it.
	Sum uint32
}

// ErrCursor says that a text is no cursor.
var ErrCursor = errors.New("a place in a stream is a number, or a number, a hyphen and eight hexadecimal digits")

// String is the cursor in the form that [ParseCursor] reads.
func (c Cursor) String() string { return string(c.Append(make([]byte, 0, 24))) }

// Append adds the form that [Cursor.String] gives to a text.
func (c Cursor) Append(text []byte) []byte {
	text = strconv.AppendInt(text, c.At, 10)
	text = append(text, '-')
	for shift := 28; shift >= 0; shift -= 4 {
		text = append(text, "0123456789abcdef"[c.Sum>>shift&0xf])
	}
	return text
}

// ParseCursor reads a cursor, or a place without a checksum: summed says which.
func ParseCursor(text string) (c Cursor, summed bool, err error) {
	number, sum, summed := strings.Cut(text, "-")
	if c.At, err = strconv.ParseInt(number, 10, 64); err != nil || c.At < 0 {
		return Cursor{}, false, fmt.Errorf("%q: %w", text, ErrCursor)
	}
	if summed {
		value, err := strconv.ParseUint(sum, 16, 32)
		if err != nil || len(sum) != 8 {
			return Cursor{}, false, fmt.Errorf("%q: %w", text, ErrCursor)
		}
		c.Sum = uint32(value)
	}
	return c, summed, nil
}

// afterText is the cursor behind a text.
func (c Cursor) afterText(text []byte) Cursor {
	return Cursor{At: c.At + int64(len(text)), Sum: crc32.Update(c.Sum, castagnoli(), text)}
}

// after is the cursor behind an event of a log's own form that is no text.
func (c Cursor) after(event llm.Event) Cursor {
	mark := []byte(event.Type)
	if event.Part != nil {
		mark = append(append(mark, ' '), event.Part.Type...)
		if event.Part.ToolCall != nil {
			mark = append(append(mark, ' '), event.Part.ToolCall.ID+" "+event.Part.ToolCall.Name...)
		}
	}
	return Cursor{At: c.At + 1, Sum: crc32.Update(c.Sum, castagnoli(), mark)}
}

// castagnoli is the polynomial that processors compute by themselves.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
