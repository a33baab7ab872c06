package bench

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/simulator"
)

const (
	// failoverRoute leads to two vendors of one simulator, whose faults are scripted.
	failoverRoute = "bench-failover"
	// failoverClients is the number of clients that throughput is compared with, failingShare how many of the first vendor's
	// calls fail then.
	failoverClients = 16
	failingShare    = 0.3
)

// FailoverCell is one measurement of the failover section.
type FailoverCell struct {
	Cell
	// Cooldowns says that breakers open as they do by default, Share how many of the first vendor's calls fail.
	Cooldowns bool    `json:"cooldowns"`
	Share     float64 `json:"failing_share"`
	// First and Second count the calls of the vendors, FirstFailed those of the first that failed.
	First       int `json:"first_calls"`
	Second      int `json:"second_calls"`
	FirstFailed int `json:"first_failed"`
	// GapP50 and GapP95 are the time from an error of the first vendor to the request that the second gets for it, as they see it
	// themselves; zero where several clients make it unknown which request is for which.
	GapP50 time.Duration `json:"gap_p50,omitempty"`
	GapP95 time.Duration `json:"gap_p95,omitempty"`
}

// scripted is the simulator of the failover section.
type scripted struct {
	first, second string
	control       simulator.Client
}

// startScripted starts it; without the section there is none.
func (i *instance) startScripted(ctx context.Context, opts Options) error {
	if !slices.Contains(opts.Sections, SectionFailover) {
		return nil
	}
	provider, err := start(opts.Program, "the simulated vendors", i.log("vendors"), nil, "simulate", "--answer-bytes", fmt.Sprint(answerBytes),
		"--openai-listen", "127.0.0.1:0", "--anthropic-listen", "127.0.0.1:0", "--gemini-listen", "", "--control-listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	i.providers = append(i.providers, provider)
	for i.vendors.control.BaseURL == "" { // it comes last
		line, err := provider.line(ctx)
		if err != nil {
			return err
		}
		said := strings.Fields(line)
		if len(said) != 2 {
			continue
		}
		switch said[0] {
		case "openai":
			i.vendors.first = said[1]
		case "anthropic":
			i.vendors.second = said[1]
		case "control":
			i.vendors.control.BaseURL = said[1]
		}
	}
	provider.discard()
	return nil
}

// route is the configuration's, to be put behind others; empty without the section.
func (s scripted) route() string {
	if s.first == "" {
		return ""
	}
	var text strings.Builder
	for order, target := range [][2]string{{"openai/gpt-4.1", s.first}, {"anthropic/claude-sonnet-5", s.second}, {"anthropic/claude-opus-4-1", s.second}} {
		fmt.Fprintf(&text, "  - model_name: %s\n    litellm_params: {model: %s, api_base: %q, order: %d}\n", failoverRoute, target[0], target[1], order+1)
	}
	return text.String()
}

// failover measures what failures of the first vendor cost: on the instance under test, whose breakers are as they come, and on
// one beside it whose breakers never open, so that each failure is one of a completion's.
func (b *benchmark) failover(ctx context.Context) error {
	if err := b.failovers(ctx, true); err != nil {
		return err
	}
	measured := b.at
	b.tell("Starting a Holdfast without cooldowns …")
	beside, err := measured.beside(ctx, b.opts, "model_list:\n"+measured.vendors.route()+"router_settings: {disable_cooldowns: true}\n")
	if err != nil {
		return err
	}
	defer func() { b.at = measured; beside.stopHoldfast() }()
	b.at = beside
	return b.failovers(ctx, false)
}

// beside starts another Holdfast among what the instance has started.
func (i *instance) beside(ctx context.Context, opts Options, config string) (_ *instance, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	other := *i
	other.up, other.database, other.dir = nil, nil, filepath.Join(i.dir, "beside")
	defer func() {
		if err != nil {
			other.stopHoldfast()
		}
	}()
	if err := os.Mkdir(other.dir, 0o711); err != nil { //nolint:gosec // PostgreSQL may run as another user, who passes through
		return nil, err
	}
	if err := other.startHoldfast(ctx, opts, config); err != nil {
		return nil, err
	}
	other.database, err = openDatabase(ctx, filepath.Join(other.dir, "data"))
	return &other, err
}

// failovers measures with a share of failures between two measurements without. With one client and no cooldowns, every call of
// the first vendor fails: that tells what one failover takes.
func (b *benchmark) failovers(ctx context.Context, cooldowns bool) error {
	for _, next := range []struct {
		clients int
		share   float64
	}{{1, 0}, {1, 1}, {1, 0}, {failoverClients, 0}, {failoverClients, failingShare}, {failoverClients, 0}} {
		if cooldowns && next.clients == 1 {
			continue // after its first failures there would be none
		}
		if err := b.measureFailover(ctx, cooldowns, next.clients, next.share); err != nil {
			return err
		}
	}
	return nil
}

func (b *benchmark) measureFailover(ctx context.Context, cooldowns bool, clients int, share float64) error {
	control := &b.at.vendors.control
	if err := control.ClearFaults(ctx, simulator.OpenAI); err != nil {
		return err
	}
	if share > 0 {
		if _, err := control.SetFault(ctx, simulator.OpenAI, simulator.Fault{Status: http.StatusServiceUnavailable, Share: share}); err != nil {
			return err
		}
	}
	client := httpClient(clients)
	defer client.CloseIdleConnections()
	l := loop{clients: clients, warm: b.opts.Warm, window: b.opts.Window}
	l.call = chat(client, b.at.apiURL+"/v1/chat/completions", failoverRoute, b.at.token)
	cell := FailoverCell{Cell: Cell{Section: SectionFailover, Subject: holdfast, Clients: clients}, Cooldowns: cooldowns, Share: share}
	opened, closed, err := b.observe(ctx, &cell.Cell, l, func(l loop) (*sample, error) { return l.run(ctx), nil })
	if err != nil {
		return err
	}
	var calls [2][]simulator.Call
	for i, vendor := range []simulator.Vendor{simulator.OpenAI, simulator.Anthropic} {
		all, err := control.Calls(ctx, vendor)
		if err != nil {
			return err
		}
		calls[i] = slices.DeleteFunc(all, func(call simulator.Call) bool {
			return call.Operation != simulator.OperationComplete || call.Time.Before(opened.at) || call.Time.After(closed.at)
		})
	}
	cell.count(calls[0], calls[1])
	b.result.Failovers = append(b.result.Failovers, cell)
	b.tell("  %-34s %5d clients, %3.0f %% fail:     %7.1f/s  p50 %7.1f ms  CPU %5.1f ms  refused %d  failed %d  (others use %.0f %% of the machine)",
		cell.name(), clients, 100*share, cell.PerSecond, milliseconds(cell.P50), cell.ServerCPU+cell.PostgresCPU, cell.Refused, cell.Failed, 100*cell.Others)
	return nil
}

// count takes in the vendors' calls. An error of theirs is answered at once, so that the time of such a call is that of its error.
func (c *FailoverCell) count(first, second []simulator.Call) {
	c.First, c.Second = len(first), len(second)
	var gaps []time.Duration
	for _, call := range first {
		if call.Status == http.StatusOK {
			continue
		}
		c.FirstFailed++
		next := slices.IndexFunc(second, func(other simulator.Call) bool { return other.Time.After(call.Time) })
		if next >= 0 && c.Clients == 1 {
			gaps = append(gaps, second[next].Time.Sub(call.Time))
		}
	}
	slices.Sort(gaps)
	c.GapP50, c.GapP95 = quantile(gaps, 0.50), quantile(gaps, 0.95)
}

// name says which Holdfast was measured.
func (c FailoverCell) name() string {
	if c.Cooldowns {
		return "Holdfast"
	}
	return "Holdfast without cooldowns"
}
