package anthropic

import (
	"encoding/json"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// handling says how Holdfast is to treat the request: none of it reaches a provider.
type handling struct {
	OnStreamFailure string       `json:"on_stream_failure"`
	OnDisconnect    string       `json:"on_disconnect"`
	Overflow        llm.Overflow `json:"overflow"`
}

// handle reads the extension holdfast.
func (r *messagesRequest) handle(request *dialect.Request) error {
	if absent(r.Holdfast) {
		return nil
	}
	var h handling
	if err := read("holdfast", r.Holdfast, &h); err != nil {
		return err
	}
	switch h.OnStreamFailure {
	case "", "continue", "restart", "fail":
	default:
		return invalid("holdfast.on_stream_failure", codeValue, "Input should be 'continue', 'restart' or 'fail'.")
	}
	switch h.OnDisconnect {
	case "", "continue", "cancel":
	default:
		return invalid("holdfast.on_disconnect", codeValue, "Input should be 'continue' or 'cancel'.")
	}
	switch h.Overflow {
	case "", llm.OverflowRefuse, llm.OverflowDropOldest, llm.OverflowSummarise:
	default:
		return invalid("holdfast.overflow", codeValue, "Input should be 'refuse', 'drop_oldest' or 'summarise'.")
	}
	request.OnStreamFailure, request.OnDisconnect, request.Overflow = h.OnStreamFailure, h.OnDisconnect, h.Overflow
	return nil
}

// conversationOf reads the extension conversation: an id, or an object that holds one.
func conversationOf(raw json.RawMessage) (string, error) {
	if absent(raw) {
		return "", nil
	}
	var reference struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &reference.ID) != nil {
		if err := read("conversation", raw, &reference); err != nil {
			return "", err
		}
	}
	if reference.ID == "" {
		return "", invalid("conversation", codeValue, "conversation must be a conversation id.")
	}
	return reference.ID, nil
}
