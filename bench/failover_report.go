package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

const failoverNotes = `
Failover: a route of two vendors, closed loops, the request and the answer of 2 kB, no streaming. A share of the first vendor's
calls fails with 503, at once. Without cooldowns every completion begins with the first vendor, whatever has failed before.
  first      how many completions the first vendor was asked for; failed, how many of those calls failed
  gap        from the first vendor's error to the second vendor's request, as the vendors see it`

// findFailovers gives the measurements under one condition.
func (r *Result) findFailovers(cooldowns bool, clients int, share float64) []FailoverCell {
	return slices.DeleteFunc(slices.Clone(r.Failovers), func(c FailoverCell) bool {
		return c.Cooldowns != cooldowns || c.Clients != clients || c.Share != share
	})
}

func (r *Result) printFailovers(w io.Writer) {
	if len(r.Failovers) == 0 {
		return
	}
	fmt.Fprintf(w, "%s\n\n", failoverNotes)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	const columns = "%-28s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n"
	fmt.Fprintf(t, columns, "", "clients", "fail", "req/s", "p50", "p95 ms", "CPU ms", "first", "failed", "gap p50", "p95 ms", "refused", "others")
	for _, c := range r.Failovers {
		first, failed, gap := "-", "-", []any{"", ""}
		if calls := c.First - c.FirstFailed + c.Second; calls > 0 {
			first = fmt.Sprintf("%.0f %%", 100*float64(c.First)/float64(calls))
		}
		if c.First > 0 {
			failed = fmt.Sprintf("%.0f %%", 100*float64(c.FirstFailed)/float64(c.First))
		}
		if c.GapP50 > 0 {
			gap = []any{number(milliseconds(c.GapP50)), number(milliseconds(c.GapP95))}
		}
		row := []any{
			c.name(), fmt.Sprint(c.Clients), fmt.Sprintf("%.0f %%", 100*c.Share), number(c.PerSecond), number(milliseconds(c.P50)),
			number(milliseconds(c.P95)), number(c.ServerCPU + c.PostgresCPU), first, failed,
		}
		fmt.Fprintf(t, columns, append(append(row, gap...), c.trouble(), fmt.Sprintf("%.0f %%", 100*c.Others))...)
	}
	_ = t.Flush()
	failing, ok := mean(r.findFailovers(false, 1, 1), FailoverCell.waited)
	healthy, also := mean(r.findFailovers(false, 1, 0), FailoverCell.waited)
	if ok && also {
		fmt.Fprintf(w, "\n  One failover adds %s ms to what one client waits, at the p50.\n", number(failing-healthy))
	}
}

func (c FailoverCell) waited() float64 { return milliseconds(c.P50) }
func (c FailoverCell) rate() float64   { return c.PerSecond }

// failoverLimit is how much of the throughput must be left when failingShare of the first vendor's calls fail.
const failoverLimit = 0.6

// failoverTargets are what the project promises of failures.
func (r *Result) failoverTargets() []Target {
	var list []Target
	for _, cooldowns := range []bool{true, false} {
		what := fmt.Sprintf("throughput, %.0f %% of the first vendor's calls failing / none: %s", 100*failingShare, FailoverCell{Cooldowns: cooldowns}.name())
		target := ratio(what, r.findFailovers(cooldowns, failoverClients, failingShare), r.findFailovers(cooldowns, failoverClients, 0), FailoverCell.rate)
		target.Limit, target.AtLeast = failoverLimit, true
		list = append(list, target)
	}
	return list
}
