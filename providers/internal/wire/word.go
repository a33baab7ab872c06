package wire

// The longest machine word kept from a vendor. Real codes have up to 50 bytes, parameter paths somewhat more.
const (
	maxCode  = 64
	maxParam = 128
)

// Code is a vendor's error code or request id if it looks like one, else "". Anything else in its place, such as prose
// that may quote a prompt, is not kept.
func Code(s string) string { return word(s, maxCode) }

// Param is a vendor's parameter path, such as messages[3].content, if it looks like one, else "".
func Param(s string) string { return word(s, maxParam) }

func word(s string, limit int) string {
	if len(s) > limit {
		return ""
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '_', c == '-', c == '.', c == ':', c == '/', c == '[', c == ']':
		default:
			return ""
		}
	}
	return s
}
