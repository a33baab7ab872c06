package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/simulator"
)

// streamKind is a way in which the simulated provider streams.
type streamKind struct {
	// name is also the end of its route's name.
	name string
	// events is how many parts the answer comes in.
	events int
	// pace is the pause between two of them; zero is as fast as the provider can send.
	pace time.Duration
}

// route is the name of the route to its provider.
func (k streamKind) route() string { return "bench-stream-" + k.name }

// argument is how the kind is told to the process of the provider.
func (k streamKind) argument() string { return fmt.Sprintf("%d,%s", k.events, k.pace) }

// length is how long a stream of the kind takes at least.
func (k streamKind) length() time.Duration { return time.Duration(k.events-1) * k.pace }

func parseStreamKind(text string) (streamKind, error) {
	events, pace, _ := strings.Cut(text, ",")
	var k streamKind
	var err error
	if k.events, err = strconv.Atoi(events); err != nil || k.events < 1 {
		return k, fmt.Errorf("%q is no number of events", events)
	}
	k.pace, err = time.ParseDuration(pace)
	return k, err
}

// Each event carries the moment at which the provider sent it, so that whoever reads it knows how long it was under way. The
// text is made with a blank stamp, which is overwritten when the event leaves: it is as long.
const (
	stampMark   = "at="
	stampDigits = 19 // of Unix time in nanoseconds, until the year 2286
)

// blankStamp holds the place of a stamp.
func blankStamp() string { return stampMark + strings.Repeat("0", stampDigits) }

// stampedText is an answer of so many events, for the simulator puts four words into each.
func stampedText(events int) string {
	return strings.TrimSuffix(strings.Repeat(blankStamp()+" of the clock ", events), " ")
}

// stampingWriter tells the time in what passes through.
type stampingWriter struct {
	http.ResponseWriter

	blank []byte
}

// Unwrap lets http.ResponseController reach the writer below, to flush.
func (w *stampingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *stampingWriter) Write(data []byte) (int, error) {
	at := bytes.Index(data, w.blank)
	if at < 0 {
		return w.ResponseWriter.Write(data)
	}
	stamped := bytes.Clone(data)
	strconv.AppendInt(stamped[:at+len(stampMark)], time.Now().UnixNano(), 10)
	return w.ResponseWriter.Write(stamped)
}

// ServeStreams runs simulated providers whose answers are streamed in so many events, at such a pace, on one free port, until
// the input ends. It prints the base URL of each kind ("EVENTS,PACE") on a line of its own.
func ServeStreams(ctx context.Context, kinds []string, in io.Reader, out io.Writer) error {
	mux := http.NewServeMux()
	for i, text := range kinds {
		kind, err := parseStreamKind(text)
		if err != nil {
			return err
		}
		answer := stampedText(kind.events)
		sim := simulator.New(simulator.Options{
			Behaviour: simulator.Behaviour{EventDelay: kind.pace},
			Answer:    func(simulator.Call) simulator.Answer { return simulator.Answer{Text: answer} },
		})
		defer sim.Close()
		prefix, vendor := fmt.Sprintf("/%d", i), sim.Handler(simulator.OpenAI)
		mux.Handle(prefix+"/", http.StripPrefix(prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			vendor.ServeHTTP(&stampingWriter{ResponseWriter: w, blank: []byte(blankStamp())}, r)
		})))
	}
	address, stop, err := listenLocally(ctx, mux)
	if err != nil {
		return err
	}
	for i := range kinds {
		if _, err := fmt.Fprintf(out, "%s/%d/v1\n", address, i); err != nil {
			return err
		}
	}
	_, _ = io.Copy(io.Discard, in) // until the benchmark ends, however it ends
	return stop()
}
