package relay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

const (
	// The pauses between looks at the record, while nobody is known to drive the completion, grow from lookFirst to lookMost.
	lookFirst = 20 * time.Millisecond
	lookMost  = time.Second
	// maxLine bounds a line of a stream between processes: a slow reader is sent all that it has missed in one.
	maxLine = 64 << 20
)

// Record says who drives a completion, and what is kept of what it says. Package completions/store implements it.
type Record interface {
	Driver(ctx context.Context, id string) (completions.Driver, error)
	Transcript(ctx context.Context, id string) (*transcript.Log, error)
}

// Mirror writes what other processes say into feeds of this one. It is safe for concurrent use.
type Mirror struct {
	record   Record
	secret   llm.Secret
	instance func() string
	client   *http.Client
	logger   *slog.Logger
}

// NewMirror makes a mirror for the process that instance names.
func NewMirror(record Record, secret llm.Secret, instance func() string, logger *slog.Logger) *Mirror {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &Mirror{record: record, secret: secret, instance: instance, logger: logger, client: &http.Client{
		Transport:     &http.Transport{Protocols: protocols, ResponseHeaderTimeout: 5 * time.Second, IdleConnTimeout: time.Minute, MaxConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Follow writes what the completion says into the feed until it has its outcome or the context ends, over any number of
// attempts, processes and outages. What this process writes itself is left to it.
func (m *Mirror) Follow(ctx context.Context, id string, feed *transcript.Feed) {
	pause := lookFirst
	for ctx.Err() == nil {
		driver, err := m.record.Driver(ctx, id)
		switch {
		case errors.Is(err, completions.ErrNotFound), err == nil && driver.State != completions.StateOpen:
			return
		case err != nil || driver.InstanceID == m.instance():
		case m.hear(ctx, driver, id, feed):
			pause = lookFirst
		case pause >= lookMost/2: // the direct way leads nowhere
			if log, err := m.record.Transcript(ctx, id); err == nil && log.End().At > 0 {
				feed.Adopt(log)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lookMost)
	}
}

// hear reports whether anything was heard from the driver.
func (m *Mirror) hear(ctx context.Context, driver completions.Driver, id string, feed *transcript.Feed) bool {
	if driver.Address == "" {
		return false
	}
	heard, err := m.listen(ctx, driver, id, feed)
	if err != nil && ctx.Err() == nil {
		m.logger.DebugContext(ctx, "the process that drives a completion was not heard to its end", "completion", id, "instance", driver.InstanceID, "error", err)
	}
	return heard
}

// listen reads the driver's stream to its end.
func (m *Mirror) listen(ctx context.Context, driver completions.Driver, id string, feed *transcript.Feed) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := time.AfterFunc(silence, cancel)
	defer patience.Stop()
	address := url.URL{
		Scheme: "http", Host: driver.Address, Path: "/internal/v1/streams/" + id,
		RawQuery: url.Values{"from": {feed.End().String()}}.Encode(),
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+token(m.secret, id))
	request.Header.Set(headerInstance, driver.InstanceID)
	response, err := m.client.Do(request)
	if err != nil {
		return false, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("it answered %d", response.StatusCode)
	}
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(make([]byte, 0, 4096), maxLine)
	for scanner.Scan() {
		patience.Reset(silence)
		var next batch
		if err := json.Unmarshal(scanner.Bytes(), &next); err != nil {
			return heard, fmt.Errorf("a line is not understood: %w", err)
		}
		heard = true
		if next.End {
			return heard, nil
		}
		if err := apply(next, feed); err != nil {
			return heard, err
		}
	}
	return heard, scanner.Err()
}

// errElsewhere says that the feed has come to say something else than what is heard.
var errElsewhere = errors.New("the feed has come further by another way")

func apply(next batch, feed *transcript.Feed) error {
	switch {
	case next.Again:
		log := &transcript.Log{}
		log.Apply(transcript.Piece{From: next.Base, Events: next.Events})
		feed.Replace(log)
		return nil
	case len(next.Events) == 0:
		return nil
	}
	from, _, err := transcript.ParseCursor(next.From)
	if err != nil {
		return err
	}
	if !feed.Merge(from, next.Events) {
		return errElsewhere
	}
	return nil
}
