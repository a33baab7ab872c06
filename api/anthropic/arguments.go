package anthropic

import (
	"encoding/json"
	"strings"
)

// noInput is that of a call that was made without arguments.
const noInput = "{}"

// malformedKey holds arguments that are no JSON object: an input must be one. The adapters of providers wrap them alike.
const malformedKey = "malformed_arguments"

// inputOf is a tool call's arguments as the object that an input is. Arguments that are none (the model wrote them; it may have
// been cut off) are wrapped into one as text.
func inputOf(arguments string) json.RawMessage {
	switch {
	case strings.TrimSpace(arguments) == "":
		return json.RawMessage(noInput)
	case isObject(arguments):
		return compact(json.RawMessage(arguments))
	}
	wrapped, err := json.Marshal(map[string]string{malformedKey: arguments})
	if err != nil { // a map of strings always encodes
		return json.RawMessage(noInput)
	}
	return wrapped
}

// argumentsOf is an input as the model wrote it.
func argumentsOf(input json.RawMessage) string {
	var members map[string]json.RawMessage
	var text string
	if json.Unmarshal(input, &members) == nil && len(members) == 1 && json.Unmarshal(members[malformedKey], &text) == nil && !isObject(text) {
		return text
	}
	return string(compact(input))
}

func isObject(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") && json.Valid([]byte(text))
}
