package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// findStreams gives the measurements of one subject under one condition.
func (r *Result) findStreams(kind string, what subject, streams int) []StreamCell {
	var found []StreamCell
	for _, cell := range r.Streams {
		if cell.Kind == kind && cell.Subject == what && cell.Streams == streams {
			found = append(found, cell)
		}
	}
	return found
}

// addedTo is what a number of the cell is above the mean of the direct calls under the same condition.
func (r *Result) addedTo(c StreamCell, of func(StreamCell) float64) (float64, bool) {
	base, ok := mean(r.findStreams(c.Kind, direct, c.Streams), of)
	return of(c) - base, ok && c.succeeded()
}

func firstP50(c StreamCell) float64 { return milliseconds(c.FirstP50) }
func firstP95(c StreamCell) float64 { return milliseconds(c.FirstP95) }
func lateP50(c StreamCell) float64  { return milliseconds(c.LateP50) }
func lateP95(c StreamCell) float64  { return milliseconds(c.LateP95) }
func lateP99(c StreamCell) float64  { return milliseconds(c.LateP99) }
func eventCPU(c StreamCell) float64 { return c.ServerCPU + c.PostgresCPU }

// eventTime is the time of the clock an event, in microseconds, all streams together.
func eventTime(c StreamCell) float64 { return 1e6 / c.PerSecond }

const streamNotes = `
Streams: the request of 2 kB, with "stream": true. Every event of the simulated provider carries the moment at which it was sent.
A stream counts as failed unless all its events, a finish reason and [DONE] were read. The plain proxy reads the provider's
events, writes each on and flushes.
  added       beyond the same number of streams from the provider directly, whose own numbers stand in brackets
  first       from the request to the first piece of text
  late        how long an event was under way from the provider to the client
  CPU         us an event: the subject's process, + PostgreSQL for Holdfast, with the beginnings and ends of the streams
  pieces      how many of the provider's events a client reads at once, where they were put together`

func (r *Result) printStreams(w io.Writer, opts Options) {
	if len(r.Streams) == 0 {
		return
	}
	fmt.Fprintln(w, streamNotes)
	r.printFirst(w)
	r.printFast(w, opts)
	r.printSlopes(w, opts, shortStreams(), fastStreams())
	r.printPaced(w, opts)
	r.printSlopes(w, opts, pacedShortStreams(), pacedStreams())
	r.printOpen(w)
}

// cells are those of a kind, and of a number of streams if that is not 0.
func (r *Result) cells(kind string, streams int) []StreamCell {
	var found []StreamCell
	for _, cell := range r.Streams {
		if cell.Kind == kind && (streams == 0 || cell.Streams == streams) {
			found = append(found, cell)
		}
	}
	return found
}

// firstDifference is the difference of a time to the first piece of text; "-" if too few streams began to speak of quantiles.
func (r *Result) firstDifference(c StreamCell, of func(StreamCell) float64) string {
	const enough = 5
	for _, base := range append(r.findStreams(c.Kind, direct, c.Streams), c) {
		if base.Firsts < enough {
			return "-"
		}
	}
	return r.difference(c, of)
}

// difference shows what the cell adds to direct calls; of a direct call itself the number, in brackets.
func (r *Result) difference(c StreamCell, of func(StreamCell) float64) string {
	added, ok := r.addedTo(c, of)
	switch {
	case !ok:
		return "-"
	case c.Subject == direct:
		return "(" + number(of(c)) + ")"
	default:
		return number(added)
	}
}

// printFirst is about one client's first word, beside what it waits for an answer that is not streamed.
func (r *Result) printFirst(w io.Writer) {
	cells := append(r.cells(notStreamed, 0), r.cells(briefStreams().name, 0)...)
	if len(cells) == 0 {
		return
	}
	fmt.Fprintf(w, "\nFirst word: one client, an answer of %d events; beside it the same answer in one piece\n\n", briefStreams().events)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%-42s\tanswers\tadded p50\tp95 ms\trefused\tothers\t\n", "")
	for _, c := range cells {
		name := string(c.Subject)
		if c.Kind == notStreamed {
			name += ", in one piece"
		}
		fmt.Fprintf(t, "%-42s\t%d\t%s\t%s\t%s\t%.0f %%\t\n", name, c.Ended, r.firstDifference(c, firstP50), r.firstDifference(c, firstP95), c.trouble(), 100*c.Others)
	}
	_ = t.Flush()
}

