package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// failedOver is a run of the failover section with one of everything.
func failedOver() *Result {
	ms := time.Millisecond
	cell := func(cooldowns bool, clients int, share, perSecond float64, p50 time.Duration, first, failed, second int) FailoverCell {
		return FailoverCell{
			Cell: Cell{
				Section: SectionFailover, Subject: holdfast, Clients: clients, Completions: 100, PerSecond: perSecond, P50: p50, P95: 2 * p50,
				ServerCPU: 5, PostgresCPU: 4, Others: 0.02,
			},
			Cooldowns: cooldowns, Share: share, First: first, FirstFailed: failed, Second: second,
		}
	}
	cells := []FailoverCell{
		cell(true, 16, 0, 200, 80*ms, 100, 0, 0), cell(true, 16, 0.3, 150, 100*ms, 60, 18, 58), cell(true, 16, 0, 100, 80*ms, 100, 0, 0),
		cell(false, 1, 0, 80, 10*ms, 100, 0, 0), cell(false, 1, 1, 40, 25*ms, 100, 100, 100), cell(false, 1, 0, 80, 14*ms, 100, 0, 0),
		cell(false, 16, 0, 200, 80*ms, 100, 0, 0), cell(false, 16, 0.3, 110, 120*ms, 100, 30, 30), cell(false, 16, 0, 240, 80*ms, 100, 0, 0),
	}
	cells[4].GapP50, cells[4].GapP95 = 9*ms, 15*ms
	cells[7].Failed = 2
	return &Result{Machine: measured().Machine, Failovers: cells, MemoryAfter: 1_000_000_000}
}

func TestReportOfFailovers(t *testing.T) {
	t.Parallel()
	requireReport(t, "failover.golden", failedOver(), Defaults())
}

func TestTargetsOfFailovers(t *testing.T) {
	t.Parallel()
	const open, closed = 0, 1
	targets := failedOver().failoverTargets()
	require.InDelta(t, 150.0/150, targets[open].Value, 1e-9, "against the mean of the floors before and after")
	require.True(t, targets[open].Reached())
	require.InDelta(t, 110.0/220, targets[closed].Value, 1e-9)
	require.False(t, targets[closed].Reached())

	for name, without := range map[string]func(FailoverCell) bool{
		"no floor":    func(c FailoverCell) bool { return c.Share == 0 },
		"no failures": func(c FailoverCell) bool { return c.Share > 0 },
	} {
		result := failedOver()
		result.Failovers = slices.DeleteFunc(result.Failovers, without)
		for _, target := range result.failoverTargets() {
			require.False(t, target.Measured, name)
		}
	}
	all := failedOver().targets(Defaults())
	require.InDelta(t, 2, all[len(all)-1].Value, 0, "requests that failed here count with the others")
}

func TestTheGapIsFromAnErrorToTheRequestThatFollowsIt(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	call := func(at time.Duration, status int) simulator.Call {
		return simulator.Call{Time: begin.Add(at), Status: status}
	}
	ms := time.Millisecond
	first := []simulator.Call{call(0, 503), call(20*ms, 200), call(40*ms, 503), call(90*ms, 503)}
	second := []simulator.Call{call(8*ms, 200), call(50*ms, 200)}
	cell := FailoverCell{Cell: Cell{Clients: 1}}
	cell.count(first, second)
	require.Equal(t, 4, cell.First)
	require.Equal(t, 3, cell.FirstFailed)
	require.Equal(t, 2, cell.Second)
	require.Equal(t, 10*ms, cell.GapP50, "8 ms and 10 ms; the last error's request came after the window")
	require.Equal(t, 10*ms, cell.GapP95)

	several := FailoverCell{Cell: Cell{Clients: 2}}
	several.count(first, second)
	require.Zero(t, several.GapP50, "which request is for which error is not known")
}
