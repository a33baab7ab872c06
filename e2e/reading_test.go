package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// reading is a stream as an application reads it that knows Holdfast's places and notices: over any number of connections.
type reading struct {
	id string
	// text, arguments and finish are what the answer says so far.
	text, arguments, finish string
	tokens                  int64
	// event is the id of the last event that has one, place its number.
	event string
	place int64
	// places are those of all events, in the order in which they came.
	places   []int64
	restarts int
	done     bool
	// failed is the code of an error in band.
	failed string
	// connections counts the streams that were read.
	connections int
}

type streamChunk struct {
	SequenceNumber int64 `json:"sequence_number"`
	Choices        []struct {
		Delta struct {
			Content   string `json:"content"`
			ToolCalls []struct {
				Function struct {
					Arguments string `json:"arguments"`
				} `json:"function"`
			} `json:"tool_calls"`
		} `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		CompletionTokens int64 `json:"completion_tokens"`
	} `json:"usage"`
	Holdfast *struct {
		Event string `json:"event"`
	} `json:"holdfast"`
	Error *struct {
		Code string `json:"code"`
	} `json:"error"`
}

// streamBody is a request for a stream.
func streamBody(route, prompt string, extra map[string]any) map[string]any {
	body := map[string]any{
		"model": route, "stream": true, "stream_options": map[string]any{"include_usage": true},
		"messages": []map[string]string{{"role": "user", "content": prompt}},
	}
	for name, value := range extra {
		body[name] = value
	}
	return body
}

// open begins a stream; what is not a stream is an error.
func (c client) open(ctx context.Context, method, path string, body any, headers ...string) (*http.Response, error) {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := (&http.Client{Transport: c.http.Transport}).Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		content, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		return nil, fmt.Errorf("%w: %d %s", errNoStream, response.StatusCode, content)
	}
	return response, nil
}

var errNoStream = errors.New("no stream")

// read reads a stream to its end, or until stop says so after an event. The error is the connection's.
func (r *reading) read(response *http.Response, stop func() bool) error {
	defer func() { _ = response.Body.Close() }()
	r.connections++
	r.id = response.Header.Get("X-Holdfast-Completion-Id")
	lines := bufio.NewReader(response.Body)
	event := ""
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		line = strings.TrimRight(line, "\n")
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			event = id
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		if err := r.take(data, event); err != nil {
			return err
		}
		event = ""
		if stop != nil && stop() {
			return nil
		}
	}
}

func (r *reading) take(data, event string) error {
	if data == "[DONE]" {
		r.done = true
		return nil
	}
	var chunk streamChunk
	if err := json.Unmarshal([]byte(data), &chunk); err != nil {
		return fmt.Errorf("%q: %w", data, err)
	}
	if chunk.Error != nil {
		r.failed = chunk.Error.Code
	}
	if chunk.Holdfast != nil && chunk.Holdfast.Event == "restart" {
		r.text, r.arguments, r.finish = "", "", ""
		r.restarts++
	}
	for _, choice := range chunk.Choices {
		r.text += choice.Delta.Content
		for _, call := range choice.Delta.ToolCalls {
			r.arguments += call.Function.Arguments
		}
		if choice.FinishReason != "" {
			r.finish = choice.FinishReason
		}
	}
	if chunk.Usage != nil {
		r.tokens = chunk.Usage.CompletionTokens
	}
	if chunk.SequenceNumber > 0 {
		r.place, r.event = chunk.SequenceNumber, event
		r.places = append(r.places, chunk.SequenceNumber)
	}
	return nil
}

// ask asks for a stream and reads it to its end.
func (c client) ask(t testing.TB, body map[string]any, headers ...string) *reading {
	t.Helper()
	response, err := c.open(within(t, late), http.MethodPost, "/v1/chat/completions", body, headers...)
	require.NoError(t, err)
	got := &reading{}
	require.NoError(t, got.read(response, nil))
	return got
}

// resume goes on with a stream behind what was read of it.
func (c client) resume(ctx context.Context, r *reading, stop func() bool) error {
	path := fmt.Sprintf("/v1/chat/completions/%s?stream=true&include_usage=true&starting_after=%d", r.id, r.place)
	response, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return r.read(response, stop)
}

// requireOrder requires each place to come once, in order.
func (r *reading) requireOrder(t testing.TB) {
	t.Helper()
	for i := 1; i < len(r.places); i++ {
		require.Greater(t, r.places[i], r.places[i-1], "%v", r.places)
	}
}
