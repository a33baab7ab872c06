package llm

import "context"

// Provider completes requests at one endpoint of one vendor. It is safe for concurrent use, never retries by itself, and
// honours the context's deadline.
type Provider interface {
	// Complete returns the whole answer, or an error whose chain holds an *[Error]. An empty or unusable answer is an
	// error of kind [KindBadOutput], never an empty Response.
	Complete(ctx context.Context, key Secret, req Request) (Response, error)
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
