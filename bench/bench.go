package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The sections of a run.
const (
	// SectionShort is the comparison with the floors.
	SectionShort = "short"
	// SectionLong keeps many calls in flight that last long.
	SectionLong = "long"
	// SectionStreams streams the answers.
	SectionStreams = "streams"
	// SectionFailover has a part of the calls fail.
	SectionFailover = "failover"
	// SectionConversations goes on with conversations of growing lengths.
	SectionConversations = "conversations"
)

// sections are all of them.
func sections() []string {
	return []string{SectionShort, SectionLong, SectionStreams, SectionFailover, SectionConversations}
}

// Options say what to measure.
type Options struct {
	// Program is this program; Subject is another build to measure in its place, empty for the same.
	Program, Subject string
	// Dir is where the data goes for the time of the run: the disk that is measured. Empty is the system's temporary directory.
	Dir string
	// Clients are the numbers of clients of the short section, ascending.
	Clients []int
	// Latencies are the times that the simulated provider takes in the short section.
	Latencies []time.Duration
	// Window is how long each measurement of the short and the failover section counts, after Warm.
	Window, Warm time.Duration
	// Sections to run.
	Sections []string
	// InFlight are the numbers of calls in flight of the long section, each LongLatency long; LongWindow is how long each counts.
	InFlight    []int
	LongLatency time.Duration
	LongWindow  time.Duration
	// Streams are the numbers of streams at once of the streams section, ascending; each measurement counts for Window.
	Streams []int
	// OpenStreams is how many slow streams are kept open to see what one holds.
	OpenStreams int
	// JSON is a file for all the numbers; empty for none.
	JSON string
}

// Defaults are the options of a full run: it takes about twenty minutes.
func Defaults() Options {
	return Options{
		Clients: []int{1, 16, 64, 256}, Latencies: []time.Duration{0, 50 * time.Millisecond},
		Window: 6 * time.Second, Warm: 2 * time.Second, Sections: sections(),
		InFlight: []int{800, 1600}, LongLatency: 10 * time.Second, LongWindow: 30 * time.Second,
		Streams: []int{1, 64, 256}, OpenStreams: 500,
	}
}

// Quick makes the options those of a short look: five minutes, and numbers to match.
func (o Options) Quick() Options {
	o.Clients, o.Latencies, o.Window, o.Warm = []int{1, 16, 256}, []time.Duration{0}, 3*time.Second, time.Second
	o.InFlight, o.LongLatency, o.LongWindow = []int{800}, 10*time.Second, 10*time.Second
	o.Streams, o.OpenStreams = []int{1, 64}, 200
	return o
}

func (o Options) validate() error {
	switch {
	case runtime.GOOS != "linux":
		return errors.New("the benchmark reads CPU time and memory from /proc and so runs on Linux only")
	case len(o.Clients) == 0 || slices.Min(o.Clients) < 1 || len(o.Latencies) == 0 || slices.Min(o.Latencies) < 0:
		return errors.New("at least one number of clients and one provider latency is needed, none of them negative")
	case len(o.InFlight) == 0 || slices.Min(o.InFlight) < 1 || o.LongLatency <= 0:
		return errors.New("the long section needs at least one number of calls in flight, and a provider that takes its time")
	case len(o.Streams) == 0 || slices.Min(o.Streams) < 1 || o.OpenStreams < 1:
		return errors.New("the streams section needs at least one number of streams at once, and one stream to keep open")
	case o.Window < time.Second || o.LongWindow < time.Second || o.Warm < 0:
		return errors.New("a measurement takes at least one second")
	}
	for _, section := range o.Sections {
		if !slices.Contains(sections(), section) {
			return fmt.Errorf("unknown section %q: there are %s", section, strings.Join(sections(), ", "))
		}
	}
	return nil
}

// Run measures, tells progress, and prints the report on out. It ends everything that it started. A target that was missed
// is told in the report and is no error.
func Run(ctx context.Context, opts Options, out, progress io.Writer) error {
	if err := opts.validate(); err != nil {
		return err
	}
	opts.Clients = slices.Compact(slices.Sorted(slices.Values(opts.Clients)))
	opts.Streams = slices.Compact(slices.Sorted(slices.Values(opts.Streams)))
	b := &benchmark{opts: opts, progress: progress}
	err := b.run(ctx)
	b.result.Targets = b.result.targets(opts)
	if len(b.result.Cells)+len(b.result.Streams)+len(b.result.Failovers)+len(b.result.Conversations) > 0 { // what was measured before a failure is worth reading
		if printed := b.result.writeTo(out, opts); err == nil {
			err = printed
		}
	}
	if opts.JSON != "" {
		content, encoding := json.MarshalIndent(b.result, "", "  ")
		err = errors.Join(err, encoding, os.WriteFile(opts.JSON, append(content, '\n'), 0o644)) //nolint:gosec // numbers only
	}
	return err
}

