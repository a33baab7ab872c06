package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// MaxBody is how many bytes of an answer are read at most. A longer one is an error of kind bad_output.
const MaxBody = 64 << 20

var (
	errTooLarge   = errors.New("the answer exceeds the size limit")
	errNoExchange = errors.New("request made outside an exchange")
)

// NewHTTPClient makes the client that adapters share: thousands of concurrent calls to a handful of hosts, each lasting
// from milliseconds to many minutes. It has no overall timeout, since the context carries the deadline.
func NewHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: dialer.DialContext,
		// A model thinks for minutes without sending a byte: pings, not a header timeout, find out dead connections.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           0, // no limit over all hosts; each has its own
		MaxIdleConnsPerHost:    2048,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}}
}

// NewClient is base with the exchange's transport around its own; nil stands for [NewHTTPClient]. The result follows no
// redirect, since a POST with a key in it belongs at the configured address only, and keeps no cookies.
func NewClient(base *http.Client) *http.Client {
	if base == nil {
		base = NewHTTPClient()
	}
	client := *base
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = transport{next: client.Transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Jar = nil
	return &client
}

type transport struct {
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ex, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errNoExchange
	}
	out := req.Clone(ex.ctx) //nolint:contextcheck // the caller's, which outlives the SDK's
	if err := ownBody(out); err != nil {
		ex.err = err
		return nil, err
	}
	// Whatever an SDK took from the environment or from a placeholder goes; the call's own key is the only one.
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key", "Cookie", "X-Amz-Security-Token"} {
		out.Header.Del(name)
	}
	switch key := ex.auth.Key.Reveal(); {
	case ex.auth.Sign != nil:
		if err := ex.auth.Sign(out); err != nil {
			ex.err = err
			return nil, err
		}
	case key != "":
		out.Header.Set(ex.auth.Header, ex.auth.Prefix+key)
	}
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		ex.err = err
		return nil, err
	}
	ex.answered = true
	ex.answer = Answer{Status: resp.StatusCode, Header: resp.Header}
	ex.limit = RateLimit(resp.Header, time.Now())
	if ex.live && ex.answer.OK() {
		ex.body = resp.Body
		return placeholder(req), nil
	}
	body, err := readBounded(resp.Body, MaxBody)
	ex.answer.Body = body
	if err != nil {
		ex.err = err
		return nil, err
	}
	return placeholder(req), nil
}

// ownBody puts a copy in the place of a body that its SDK can neither give again nor let be. AWS's closes it as soon as the
// headers of an answer have come, and what it has closed fails (smithy-go 1.28, safeWriteToReadCloser) where net/http looks
// whether there is more of it, which may be later: that takes the connection away from under the answer.
func ownBody(req *http.Request) error {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return nil
	}
	defer func(body io.Closer) { _ = body.Close() }(req.Body) // all of it has been read, or what failed has been said
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	req.Body, err = req.GetBody()
	return err
}

// readBounded reads and closes body, or fails when it is longer than limit.
func readBounded(body io.ReadCloser, limit int64) ([]byte, error) {
	defer func() { _ = body.Close() }() // everything wanted from it has been read
	content, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, errTooLarge
	}
	return content, nil
}

// placeholder is the answer shown to the SDK, which has nothing left to do.
func placeholder(req *http.Request) *http.Response {
	const empty = "{}"
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(empty))}},
		Body:          io.NopCloser(bytes.NewReader([]byte(empty))),
		ContentLength: int64(len(empty)),
		Request:       req,
	}
}
