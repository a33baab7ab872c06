package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// briefStreams are as long as the answers of the short section: what counts is the first word.
func briefStreams() streamKind { return streamKind{name: "brief", events: 80} }

// fastStreams come as fast as the provider can send: what counts is the cost of an event.
func fastStreams() streamKind { return streamKind{name: "fast", events: 1000} }

// shortStreams are fast ones of few events: beside fastStreams they tell what an event costs from what a stream does.
func shortStreams() streamKind { return streamKind{name: "short", events: 100} }

// pacedStreams come as a model speaks: what counts is that each event comes when it was said.
func pacedStreams() streamKind {
	return streamKind{name: "paced", events: 400, pace: 20 * time.Millisecond}
}

// pacedShortStreams are to pacedStreams what shortStreams are to fastStreams.
func pacedShortStreams() streamKind {
	return streamKind{name: "paced-short", events: 100, pace: pacedStreams().pace}
}

// slowStreams are open all the time: what counts is what one holds.
func slowStreams() streamKind {
	return streamKind{name: "slow", events: 46, pace: 500 * time.Millisecond}
}

// notStreamed is the measurement of an answer of briefStreams in one piece.
const notStreamed = "whole"

// The slow streams are opened over the time of openRamp; then openWindow is measured. They last longer than both.
const (
	openRamp   = 10 * time.Second
	openSettle = 2 * time.Second
	openWindow = 8 * time.Second
)

// streamKinds are the providers that the streams section needs; none without it.
func (o Options) streamKinds() []streamKind {
	if !slices.Contains(o.Sections, SectionStreams) {
		return nil
	}
	return []streamKind{briefStreams(), shortStreams(), fastStreams(), pacedShortStreams(), pacedStreams(), slowStreams()}
}

// StreamCell is one measurement of the streams section.
type StreamCell struct {
	// Kind is what is streamed: "brief", "short", "fast", "paced-short", "paced", "slow", or "whole" for a brief answer that is not streamed.
	Kind    string        `json:"kind"`
	Subject subject       `json:"subject"`
	Streams int           `json:"streams"`
	Pace    time.Duration `json:"pace"`
	// Events is how many of the provider's events arrived while it was counted, Chunks how many pieces the clients read them
	// in, Ended how many streams came to a good end.
	Events       int     `json:"events"`
	Chunks       int     `json:"chunks"`
	Ended        int     `json:"ended"`
	Refused      int     `json:"refused"`
	Failed       int     `json:"failed"`
	FirstFailure string  `json:"first_failure,omitempty"`
	PerSecond    float64 `json:"events_per_second"`
	// Firsts is how many streams brought their first piece of text while it was counted, FirstP50 and FirstP95 after what time;
	// of "whole" it is the end of the answer.
	Firsts   int           `json:"firsts"`
	FirstP50 time.Duration `json:"first_p50"`
	FirstP95 time.Duration `json:"first_p95"`
	// LateP50, LateP95 and LateP99 are how long an event was under way from the provider to the client.
	LateP50 time.Duration `json:"late_p50"`
	LateP95 time.Duration `json:"late_p95"`
	LateP99 time.Duration `json:"late_p99"`
	// ServerCPU and PostgresCPU are microseconds an event: everything that was used, for the streams' beginnings and ends too.
	ServerCPU   float64 `json:"server_cpu_us"`
	PostgresCPU float64 `json:"postgres_cpu_us"`
	// Cores is the CPU time of both, a second.
	Cores float64 `json:"cores"`
	// Open is how many streams were open at the end of the count; MemoryBefore and Memory are the subject's process's, in bytes,
	// before the first was opened and at that moment.
	Open         int     `json:"open"`
	MemoryBefore int64   `json:"memory_before"`
	Memory       int64   `json:"memory"`
	Others       float64 `json:"others_share"`
}

func (c StreamCell) succeeded() bool {
	return c.Ended > 0 && c.Events > 0 || c.Kind == notStreamed && c.Ended > 0
}

// perStream is what an open stream adds to the process's memory, in bytes.
func (c StreamCell) perStream() float64 {
	return float64(c.Memory-c.MemoryBefore) / float64(max(1, c.Open))
}

// openStreams measures what it takes to keep streams open.
func (b *benchmark) openStreams(ctx context.Context) error {
	n := b.opts.OpenStreams
	for _, what := range []subject{proxyStream, holdfast} {
		if err := b.warmStreams(ctx, what); err != nil {
			return err
		}
		l := loop{clients: n, ramp: openRamp, warm: openSettle, window: openWindow}
		if err := b.measureStreams(ctx, slowStreams(), what, l); err != nil {
			return err
		}
	}
	return nil
}

