package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// Auth says how one call proves who it is: Header is set to Prefix followed by Key. With an empty Key no header is set,
// which is what self-hosted endpoints without authentication expect.
type Auth struct {
	Header string
	Prefix string
	Key    llm.Secret
	// Sign, if set, is called with the request as it is about to be sent, in place of setting Header: for signatures.
	Sign func(*http.Request) error
}

// Answer is what the vendor sent back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// OK reports whether the vendor claims success.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// exchange travels in the request's context from the call to the transport and carries the outcome back.
type exchange struct {
	// ctx is the caller's own: what an SDK derives from it may end when the SDK has what it wants.
	ctx    context.Context //nolint:containedctx // it travels to the transport, which cannot be handed it otherwise
	auth   Auth
	answer Answer
	// limit is what the answer's headers say of the account's limits.
	limit *llm.RateLimit
	// answered says that headers came; err is why nothing (more) came.
	answered bool
	err      error
	// live asks for the body of a success to be left unread, in body.
	live bool
	body io.ReadCloser
}

type exchangeKey struct{}

// run makes the exchange, by a call of send. It returns nil when an answer came.
func (ex *exchange) run(provider string, send func(context.Context) error) *llm.Error {
	if !sendable(ex.auth.Key.Reveal()) {
		return &llm.Error{Kind: llm.KindCredential, Provider: provider, Detail: "the key holds characters that no header may hold"}
	}
	err := send(context.WithValue(ex.ctx, exchangeKey{}, ex))
	switch {
	case ex.err != nil:
		if failure, ok := errors.AsType[*llm.Error](ex.err); ok { // of Sign
			return failure
		}
		return networkError(ex.ctx, provider, ex)
	case ex.answered:
		return nil
	case ex.ctx.Err() != nil:
		ex.err = ex.ctx.Err()
		return networkError(ex.ctx, provider, ex)
	default:
		// The SDK's text may quote the prompt, so it goes nowhere.
		_ = err
		return &llm.Error{Kind: llm.KindCallerFault, Provider: provider, Detail: "the request could not be encoded"}
	}
}

// told puts on an error what is said of every answer, and takes the key from it.
func (ex *exchange) told(e *llm.Error) *llm.Error {
	e.RateLimit = ex.limit
	return Scrub(e, ex.auth.Key)
}

// Scrub removes the key from the vendor's words in e, in case an endpoint echoes it there.
func Scrub(e *llm.Error, key llm.Secret) *llm.Error {
	secret := key.Reveal()
	if secret == "" {
		return e
	}
	for _, word := range []*string{&e.Code, &e.Param, &e.RequestID} {
		if strings.Contains(*word, secret) {
			*word = ""
		}
	}
	return e
}

// sendable reports whether s may stand in an HTTP header (RFC 9110, section 5.5).
func sendable(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}
