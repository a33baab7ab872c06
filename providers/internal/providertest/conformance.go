package providertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
)

// Contract describes the adapter under test to [Conformance].
type Contract struct {
	Open  Open
	Model string
	// Good is the body of a successful answer.
	Good []byte
	// AuthHeader and AuthPrefix say how the key travels.
	AuthHeader, AuthPrefix string
}

// Conformance checks what every adapter must do whatever its vendor.
func Conformance(t *testing.T, c Contract) {
	t.Helper()
	t.Run("the call's key and no other is sent", c.sendsKey)
	t.Run("without a key no credential is sent", c.sendsNoKey)
	t.Run("a key that fits no header is a credential error", c.refusesKey)
	t.Run("a failure is not retried", c.neverRetries)
	t.Run("a redirect is not followed", c.neverRedirects)
	t.Run("a refused connection is transient", c.refusedConnection)
	t.Run("a closed connection is transient", c.closedConnection)
	t.Run("a cut answer is a broken stream", c.cutAnswer)
	t.Run("an endless answer is bad output", c.endlessAnswer)
	t.Run("the deadline is a timeout", c.deadline)
	t.Run("cancelling cancels", c.cancelling)
	t.Run("calls with different keys do not mix", c.manyKeys)
	t.Run("an echoed key is not kept", c.echoedKey)
	t.Run("the address's form is checked", c.checksAddress)
	t.Run("a probe tells whether the key is taken", c.probes)
	t.Run("a probe ends with its context", c.probeEnds)
}

// complete makes the simplest call and returns its error as the canonical one.
func (c Contract) fail(ctx context.Context, t *testing.T, baseURL string, key llm.Secret) *llm.Error {
	t.Helper()
	_, err := c.Open(t, baseURL, nil).Complete(ctx, key, Hello(c.Model))
	var e *llm.Error
	require.ErrorAs(t, err, &e)
	require.NotContains(t, fmt.Sprintf("%v %+v", err, errors.Unwrap(e)), Key.Reveal())
	return e
}

func (c Contract) sendsKey(t *testing.T) {
	t.Parallel()
	vendor := NewVendor(t, JSON(c.Good))
	_, err := c.Open(t, vendor.URL, nil).Complete(t.Context(), Key, Hello(c.Model))
	require.NoError(t, err)
	request := vendor.One(t)
	require.Equal(t, []string{c.AuthPrefix + Key.Reveal()}, request.Header.Values(c.AuthHeader))
	require.Equal(t, c.AuthHeader, strings.Join(credentials(request.Header), " "))
	require.NotContains(t, request.Query+string(request.Body), Key.Reveal())
}

func (c Contract) sendsNoKey(t *testing.T) {
	t.Parallel()
	vendor := NewVendor(t, JSON(c.Good))
	_, err := c.Open(t, vendor.URL, nil).Complete(t.Context(), "", Hello(c.Model))
	require.NoError(t, err)
	require.Empty(t, credentials(vendor.One(t).Header))
}

// credentials lists the headers that may carry one.
func credentials(header http.Header) []string {
	var found []string
	for name := range header {
		lower := strings.ToLower(name)
		if strings.Contains(lower, "key") || strings.Contains(lower, "auth") || strings.Contains(lower, "token") || lower == "cookie" {
			found = append(found, name)
		}
	}
	return found
}

// Environment checks that what is set in the environment reaches no request. It sets variables, so the test that calls
// it cannot be parallel.
func Environment(t *testing.T, c Contract, names ...string) {
	t.Helper()
	const foreign = "from-the-environment"
	for _, name := range names {
		value := foreign
		if strings.Contains(name, "URL") {
			value = "http://127.0.0.1:1/" + foreign
		}
		if strings.Contains(name, "HEADERS") {
			value = "X-Foreign: " + foreign
		}
		t.Setenv(name, value)
	}
	vendor := NewVendor(t, JSON(c.Good))
	for _, key := range []llm.Secret{"", Key} {
		_, err := c.Open(t, vendor.URL, nil).Complete(t.Context(), key, Hello(c.Model))
		require.NoError(t, err)
	}
	for _, request := range vendor.Received() {
		require.NotContains(t, fmt.Sprint(request.Header, request.Path, request.Query, string(request.Body)), foreign)
	}
	require.Empty(t, credentials(vendor.Received()[0].Header))
	require.Equal(t, []string{c.AuthHeader}, credentials(vendor.Received()[1].Header))
}

func (c Contract) refusesKey(t *testing.T) {
	t.Parallel()
	vendor := NewVendor(t, JSON(c.Good))
	require.Equal(t, llm.KindCredential, c.fail(t.Context(), t, vendor.URL, "key\r\nX-Evil: 1").Kind)
	require.Empty(t, vendor.Received())
}

func (c Contract) neverRetries(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 409, 429, 500, 503} {
		vendor := NewVendor(t, fmt.Appendf(nil, "HTTP/1.1 %d Bad\r\nRetry-After: 0\r\nX-Should-Retry: true\r\n\r\n", status))
		require.Equal(t, status, c.fail(t.Context(), t, vendor.URL, Key).Status)
		require.Len(t, vendor.Received(), 1)
	}
}

