package anthropic

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/api/dialect"
)

// The codes of what is wrong with a request, as docs/errors.md lists them.
const (
	codeMissing     = "missing_required_parameter"
	codeType        = "invalid_type"
	codeValue       = "invalid_value"
	codeUnknown     = "unknown_parameter"
	codeUnsupported = "unsupported_value"
	codeParameter   = "unsupported_parameter"
	codeJSON        = "invalid_json"
)

func invalid(param, code, format string, args ...any) *dialect.InvalidError {
	return dialect.Invalid(param, code, format, args...)
}

// required says that a member is missing, as Anthropic does.
func required(param string) *dialect.InvalidError {
	return invalid(param, codeMissing, "Field required.")
}

// under is the path of a member, or of an item of a list, in Anthropic's spelling: messages.0.content.1.type.
func under(at, name string) string {
	switch {
	case at == "":
		return name
	case name == "":
		return at
	default:
		return at + "." + name
	}
}

func item(at string, i int) string { return under(at, strconv.Itoa(i)) }

// absent reports whether a member is missing or null, which says the same.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// readBody reads the one object that a body is. Members that into does not know are refused.
func readBody(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explain("", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return invalid("", codeJSON, "The body holds more than one JSON value.")
	}
	return nil
}

// read reads a part of the body. Members that into does not know are refused.
func read(at string, raw json.RawMessage, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return explain(at, decoder.Decode(into))
}

// readKnown reads what is known of a part of the body: blocks come back with members that only answers have, and newer ones
// are added all the time.
func readKnown(at string, raw json.RawMessage, into any) error {
	return explain(at, json.Unmarshal(raw, into))
}

// explain says what is wrong with JSON in its author's terms.
func explain(at string, err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalid(under(at, wrong.Field), codeType, "Input should be %s, not %s.", kindOf(wrong.Type), given(wrong.Value))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid(under(at, strings.Trim(name, `"`)), codeUnknown, "Extra inputs are not permitted.")
	}
	return invalid(at, codeJSON, "The body is not valid JSON.")
}

// kindOf names what is expected where a value of another type stands.
func kindOf(expected reflect.Type) string {
	switch expected.Kind() {
	case reflect.Pointer:
		return kindOf(expected.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}

// given names what stands there, in encoding/json's words but for those that only Go's authors use.
func given(value string) string {
	switch word, _, _ := strings.Cut(value, " "); word {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	default:
		return "a " + word
	}
}
