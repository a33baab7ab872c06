package chat

import (
	"strings"
	"unicode"
)

// Visible is a text as a terminal may be given it: what models and users write must not move its cursor, set its title, or paint
// over what stands there. Line ends and tabs stay, other control characters become a mark.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		default:
			return r
		}
	}, text)
}
