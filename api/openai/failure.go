package openai

import "github.com/holdfast-dev/holdfast/api/dialect"

// Failure is an error as OpenAI's SDKs read it.
type Failure struct {
	Error FailureDetail `json:"error"`
}

// FailureDetail says what went wrong.
type FailureDetail struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
	// CompletionID is Holdfast's own.
	CompletionID string `json:"completion_id,omitempty"`
}

// EncodeFailure makes the error object.
func EncodeFailure(failure dialect.Failure) Failure {
	detail := FailureDetail{Message: failure.Message, Type: failure.Kind, Code: failure.Code, CompletionID: failure.CompletionID}
	if failure.Param != "" {
		detail.Param = &failure.Param
	}
	return Failure{Error: detail}
}
