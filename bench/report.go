package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Result is everything that a run found.
type Result struct {
	Machine Machine `json:"machine"`
	Idle    Idle    `json:"idle"`
	Cells   []Cell  `json:"cells"`
	// Streams are the measurements of the streams section.
	Streams []StreamCell `json:"streams,omitempty"`
	// Failovers are those of the failover section.
	Failovers []FailoverCell `json:"failovers,omitempty"`
	// Conversations are those of the conversations section.
	Conversations []ConversationCell `json:"conversations,omitempty"`
	Targets       []Target           `json:"targets"`
	// MemoryAfter and MemoryPeak are those of the Holdfast process after the run, in bytes.
	MemoryAfter int64 `json:"memory_after"`
	MemoryPeak  int64 `json:"memory_peak"`
}

// Machine says where the numbers hold.
type Machine struct {
	CPU         string    `json:"cpu"`
	Cores       int       `json:"cores"`
	Memory      string    `json:"memory"`
	PostgreSQL  string    `json:"postgresql"`
	Synchronous string    `json:"synchronous_commit"`
	Data        string    `json:"data"`
	Time        time.Time `json:"time"`
}

// Idle is what an instance without work uses a second.
type Idle struct {
	CPU     float64 `json:"cpu_seconds"`
	Commits float64 `json:"commits"`
	Memory  int64   `json:"memory"`
}

func describe(ctx context.Context, at *instance) Machine {
	m := Machine{CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: field("/proc/meminfo", "MemTotal"), Data: at.dir, Time: time.Now()}
	m.PostgreSQL, m.Synchronous = at.database.version(ctx)
	return m
}

// field reads a value from a file of "name: value" lines.
func field(path, name string) string {
	file, err := os.Open(path) //nolint:gosec // one of two
	if err != nil {
		return "unknown"
	}
	defer file.Close() //nolint:errcheck // read only
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if key, value, found := strings.Cut(scanner.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// find gives the measurements of one subject under one condition.
func (r *Result) find(section string, what subject, latency time.Duration, clients int) []Cell {
	var found []Cell
	for _, cell := range r.Cells {
		if cell.Section == section && cell.Subject == what && cell.Latency == latency && cell.Clients == clients {
			found = append(found, cell)
		}
	}
	return found
}

// measurement is a [Cell], a [StreamCell] or a [FailoverCell].
type measurement interface{ succeeded() bool }

func (c Cell) succeeded() bool { return c.Completions > 0 }

// mean is the mean over the measurements of a number; ok is false if there is none, or if one had no success.
func mean[M measurement](cells []M, of func(M) float64) (value float64, ok bool) {
	for _, cell := range cells {
		if !cell.succeeded() {
			return 0, false
		}
		value += of(cell) / float64(len(cells))
	}
	return value, len(cells) > 0
}

// added is what a subject adds to the provider's own time at a quantile. A bare workflow has no provider: what it waits by
// order is taken off.
func (r *Result) added(cell Cell, quantile func(Cell) time.Duration) (time.Duration, bool) {
	if cell.Completions == 0 {
		return 0, false
	}
	if cell.Subject.bare() || cell.Section == SectionLong {
		return quantile(cell) - cell.Latency, true
	}
	base := r.find(cell.Section, direct, cell.Latency, cell.Clients)
	if len(base) == 0 || base[0].Completions == 0 {
		return 0, false
	}
	return quantile(cell) - quantile(base[0]), true
}

func p50(c Cell) time.Duration { return c.P50 }
func p95(c Cell) time.Duration { return c.P95 }
func p99(c Cell) time.Duration { return c.P99 }

func (r *Result) writeTo(out io.Writer, opts Options) error {
	w := bufio.NewWriter(out)
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	m := r.Machine
	p("Holdfast benchmark, %s", m.Time.Format(time.RFC3339))
	p("")
	p("%s, %d cores, %s memory; PostgreSQL %s, synchronous_commit %s; data in %s", m.CPU, m.Cores, m.Memory, m.PostgreSQL, m.Synchronous, m.Data)
	p("Idle, Holdfast with its Temporal server and PostgreSQL uses %.0f ms CPU and commits %.0f transactions a second (neither is", r.Idle.CPU*1000, r.Idle.Commits)
	p("taken off below), and %s of memory.", mebibytes(r.Idle.Memory))
	if len(r.Cells) > 0 {
		p("%s", notes)
	}
	for _, latency := range opts.Latencies {
		r.printShort(w, opts, latency)
	}
	r.printLong(w, opts)
	r.printStreams(w, opts)
	r.printFailovers(w)
	r.printConversations(w)
	r.printTargets(w)
	return w.Flush()
}

const notes = `
What is compared: closed loops, a request of 2 kB, an answer of 2 kB, no streaming. The load generator, the simulated provider,
the proxies and Holdfast are processes of their own on this machine. The bare workflows run on Holdfast's own Temporal server,
started eagerly and awaited through their history, in process by a driver with its own worker: they carry no HTTP, and in place
of a provider's call their activity waits as long as the provider takes.
  added     what the client waited beyond a direct call of the provider (bare workflows: beyond the wait that was ordered)
  CPU       ms a completion: server + PostgreSQL. Server is the Holdfast process with API, worker and Temporal; for the proxies
            the proxy; for bare workflows the Holdfast process, for its Temporal, plus the driver. PostgreSQL is all of its
            processes. The load generator and the provider are not counted.
  commits   PostgreSQL transactions a completion, over all databases; WAL is the log that they wrote
  refused   503 with Retry-After before anything was started; the client waits as told
  others    share of the machine that unrelated processes took meanwhile: distrust a line where it is not small`

func (r *Result) printShort(w io.Writer, opts Options, latency time.Duration) {
	if !slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Section == SectionShort && c.Latency == latency }) {
		return
	}
	fmt.Fprintf(w, "\n%s\n\n", heading(latency))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	const columns = "\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n"
	for _, clients := range opts.Clients {
		of := fmt.Sprintf("%d clients", clients)
		if clients == 1 {
			of = "1 client"
		}
		fmt.Fprintf(t, "%-34s"+columns, of, "req/s", "added p50", "p95", "p99 ms", "CPU ms", "= server", "+ PG", "commits", "WAL kB", "refused", "others")
		for _, cell := range r.Cells {
			if cell.Section == SectionShort && cell.Latency == latency && cell.Clients == clients {
				fmt.Fprintf(t, "%-34s"+columns, r.row(cell)...)
			}
		}
		fmt.Fprintf(t, columns, "", "", "", "", "", "", "", "", "", "", "")
	}
	_ = t.Flush()
}

