package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tally is what the clients of a measurement observed of their streams. What happens while it counts is counted; how streams
// end, always.
type tally struct {
	counting atomic.Bool
	open     atomic.Int64 // streams that have begun to answer

	mu sync.Mutex
	// first is how long each stream took to its first piece of text, late how long each of the provider's events was under way.
	first, late []time.Duration
	chunks      int // pieces of text as they reached the clients: fewer than events where some were put together
	ended       int
	refused     int
	failed      int
	firstFail   string
	from, to    time.Time
}

func (t *tally) begin() { t.from = time.Now(); t.counting.Store(true) }

func (t *tally) end() { t.counting.Store(false); t.to = time.Now() }

// perSecond is the rate of the provider's events that arrived.
func (t *tally) perSecond() float64 { return float64(len(t.late)) / t.to.Sub(t.from).Seconds() }

// sort makes the tally ready to be asked for quantiles.
func (t *tally) sort() {
	slices.Sort(t.first)
	slices.Sort(t.late)
}

// stream is one POST of a chat completion whose answer is streamed in so many events, and read to its end.
func (t *tally) stream(client *http.Client, url, model, token string, events int) func(context.Context) error {
	body := strings.TrimSuffix(chatBody(model), "}") + `, "stream": true}`
	return func(ctx context.Context) error {
		r := reader{tally: t, started: time.Now()}
		err := func() error {
			response, err := call(ctx, client, url, token, strings.NewReader(body), int64(len(body)))
			if err != nil {
				return err
			}
			defer response.Body.Close() //nolint:errcheck // it has been read, or given up
			t.open.Add(1)
			defer t.open.Add(-1)
			if err := r.read(bufio.NewReader(response.Body)); err != nil {
				return err
			}
			return r.complete(events)
		}()
		t.add(&r, err)
		return err
	}
}

func (t *tally) add(r *reader, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.first, t.late, t.chunks = append(t.first, r.first...), append(t.late, r.late...), t.chunks+r.chunks
	_, turnedAway := errors.AsType[*refused](err)
	switch {
	case err == nil:
		t.ended++
	case turnedAway:
		t.refused++
	default:
		t.failed++
		if t.firstFail == "" {
			t.firstFail = err.Error()
		}
	}
}

// reader reads one stream.
type reader struct {
	tally   *tally
	started time.Time

	begun  bool
	events int    // of the provider, by their stamps
	finish string // why the answer ended
	done   bool   // [DONE] came

	first, late []time.Duration
	chunks      int
}

// chunk is what is read of an event's data.
type chunk struct {
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
		} `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Error json.RawMessage `json:"error"`
}

// read reads to the end of the body.
func (r *reader) read(from *bufio.Reader) error {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data:")
		if !found {
			continue // a comment, or the end of an event
		}
		data = strings.TrimPrefix(data, " ")
		if data == "[DONE]" {
			r.done = true
			continue
		}
		var said chunk
		if err := json.Unmarshal([]byte(data), &said); err != nil {
			return fmt.Errorf("an event that is no JSON: %w", err)
		}
		if len(said.Error) > 0 {
			return fmt.Errorf("an error in band: %.300s", said.Error)
		}
		for _, choice := range said.Choices {
			r.finish += choice.FinishReason
			if choice.Delta.Content != "" {
				r.text(choice.Delta.Content, time.Now())
			}
		}
	}
	return lines.Err()
}

// text takes a piece of the answer that arrived now.
func (r *reader) text(piece string, now time.Time) {
	counts := r.tally.counting.Load()
	if counts {
		r.chunks++
		if !r.begun {
			r.first = append(r.first, now.Sub(r.started))
		}
	}
	r.begun = true
	for {
		_, rest, found := strings.Cut(piece, stampMark)
		if !found || len(rest) < stampDigits {
			return
		}
		sent, err := strconv.ParseInt(rest[:stampDigits], 10, 64)
		if err != nil {
			return
		}
		r.events++
		if counts {
			r.late = append(r.late, time.Duration(now.UnixNano()-sent))
		}
		piece = rest[stampDigits:]
	}
}

// complete says what is missing of a stream that has ended.
func (r *reader) complete(events int) error {
	switch {
	case !r.done:
		return errors.New("a stream that ended without [DONE]")
	case r.finish != "stop":
		return fmt.Errorf("a stream with the finish reason %q", r.finish)
	case r.events != events:
		return fmt.Errorf("a stream of %d events of the provider's %d", r.events, events)
	}
	return nil
}
