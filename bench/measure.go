package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// subject is what a measurement is about.
type subject string

const (
	direct      subject = "provider, called directly"
	proxy       subject = "plain Gin proxy"
	proxyWrite  subject = "Gin proxy + 1 row written"
	bareEmpty   subject = "bare workflow, empty"
	bareLocal   subject = "bare workflow, 1 local activity"
	bareRegular subject = "bare workflow, 1 regular activity"
	proxyStream subject = "plain Gin proxy of streams"
	holdfast    subject = "Holdfast"
)

// bare says whether the subject is started in the driver's process, without HTTP.
func (s subject) bare() bool { return s == bareEmpty || s == bareLocal || s == bareRegular }

// Cell is one measurement.
type Cell struct {
	Section string        `json:"section"`
	Subject subject       `json:"subject"`
	Latency time.Duration `json:"provider_latency"`
	Clients int           `json:"clients"`
	// Completions is how many ended well in the window; Refused how many were turned away with Retry-After.
	Completions  int     `json:"completions"`
	Refused      int     `json:"refused"`
	Failed       int     `json:"failed"`
	FirstFailure string  `json:"first_failure,omitempty"`
	PerSecond    float64 `json:"per_second"`
	// P50, P95 and P99 are what the client saw.
	P50 time.Duration `json:"p50"`
	P95 time.Duration `json:"p95"`
	P99 time.Duration `json:"p99"`
	// ServerCPU and PostgresCPU are milliseconds a completion; what counts as server depends on the subject.
	ServerCPU   float64 `json:"server_cpu_ms"`
	PostgresCPU float64 `json:"postgres_cpu_ms"`
	// Commits and WAL are PostgreSQL's transactions and bytes of log a completion, over all databases.
	Commits float64 `json:"commits"`
	WAL     float64 `json:"wal_bytes"`
	// Memory is that of the Holdfast process at the end of the window, in bytes.
	Memory int64 `json:"memory"`
	// Others is the share of the machine's cores that processes took which have nothing to do with the benchmark.
	Others float64 `json:"others_share"`
}

// reading is the state of all counters at a moment.
type reading struct {
	at                                        time.Time
	up, postgres, baseline, driver, ours, all time.Duration
	counters                                  counters
}

func (b *benchmark) read(ctx context.Context) (reading, error) {
	r := reading{
		at: time.Now(), up: cpuOf(b.at.up.pid()), postgres: cpuOfTree(b.at.database.postmaster),
		baseline: cpuOf(b.at.baseline.pid()), driver: cpuOf(b.at.driver.pid()), ours: cpuOfTree(os.Getpid()), all: machineBusy(),
	}
	var err error
	r.counters, err = b.at.database.counters(ctx)
	return r, err
}

// measure runs one closed loop and keeps what it cost.
func (b *benchmark) measure(ctx context.Context, section string, what subject, latency time.Duration, l loop) error {
	cell := Cell{Section: section, Subject: what, Latency: latency, Clients: l.clients}
	_, _, err := b.observe(ctx, &cell, l, func(l loop) (*sample, error) { return b.loop(ctx, what, latency, l) })
	if err != nil {
		return err
	}
	b.result.Cells = append(b.result.Cells, cell)
	b.tell("  %-34s %5d clients, provider %5s: %7.1f/s  p50 %7.1f ms  CPU %5.1f ms  refused %d  failed %d  (others use %.0f %% of the machine)",
		what, l.clients, latency, cell.PerSecond, milliseconds(cell.P50), cell.ServerCPU+cell.PostgresCPU, cell.Refused, cell.Failed,
		100*cell.Others)
	return nil
}

// observe has a loop run, writes what came of it into the cell of its subject, and gives the counters at the window's ends.
func (b *benchmark) observe(ctx context.Context, cell *Cell, l loop, run func(loop) (*sample, error)) (opened, closed reading, err error) {
	if err := b.at.dead(); err != nil {
		return opened, closed, err
	}
	var firstErr, secondErr error
	l.opened = func() { opened, firstErr = b.read(ctx) }
	l.closed = func() {
		closed, secondErr = b.read(ctx)
		cell.Memory, _ = memoryOf(b.at.up.pid())
	}
	s, err := run(l)
	for _, err := range []error{err, ctx.Err(), firstErr, secondErr} {
		if err != nil {
			return opened, closed, fmt.Errorf("measuring %s with %d clients: %w", cell.Subject, l.clients, err)
		}
	}
	cell.Completions, cell.Refused, cell.Failed, cell.FirstFailure = len(s.Latencies), s.Refused, s.Failed, s.FirstFail
	cell.PerSecond, cell.P50, cell.P95, cell.P99 = s.perSecond(), s.quantile(0.50), s.quantile(0.95), s.quantile(0.99)
	server, what := closed.up-opened.up, cell.Subject
	switch {
	case what == proxy || what == proxyWrite:
		server = closed.baseline - opened.baseline
	case what.bare():
		server += closed.driver - opened.driver
	}
	if n := float64(cell.Completions); n > 0 && what != direct {
		cell.ServerCPU = milliseconds(server) / n
		if what != proxy {
			cell.PostgresCPU = milliseconds(closed.postgres-opened.postgres) / n
			cell.Commits = float64(closed.counters.commits-opened.counters.commits) / n
			cell.WAL = float64(closed.counters.wal-opened.counters.wal) / n
		}
	}
	cell.Others = others(opened, closed)
	return opened, closed, nil
}

// others is the share of the machine that processes took between two readings which have nothing to do with the benchmark.
func others(opened, closed reading) float64 {
	machine := closed.at.Sub(opened.at).Seconds() * float64(runtime.NumCPU())
	return max(0, ((closed.all-opened.all)-(closed.ours-opened.ours)).Seconds()/machine)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// loop runs the closed loop here, or has the driver run it.
func (b *benchmark) loop(ctx context.Context, what subject, latency time.Duration, l loop) (*sample, error) {
	if what.bare() {
		return b.order(ctx, order{Subject: what, Clients: l.clients, Warm: l.warm, Window: l.window, Wait: latency}, l)
	}
	index := slices.Index(b.at.latencies, latency)
	model, token, url := "gpt-4.1", "", ""
	switch what {
	case direct:
		url = b.at.providerURLs[index] + "/chat/completions"
	case proxy:
		url = fmt.Sprintf("%s/proxy/%d/v1/chat/completions", b.at.baselineURL, index)
	case proxyWrite:
		url = fmt.Sprintf("%s/write/%d/v1/chat/completions", b.at.baselineURL, index)
	default:
		url, model, token = b.at.apiURL+"/v1/chat/completions", routeName(latency), b.at.token
	}
	client := httpClient(l.clients)
	defer client.CloseIdleConnections()
	l.call = chat(client, url, model, token)
	return l.run(ctx), nil
}

// order has the driver run a loop; the window's ends are told as they come.
func (b *benchmark) order(ctx context.Context, o order, l loop) (*sample, error) {
	if err := json.NewEncoder(b.at.driver.stdin).Encode(o); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.warm+l.window+2*time.Minute)
	defer cancel()
	for {
		line, err := b.at.driver.line(ctx)
		if err != nil {
			return nil, err
		}
		var said event
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			return nil, fmt.Errorf("the driver said %.100q: %w", line, err)
		}
		switch said.Event {
		case "opened":
			l.opened()
		case "closed":
			l.closed()
		default:
			return said.Sample, nil
		}
	}
}
