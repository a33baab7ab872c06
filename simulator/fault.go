package simulator

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Fault is one way in which a vendor misbehaves. Faults are tried in the order in which they were set, and the first that
// applies to a call is used. At most one of Hang, Reset, Malformed and Empty is set; Latency comes before all of them.
type Fault struct {
	// ID names the fault; [Simulator.SetFault] makes one where it is empty.
	ID    string
	Match Match

	// Status is the HTTP status of the vendor-shaped error answered; 0 with a Code that the vendor ties to one status
	// means that status, and 0 otherwise means that the call is answered as if healthy, but for the fields below.
	Status int
	// Code is the vendor's machine-readable code: OpenAI's error.code, Anthropic's error.details.error_code, Gemini's
	// quotaId (429) or ErrorInfo reason. These words are understood at every vendor and produce that vendor's own error
	// for the case, status included: invalid_api_key, insufficient_quota, context_length_exceeded,
	// content_policy_violation, model_not_found, rate_limit_exceeded, overloaded.
	Code string
	// Type replaces the error type that the vendor ties to the status: OpenAI's and Anthropic's error.type, Gemini's
	// error.status.
	Type string
	// Message replaces the text of the error.
	Message string
	// RetryAfter is what the error asks the client to wait: Retry-After at OpenAI and Anthropic, RetryInfo at Gemini.
	RetryAfter time.Duration

	// Latency delays the answer, or the error.
	Latency time.Duration
	// Hang never answers: the call ends when the client leaves or the simulator is closed.
	Hang bool
	// Reset cuts the connection with a TCP RST.
	Reset bool
	// Malformed answers JSON cut in the middle, with Status, or 200.
	Malformed bool
	// Empty answers no body, with Status, or 200.
	Empty bool
	// SlowBytes drips the body at this many bytes a second; 0 sends it at once.
	SlowBytes int

	// Stream breaks or reshapes a streamed answer after its status 200; other calls pass the fault by. Status, Code, Type and
	// Message then say what an error inside the stream says.
	Stream *StreamFault

	// Count is how many calls meet the fault before it is used up; 0 is no limit. Calls that cost nothing (of models, of tokens)
	// neither meet such a fault nor use it up, unless Match names their operation: whoever probes a vendor does not disturb what
	// is scripted for its completions.
	Count int
	// Share is the part of the matching calls that meet the fault, spread evenly by counting: 0.5 is every second call.
	// 0 means all. Calls that cost nothing pass it by, as with Count.
	Share float64
	// For bounds the fault from the moment it is set: it sets Until.
	For time.Duration
	// Until is when the fault ends; zero is never.
	Until time.Time

	// Applied counts the calls that met the fault so far. It is reported, not set.
	Applied int
}

// Match says which calls a fault concerns. The zero value matches completions, embeddings, and what costs nothing (listings of models,
// counts of tokens) as far as the real fault would reach it: an outage or a bad key does, a rate limit or an exhausted quota on
// completions does not.
type Match struct {
	// Model is the exact model name asked for.
	Model string
	// Key is the beginning of the API key, or its whole [Fingerprint].
	Key string
	// Operation restricts the fault to one operation.
	Operation Operation
}

// ErrInvalidFault is in the chain of every error of [Fault.Validate].
var ErrInvalidFault = errors.New("invalid fault")

// Validate says what is wrong with the fault, all of it at once; nil if nothing is.
func (f Fault) Validate() error {
	var problems []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrInvalidFault}, args...)...))
		}
	}
	refuse(f.Status != 0 && (f.Status < 200 || f.Status > 599), "status %d is not between 200 and 599", f.Status)
	refuse(f.Share < 0 || f.Share > 1, "share %v is not between 0 and 1", f.Share)
	refuse(f.Count < 0, "count %d is negative", f.Count)
	refuse(f.SlowBytes < 0, "slow_bytes %d is negative", f.SlowBytes)
	for _, duration := range []struct {
		name  string
		value time.Duration
	}{{"retry_after", f.RetryAfter}, {"latency", f.Latency}, {"for", f.For}} {
		refuse(duration.value < 0, "%s %s is negative", duration.name, duration.value)
	}
	kinds := 0
	for _, set := range []bool{f.Hang, f.Reset, f.Malformed, f.Empty} {
		if set {
			kinds++
		}
	}
	refuse(kinds > 1, "only one of hang, reset, malformed and empty can happen to a call")
	refuse(kinds == 0 && f.Status == 0 && f.Code == "" && f.Latency == 0 && f.SlowBytes == 0 && f.Stream == nil,
		"nothing happens: set status, code, latency, hang, reset, malformed, empty, slow_bytes or stream")
	refuse(f.Status == 0 && f.Code != "" && !isSharedCode(f.Code), "code %q needs a status", f.Code)
	switch f.Match.Operation {
	case "", OperationComplete, OperationListModels, OperationEmbed, OperationCountTokens, OperationReadKey:
	default:
		refuse(true, "operation %q is none of complete, embed, count_tokens, list_models and read_key", f.Match.Operation)
	}
	if f.Stream != nil {
		refuse(kinds > 0 || f.SlowBytes > 0, "stream cannot be combined with hang, reset, malformed, empty or slow_bytes")
		refuse(f.Stream.Kind != StreamError && (f.Status != 0 || f.Code != ""),
			"status and code are the words of a stream fault of kind error only")
		if reason := f.Stream.invalid(); reason != "" {
			refuse(true, "%s", reason)
		}
	}
	return errors.Join(problems...)
}

// failing says whether the fault answers an error of the vendor.
func (f *Fault) failing() bool { return f.Stream == nil && (f.Status >= 300 || f.Code != "") }

func (f *Fault) matches(call *Call, key string) bool {
	if f.Match.Model != "" && f.Match.Model != call.Model {
		return false
	}
	if f.Match.Key != "" && f.Match.Key != call.Key && !strings.HasPrefix(key, f.Match.Key) {
		return false
	}
	if f.Stream != nil && !call.Stream {
		return false
	}
	if f.Match.Operation != "" {
		return f.Match.Operation == call.Operation
	}
	return !call.Operation.free() || f.reachesFree()
}

// reachesFree says whether a fault of this kind would also be met by calls that cost nothing. One that goes by counting is not.
func (f *Fault) reachesFree() bool {
	if f.Count > 0 || f.Share > 0 && f.Share < 1 {
		return false
	}
	switch f.Status {
	case 0:
		return f.Code == "" || f.Code == codeInvalidKey || f.Code == codeOverloaded
	case 401, 403:
		return true
	default:
		return f.Status < 400 || f.Status >= 500
	}
}
