package wire

import (
	"context"
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
}

// Answer is what the vendor sent back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// OK reports whether the vendor claims success.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// exchange travels in the request's context from [Exchange] to the transport and carries the outcome back.
type exchange struct {
	auth   Auth
	answer Answer
	// answered says that headers came; err is why nothing (more) came.
	answered bool
	err      error
}

type exchangeKey struct{}

// Exchange runs send, which must make exactly one HTTP request with the context it is given through a client of
// [NewClient]. It returns the answer, or an *[llm.Error] of the named provider when no complete answer came. What send
// itself returns counts only if no request was made.
func Exchange(ctx context.Context, provider string, auth Auth, send func(context.Context) error) (Answer, error) {
	if !sendable(auth.Key.Reveal()) {
		return Answer{}, &llm.Error{Kind: llm.KindCredential, Provider: provider, Detail: "the key holds characters that no header may hold"}
	}
	ex := &exchange{auth: auth}
	err := send(context.WithValue(ctx, exchangeKey{}, ex))
	switch {
	case ex.err != nil:
		return Answer{}, networkError(ctx, provider, ex)
	case ex.answered:
		return ex.answer, nil
	case ctx.Err() != nil:
		ex.err = ctx.Err()
		return Answer{}, networkError(ctx, provider, ex)
	default:
		// The SDK's text may quote the prompt, so it goes nowhere.
		_ = err
		return Answer{}, &llm.Error{Kind: llm.KindCallerFault, Provider: provider, Detail: "the request could not be encoded"}
	}
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
