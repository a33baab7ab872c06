package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-dev/holdfast/llm"
)

// maxKeyBytes bounds a key: Google's service-account files, the longest in use, are under 3 KiB.
const maxKeyBytes = 8 << 10

// clean takes off one line break and refuses what cannot be a key. A credential that is a JSON object (a service account, a
// principal, a role to be assumed) is kept without the white space between its members. Its errors say nothing of the key but
// its flaw.
func clean(key llm.Secret) (llm.Secret, error) {
	text := strings.TrimSuffix(strings.TrimSuffix(key.Reveal(), "\n"), "\r")
	if strings.HasPrefix(strings.TrimSpace(text), "{") && len(text) <= 2*maxKeyBytes {
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text)) != nil {
			return "", fmt.Errorf("%w: it begins as a JSON object and is none", ErrBadKey)
		}
		if compact.Len() > maxKeyBytes {
			return "", fmt.Errorf("%w: it is longer than %d bytes", ErrBadKey, maxKeyBytes)
		}
		return llm.Secret(compact.String()), nil
	}
	switch {
	case text == "":
		return "", fmt.Errorf("%w: it is empty", ErrBadKey)
	case len(text) > maxKeyBytes:
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrBadKey, maxKeyBytes)
	case !utf8.ValidString(text):
		return "", fmt.Errorf("%w: it is not text", ErrBadKey)
	case strings.ContainsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) }):
		return "", fmt.Errorf("%w: it holds a space, a line break or an unprintable character", ErrBadKey)
	}
	return llm.Secret(text), nil
}