// warmStreams has the subject do everything once that it does for the first stream only.
func (b *benchmark) warmStreams(ctx context.Context, what subject) error {
	client := httpClient(4)
	defer client.CloseIdleConnections()
	ignored := &tally{}
	call := ignored.stream(client, b.streamURL(what, briefStreams()), b.streamModel(what, briefStreams()), b.tokenOf(what), briefStreams().events)
	drain{clients: 4, window: b.opts.Warm, call: call}.run(ctx)
	if ignored.failed > 0 {
		return fmt.Errorf("warming up the streams of %s: %s", what, ignored.firstFail)
	}
	return ctx.Err()
}

// streams measures all subjects with every number of streams at once. Where cost is compared, Holdfast stands between two
// measurements of its floor.
func (b *benchmark) streams(ctx context.Context) error {
	for _, what := range []subject{direct, proxyStream, holdfast} {
		if err := b.warmStreams(ctx, what); err != nil {
			return err
		}
	}
	one := loop{clients: 1, warm: b.opts.Warm, window: b.opts.Window}
	whole := briefStreams()
	whole.name = notStreamed
	for _, next := range []struct {
		kind streamKind
		what subject
	}{
		{whole, direct}, {whole, holdfast}, {briefStreams(), direct}, {briefStreams(), proxyStream}, {briefStreams(), holdfast}, {whole, direct}, {whole, holdfast},
	} {
		if err := b.measureStreams(ctx, next.kind, next.what, one); err != nil {
			return err
		}
	}
	for _, n := range b.opts.Streams {
		l := loop{clients: n, window: b.opts.Window}
		if err := b.measureAll(ctx, shortStreams(), l, proxyStream, holdfast); err != nil {
			return err
		}
		if err := b.measureAll(ctx, fastStreams(), l, direct, proxyStream, holdfast, proxyStream); err != nil {
			return err
		}
	}
	for _, n := range b.opts.Streams {
		if err := b.paced(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// paced measures so many streams that pace themselves.
func (b *benchmark) paced(ctx context.Context, n int) error {
	if n == 1 { // there is nobody to be out of step with, and too little to do to tell an event's cost from a stream's
		return b.measureAll(ctx, pacedStreams(), loop{clients: n, window: b.opts.Window}, direct, proxyStream, holdfast)
	}
	short := loop{clients: n, ramp: pacedShortStreams().length(), window: b.opts.Window}
	if err := b.measureAll(ctx, pacedShortStreams(), short, proxyStream, holdfast); err != nil {
		return err
	}
	return b.measureAll(ctx, pacedStreams(), loop{clients: n, ramp: pacedStreams().length(), window: b.opts.Window}, direct, proxyStream, holdfast)
}

func (b *benchmark) measureAll(ctx context.Context, kind streamKind, l loop, subjects ...subject) error {
	for _, what := range subjects {
		if err := b.measureStreams(ctx, kind, what, l); err != nil {
			return err
		}
	}
	return nil
}

// streamURL is where the subject's streams of the kind are asked for.
func (b *benchmark) streamURL(what subject, kind streamKind) string {
	index := slices.Index(b.opts.streamKinds(), kind)
	switch what {
	case direct:
		return b.at.streamURLs[index] + "/chat/completions"
	case proxyStream:
		return fmt.Sprintf("%s/stream/%d/v1/chat/completions", b.at.baselineURL, len(b.at.latencies)+index)
	default:
		return b.at.apiURL + "/v1/chat/completions"
	}
}

// drain is a closed loop of which everything counts, from the first call's beginning to the last one's end: what it takes to
// begin and to end a call is part of the count, however few calls there are. Each client makes at least one call, and none
// once the window has passed.
type drain struct {
	clients int
	window  time.Duration
	call    func(ctx context.Context) error
}

func (d drain) run(ctx context.Context) {
	driving, stop := context.WithTimeout(ctx, d.window)
	defer stop()
	var clients sync.WaitGroup
	for range d.clients {
		clients.Go(func() {
			for again := true; again; again = driving.Err() == nil {
				if err := d.call(ctx); err != nil {
					pause(driving, 100*time.Millisecond)
				}
			}
		})
	}
	clients.Wait()
}