// benchmark is a run under way.
type benchmark struct {
	opts     Options
	progress io.Writer
	at       *instance
	result   Result
}

func (b *benchmark) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, format+"\n", args...)
}

func (b *benchmark) run(ctx context.Context) (err error) {
	latencies := slices.Clone(b.opts.Latencies)
	if slices.Contains(b.opts.Sections, SectionLong) {
		latencies = append(latencies, b.opts.LongLatency)
	}
	latencies = slices.Compact(slices.Sorted(slices.Values(latencies)))
	b.tell("Starting the simulated providers, Holdfast, and the floors …")
	if b.at, err = startInstance(ctx, b.opts, latencies); err != nil {
		return err
	}
	b.at.latencies = latencies
	defer b.at.stop()
	b.result.Machine = describe(ctx, b.at)
	if err := b.idle(ctx); err != nil {
		return err
	}
	if slices.Contains(b.opts.Sections, SectionStreams) {
		if err := b.openStreams(ctx); err != nil { // first, for later a process has memory left over
			return err
		}
	}
	if slices.Contains(b.opts.Sections, SectionShort) {
		for _, latency := range b.opts.Latencies {
			for _, clients := range b.opts.Clients {
				if err := b.short(ctx, latency, clients); err != nil {
					return err
				}
			}
		}
	}
	if slices.Contains(b.opts.Sections, SectionLong) {
		for _, calls := range b.opts.InFlight {
			if err := b.long(ctx, calls); err != nil {
				return err
			}
		}
	}
	if slices.Contains(b.opts.Sections, SectionStreams) {
		if err := b.streams(ctx); err != nil {
			return err
		}
	}
	if slices.Contains(b.opts.Sections, SectionFailover) {
		if err := b.failover(ctx); err != nil {
			return err
		}
	}
	if slices.Contains(b.opts.Sections, SectionConversations) {
		if err := b.conversations(ctx); err != nil {
			return err
		}
	}
	b.result.MemoryAfter, b.result.MemoryPeak = memoryOf(b.at.up.pid())
	return nil
}

// short measures all subjects for one provider and one number of clients. Holdfast stands between two measurements of its
// floor, for the machine may have other things to do meanwhile.
func (b *benchmark) short(ctx context.Context, latency time.Duration, clients int) error {
	subjects := []subject{direct, proxy, proxyWrite, bareEmpty, bareLocal, holdfast, bareLocal, bareRegular}
	for _, what := range subjects {
		if what == bareEmpty && latency > 0 {
			continue // it has no place to wait in
		}
		err := b.measure(ctx, SectionShort, what, latency, loop{clients: clients, warm: b.opts.Warm, window: b.opts.Window})
		if err != nil {
			return err
		}
	}
	return nil
}

// long measures Holdfast with many calls in flight; the calls' starts are spread over the length of a call.
func (b *benchmark) long(ctx context.Context, calls int) error {
	latency := b.opts.LongLatency
	return b.measure(ctx, SectionLong, holdfast, latency, loop{clients: calls, ramp: latency, warm: latency, window: b.opts.LongWindow})
}

// idle measures what an instance without work uses.
func (b *benchmark) idle(ctx context.Context) error {
	pause(ctx, 3*time.Second) // after the start
	before, err := b.read(ctx)
	if err != nil {
		return err
	}
	pause(ctx, 3*time.Second)
	after, err := b.read(ctx)
	if err != nil {
		return err
	}
	seconds := after.at.Sub(before.at).Seconds()
	b.result.Idle = Idle{
		CPU:     ((after.up - before.up) + (after.postgres - before.postgres)).Seconds() / seconds,
		Commits: float64(after.counters.commits-before.counters.commits) / seconds,
	}
	b.result.Idle.Memory, _ = memoryOf(b.at.up.pid())
	return nil
}
