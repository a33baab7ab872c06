package bench

import (
	"context"
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

// chat is one POST of a chat completion: the answer is read to its end and thrown away.
func chat(client *http.Client, url, model, token string) func(context.Context) error {
	body := chatBody(model)
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close() //nolint:errcheck // the answer has been read
		if response.StatusCode == http.StatusOK {
			n, err := io.Copy(io.Discard, response.Body)
			if err == nil && n < answerBytes {
				err = fmt.Errorf("an answer of %d bytes, less than its text", n)
			}
			return err
		}
		start, _ := io.ReadAll(io.LimitReader(response.Body, 300))
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && response.StatusCode == http.StatusServiceUnavailable {
			return &refused{after: time.Duration(seconds) * time.Second}
		}
		return fmt.Errorf("status %d: %s", response.StatusCode, start)
	}
}

// answerBytes is the length of each simulated answer's text.
const answerBytes = 2048
