package wire

import (
	"context"
	"slices"

	"github.com/holdfast-dev/holdfast/llm"
)

// Call is a call of a vendor's API as an adapter has rendered it: what [Complete], [Stream] and [Probe] need to make it, and
// what is said of it whatever the vendor.
type Call struct {
	Provider string
	Auth     Auth
	// Send must make exactly one HTTP request with the context it is given, through a client of [NewClient]. What it returns
	// counts only if no request was made.
	Send func(context.Context) error
	// Classify turns an answer that is an error by its status into a canonical error.
	Classify func(Answer) *llm.Error
	// Whole reads an answer in one piece. Some hosts send errors so although a stream was asked for, and some do not stream at
	// all: where the media type is application/json and the body's beginning does not belie it, [Stream] uses it too.
	Whole func(Answer) (llm.Response, *llm.Error)
	// Framing splits the answer to a streamed call into frames, and Decoder makes their decoder; status and headers are known by
	// then.
	Framing Framing
	Decoder func(Answer) Decoder
	// Model stands in the answer where the vendor does not say which model answers.
	Model string
	// Warnings are what rendering has changed or left out. With Strict, which is the request's, they forbid the call.
	Warnings []llm.Warning
	Strict   bool
}

// Complete makes the call and reads its answer in one piece. The error is an *[llm.Error].
func Complete(ctx context.Context, call Call) (llm.Response, error) {
	if refusal := call.refusal(); refusal != nil {
		return llm.Response{}, refusal
	}
	ex := &exchange{ctx: ctx, auth: call.Auth}
	if failure := ex.run(call.Provider, call.Send); failure != nil { //nolint:contextcheck // it runs with ex.ctx
		return llm.Response{}, ex.told(failure)
	}
	if !ex.answer.OK() {
		return llm.Response{}, ex.told(call.Classify(ex.answer))
	}
	response, failure := call.Whole(ex.answer)
	if failure != nil {
		return llm.Response{}, ex.told(failure)
	}
	if response.Model == "" {
		response.Model = call.Model
	}
	response.Warnings = append(slices.Clip(call.Warnings), response.Warnings...)
	response.RateLimit = ex.limit
	return response, nil
}

// Probe makes a call of which only the status counts. The error is an *[llm.Error].
func Probe(ctx context.Context, call Call) error {
	ex := &exchange{ctx: ctx, auth: call.Auth}
	if failure := ex.run(call.Provider, call.Send); failure != nil { //nolint:contextcheck // it runs with ex.ctx
		return ex.told(failure)
	}
	if !ex.answer.OK() {
		return ex.told(call.Classify(ex.answer))
	}
	return nil
}

// refusal is the error of a strict call that rendering has warnings for; nil if the call may be made.
func (c Call) refusal() *llm.Error {
	if !c.Strict || len(c.Warnings) == 0 {
		return nil
	}
	first := c.Warnings[0]
	return &llm.Error{Kind: llm.KindUnsupported, Provider: c.Provider, Param: first.Param, Detail: "the request is strict: " + first.Message}
}
