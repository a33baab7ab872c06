package simulator

import "net/http"

const (
	statusOverloaded = 529 // Anthropic's own
)

func anthropicInvalid(message string) *wireError {
	return &wireError{status: http.StatusBadRequest, kind: "invalid_request_error", message: message}
}

func (p anthropicProtocol) faultError(f *Fault, model string) *wireError {
	e := p.errorForCode(f.Code, model)
	if e == nil {
		e = p.errorForStatus(f.Status, model)
		e.code = f.Code
	}
	return e.apply(f)
}

// errorForCode produces the vendor's error for a case that it tells by message text alone; nil for other codes.
func (p anthropicProtocol) errorForCode(code, model string) *wireError {
	switch code {
	case codeInvalidKey:
		return p.badKey(nil, "unknown")
	case codeNoQuota:
		return anthropicInvalid("Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to " +
			"upgrade or purchase credits.")
	case codeContextLength:
		return anthropicInvalid("prompt is too long: 210000 tokens > 200000 maximum")
	case codeContentPolicy:
		return anthropicInvalid("Output blocked by content filtering policy")
	case codeModelNotFound:
		return p.unknownModel(model)
	case codeRateLimit:
		return p.errorForStatus(http.StatusTooManyRequests, model)
	case codeOverloaded:
		return p.errorForStatus(statusOverloaded, model)
	default:
		return nil
	}
}

func (p anthropicProtocol) errorForStatus(status int, model string) *wireError {
	of := func(kind, message string) *wireError { return &wireError{status: status, kind: kind, message: message} }
	switch status {
	case http.StatusUnauthorized:
		return p.badKey(nil, "unknown")
	case http.StatusPaymentRequired:
		return of("billing_error", "There is an issue with your organization's billing. Please check your payment method.")
	case http.StatusForbidden:
		return of("permission_error", "Your API key does not have permission to use the specified resource.")
	case http.StatusNotFound:
		return p.unknownModel(model)
	case http.StatusConflict:
		return of("conflict_error", "The request conflicts with the current state of the resource.")
	case http.StatusRequestEntityTooLarge:
		return of("request_too_large", "Request exceeds the maximum size")
	case http.StatusTooManyRequests:
		return of("rate_limit_error", "This request would exceed your organization's rate limit. For details, refer to: "+
			"https://docs.claude.com/en/api/rate-limits.")
	case http.StatusGatewayTimeout:
		return of("timeout_error", "Request timed out")
	case statusOverloaded:
		return of("overloaded_error", "Overloaded")
	}
	if status >= 400 && status < 500 {
		return anthropicInvalid("The request could not be processed.").withStatus(status)
	}
	if status < 400 {
		status = http.StatusInternalServerError
	}
	return of("api_error", "Internal server error")
}

func (anthropicProtocol) errorBody(e *wireError, requestID string) []byte {
	type details struct {
		ErrorCode string `json:"error_code"`
	}
	type inner struct {
		Type    string   `json:"type"`
		Message string   `json:"message"`
		Details *details `json:"details,omitempty"`
	}
	body := struct {
		Type      string `json:"type"`
		Error     inner  `json:"error"`
		RequestID string `json:"request_id"`
	}{Type: "error", Error: inner{Type: e.kind, Message: e.message}, RequestID: requestID}
	if e.code != "" {
		body.Error.Details = &details{ErrorCode: e.code}
	}
	return encode(body)
}
