package simulator

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// dripsPerSecond is how often a slow body sends its next bytes.
const dripsPerSecond = 10

// inflict answers a call that meets the fault.
func (x *exchange) inflict(fault *Fault, refused *wireError) {
	latency := fault.Latency
	if latency == 0 && !fault.failing() && !fault.Hang && !fault.Reset {
		latency = x.latency()
	}
	if !x.wait(latency) {
		x.abort()
	}
	switch {
	case fault.Hang:
		x.until(x.r.Context(), nil)
		x.abort()
	case fault.Reset:
		x.reset()
	case fault.failing():
		x.writeError(x.protocol.faultError(fault, x.call.Model), fault)
	default:
		x.writeHealthy(refused, fault)
	}
}

// reset cuts the connection. With a linger of zero the kernel sends RST instead of FIN, as a crashed or overloaded proxy
// does; where the connection cannot be had (HTTP/2) the stream is aborted.
func (x *exchange) reset() {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.abort()
		return
	}
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = secure.NetConn()
	}
	if lingering, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = lingering.SetLinger(0)
	}
	_ = conn.Close()
}

func (x *exchange) writeError(e *wireError, fault *Fault) {
	x.write(e.status, x.protocol.errorBody(e, x.call.RequestID), e, fault)
}

// reply is what headers tell of the answer.
func (x *exchange) reply(now time.Time) *reply {
	return &reply{
		requestID: x.call.RequestID, operation: x.call.Operation, now: now, processing: now.Sub(x.started), limits: x.limits,
	}
}

// write sends the answer. The status is recorded first, so that whoever has the answer finds it in [Simulator.Calls].
func (x *exchange) write(status int, body []byte, e *wireError, fault *Fault) {
	x.protocol.headers(x.w.Header(), x.reply(x.sim.now()), e)
	x.send(status, body, fault)
}

// writeRaw sends an answer whose body [Options.Answer] wrote itself.
func (x *exchange) writeRaw(answer Answer, fault *Fault) {
	status := answer.Status
	if status == 0 {
		status = http.StatusOK
	}
	x.protocol.headers(x.w.Header(), x.reply(x.sim.now()), nil)
	for name, values := range answer.Header {
		x.w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	x.send(status, answer.Body, fault)
}

func (x *exchange) send(status int, body []byte, fault *Fault) {
	slow := 0
	if fault != nil {
		slow = fault.SlowBytes
		switch {
		case fault.Empty:
			body = nil
		case fault.Malformed:
			body = body[:len(body)/2]
		}
		if fault.Status >= 200 && (fault.Empty || fault.Malformed) {
			status = fault.Status
		}
	}
	x.call.Status = status
	if x.call.Seq != 0 { // an unknown path is not recorded
		x.state.calls.update(x.recorded())
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if slow > 0 {
		x.drip(body, slow)
		return
	}
	_, _ = x.w.Write(body) // a client that left is its own affair
}

// drip sends the body at so many bytes a second.
func (x *exchange) drip(body []byte, perSecond int) {
	chunk := max(1, perSecond/dripsPerSecond)
	pause := time.Duration(chunk) * time.Second / time.Duration(perSecond)
	controller := http.NewResponseController(x.w)
	for len(body) > 0 {
		n := min(chunk, len(body))
		if _, err := x.w.Write(body[:n]); err != nil {
			return
		}
		_ = controller.Flush()
		body = body[n:]
		if len(body) > 0 && !x.wait(pause) {
			x.abort()
		}
	}
}
