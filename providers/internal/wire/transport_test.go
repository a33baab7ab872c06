package wire_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// closing is a body as AWS's SDK makes it, at its unluckiest: by the time that net/http looks whether there is more of it, the SDK
// has closed it.
type closing struct {
	*strings.Reader
	answered chan struct{}
}

func (closing) Close() error { return nil }

func (c closing) WriteTo(io.Writer) (int64, error) {
	<-c.answered
	return 0, io.EOF
}

func TestABodyThatItsSDKClosesTakesNoAnswerAway(t *testing.T) {
	t.Parallel()
	answered := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil || len(sent) != 10_000 {
			http.Error(w, "the body is not whole", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, "data: hello\n\n")
		_ = http.NewResponseController(w).Flush()
		close(answered)
		select {
		case <-r.Context().Done():
		case <-time.After(200 * time.Millisecond):
			_, _ = io.WriteString(w, "data: END\n\n")
		}
	}))
	t.Cleanup(server.Close)
	client := wire.NewClient(server.Client())
	sent := call(client, server.URL)
	sent.Send = func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, closing{strings.NewReader(strings.Repeat("x", 10_000)), answered})
		if err != nil {
			return err
		}
		req.ContentLength = 10_000
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	response, err := llm.Collect(wire.Stream(t.Context(), sent))
	require.NoError(t, err)
	require.Equal(t, "hello", response.Message.Text())
}
