package anthropic

import (
	"net/http"
	"strings"

	"github.com/holdfast-dev/holdfast/api/dialect"
)

// Failure is an error as Anthropic's SDKs read it, as a body and within a stream
// (https://platform.claude.com/docs/en/api/errors).
type Failure struct {
	Type  string        `json:"type"`
	Error FailureDetail `json:"error"`
	// RequestID is the completion's; there is none before the request is accepted.
	RequestID string `json:"request_id,omitempty"`
	// Holdfast is what Anthropic has no member for.
	Holdfast FailureCode `json:"holdfast"`
}

// FailureDetail says what went wrong.
type FailureDetail struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// FailureCode tells failures apart that have the same type; docs/errors.md lists them.
type FailureCode struct {
	Code string `json:"code"`
}

// tooLong begins the message by which agents know that they are to shorten the conversation: Anthropic has no code for it.
const tooLong = "prompt is too long: "

// EncodeFailure makes the error object. Anthropic has no member for the parameter at fault: the message begins with it.
func EncodeFailure(failure dialect.Failure) Failure {
	message := failure.Message
	if param := dotted(failure.Param); param != "" && !strings.HasPrefix(message, param) && !strings.HasPrefix(message, failure.Param) {
		message = param + ": " + message
	}
	if failure.Code == "context_length_exceeded" && !strings.HasPrefix(message, tooLong) {
		message = tooLong + message
	}
	return Failure{
		Type: "error", Error: FailureDetail{Type: failureType(failure.Status), Message: message},
		RequestID: failure.CompletionID, Holdfast: FailureCode{Code: failure.Code},
	}
}

// dotted is a path in Anthropic's spelling, where the layers below say messages[0].content.
func dotted(param string) string {
	return strings.NewReplacer("[", ".", "]", "").Replace(param)
}

// failureType is Anthropic's word for a status.
func failureType(status int) string {
	const overloaded = 529 // Anthropic's own
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusPaymentRequired:
		return "billing_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable, overloaded:
		return "overloaded_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	}
	if status >= 400 && status < 499 {
		return "invalid_request_error"
	}
	return "api_error"
}
