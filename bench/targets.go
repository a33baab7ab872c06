package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Target is one line of the last table: a number that the project holds itself to.
type Target struct {
	What     string  `json:"what"`
	Measured bool    `json:"measured"`
	Value    float64 `json:"value"`
	// Limit is what Value must reach: at least if AtLeast, else at most.
	Limit   float64 `json:"limit"`
	AtLeast bool    `json:"at_least"`
	Unit    string  `json:"unit,omitempty"`
}

// Reached says whether the target was met; what was not measured was not.
func (t Target) Reached() bool {
	switch {
	case !t.Measured:
		return false
	case t.AtLeast:
		return t.Value >= t.Limit
	default:
		return t.Value <= t.Limit
	}
}

func perSecond(c Cell) float64 { return c.PerSecond }
func cpu(c Cell) float64       { return c.ServerCPU + c.PostgresCPU }

// targets are what the project promises, with what was measured.
func (r *Result) targets(opts Options) []Target {
	at := opts.latencyOfTargets()
	ours := func(clients int) []Cell { return r.find(SectionShort, holdfast, at, clients) }
	floor := func(clients int) []Cell { return r.find(SectionShort, bareLocal, at, clients) }
	addedP50 := func(c Cell) float64 {
		added, _ := r.added(c, p50)
		return milliseconds(added)
	}
	list := []Target{
		ratio("throughput at 16 clients: Holdfast / bare workflow with 1 local activity", ours(16), floor(16), perSecond),
		ratio("p50 added at 1 client: Holdfast / bare workflow with 1 local activity", ours(1), floor(1), addedP50),
		ratio("throughput of Holdfast: 256 clients / 16 clients", ours(256), ours(16), perSecond),
	}
	list[0].Limit, list[0].AtLeast = 0.75, true
	list[1].Limit = 1.2
	list[2].Limit, list[2].AtLeast = 0.9, true
	plain := func(what string, cells []Cell, of func(Cell) float64, limit float64, unit string) {
		value, ok := mean(cells, of)
		list = append(list, Target{What: what, Measured: ok, Value: value, Limit: limit, Unit: unit})
	}
	plain("CPU of a completion at 16 clients", ours(16), cpu, 10, "ms")
	for _, calls := range opts.InFlight {
		cells := r.find(SectionLong, holdfast, opts.LongLatency, calls)
		plain(fmt.Sprintf("CPU of a completion, %d calls in flight of %s each", calls, opts.LongLatency), cells, cpu, 14, "ms")
		if calls == 800 {
			plain(fmt.Sprintf("p50 added, %d calls in flight of %s each", calls, opts.LongLatency), cells, addedP50, 300, "ms")
		}
	}
	list = append(list, r.streamTargets()...)
	list = append(list, r.failoverTargets()...)
	list = append(list, r.conversationTargets()...)
	list = append(list, Target{
		What: "memory of the Holdfast process after the run", Measured: r.MemoryAfter > 0,
		Value: float64(r.MemoryAfter) / 1e9, Limit: 1.5, Unit: "GB",
	})
	failed := 0
	for _, cell := range r.Cells {
		if cell.Subject == holdfast {
			failed += cell.Failed
		}
	}
	for _, cell := range r.Streams {
		if cell.Subject == holdfast {
			failed += cell.Failed
		}
	}
	for _, cell := range r.Failovers {
		failed += cell.Failed
	}
	return append(list, Target{What: "requests to Holdfast that failed", Measured: len(r.Cells)+len(r.Streams)+len(r.Failovers) > 0, Value: float64(failed)})
}

// latencyOfTargets is the provider that the targets are about: the fastest.
func (o Options) latencyOfTargets() time.Duration {
	if len(o.Latencies) == 0 {
		return 0
	}
	return slices.Min(o.Latencies)
}

// ratio compares two means.
func ratio[M measurement](what string, of, to []M, number func(M) float64) Target {
	above, okAbove := mean(of, number)
	below, okBelow := mean(to, number)
	t := Target{What: what, Measured: okAbove && okBelow && below > 0}
	if t.Measured {
		t.Value = above / below
	}
	return t
}

func (r *Result) printTargets(w io.Writer) {
	fmt.Fprintf(w, "\nTargets (short calls: with the fastest provider; floors are means of the measurements before and after Holdfast's)\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, target := range r.Targets {
		relation, verdict := "at most", "missed"
		if target.AtLeast {
			relation = "at least"
		}
		value := fmt.Sprintf("%.2f", target.Value)
		if target.Unit == "" && target.Limit == 0 {
			value = fmt.Sprintf("%.0f", target.Value)
		}
		switch {
		case !target.Measured:
			value, verdict = "-", "not measured"
		case target.Reached():
			verdict = "reached"
		}
		fmt.Fprintf(t, "  %s\t%s %s\t%s %v %s\t%s\n", target.What, value, target.Unit, relation, target.Limit, target.Unit, verdict)
	}
	_ = t.Flush()
}
