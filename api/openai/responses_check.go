package openai

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// includable are the values of include. Most of them are of tools that are not run here: there is nothing to include then.
func includable() []string {
	return []string{
		"file_search_call.results", "web_search_call.results", "web_search_call.action.sources", "message.input_image.image_url",
		"computer_call_output.output.image_url", "code_interpreter_call.outputs", includeEncrypted, includeLogprobs,
	}
}

func (r *responseRequest) check() error {
	for _, wrong := range []func() error{r.checkSettings, r.checkState, r.checkInclude} {
		if err := wrong(); err != nil {
			return err
		}
	}
	if err := checkMetadata(r.Metadata.texts); err != nil {
		return err
	}
	return r.Holdfast.check()
}

func (r *responseRequest) checkSettings() error {
	switch {
	case r.Model == "":
		return invalid("model", "missing_required_parameter", "You must provide a model parameter.")
	case r.Prompt != nil:
		return invalid("prompt", "unsupported_parameter",
			"prompt is not supported: prompt templates are kept at OpenAI. Send what the template says as instructions and input.")
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > 2):
		return invalid("temperature", "invalid_value", "temperature must be between 0 and 2.")
	case r.TopP != nil && (*r.TopP < 0 || *r.TopP > 1):
		return invalid("top_p", "invalid_value", "top_p must be between 0 and 1.")
	case r.TopK != nil && *r.TopK < 1:
		return invalid("top_k", "invalid_value", "top_k must be at least 1.")
	case r.MaxOutputTokens != nil && *r.MaxOutputTokens < 1:
		return invalid("max_output_tokens", "invalid_value", "max_output_tokens must be at least 1.")
	case r.MaxToolCalls != nil && *r.MaxToolCalls < 1:
		return invalid("max_tool_calls", "invalid_value", "max_tool_calls must be at least 1.")
	case r.TopLogprobs != nil && (*r.TopLogprobs < 0 || *r.TopLogprobs > 20):
		return invalid("top_logprobs", "invalid_value", "top_logprobs must be between 0 and 20.")
	case r.Truncation != "" && r.Truncation != "auto" && r.Truncation != "disabled":
		return invalid("truncation", "invalid_value", "truncation must be auto or disabled.")
	}
	return nil
}

// checkState checks what the request says of where it stands in time, and beside what.
func (r *responseRequest) checkState() error {
	switch {
	case r.StreamOptions != nil && (r.Stream == nil || !*r.Stream):
		return invalid("stream_options", "invalid_value", "stream_options needs \"stream\": true.")
	case r.Background != nil && *r.Background && r.Store != nil && !*r.Store:
		return invalid("background", "invalid_value", "Background mode requires 'store' to be true.")
	case r.Conversation != nil && r.PreviousResponseID != nil:
		return invalid("conversation", "mutually_exclusive_parameters",
			"Mutually exclusive parameters: 'conversation' and 'previous_response_id'. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.")
	case r.Conversation != nil && r.Conversation.ID == "":
		return invalid("conversation", "invalid_value", "conversation must be a conversation id.")
	}
	return nil
}

func (r *responseRequest) checkInclude() error {
	for _, value := range r.Include {
		if !slices.Contains(includable(), value) {
			return invalid("include", "invalid_value", "Invalid value: '%s'. Supported values are: '%s'.", value, strings.Join(includable(), "', '"))
		}
	}
	return nil
}

// checkMetadata holds metadata to OpenAI's limits.
func checkMetadata(texts map[string]string) error {
	if len(texts) > 16 {
		return invalid("metadata", "invalid_value", "At most 16 metadata entries are allowed.")
	}
	for key, value := range texts {
		switch {
		case utf8.RuneCountInString(key) > 64:
			return invalid("metadata", "invalid_value", "A metadata key may have at most 64 characters.")
		case utf8.RuneCountInString(value) > 512:
			return invalid("metadata."+key, "invalid_value", "A metadata value may have at most 512 characters.")
		}
	}
	return nil
}
