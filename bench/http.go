package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// httpClient keeps a connection per client, and never negotiates or compresses.
func httpClient(connections int) *http.Client {
	return &http.Client{
		Timeout: 2 * time.Minute,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConns:        0,
			MaxIdleConnsPerHost: connections,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true,
			WriteBufferSize:     8 << 10,
			ReadBufferSize:      8 << 10,
		},
	}
}

// chatBody is a request of about promptBytes for the model.
func chatBody(model string) string {
	const promptBytes = 2048
	prompt := strings.Repeat("Say it once more. ", promptBytes/18)
	return fmt.Sprintf(`{"model": %q, "messages": [{"role": "user", "content": %q}]}`, model, prompt)
}

// call posts a body of that length as JSON. An answer that is not a success becomes an error, a refusal with a time to come
// back a [refused].
func call(ctx context.Context, client *http.Client, url, token string, body io.Reader, length int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = length
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close() //nolint:errcheck // what is needed of it has been read
	start, _ := io.ReadAll(io.LimitReader(response.Body, 300))
	if after, ok := retryAfter(response); ok {
		return nil, &refused{after: after}
	}
	return nil, fmt.Errorf("status %d: %s", response.StatusCode, start)
}

// retryAfter is when a client that was turned away in good order may come back.
func retryAfter(response *http.Response) (time.Duration, bool) {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second, err == nil && response.StatusCode == http.StatusServiceUnavailable
}

// chat is one POST of a chat completion: the answer is read to its end and thrown away.
func chat(client *http.Client, url, model, token string) func(context.Context) error {
	body := chatBody(model)
	return func(ctx context.Context) error {
		response, err := call(ctx, client, url, token, strings.NewReader(body), int64(len(body)))
		if err != nil {
			return err
		}
		defer response.Body.Close() //nolint:errcheck // the answer has been read
		n, err := io.Copy(io.Discard, response.Body)
		if err == nil && n < answerBytes {
			err = fmt.Errorf("an answer of %d bytes, less than its text", n)
		}
		return err
	}
}

// answerBytes is the length of each simulated answer's text.
const answerBytes = 2048

// listenLocally serves on a free port until it is stopped; stop says how serving went.
func listenLocally(ctx context.Context, handler http.Handler) (address string, stop func() error, err error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() error {
		_ = server.Close()
		if err := <-serving; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}
