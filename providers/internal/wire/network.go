package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/holdfast-dev/holdfast/llm"
)

// networkError classifies why no complete answer came. The cause it attaches is the context's error or the system's,
// never one that holds a URL or a body.
func networkError(ctx context.Context, provider string, ex *exchange) *llm.Error {
	e := &llm.Error{Kind: llm.KindTransient, Provider: provider}
	if ex.answered {
		e.Status = ex.answer.Status
	}
	err := ex.err
	var (
		timeout net.Error
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		errno   syscall.Errno
	)
	switch {
	case errors.Is(err, errTooLarge):
		e.Kind, e.Detail = llm.KindBadOutput, errTooLarge.Error()
		return e
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Kind, e.Detail = llm.KindTimeout, "the deadline passed"
		return e.WithCause(context.DeadlineExceeded)
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind, e.Detail = llm.KindCancelled, "the call was cancelled"
		return e.WithCause(context.Canceled)
	case errors.As(err, &dns):
		e.Detail = "the host name could not be resolved"
	case errors.As(err, &cert), errors.As(err, &unknown):
		e.Detail = "the server's certificate is not trusted"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Kind, e.Detail = llm.KindTimeout, "the connection timed out"
	case ex.answered:
		e.Kind, e.Detail = llm.KindStreamBroken, "the answer was cut"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Detail = "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Detail = "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Detail = "the connection closed without an answer"
	default:
		e.Detail = "network failure"
	}
	if errors.As(err, &errno) {
		return e.WithCause(errno)
	}
	return e
}
