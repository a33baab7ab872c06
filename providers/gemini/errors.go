package gemini

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	_ "time/tzdata" // minimal images have no time zones; daily quotas end at midnight in California

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// vendorError is the google.rpc.Status inside {"error": …}, with what its details hold of use.
type vendorError struct {
	Code      int
	Message   string
	Status    string
	reason    string        // of ErrorInfo
	field     string        // the first of BadRequest
	requestID string        // of RequestInfo
	retry     time.Duration // of RetryInfo
	quotas    []string      // the quota ids of QuotaFailure
}

// detail is any of the messages in details; @type says which.
type detail struct {
	Type       string `json:"@type"`
	Reason     string `json:"reason"`
	RetryDelay string `json:"retryDelay"`
	RequestID  string `json:"requestId"`
	Violations []struct {
		QuotaID string `json:"quotaId"`
	} `json:"violations"`
	FieldViolations []struct {
		Field string `json:"field"`
	} `json:"fieldViolations"`
}

// classify turns an answer that is an error into what can be done about it. The wait comes from the body: Gemini sends
// no Retry-After header.
func classify(answer wire.Answer, now time.Time) *llm.Error {
	vendor := parse(answer.Body)
	code := vendor.reason
	if code == "" {
		code = vendor.Status
	}
	e := &llm.Error{
		Kind:       kindOf(answer.Status, vendor),
		Provider:   name,
		Status:     answer.Status,
		Code:       wire.Code(code),
		Param:      wire.Param(vendor.field),
		RetryAfter: vendor.retry,
		RequestID:  wire.Code(vendor.requestID),
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = wire.RetryAfter(answer.Header, now)
	}
	if vendor.perDay() {
		e.RetryAfter = untilMidnightPacific(now) // the RetryInfo of some seconds beside it misleads
	}
	return e
}

// kindOf follows https://ai.google.dev/gemini-api/docs/troubleshooting. The message decides only where several causes
// share one status and no ErrorInfo tells them apart.
func kindOf(status int, vendor vendorError) llm.Kind {
	switch vendor.reason {
	case "API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED", "API_KEY_IP_ADDRESS_BLOCKED",
		"CONSUMER_SUSPENDED", "CONSUMER_INVALID", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "CREDENTIALS_MISSING":
		return llm.KindCredential
	case "BILLING_DISABLED":
		return llm.KindQuota
	case "SERVICE_DISABLED":
		return llm.KindModelAccess
	}
	message := strings.ToLower(vendor.Message)
	switch status {
	case http.StatusBadRequest:
		return kindOfBadRequest(vendor.Status, message)
	case http.StatusForbidden:
		if strings.Contains(message, "api key") {
			return llm.KindCredential // reported as leaked, or missing: neither has a reason of its own
		}
	case http.StatusTooManyRequests:
		if vendor.perDay() || strings.Contains(message, "spending cap") || strings.Contains(message, "prepayment credits") {
			return llm.KindQuota
		}
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return llm.KindTransient
	}
	return wire.KindOfStatus(status)
}

func kindOfBadRequest(status, message string) llm.Kind {
	switch {
	case strings.Contains(message, "api key not valid"), strings.Contains(message, "api key expired"):
		return llm.KindCredential
	case strings.Contains(message, "exceeds the maximum number of tokens"):
		return llm.KindContextLength
	case strings.Contains(message, "location is not supported"):
		return llm.KindRegionBlocked
	case status == "FAILED_PRECONDITION":
		return llm.KindQuota // billing is not set up
	default:
		return llm.KindCallerFault
	}
}

// perDay reports whether a daily quota is used up, alone or beside others.
func (v vendorError) perDay() bool {
	for _, id := range v.quotas {
		if strings.Contains(id, "PerDay") {
			return true
		}
	}
	return false
}

// parse reads {"error": …}, also in a list, as far as it can. What it cannot stays empty, and the status decides.
func parse(body []byte) vendorError {
	body = bytes.TrimSpace(body)
	if bytes.HasPrefix(body, []byte("[")) {
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return vendorError{}
		}
		body = list[0]
	}
	var envelope struct {
		Error map[string]json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return vendorError{}
	}
	var vendor vendorError
	_ = json.Unmarshal(envelope.Error["code"], &vendor.Code)
	_ = json.Unmarshal(envelope.Error["message"], &vendor.Message)
	_ = json.Unmarshal(envelope.Error["status"], &vendor.Status)
	var details []json.RawMessage
	_ = json.Unmarshal(envelope.Error["details"], &details)
	for _, raw := range details {
		var d detail
		if json.Unmarshal(raw, &d) == nil {
			vendor.add(d)
		}
	}
	return vendor
}

// add takes what is of use from one detail, see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto.
func (v *vendorError) add(d detail) {
	switch strings.TrimPrefix(d.Type, "type.googleapis.com/google.rpc.") {
	case "ErrorInfo":
		v.reason = d.Reason
	case "RetryInfo":
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil {
			v.retry = wire.Believable(delay)
		}
	case "QuotaFailure":
		for _, violation := range d.Violations {
			v.quotas = append(v.quotas, violation.QuotaID)
		}
	case "BadRequest":
		if len(d.FieldViolations) > 0 {
			v.field = d.FieldViolations[0].Field
		}
	case "RequestInfo":
		v.requestID = d.RequestID
	}
}

// untilMidnightPacific is the wait until daily quotas are renewed.
func untilMidnightPacific(now time.Time) time.Duration {
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil { // the zones are linked in
		pacific = time.FixedZone("PST", -8*60*60)
	}
	year, month, day := now.In(pacific).Date()
	return wire.Until(time.Date(year, month, day+1, 0, 0, 0, 0, pacific), now)
}