func (r *Result) printFast(w io.Writer, opts Options) {
	if len(r.cells(fastStreams().name, 0)) == 0 {
		return
	}
	fmt.Fprintf(w, "\nFast streams: the provider sends %d events as fast as it can\n\n", fastStreams().events)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	const columns = "%-34s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n"
	for _, streams := range opts.Streams {
		fmt.Fprintf(t, columns, atOnce(streams), "events/s", "added us/event", "CPU us", "= server", "+ PG", "pieces", "first: added p50", "p95 ms", "refused", "others")
		for _, c := range r.cells(fastStreams().name, streams) {
			cost := []any{"", "", ""}
			if c.Subject != direct {
				cost = []any{number(eventCPU(c)), number(c.ServerCPU), number(c.PostgresCPU)}
			}
			row := append([]any{string(c.Subject), number(c.PerSecond), r.difference(c, eventTime)}, cost...)
			fmt.Fprintf(t, columns, append(row, c.pieces(), r.firstDifference(c, firstP50), r.firstDifference(c, firstP95), c.trouble(), fmt.Sprintf("%.0f %%", 100*c.Others))...)
		}
		fmt.Fprintf(t, columns, "", "", "", "", "", "", "", "", "", "", "")
	}
	_ = t.Flush()
}

// slope tells what a stream costs, in milliseconds, from what an event of it does, in microseconds: the cost is taken to be a
// line over the number of events, through those of short and of long streams.
func (r *Result) slope(short, long streamKind, what subject, streams int) (stream, event float64, ok bool) {
	few, ok := mean(r.findStreams(short.name, what, streams), eventCPU)
	many, also := mean(r.findStreams(long.name, what, streams), eventCPU)
	if !ok || !also {
		return 0, 0, false
	}
	a, b := float64(short.events), float64(long.events)
	event = (many*b - few*a) / (b - a)
	return (few - event) * a / 1000, event, true
}

func (r *Result) printSlopes(w io.Writer, opts Options, short, long streamKind) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%-50s\tCPU ms: the stream\tus: each event of it\t\n", fmt.Sprintf("by streams of %d and of %d events", short.events, long.events))
	for _, streams := range opts.Streams {
		for _, what := range []subject{proxyStream, holdfast} {
			if stream, event, ok := r.slope(short, long, what, streams); ok {
				fmt.Fprintf(t, "%-50s\t%s\t%s\t\n", fmt.Sprintf("%s, %s", what, atOnce(streams)), number(stream), number(event))
			}
		}
	}
	_ = t.Flush()
}

func (r *Result) printPaced(w io.Writer, opts Options) {
	if len(r.cells(pacedStreams().name, 0)) == 0 {
		return
	}
	fmt.Fprintf(w, "\nPaced streams: an event every %s, %d of them, begun evenly over the time that one takes\n\n", pacedStreams().pace, pacedStreams().events)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	const columns = "%-34s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n"
	for _, streams := range opts.Streams {
		fmt.Fprintf(t, columns, atOnce(streams), "events/s", "late: added p50", "p95", "p99 ms", "first: added p50", "p95 ms", "CPU us", "cores", "refused", "others")
		for _, c := range r.cells(pacedStreams().name, streams) {
			cost := []any{"", ""}
			if c.Subject != direct {
				cost = []any{number(eventCPU(c)), number(c.Cores)}
			}
			row := append([]any{
				string(c.Subject), number(c.PerSecond), r.difference(c, lateP50), r.difference(c, lateP95), r.difference(c, lateP99),
				r.firstDifference(c, firstP50), r.firstDifference(c, firstP95),
			}, cost...)
			fmt.Fprintf(t, columns, append(row, c.trouble(), fmt.Sprintf("%.0f %%", 100*c.Others))...)
		}
		fmt.Fprintf(t, columns, "", "", "", "", "", "", "", "", "", "", "")
	}
	_ = t.Flush()
}

