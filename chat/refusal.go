package chat

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// LostError says that no answer came, or that one broke off.
type LostError struct{ Cause error }

func (l *LostError) Error() string { return "Holdfast does not answer: " + l.Cause.Error() }

// Unwrap gives the cause.
func (l *LostError) Unwrap() error { return l.Cause }

// RefusalError is what the API says when it does not do what it is asked.
type RefusalError struct {
	// Status is 0 of an error within a stream.
	Status     int
	Code       string
	Message    string
	RetryAfter time.Duration
	// CompletionID is the completion that the error is of; empty if none was accepted.
	CompletionID string
}

// Error says what is the matter, and what can be done about it.
func (r *RefusalError) Error() string {
	text := r.Message
	if text == "" {
		text = "the API answered " + strconv.Itoa(r.Status) + " " + http.StatusText(r.Status)
	}
	if advice := r.advice(); advice != "" {
		text += " " + advice
	}
	return text
}

func (r *RefusalError) advice() string {
	switch r.Code {
	case "invalid_api_key":
		return "Name a file with a valid token by --token-file: 'holdfast tokens create' makes one."
	case "no_model_available", "upstream_credentials_exhausted", "deadline_exceeded":
		if r.CompletionID != "" {
			return "Why: 'holdfast completions show " + r.CompletionID + "'. Ask again later, or take another model: /model."
		}
		return "Ask again later, or take another model: /model."
	case "context_length_exceeded":
		return "Take a model with a larger window by /model, or begin anew by /new."
	case "conversation_busy":
		return "It has been running for long: 'holdfast completions list --state open' shows it."
	case "model_not_found":
		return "So does /model here."
	case "not_found":
		return "'holdfast conversations list' shows those that there are; each belongs to the tenant of its token."
	default:
		return ""
	}
}

// failure is the API's error object.
type failure struct {
	Message      string `json:"message"`
	Code         string `json:"code"`
	CompletionID string `json:"completion_id"`
}

func refusalOf(response *http.Response) *RefusalError {
	refusal := &RefusalError{Status: response.StatusCode, CompletionID: response.Header.Get("X-Holdfast-Completion-Id")}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		refusal.RetryAfter = time.Duration(seconds) * time.Second
	}
	var body struct {
		Error failure `json:"error"`
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && json.Unmarshal(content, &body) == nil { // a proxy may answer with something else
		refusal.Code, refusal.Message = body.Error.Code, body.Error.Message
	}
	return refusal
}

// passing says whether an error may pass by itself: the same request is worth another try.
func passing(err error) bool {
	if _, lost := errors.AsType[*LostError](err); lost {
		return true
	}
	refusal, refused := errors.AsType[*RefusalError](err)
	if !refused {
		return false
	}
	switch refusal.Code {
	case "temporarily_unavailable", "overloaded", "conversation_busy", "stream_interrupted":
		return true
	case "": // it comes from a proxy before a Holdfast that is away
		return refusal.Status == http.StatusBadGateway || refusal.Status == http.StatusServiceUnavailable || refusal.Status == http.StatusGatewayTimeout
	default:
		return false
	}
}
