package simulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"
)

// maxRecordedCalls bounds the memory of a simulator that runs for long: older calls are forgotten.
const maxRecordedCalls = 10_000

// Operation is what a call asked for.
type Operation string

// The operations.
const (
	OperationComplete   Operation = "complete"
	OperationListModels Operation = "list_models"
	OperationEmbed      Operation = "embed"
	// OperationCountTokens asks how many tokens a completion's request has.
	OperationCountTokens Operation = "count_tokens"
	// OperationReadKey asks what a key is good for: OpenRouter's, whose part OpenAI's protocol plays.
	OperationReadKey Operation = "read_key"
)

// free says whether the vendor asks nothing for it, so that it serves to find out whether the vendor is there.
func (o Operation) free() bool {
	return o == OperationCountTokens || o.bodiless()
}

// bodiless says whether it is asked for by GET, without a model.
func (o Operation) bodiless() bool {
	return o == OperationListModels || o == OperationReadKey
}

// Call is a request that reached a vendor.
type Call struct {
	// Seq numbers the vendor's calls from 1 in the order of arrival.
	Seq       int64     `json:"seq"`
	Time      time.Time `json:"time"`
	Vendor    Vendor    `json:"vendor"`
	Operation Operation `json:"operation"`
	// Model is the model asked for; empty when the request could not be read.
	Model string `json:"model,omitempty"`
	// Stream says that a streamed answer was asked for.
	Stream bool `json:"stream,omitempty"`
	// Key is the fingerprint of the key that was sent, never the key: see [Fingerprint]. Empty if none was sent.
	Key string `json:"key,omitempty"`
	// Status is the HTTP status given. It is set before the first byte is sent, and stays 0 while the call is under way
	// and when none was given (a hang, a reset, a client that left).
	Status int `json:"status"`
	// Fault is the id of the fault that the call met.
	Fault string `json:"fault,omitempty"`
	// RequestID is the id that the vendor gave in its headers.
	RequestID string `json:"request_id,omitempty"`
	// Continues says that the request asked to go on with an answer that was begun: one that ends it, at a vendor whose model
	// takes that, or one that is the beginning of what this model says, with one message of the user's behind it.
	Continues bool `json:"continues,omitempty"`
	// Done says that the call is over, with or without a status.
	Done bool `json:"done"`

	// What follows is given to [Options.Answer], and recorded with [Options.RecordBodies] only.

	// Messages is the conversation as it came: OpenAI's and Anthropic's messages, Gemini's contents.
	Messages json.RawMessage `json:"messages,omitempty"`
	// Body is the whole request.
	Body json.RawMessage `json:"body,omitempty"`
	// Text is the text of the last user message.
	Text string `json:"text,omitempty"`
	// Tools names the tools offered.
	Tools []string `json:"tools,omitempty"`

	prompt *prompt
}

// Fingerprint is how a key appears in a [Call]: the first 12 hex digits of its SHA-256.
func Fingerprint(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}

// callLog is a ring of the last calls, and the waiters for the next ones.
type callLog struct {
	mu      sync.Mutex
	ring    []Call
	arrived int64
	waiters []callWaiter
}

type callWaiter struct {
	n     int64
	ready chan struct{}
}

// begin records the arrival and numbers the call.
func (l *callLog) begin(call *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrived++
	call.Seq = l.arrived
	if len(l.ring) < maxRecordedCalls {
		l.ring = append(l.ring, *call)
	} else {
		l.ring[(call.Seq-1)%maxRecordedCalls] = *call
	}
	if len(l.waiters) == 0 {
		return
	}
	waiting := l.waiters[:0]
	for _, waiter := range l.waiters {
		if waiter.n <= l.arrived {
			close(waiter.ready)
		} else {
			waiting = append(waiting, waiter)
		}
	}
	l.waiters = waiting
}

// update writes what became of the call, unless it has been forgotten.
func (l *callLog) update(call *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slot := &l.ring[(call.Seq-1)%maxRecordedCalls]; slot.Seq == call.Seq {
		*slot = *call
	}
}

func (l *callLog) list() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := make([]Call, 0, len(l.ring))
	oldest := int(l.arrived) % maxRecordedCalls
	if len(l.ring) < maxRecordedCalls {
		oldest = 0
	}
	calls = append(calls, l.ring[oldest:]...)
	return append(calls, l.ring[:oldest]...)
}

func (l *callLog) wait(ctx context.Context, n int64) error {
	l.mu.Lock()
	if l.arrived >= n {
		l.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	l.waiters = append(l.waiters, callWaiter{n: n, ready: ready})
	l.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		l.forget(ready)
		return context.Cause(ctx)
	}
}

func (l *callLog) forget(ready chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, waiter := range l.waiters {
		if waiter.ready == ready {
			l.waiters = append(l.waiters[:i], l.waiters[i+1:]...)
			return
		}
	}
}

// Calls lists the vendor's last calls, at most 10,000, oldest first, those under way included.
func (s *Simulator) Calls(vendor Vendor) []Call {
	state, ok := s.vendors[vendor]
	if !ok {
		return nil
	}
	return state.calls.list()
}

// Completions lists the vendor's last calls for a completion: [Simulator.Calls] without the other
// operations.
func (s *Simulator) Completions(vendor Vendor) []Call {
	var completions []Call
	for _, call := range s.Calls(vendor) {
		if call.Operation == OperationComplete {
			completions = append(completions, call)
		}
	}
	return completions
}

// WaitCalls waits until n calls in all have reached the vendor, answered or not. It fails when ctx ends.
func (s *Simulator) WaitCalls(ctx context.Context, vendor Vendor, n int) error {
	state, ok := s.vendors[vendor]
	if !ok {
		return ErrUnknownVendor
	}
	return state.calls.wait(ctx, int64(n))
}