func (r *Result) printOpen(w io.Writer) {
	cells := r.cells(slowStreams().name, 0)
	if len(cells) == 0 {
		return
	}
	fmt.Fprintf(w, "\nOpen streams: an event every %s; memory is that of the subject's process\n\n", slowStreams().pace)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%-34s\topen\tevents/s\tmemory before\twith them\tkB a stream\tcores\tlate p50\tp95 ms\trefused\tothers\t\n", "")
	for _, c := range cells {
		fmt.Fprintf(t, "%-34s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f %%\t\n", c.Subject, c.Open, number(c.PerSecond), mebibytes(c.MemoryBefore), mebibytes(c.Memory),
			number(c.perStream()/1000), number(c.Cores), number(lateP50(c)), number(lateP95(c)), c.trouble(), 100*c.Others)
	}
	_ = t.Flush()
}

func atOnce(streams int) string {
	if streams == 1 {
		return "1 stream"
	}
	return fmt.Sprintf("%d streams at once", streams)
}

// pieces is how many events a piece of text holds, as the client reads it.
func (c StreamCell) pieces() string {
	if c.Chunks == 0 {
		return "-"
	}
	return number(float64(c.Events) / float64(c.Chunks))
}

// trouble is what was refused, and what failed.
func (c StreamCell) trouble() string { return trouble(c.Refused, c.Failed) }

// Limits of the targets of streams.
const (
	// firstWordLimit is how much later the first word may come than an answer in one piece would, beyond the direct calls.
	firstWordLimit = 2 * time.Millisecond
	// eventLimit is how often the plain proxy's CPU an event may cost.
	eventLimit = 2
	// eventStreams is the number of streams at once that eventLimit is about.
	eventStreams = 64
)

// streamTargets are what the project promises of streams.
func (r *Result) streamTargets() []Target {
	addedFirst := func(kind string) (float64, bool) {
		ours, ok := mean(r.findStreams(kind, holdfast, 1), firstP50)
		floor, also := mean(r.findStreams(kind, direct, 1), firstP50)
		return ours - floor, ok && also
	}
	streamed, ok := addedFirst(briefStreams().name)
	whole, also := addedFirst(notStreamed)
	first := Target{
		What:     "p50 added to the first word of 1 stream, beyond what is added to an answer in one piece",
		Measured: ok && also, Limit: milliseconds(firstWordLimit), Unit: "ms",
	}
	if first.Measured {
		first.Value = streamed - whole
	}
	event := ratio(fmt.Sprintf("CPU of an event, %d fast streams, beginnings and ends included: Holdfast / plain proxy", eventStreams),
		r.findStreams(fastStreams().name, holdfast, eventStreams), r.findStreams(fastStreams().name, proxyStream, eventStreams), eventCPU)
	event.Limit = eventLimit
	return []Target{first, event, r.pacedTarget()}
}

// pacedTarget is about what an event costs that is read and written by itself, as models speak; what a stream costs however
// many events it has is taken off.
func (r *Result) pacedTarget() Target {
	_, ours, ok := r.slope(pacedShortStreams(), pacedStreams(), holdfast, eventStreams)
	_, floor, also := r.slope(pacedShortStreams(), pacedStreams(), proxyStream, eventStreams)
	target := Target{
		What:     fmt.Sprintf("CPU of an event, %d paced streams, beginnings and ends taken off: Holdfast / plain proxy", eventStreams),
		Measured: ok && also && floor > 0, Limit: eventLimit,
	}
	if target.Measured {
		target.Value = ours / floor
	}
	return target
}
