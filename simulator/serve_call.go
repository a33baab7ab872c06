package simulator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// bodyTimeout bounds how long a client may take to send its request.
const bodyTimeout = time.Minute

// exchange is one call on its way through the simulator.
type exchange struct {
	sim      *Simulator
	state    *vendorState
	protocol protocol
	w        http.ResponseWriter
	r        *http.Request
	call     Call
	key      string
	started  time.Time
	// rest is the answer to a call that continues one; nil for other calls.
	rest *Answer
	// limits are what is left of the vendor's limits after the call.
	limits limits
}

func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, vendor Vendor, state *vendorState) {
	now := s.now()
	x := &exchange{sim: s, state: state, protocol: state.protocol, w: w, r: r, started: now}
	x.key = x.protocol.key(r)
	x.call = Call{Time: now, Vendor: vendor, Key: Fingerprint(x.key), RequestID: x.protocol.requestID(s.ids)}

	operation, model, refused := x.protocol.route(r)
	if refused != nil { // not a call of the API: told, not recorded
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, s.options.MaxBodyBytes))
		x.writeError(refused, nil)
		return
	}
	x.call.Operation, x.call.Model = operation, model
	if !operation.bodiless() {
		var body []byte
		if body, refused = x.readBody(); refused == nil {
			x.call.prompt, refused = x.protocol.parse(r, model, body)
		}
		x.describe()
	}
	x.record()
	defer x.finish()
	x.answer(refused)
}

// readBody reads all of the body, in bounded time. The server notices that a client has left only once the body has been
// read, and a deadline that stayed behind would be taken for that.
func (x *exchange) readBody() ([]byte, *wireError) {
	controller := http.NewResponseController(x.w)
	_ = controller.SetReadDeadline(time.Now().Add(bodyTimeout)) // not supported by test recorders
	defer func() { _ = controller.SetReadDeadline(time.Time{}) }()
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, x.sim.options.MaxBodyBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, x.protocol.faultError(&Fault{Status: http.StatusRequestEntityTooLarge}, x.call.Model)
	}
	if err != nil { // the client left while sending: what is written goes nowhere
		return nil, x.protocol.faultError(&Fault{Status: http.StatusBadRequest}, x.call.Model)
	}
	return body, nil
}

// describe copies what the call says about its request.
func (x *exchange) describe() {
	p := x.call.prompt
	if p == nil {
		return
	}
	x.call.Stream = p.stream
	x.call.Model, x.call.Text, x.call.Messages, x.call.Body = p.model, p.text, p.messages, p.body
	for _, tool := range p.tools {
		x.call.Tools = append(x.call.Tools, tool.name)
	}
}

// recorded is the call as it is kept.
func (x *exchange) recorded() *Call {
	call := x.call
	call.prompt = nil
	if !x.sim.options.RecordBodies {
		call.Messages, call.Body, call.Text, call.Tools = nil, nil, "", nil
	}
	return &call
}

func (x *exchange) record() {
	call := x.recorded()
	x.state.calls.begin(call)
	x.call.Seq = call.Seq
}

func (x *exchange) finish() {
	x.call.Done = true
	x.state.calls.update(x.recorded())
}

// answer decides what the call gets: the key is looked at first, then the account's limits, then faults, then the request
// itself, as at a vendor whose front door works.
func (x *exchange) answer(refused *wireError) {
	if !x.sim.keys.accepts(x.key) {
		x.writeError(x.protocol.badKey(x.r, x.key), nil)
		return
	}
	if x.limited() {
		return
	}
	if refused == nil {
		x.resume()
	}
	if fault, met := x.state.faults.pick(&x.call, x.key, x.started); met {
		x.call.Fault = fault.ID
		x.inflict(&fault, refused)
		return
	}
	if refused == nil && !x.wait(x.latency()) {
		x.abort()
	}
	x.writeHealthy(refused, nil)
}

// latency is what a healthy call takes.
func (x *exchange) latency() time.Duration {
	if x.call.Operation != OperationComplete && x.call.Operation != OperationEmbed {
		return 0
	}
	return x.state.behaviour.Load().Latency
}

// writeHealthy writes the answer, or what is wrong with the request; fault, if any, mangles the body.
func (x *exchange) writeHealthy(refused *wireError, fault *Fault) {
	if refused == nil && x.sim.options.StrictModels && !x.call.Operation.bodiless() && !x.listed() {
		refused = x.protocol.unknownModel(x.call.Model)
	}
	if refused != nil {
		x.writeError(refused, fault)
		return
	}
	p := x.call.prompt
	switch x.call.Operation {
	case OperationListModels:
		x.write(http.StatusOK, x.protocol.listModels(x.state.models), nil, fault)
		return
	case OperationReadKey:
		x.write(http.StatusOK, openRouterKey(), nil, fault)
		return
	case OperationEmbed:
		x.write(http.StatusOK, x.protocol.embed(p, embeddings(p), x.sim.ids), nil, fault)
		return
	case OperationCountTokens:
		if counter, ok := x.protocol.(tokenCounter); ok {
			x.write(http.StatusOK, counter.countTokens(p), nil, fault)
			return
		}
	case OperationComplete:
	}
	answer := x.compose()
	if answer.Body != nil || answer.Status != 0 {
		x.writeRaw(answer, fault)
		return
	}
	shaped := shape(p, answer)
	x.repeat(&shaped)
	if p.stream {
		x.stream(shaped, fault)
		return
	}
	x.write(http.StatusOK, x.protocol.render(p, shaped, x.sim.ids, x.sim.now()), nil, fault)
}

func (x *exchange) compose() Answer {
	if x.rest != nil {
		return *x.rest
	}
	return x.sim.said(x.call)
}

// said is what the model says to a call.
func (s *Simulator) said(call Call) Answer {
	if s.options.Answer != nil {
		return s.options.Answer(call)
	}
	return s.DefaultAnswer(call)
}

func (x *exchange) listed() bool {
	return slices.Contains(x.state.models, x.call.Model)
}

// wait passes the time and says whether it passed whole: false if the client left or the simulator was closed.
func (x *exchange) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	return x.until(x.r.Context(), timer.C)
}

func (x *exchange) until(ctx context.Context, done <-chan time.Time) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	case <-x.sim.closed:
		return false
	}
}

// abort ends the call without an answer: net/http closes the connection and logs nothing.
func (x *exchange) abort() { panic(http.ErrAbortHandler) }
