package providertest

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
)

// Key is the credential that the checks call with.
const Key = llm.Secret("sk-test-0123456789abcdef")

// Open makes the adapter under test for an endpoint.
type Open func(t testing.TB, baseURL string, client *http.Client) llm.Provider

// Received is one request that a [Vendor] got.
type Received struct {
	Method string
	Path   string
	Query  string
	Header http.Header
	Body   []byte
}

// Vendor is a server on the loopback interface that gives every request the same answer.
type Vendor struct {
	*httptest.Server
	mu       sync.Mutex
	received []Received
}

// NewVendor starts a vendor that answers with answer, a complete HTTP response as on the wire.
func NewVendor(t testing.TB, answer []byte) *Vendor {
	t.Helper()
	v := &Vendor{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		v.mu.Lock()
		v.received = append(v.received, Received{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body})
		v.mu.Unlock()
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), r)
		if err != nil {
			panic(err)
		}
		defer func() { _ = resp.Body.Close() }()
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(v.Close)
	return v
}

// Received lists the requests so far.
func (v *Vendor) Received() []Received {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Received(nil), v.received...)
}

// One is the only request received.
func (v *Vendor) One(t testing.TB) Received {
	t.Helper()
	received := v.Received()
	require.Len(t, received, 1)
	return received[0]
}

// JSON is a successful answer with the given body, as on the wire.
func JSON(body []byte) []byte {
	return append([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"), body...)
}

// Canned is a round tripper that answers every request with one body, without a network.
type Canned struct {
	Status int
	Header http.Header
	Body   []byte
}

// RoundTrip implements [http.RoundTripper].
func (c Canned) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	header := c.Header
	if header == nil {
		header = http.Header{"Content-Type": {"application/json"}}
	}
	return &http.Response{
		StatusCode: c.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(c.Body)), ContentLength: int64(len(c.Body)), Request: req,
	}, nil
}