func heading(latency time.Duration) string {
	if latency == 0 {
		return "Provider that answers at once"
	}
	return "Provider that takes " + latency.String()
}

// row is a line of the table.
func (r *Result) row(c Cell) []any {
	row := []any{string(c.Subject), number(c.PerSecond)}
	for _, quantile := range []func(Cell) time.Duration{p50, p95, p99} {
		switch added, ok := r.added(c, quantile); {
		case c.Subject == direct && ok:
			row = append(row, "("+number(milliseconds(quantile(c)))+")")
		case ok:
			row = append(row, number(milliseconds(added)))
		default:
			row = append(row, "-")
		}
	}
	switch c.Subject {
	case direct:
		row = append(row, "", "", "", "", "")
	case proxy:
		row = append(row, number(c.ServerCPU), number(c.ServerCPU), "", "", "")
	default:
		row = append(row, number(c.ServerCPU+c.PostgresCPU), number(c.ServerCPU), number(c.PostgresCPU), number(c.Commits), number(c.WAL/1000))
	}
	return append(row, c.trouble(), fmt.Sprintf("%.0f %%", 100*c.Others))
}

// trouble is what was refused, and what failed.
func (c Cell) trouble() string { return trouble(c.Refused, c.Failed) }

func trouble(refused, failed int) string {
	text := ""
	if refused > 0 {
		text = fmt.Sprint(refused)
	}
	if failed > 0 {
		text += fmt.Sprintf(" FAILED %d", failed)
	}
	return text
}

// number shows about three digits.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }

func (r *Result) printLong(w io.Writer, opts Options) {
	if !slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Section == SectionLong }) {
		return
	}
	fmt.Fprintf(w, "\nLong calls: Holdfast, provider that takes %s\n\n", opts.LongLatency)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	const columns = "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n"
	fmt.Fprintf(t, columns, "in flight", "completions/s", "possible", "added p50", "p95", "p99 ms", "CPU ms", "= server", "+ PG", "refused", "memory")
	for _, c := range r.Cells {
		if c.Section != SectionLong {
			continue
		}
		row := r.row(c)
		fmt.Fprintf(t, columns, fmt.Sprint(c.Clients), row[1], number(float64(c.Clients)/c.Latency.Seconds()), row[2], row[3], row[4],
			row[5], row[6], row[7], row[10], mebibytes(c.Memory))
	}
	_ = t.Flush()
}
