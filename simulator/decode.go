package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// fields is a JSON object by its members, as they came.
type fields map[string]json.RawMessage

// decodeFields reads an object; false if the JSON is broken or something else.
func decodeFields(data []byte) (fields, bool) {
	var members fields
	if json.Unmarshal(data, &members) != nil || members == nil {
		return nil, false
	}
	return members, true
}

// unknown gives the first member, by name, that is not known.
func (f fields) unknown(known func(string) bool) (string, bool) {
	var names []string
	for name := range f {
		if !known(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", false
	}
	return slices.Min(names), true
}

// has says whether the member is there and not null.
func (f fields) has(name string) bool { return present(f[name]) }

func present(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

// number reads a number; ok is false when the member is absent, null or something else.
func (f fields) number(name string) (value float64, ok bool) {
	if !f.has(name) {
		return 0, false
	}
	err := json.Unmarshal(f[name], &value)
	return value, err == nil
}

// text reads a string; ok is false when the member is absent, null or something else.
func (f fields) text(name string) (value string, ok bool) {
	if !f.has(name) {
		return "", false
	}
	err := json.Unmarshal(f[name], &value)
	return value, err == nil
}

// flag reads a boolean, false when absent.
func (f fields) flag(name string) bool {
	var value bool
	return f.has(name) && json.Unmarshal(f[name], &value) == nil && value
}

// jsonType names the JSON type of a value as OpenAI's errors do.
func jsonType(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "null"
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// mistyped finds which field has the wrong type, from the decoder's error.
func mistyped(err error) (field, got, want string) {
	var typeError *json.UnmarshalTypeError
	if !errors.As(err, &typeError) {
		return "", "", ""
	}
	switch kind := typeError.Type.Kind().String(); kind {
	case "struct", "map", "ptr":
		want = "object"
	case "slice":
		want = "array"
	case "bool":
		want = "boolean"
	case "string":
		want = kind
	default:
		want = "number"
	}
	return typeError.Field, typeError.Value, want
}

// isNameOf says whether every character is a letter, a digit or one of extra, and the length is 1 to most.
func isNameOf(name, extra string, most int) bool {
	if name == "" || len(name) > most {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return true
}

// mentions finds a word, given in lower case, in raw JSON whatever its case there.
func mentions(raw []byte, word string) bool {
	return bytes.Contains(bytes.ToLower(raw), []byte(word))
}
