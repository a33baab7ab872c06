package llm

import (
	"context"
	"iter"
)

// Provider completes requests at one endpoint of one vendor. It is safe for concurrent use, never retries by itself, and
// honours the context's deadline.
type Provider interface {
	// Complete returns the whole answer, or an error whose chain holds an *[Error]. An empty or unusable answer is an
	// error of kind [KindBadOutput], never an empty Response.
	Complete(ctx context.Context, key Secret, req Request) (Response, error)
	// Stream is Complete, event by event. The call is made when the sequence is ranged over, once at most, and ended when
	// the loop is left. A failure is the last thing that comes, with an error as Complete's; without one the answer was
	// whole. See [EventType] for the order of events, and [Collect] for the way back to a Response.
	Stream(ctx context.Context, key Secret, req Request) iter.Seq2[Event, error]
}

// Prefiller is a [Provider] some of whose models go on with an answer whose beginning is the request's last message, the
// assistant's.
type Prefiller interface {
	// Prefills reports whether req's model, which has the vendor's own name, does so: word for word, without repeating the
	// beginning, and with req's other parameters as they are. The messages are not looked at. White space at the end of the
	// beginning may be lost on the way, and then stands, or not, before what comes.
	Prefills(req Request) bool
}

// Prober is a [Provider] whose vendor can be asked, at no cost, whether it takes calls.
type Prober interface {
	// Probe makes a call that costs nothing, such as listing models. A nil error says that the endpoint answers and takes the key;
	// it says nothing about the load on model, which has the vendor's own name. Errors are as those of [Provider.Complete].
	Probe(ctx context.Context, key Secret, model string) error
}

// Counter is a [Provider] whose vendor counts the tokens of a request, at no cost.
type Counter interface {
	// CountTokens says how many tokens the prompt of req has, whose model has the vendor's own name. Errors are as those of
	// [Provider.Complete]; one of [KindUnsupported] says that this endpoint does not count.
	CountTokens(ctx context.Context, key Secret, req Request) (int64, error)
}

// Secret is a credential in clear. It prints as "[redacted]" wherever it is formatted, logged or marshalled.
type Secret string

const redacted = "[redacted]"

func (s Secret) String() string { return redacted }

// GoString keeps %#v from revealing the secret.
func (s Secret) GoString() string { return redacted }

// MarshalText keeps encoders from revealing the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal gives the secret in clear, for the one place that sends it to the vendor.
func (s Secret) Reveal() string { return string(s) }
