package anthropic

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// vendorError is the error envelope of https://platform.claude.com/docs/en/api/errors.
type vendorError struct {
	Error struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Details struct {
			ErrorCode string `json:"error_code"`
		} `json:"details"`
	} `json:"error"`
	RequestID string `json:"request_id"`
}

// classify turns an answer that is an error into what can be done about it.
func classify(answer wire.Answer, now time.Time) *llm.Error {
	vendor := parse(answer.Body)
	code := vendor.Error.Details.ErrorCode
	if code == "" {
		code = vendor.Error.Type
	}
	e := &llm.Error{
		Kind:       kindOf(answer.Status, vendor),
		Provider:   name,
		Status:     answer.Status,
		Code:       wire.Code(code),
		RetryAfter: wire.RetryAfter(answer.Header, now),
		RequestID:  requestID(answer.Header, vendor.RequestID),
	}
	if e.Kind == llm.KindQuota && e.RetryAfter == 0 {
		e.RetryAfter = untilAllowed(vendor, now)
	}
	return e
}

// kindOf goes by the error's type. The message decides only between failures that share invalid_request_error, which
// have no code of their own.
func kindOf(status int, vendor vendorError) llm.Kind {
	switch vendor.Error.Type {
	case "invalid_request_error":
		return kindOfInvalid(status, vendor.Error.Message)
	case "authentication_error":
		return llm.KindCredential
	case "billing_error":
		return llm.KindQuota
	case "permission_error":
		return llm.KindModelAccess
	case "forbidden": // the edge's answer to regions that are not served
		return llm.KindRegionBlocked
	case "not_found_error":
		return llm.KindModelGone
	case "request_too_large":
		return llm.KindCallerFault
	case "rate_limit_error":
		if vendor.Error.Details.ErrorCode == "enforced_spend_limit_reached" {
			return llm.KindQuota
		}
		return llm.KindRateLimit
	case "conflict_error", "api_error", "timeout_error":
		return llm.KindTransient
	case "overloaded_error":
		return llm.KindOverloaded
	default:
		return wire.KindOfStatus(status)
	}
}

func kindOfInvalid(status int, message string) llm.Kind {
	switch {
	case strings.Contains(message, "prompt is too long"), strings.Contains(message, "exceed context limit"):
		return llm.KindContextLength
	case strings.Contains(message, "credit balance is too low"), strings.Contains(message, spendLimit):
		return llm.KindQuota
	case strings.Contains(message, "content filtering policy"):
		return llm.KindContentPolicy
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		return wire.KindOfStatus(status)
	default:
		return llm.KindCallerFault
	}
}

const spendLimit = "reached your specified API usage limits"

// regained finds the date in a text such as "You will regain access on 2026-04-01 at 00:00 UTC", if it is there.
var regained = regexp.MustCompile(`regain access on (\d{4}-\d{2}-\d{2})(?: at (\d{2}:\d{2}))?`)

// untilAllowed is the wait until a spend limit is lifted: at the date that the message names, or for a limit enforced by
// the month on the first of the next (UTC). It is 0 when nothing says, as for a balance used up.
func untilAllowed(vendor vendorError, now time.Time) time.Duration {
	if vendor.Error.Details.ErrorCode == "enforced_spend_limit_reached" {
		year, month, _ := now.UTC().Date()
		return wire.Until(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC), now)
	}
	match := regained.FindStringSubmatch(vendor.Error.Message)
	if match == nil {
		return 0
	}
	clock := match[2]
	if clock == "" {
		clock = "00:00"
	}
	at, err := time.Parse("2006-01-02 15:04", match[1]+" "+clock)
	if err != nil {
		return 0
	}
	return wire.Until(at, now)
}

// parse reads what it can of the envelope. What it cannot stays empty, and the status decides.
func parse(body []byte) vendorError {
	var loose struct {
		Error     json.RawMessage `json:"error"`
		RequestID json.RawMessage `json:"request_id"`
	}
	var vendor vendorError
	if json.Unmarshal(body, &loose) != nil {
		return vendor
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(loose.Error, &fields) == nil {
		_ = json.Unmarshal(fields["type"], &vendor.Error.Type)
		_ = json.Unmarshal(fields["message"], &vendor.Error.Message)
		_ = json.Unmarshal(fields["details"], &vendor.Error.Details)
	}
	_ = json.Unmarshal(loose.RequestID, &vendor.RequestID)
	return vendor
}

func requestID(header http.Header, body string) string {
	if id := wire.Code(header.Get("Request-Id")); id != "" {
		return id
	}
	return wire.Code(body)
}
