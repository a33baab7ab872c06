package bench

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// measured is a run with one of everything.
func measured() *Result {
	ms := time.Millisecond
	cell := func(what subject, clients int, perSecond float64, p50 time.Duration, server, postgres float64) Cell {
		return Cell{
			Section: SectionShort, Subject: what, Clients: clients, Completions: 100, PerSecond: perSecond,
			P50: p50, P95: 2 * p50, P99: 3 * p50, ServerCPU: server, PostgresCPU: postgres, Commits: 15, WAL: 20_000, Others: 0.02,
		}
	}
	cells := []Cell{
		cell(direct, 1, 7000, 0, 0, 0),
		cell(bareLocal, 1, 100, 10*ms, 5, 3), cell(holdfast, 1, 80, 12*ms, 5, 4), cell(bareLocal, 1, 100, 14*ms, 5, 3),
		cell(direct, 16, 8000, 2*ms, 0, 0), cell(proxy, 16, 4000, 4*ms, 0.2, 0),
		cell(bareLocal, 16, 200, 80*ms, 5, 3), cell(holdfast, 16, 160, 100*ms, 5, 4), cell(bareLocal, 16, 240, 70*ms, 5, 3),
	}
	busy := cell(holdfast, 256, 140, 900*ms, 6, 4.5)
	busy.Refused, busy.Failed = 7, 2
	cells = append(cells, cell(direct, 256, 8000, 20*ms, 0, 0), busy)
	long := cell(holdfast, 800, 78, 10_250*ms, 9, 6)
	long.Section, long.Latency, long.Memory = SectionLong, 10*time.Second, 900<<20
	return &Result{
		Machine: Machine{
			CPU: "A processor", Cores: 2, Memory: "24 GB", PostgreSQL: "15.18", Synchronous: "on", Data: "/tmp/x",
			Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		Idle:  Idle{CPU: 0.004, Commits: 11, Memory: 200 << 20},
		Cells: append(cells, long), MemoryAfter: 1_200_000_000, MemoryPeak: 1_300_000_000,
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	opts := Defaults()
	opts.Latencies, opts.Clients = []time.Duration{0}, []int{1, 16, 256}
	requireReport(t, "report.golden", measured(), opts)
}

// requireReport compares the report of a run with a golden file.
func requireReport(t *testing.T, name string, result *Result, opts Options) {
	t.Helper()
	result.Targets = result.targets(opts)
	var out bytes.Buffer
	require.NoError(t, result.writeTo(&out, opts))
	golden := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}

func TestTargets(t *testing.T) {
	t.Parallel()
	result := measured()
	targets := result.targets(Defaults())
	values := []struct {
		value             float64
		measured, reached bool
	}{
		{160.0 / 220, true, false}, // against the mean of the floors before and after
		{12.0 / 12, true, true},
		{140.0 / 160, true, false},
		{9, true, true},
		{15, true, false}, // 800 in flight
		{250, true, true},
		{0, false, false}, // 1600 in flight
		{0, false, false}, // the streams section was not run
		{0, false, false},
		{0, false, false},
		{0, false, false}, // nor was that of failover
		{0, false, false},
		{0, false, false}, // nor was that of conversations
		{0, false, false},
		{0, false, false},
		{1.2, true, true},
		{2, true, false}, // failures
	}
	require.Len(t, targets, len(values))
	for i, want := range values {
		require.InDelta(t, want.value, targets[i].Value, 1e-9, targets[i].What)
		require.Equal(t, want.measured, targets[i].Measured, targets[i].What)
		require.Equal(t, want.reached, targets[i].Reached(), targets[i].What)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Options){
		"no clients":      func(o *Options) { o.Clients = nil },
		"zero clients":    func(o *Options) { o.Clients = []int{0, 1} },
		"no latency":      func(o *Options) { o.Latencies = nil },
		"no time":         func(o *Options) { o.Window = 0 },
		"no streams":      func(o *Options) { o.Streams = nil },
		"zero streams":    func(o *Options) { o.Streams = []int{0} },
		"none open":       func(o *Options) { o.OpenStreams = 0 },
		"unknown section": func(o *Options) { o.Sections = []string{"shrot"} },
	} {
		opts := Defaults()
		spoil(&opts)
		require.Error(t, opts.validate(), name)
	}
	require.NoError(t, Defaults().validate())
	require.NoError(t, Defaults().Quick().validate())
}
