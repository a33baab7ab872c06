package simulator

import (
	"net/http"
	"strconv"
	"time"
)

const (
	geminiTypeURL = "type.googleapis.com/google.rpc."
	// geminiBlocked marks an "error" that the vendor answers with 200: the prompt was blocked.
	geminiBlocked = "PROHIBITED_CONTENT"
	// geminiDailyDelay is the RetryInfo seen beside a used-up daily quota: it promises what a day must pass for.
	geminiDailyDelay = 22 * time.Second
	geminiPerDay     = "GenerateRequestsPerDayPerProjectPerModel"
	geminiPerMinute  = "GenerateRequestsPerMinutePerProjectPerModel"
)

func geminiInvalid(message string) *wireError {
	return &wireError{status: http.StatusBadRequest, kind: "INVALID_ARGUMENT", message: message}
}

// geminiReason is an ErrorInfo detail.
func geminiReason(reason string) any {
	return map[string]any{
		"@type": geminiTypeURL + "ErrorInfo", "reason": reason, "domain": "googleapis.com",
		"metadata": map[string]string{"service": "generativelanguage.googleapis.com"},
	}
}

// geminiQuota is a QuotaFailure detail.
func geminiQuota(id, model string) any {
	return map[string]any{
		"@type": geminiTypeURL + "QuotaFailure",
		"violations": []any{map[string]any{
			"quotaMetric":     "generativelanguage.googleapis.com/generate_content_requests",
			"quotaId":         id,
			"quotaDimensions": map[string]string{"location": "global", "model": model},
			"quotaValue":      "1000",
		}},
	}
}

func geminiExhausted(id, model string) *wireError {
	return &wireError{
		status: http.StatusTooManyRequests, kind: "RESOURCE_EXHAUSTED", message: "You exceeded your current quota, please " +
			"check your plan and billing details. For more information on this error, head to: " +
			"https://ai.google.dev/gemini-api/docs/rate-limits.",
		details: []any{geminiQuota(id, model), map[string]any{
			"@type": geminiTypeURL + "Help",
			"links": []any{map[string]string{
				"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
			}},
		}},
	}
}

func (p geminiProtocol) faultError(f *Fault, model string) *wireError {
	e := p.errorForCode(f, model)
	if e == nil {
		e = p.errorForStatus(f.Status, model)
		switch {
		case f.Code != "" && e.status == http.StatusTooManyRequests:
			e = geminiExhausted(f.Code, model)
		case f.Code != "":
			e.details = append(e.details, geminiReason(f.Code))
		}
	}
	waits := f.RetryAfter
	if waits == 0 && f.Code == codeNoQuota {
		waits = geminiDailyDelay
	}
	e.apply(f)
	if waits > 0 {
		e.details = append(e.details, map[string]any{
			"@type":      geminiTypeURL + "RetryInfo",
			"retryDelay": strconv.FormatFloat(waits.Seconds(), 'f', -1, 64) + "s",
		})
	}
	return e
}

// errorForCode produces the vendor's error for a case that every vendor has; nil for other codes.
func (p geminiProtocol) errorForCode(f *Fault, model string) *wireError {
	switch f.Code {
	case codeInvalidKey:
		return p.badKey(nil, "unknown")
	case codeNoQuota:
		return geminiExhausted(geminiPerDay, model)
	case codeContextLength:
		return geminiInvalid("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")
	case codeContentPolicy:
		if f.Status >= http.StatusBadRequest {
			return nil
		}
		return &wireError{status: http.StatusOK, kind: geminiBlocked, message: model}
	case codeModelNotFound:
		return p.unknownModel(model)
	case codeRateLimit:
		return geminiExhausted(geminiPerMinute, model)
	case codeOverloaded:
		return p.errorForStatus(http.StatusServiceUnavailable, model)
	default:
		return nil
	}
}

func (p geminiProtocol) errorForStatus(status int, model string) *wireError {
	of := func(kind, message string) *wireError { return &wireError{status: status, kind: kind, message: message} }
	switch status {
	case http.StatusBadRequest:
		return geminiInvalid("Request contains an invalid argument.")
	case http.StatusUnauthorized:
		e := of("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login "+
			"cookie or other valid authentication credential.")
		e.details = []any{geminiReason("ACCESS_TOKEN_TYPE_UNSUPPORTED")}
		return e
	case http.StatusForbidden:
		return of("PERMISSION_DENIED", "The caller does not have permission")
	case http.StatusNotFound:
		return p.unknownModel(model)
	case http.StatusConflict:
		return of("ABORTED", "The operation was aborted.")
	case http.StatusTooManyRequests:
		return geminiExhausted(geminiPerMinute, model)
	case 499:
		return of("CANCELLED", "The operation was cancelled.")
	case http.StatusNotImplemented:
		return of("UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled.")
	case http.StatusServiceUnavailable:
		return of("UNAVAILABLE", "The model is overloaded. Please try again later.")
	case http.StatusGatewayTimeout:
		return of("DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")
	}
	if status >= 400 && status < 500 {
		return geminiInvalid("Request contains an invalid argument.").withStatus(status)
	}
	if status < 400 {
		status = http.StatusInternalServerError
	}
	return of("INTERNAL", "An internal error has occurred. Please retry or report in "+
		"https://developers.generativeai.google/guide/troubleshooting")
}

func (geminiProtocol) errorBody(e *wireError, requestID string) []byte {
	if e.kind == geminiBlocked {
		return encode(map[string]any{
			"promptFeedback": map[string]string{"blockReason": geminiBlocked},
			"usageMetadata":  map[string]int{"promptTokenCount": 8, "totalTokenCount": 8},
			"modelVersion":   e.message,
			"responseId":     requestID,
		})
	}
	type inner struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
		Details []any  `json:"details,omitempty"`
	}
	return encode(map[string]any{"error": inner{e.status, e.message, e.kind, e.details}})
}
