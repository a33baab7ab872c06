package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// streamed is a run of the streams section with one of everything.
func streamed() *Result {
	ms := time.Millisecond
	cell := func(kind streamKind, what subject, streams int, perSecond float64, first, late time.Duration, server, postgres float64) StreamCell {
		return StreamCell{
			Kind: kind.name, Pace: kind.pace, Subject: what, Streams: streams, Events: 10_000, Chunks: 10_000, Ended: 40, PerSecond: perSecond,
			Firsts: 40, FirstP50: first, FirstP95: 2 * first, LateP50: late, LateP95: 2 * late, LateP99: 3 * late,
			ServerCPU: server, PostgresCPU: postgres, Cores: 0.25, Others: 0.02,
		}
	}
	whole := streamKind{name: notStreamed}
	cells := []StreamCell{
		cell(slowStreams(), proxyStream, 500, 1000, 0, ms, 10, 0), cell(slowStreams(), holdfast, 500, 1000, 0, 2*ms, 90, 10),
		cell(whole, direct, 1, 0, 2*ms, 0, 0, 0), cell(whole, holdfast, 1, 0, 10*ms, 0, 0, 0),
		cell(briefStreams(), direct, 1, 9000, ms, ms, 0, 0), cell(briefStreams(), proxyStream, 1, 8000, 2*ms, 2*ms, 5, 0),
		cell(briefStreams(), holdfast, 1, 2000, 12*ms, 3*ms, 80, 20),
		cell(shortStreams(), proxyStream, 64, 8000, 2*ms, 2*ms, 4, 0), cell(shortStreams(), holdfast, 64, 2000, 80*ms, 3*ms, 80, 20),
		cell(fastStreams(), direct, 64, 200_000, 10*ms, 5*ms, 0, 0),
		cell(fastStreams(), proxyStream, 64, 100_000, 20*ms, 10*ms, 3, 0), cell(fastStreams(), holdfast, 64, 50_000, 100*ms, 20*ms, 7, 5),
		cell(fastStreams(), proxyStream, 64, 100_000, 20*ms, 10*ms, 5, 0),
		cell(pacedShortStreams(), proxyStream, 64, 3000, ms, ms, 22, 0), cell(pacedShortStreams(), holdfast, 64, 2900, 10*ms, 3*ms, 80, 50),
		cell(pacedStreams(), direct, 1, 50, ms, ms, 0, 0), cell(pacedStreams(), holdfast, 1, 50, 10*ms, 3*ms, 50, 0),
		cell(pacedStreams(), direct, 64, 3000, ms, ms, 0, 0), cell(pacedStreams(), proxyStream, 64, 3000, ms, ms, 19, 0),
		cell(pacedStreams(), holdfast, 64, 2900, 10*ms, 3*ms, 60, 10),
	}
	for i := range cells[:2] {
		cells[i].Open, cells[i].MemoryBefore, cells[i].Memory = 500, 100_000_000, 110_000_000*int64(i+1)
	}
	cells[11].Chunks, cells[11].Refused, cells[11].Failed = 1_000, 3, 2
	for i := range cells[15:17] {
		cells[15+i].Firsts = 1
	}
	return &Result{Machine: measured().Machine, Streams: cells, MemoryAfter: 1_000_000_000}
}

func TestReportOfStreams(t *testing.T) {
	t.Parallel()
	opts := Defaults()
	opts.Streams = []int{1, 64}
	requireReport(t, "streams.golden", streamed(), opts)
}

func TestTargetsOfStreams(t *testing.T) {
	t.Parallel()
	first, event, paced := 0, 1, 2
	targets := streamed().streamTargets()
	// 12 - 1 ms to the first word, 10 - 2 ms to an answer in one piece.
	require.InDelta(t, 3.0, targets[first].Value, 1e-9)
	require.False(t, targets[first].Reached())
	// 12 us against the mean of 3 and 5 us.
	require.InDelta(t, 3.0, targets[event].Value, 1e-9)
	require.False(t, targets[event].Reached())
	// (70 us * 400 - 130 us * 100) / 300 against (19 * 400 - 22 * 100) / 300.
	require.InDelta(t, 50.0/18, targets[paced].Value, 1e-9)
	require.False(t, targets[paced].Reached())

	better := streamed()
	for i, cell := range better.Streams {
		if cell.Subject == holdfast {
			better.Streams[i].FirstP50, better.Streams[i].ServerCPU = 9*time.Millisecond, 3
		}
	}
	for _, target := range better.streamTargets() {
		require.True(t, target.Reached(), target.What)
	}

	for name, without := range map[string]func(StreamCell) bool{
		"no floor":            func(c StreamCell) bool { return c.Subject == direct || c.Subject == proxyStream },
		"no Holdfast":         func(c StreamCell) bool { return c.Subject == holdfast },
		"another number":      func(c StreamCell) bool { return c.Streams == 64 || c.Streams == 1 },
		"none came to an end": func(StreamCell) bool { return false },
	} {
		result := streamed()
		result.Streams = slices.DeleteFunc(result.Streams, without)
		if name == "none came to an end" {
			for i := range result.Streams {
				result.Streams[i].Ended = 0
			}
		}
		for _, target := range result.streamTargets() {
			require.False(t, target.Measured, name)
		}
	}
	all := streamed().targets(Defaults())
	require.InDelta(t, 2, all[len(all)-1].Value, 0, "streams that failed count with the requests that did")
}