func (c Contract) neverRedirects(t *testing.T) {
	t.Parallel()
	other := NewVendor(t, JSON(c.Good))
	for _, status := range []int{301, 302, 307, 308} {
		vendor := NewVendor(t, fmt.Appendf(nil, "HTTP/1.1 %d Moved\r\nLocation: %s/elsewhere\r\n\r\n", status, other.URL))
		e := c.fail(t.Context(), t, vendor.URL, Key)
		require.Equal(t, llm.KindUnknown, e.Kind)
		require.Equal(t, status, e.Status)
	}
	require.Empty(t, other.Received())
}

func (c Contract) refusedConnection(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	e := c.fail(t.Context(), t, "http://"+listener.Addr().String(), Key)
	require.Equal(t, llm.KindTransient, e.Kind)
	require.Equal(t, "connection refused", e.Detail)
	require.Zero(t, e.Status)
}

// hijacked is a server that writes text on each connection, after reading its request's head, and closes it.
func hijacked(t *testing.T, text string) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		requests.Add(1)
		conn, _, err := w.(http.Hijacker).Hijack() //nolint:errcheck // a server of HTTP/1 hijacks
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func (c Contract) closedConnection(t *testing.T) {
	t.Parallel()
	url, requests := hijacked(t, "")
	e := c.fail(t.Context(), t, url, Key)
	require.Equal(t, llm.KindTransient, e.Kind)
	require.EqualValues(t, 1, requests.Load(), "a failure of the network is not retried either")
	require.NotEmpty(t, e.Detail)
}

func (c Contract) cutAnswer(t *testing.T) {
	t.Parallel()
	url, requests := hijacked(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"id\":")
	e := c.fail(t.Context(), t, url, Key)
	require.EqualValues(t, 1, requests.Load())
	require.Equal(t, llm.KindStreamBroken, e.Kind)
	require.Equal(t, 200, e.Status)
}

func (c Contract) endlessAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		block := make([]byte, 1<<20)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	require.Equal(t, llm.KindBadOutput, c.fail(t.Context(), t, server.URL, Key).Kind)
}

// silent is a server that takes requests and never answers; entered gets one value per request.
func silent(t *testing.T) (url string, entered chan struct{}) {
	t.Helper()
	entered = make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		entered <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.URL, entered
}

func (c Contract) deadline(t *testing.T) {
	t.Parallel()
	url, _ := silent(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	e := c.fail(ctx, t, url, Key)
	require.Equal(t, llm.KindTimeout, e.Kind)
	require.ErrorIs(t, e, context.DeadlineExceeded)
}

func (c Contract) cancelling(t *testing.T) {
	t.Parallel()
	url, entered := silent(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-entered
		cancel()
	}()
	e := c.fail(ctx, t, url, Key)
	require.Equal(t, llm.KindCancelled, e.Kind)
	require.ErrorIs(t, e, context.Canceled)
	require.Equal(t, llm.KindCancelled, c.fail(ctx, t, url, Key).Kind, "a context that is over before the call")
}

func (c Contract) manyKeys(t *testing.T) {
	t.Parallel()
	var seen sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen.Store(strings.TrimPrefix(r.Header.Get(c.AuthHeader), c.AuthPrefix), string(body))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(c.Good)
	}))
	t.Cleanup(server.Close)
	provider := c.Open(t, server.URL, nil)
	const calls = 64
	failures := make(chan error, calls)
	for i := range calls {
		go func() {
			key := llm.Secret(fmt.Sprintf("key-%03d", i))
			_, err := provider.Complete(t.Context(), key, llm.Request{Model: c.Model, Messages: []llm.Message{
				{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("prompt of " + key.Reveal())}},
			}})
			failures <- err
		}()
	}
	for range calls {
		require.NoError(t, <-failures)
	}
	for i := range calls {
		key := fmt.Sprintf("key-%03d", i)
		body, ok := seen.Load(key)
		require.True(t, ok, key)
		require.Contains(t, body, "prompt of "+key)
	}
}

func (c Contract) echoedKey(t *testing.T) {
	t.Parallel()
	key := Key.Reveal()
	answer := fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nRequest-Id: %[1]s\r\nX-Request-Id: %[1]s\r\n\r\n"+
		`{"request_id":%[1]q,"error":{"type":%[1]q,"code":%[1]q,"status":%[1]q,"param":%[1]q,"message":"your key %[1]s"}}`, key)
	vendor := NewVendor(t, []byte(answer))
	e := c.fail(t.Context(), t, vendor.URL, Key)
	require.NotContains(t, fmt.Sprintf("%+v", *e), key)
}

func (c Contract) checksAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"api.example.com/v1", "ftp://api.example.com", "https://", "https://user:secret@host/v1", "https://host/v1?key=secret", "http://a b", "https://host/#x"} {
		require.Error(t, try(c.Open, t, address), address)
	}
}

// try opens an adapter and gives the error that [Open] reports through a failing test.
func try(open Open, t *testing.T, address string) error {
	t.Helper()
	recorder := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		open(recorder, address, nil)
	}()
	<-done
	if recorder.failed {
		return errors.New("refused")
	}
	return nil
}
