package openai

import "encoding/json"

// notes are a request's metadata: texts by their names, but for LiteLLM's list of tags, which belongs to the routing.
type notes struct {
	texts map[string]string
	tags  []string
}

func (n *notes) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return invalid("metadata", "invalid_type", "metadata must be an object of texts.")
	}
	for name, value := range members {
		var text string
		switch {
		case json.Unmarshal(value, &text) == nil:
			if n.texts == nil {
				n.texts = map[string]string{}
			}
			n.texts[name] = text
		case name != "tags":
			return invalid("metadata."+name, "invalid_type", "metadata.%s must be a text.", name)
		case json.Unmarshal(value, &n.tags) != nil:
			return invalid("metadata.tags", "invalid_type", "metadata.tags must be a text, or a list of texts to choose targets by.")
		}
	}
	return nil
}
