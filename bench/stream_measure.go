package bench

import (
	"context"
	"fmt"
	"time"
)

// streamModel and tokenOf are what the subject is asked with.
func (b *benchmark) streamModel(what subject, kind streamKind) string {
	if what == holdfast {
		return kind.route()
	}
	return "gpt-4.1"
}

func (b *benchmark) tokenOf(what subject) string {
	if what == holdfast {
		return b.at.token
	}
	return ""
}

// measureStreams runs one measurement of streams and keeps what it cost. Fast and short streams are counted from the first's beginning to
// the last's end; those that pace themselves while all of them are under way.
func (b *benchmark) measureStreams(ctx context.Context, kind streamKind, what subject, l loop) error {
	if err := b.at.dead(); err != nil {
		return err
	}
	client := httpClient(l.clients)
	defer client.CloseIdleConnections()
	asked := kind
	if kind.name == notStreamed {
		asked.name = briefStreams().name
	}
	url, model, token := b.streamURL(what, asked), b.streamModel(what, asked), b.tokenOf(what)
	counted := &tally{}
	call := counted.stream(client, url, model, token, kind.events)
	if kind.name == notStreamed {
		call = counted.whole(chat(client, url, model, token))
	}
	cell := StreamCell{Kind: kind.name, Subject: what, Streams: l.clients, Pace: kind.pace}
	process := b.at.up
	if what == proxyStream {
		process = b.at.baseline
	}
	cell.MemoryBefore, _ = memoryOf(process.pid())
	var opened, closed reading
	var firstErr, secondErr error
	l.opened = func() { opened, firstErr = b.read(ctx); counted.begin() }
	l.closed = func() {
		counted.end()
		closed, secondErr = b.read(ctx)
		cell.Open = int(counted.open.Load())
		cell.Memory, _ = memoryOf(process.pid())
	}
	if l.call = call; kind == fastStreams() || kind == shortStreams() {
		l.opened()
		drain{clients: l.clients, window: l.window, call: call}.run(ctx)
		l.closed()
	} else {
		l.run(ctx)
	}
	for _, err := range []error{ctx.Err(), firstErr, secondErr} {
		if err != nil {
			return fmt.Errorf("measuring %s with %d streams: %w", what, l.clients, err)
		}
	}
	cell.fill(counted)
	cell.cost(opened, closed)
	b.result.Streams = append(b.result.Streams, cell)
	b.tell("  %-34s %5d %s streams: %7.0f events/s  first %7.1f ms  late %7.2f ms  CPU %6.1f us/event  refused %d  failed %d  (others use %.0f %% of the machine)",
		what, l.clients, kind.name, cell.PerSecond, milliseconds(cell.FirstP50), milliseconds(cell.LateP50), cell.ServerCPU+cell.PostgresCPU,
		cell.Refused, cell.Failed, 100*cell.Others)
	return nil
}

// whole counts the ends of answers that come in one piece.
func (t *tally) whole(call func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		r := reader{tally: t, started: time.Now()}
		err := call(ctx)
		if err == nil && t.counting.Load() {
			r.first = append(r.first, time.Since(r.started))
		}
		t.add(&r, err)
		return err
	}
}

// fill takes over what the clients observed.
func (c *StreamCell) fill(t *tally) {
	t.sort()
	c.Events, c.Chunks, c.Ended, c.Refused, c.Failed, c.FirstFailure = len(t.late), t.chunks, t.ended, t.refused, t.failed, t.firstFail
	c.PerSecond = t.perSecond()
	c.Firsts, c.FirstP50, c.FirstP95 = len(t.first), quantile(t.first, 0.50), quantile(t.first, 0.95)
	c.LateP50, c.LateP95, c.LateP99 = quantile(t.late, 0.50), quantile(t.late, 0.95), quantile(t.late, 0.99)
}

// cost takes over what the subject used between two readings.
func (c *StreamCell) cost(opened, closed reading) {
	c.Others = others(opened, closed)
	if c.Subject == direct {
		return
	}
	server, postgres := closed.up-opened.up, closed.postgres-opened.postgres
	if c.Subject == proxyStream {
		server, postgres = closed.baseline-opened.baseline, 0
	}
	c.Cores = (server + postgres).Seconds() / closed.at.Sub(opened.at).Seconds()
	if n := float64(c.Events); n > 0 {
		c.ServerCPU, c.PostgresCPU = microseconds(server)/n, microseconds(postgres)/n
	}
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
