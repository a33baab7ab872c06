package routing

import (
	"time"

	"github.com/holdfast-dev/holdfast/failover"
)

// Explain says which deployments would serve a request of the route now, in which order, and why each is in or out, without
// calling any. Where weights decide it is one draw of many. Known is false for a name that is no route.
func (t *Table) Explain(route string, ask failover.Ask, now time.Time) (explained failover.Explained, known bool) {
	if !t.Known(route) {
		return failover.Explained{}, false
	}
	targets := t.Targets(ask.Tenant, route, ask.Routing.Fallbacks, true)
	if ask.Embeddings {
		targets = failover.SameModel(targets)
	}
	targets = ask.Filter(targets)
	prefer := failover.Preference{Providers: ask.Routing.Order, Sort: failover.SortBy(ask.Routing.Sort), Single: ask.Routing.Single}
	explained.Plan = failover.Rank(targets, prefer, func() float64 { return 0 })
	explained.Resting = t.Rests(ask.Tenant, explained.Candidates, ask.InputTokens)
	explained.First = failover.Decide(failover.State{
		Candidates: explained.Candidates, Resting: explained.Resting, Deadline: now.Add(time.Hour), Seed: route,
	}, now)
	return explained, true
}
