package mint

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
)

// maxAnswer bounds what is read of an answer. A page of a hundred service accounts has some 20 KiB.
const maxAnswer = 256 << 10

// exchange makes HTTP calls that send secrets: it follows no redirects and reads so much and no more, in so much time.
type exchange struct {
	client  *http.Client
	timeout time.Duration
}

func newExchange(client *http.Client, timeout time.Duration) exchange {
	next := http.DefaultTransport
	if client != nil && client.Transport != nil {
		next = client.Transport
	}
	return exchange{
		client: &http.Client{
			Transport:     shortAnswers{next},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout: cmp.Or(timeout, defaultTimeout),
	}
}

// call is one request. Its operation is what errors call it.
type call struct {
	operation string
	method    string
	address   string
	bearer    llm.Secret
	header    http.Header
	body      []byte
}

// do makes a call and gives the body of its answer, if that is a success. Of an answer that is none only the status is told,
// of a broken connection nothing that came over it.
func (x exchange) do(ctx context.Context, c call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, c.method, c.address, bytes.NewReader(c.body))
	if err != nil {
		return nil, refuse("%s: the address is none", c.operation)
	}
	maps.Copy(request.Header, c.header)
	if c.bearer != "" {
		if !isToken(c.bearer) {
			return nil, refuse("%s: the admin credential holds what no header may hold", c.operation)
		}
		request.Header.Set("Authorization", "Bearer "+c.bearer.Reveal())
	}
	if c.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := x.client.Do(request)
	if err != nil {
		return nil, networkError(ctx, c.operation, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		return nil, &statusError{c.operation, response.StatusCode}
	case err != nil:
		return nil, networkError(ctx, c.operation, err)
	}
	return body, nil
}

// ask makes a call with a JSON body, if it is not nil, and reads the answer into a value.
func (x exchange) ask(ctx context.Context, c call, body, into any) error {
	if body != nil {
		var err error
		if c.body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s: the request cannot be written", c.operation)
		}
	}
	answer, err := x.do(ctx, c)
	if err != nil {
		return err
	}
	if json.Unmarshal(answer, into) != nil {
		return fmt.Errorf("%s: the answer is not of the expected form", c.operation)
	}
	return nil
}

// isToken reports whether a header may hold a secret as it is.
func isToken(secret llm.Secret) bool {
	return !strings.ContainsFunc(secret.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' })
}

// statusError is an answer that is no success.
type statusError struct {
	operation string
	status    int
}

// Error names the operation and the status, and says what to look at.
func (e *statusError) Error() string {
	text := fmt.Sprintf("%s: HTTP %d", e.operation, e.status)
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return text + ": is the admin credential in force, and does it have the permission?"
	case http.StatusNotFound:
		return text + ": do the settings name what exists?"
	}
	return text
}

// Is makes [rotation.ErrRefused] of what will be answered the same the next time.
func (e *statusError) Is(target error) bool {
	return target == rotation.ErrRefused && refuses(e.status)
}

// refuses tells statuses that another try does not change. A redirect is one: the setting names another address than it should. A
// conflict is none: another change of the same thing is under way.
func refuses(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return status >= 300 && status < 500
	}
}

// isGone reports whether an error says that what was named does not exist.
func isGone(err error) bool {
	answered, ok := errors.AsType[*statusError](err)
	return ok && (answered.status == http.StatusNotFound || answered.status == http.StatusGone)
}

// networkError says why there was no answer. The errors of net/http quote addresses and what servers sent, so that of them only
// those of connecting are passed on.
func networkError(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: no answer in time: %w", operation, ctx.Err())
	}
	if errors.Is(err, errTooLong) {
		return fmt.Errorf("%s: %w", operation, errTooLong)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%s: the server's certificate is not trusted here", operation)
	}
	if dialling, ok := errors.AsType[*net.OpError](err); ok && dialling.Op == "dial" {
		return fmt.Errorf("%s: %w", operation, dialling)
	}
	return fmt.Errorf("%s: the connection broke", operation)
}

var errTooLong = errors.New("the answer is longer than any that was expected")

// shortAnswers bounds the bodies of answers.
type shortAnswers struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (s shortAnswers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := s.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = &shortBody{ReadCloser: response.Body, left: maxAnswer}
	return response, nil
}

type shortBody struct {
	io.ReadCloser
	left int
}

// Read implements [io.Reader].
func (b *shortBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
