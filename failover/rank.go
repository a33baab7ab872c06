package failover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Target is a deployment that a route names, with what is known of it at the moment of ranking.
type Target struct {
	Deployment string
	Provider   string
	Model      string
	// Weight is the target's share among targets of the same order; zero means never, unless nothing else is left.
	Weight float64
	// Order groups targets: every target of a lower order is tried before any of a higher one.
	Order int
	// Timeout bounds one attempt.
	Timeout time.Duration
	// Silence bounds each wait for a piece of a streamed answer, the first and any other; 0 is Timeout.
	Silence time.Duration
	// Retries is how often this target may be repeated after its first failure, when no other is left untried.
	Retries int
	// BaseModel is the model behind a name that does not tell, such as that of a deployment; empty if Model tells.
	BaseModel string
	// Ineligible says why the target must not be used; empty if it may.
	Ineligible string
	// Group is the route that names the target, and Stage its place on the way: 0 is the route asked for, the others are its
	// fallbacks in order. Every target of a lower stage is tried before any of a higher one.
	Group string
	Stage int
	// For is what must have happened for a fallback to be used; empty means any failure that may be answered elsewhere.
	For Trigger
}

// Trigger is a failure that has fallbacks of its own.
type Trigger string

// The triggers.
const (
	// OnContextLength: the prompt did not fit the model.
	OnContextLength Trigger = "context_length"
	// OnContentPolicy: the vendor's filter, or the model itself, refused.
	OnContentPolicy Trigger = "content_policy"
)

// SameModel passes over the targets that are not the model of the first one in order, wherever they are hosted: the vectors
// of two models do not mix, so an embedding is never made by another.
func SameModel(targets []Target) []Target {
	if len(targets) == 0 {
		return nil
	}
	first := slices.MinFunc(targets, func(a, b Target) int { return a.Order - b.Order })
	same := slices.Clone(targets)
	for i := range same {
		if same[i].Ineligible == "" && same[i].modelName() != first.modelName() {
			same[i].Ineligible = fmt.Sprintf("vectors of %s do not mix with those of %s", same[i].modelName(), first.modelName())
		}
	}
	return same
}

// modelName is the model without what hosts put before its name.
func (t Target) modelName() string {
	model := t.Model
	if t.BaseModel != "" {
		model = t.BaseModel
	}
	return strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
}

// Candidate is a target in its place, with the reason for it.
type Candidate struct {
	Deployment string        `json:"deployment"`
	Provider   string        `json:"provider"`
	Model      string        `json:"model"`
	Timeout    time.Duration `json:"timeout"`
	Silence    time.Duration `json:"first_word,omitempty"`
	Retries    int           `json:"retries"`
	Reason     string        `json:"reason"`
	// Group is the fallback's route; empty for a target of the route asked for.
	Group string  `json:"group,omitempty"`
	For   Trigger `json:"for,omitempty"`
}

// Excluded is a target that was passed over, with the reason.
type Excluded struct {
	Deployment string `json:"deployment"`
	Provider   string `json:"provider"`
	Model      string `json:"model"`
	Reason     string `json:"reason"`
}

// Plan is the outcome of ranking.
type Plan struct {
	Candidates []Candidate `json:"candidates"`
	Excluded   []Excluded  `json:"excluded,omitempty"`
}

// Rank orders the eligible targets: those for one failure only behind all others, by Stage, by Order, and within one order by a
// weighted draw without replacement, so that the first place falls to each target in proportion to its weight. Draw returns
// numbers in [0, 1); the caller owns its seed. Where nothing but conditional fallbacks is left, there is no first call that
// could lead to them.
func Rank(targets []Target, draw func() float64) Plan {
	type stage struct {
		on Trigger
		at int
	}
	type rank struct {
		stage
		order int
	}
	var plan Plan
	grouped := map[rank][]Target{}
	orders := map[stage]int{} // how many each stage has
	var ranks []rank
	first := false
	for _, target := range targets {
		if target.Ineligible != "" {
			plan.exclude(target, target.Ineligible)
			continue
		}
		first = first || target.For == ""
		at := rank{stage{target.For, target.Stage}, target.Order}
		if _, seen := grouped[at]; !seen {
			ranks = append(ranks, at)
			orders[at.stage]++
		}
		grouped[at] = append(grouped[at], target)
	}
	slices.SortFunc(ranks, func(a, b rank) int { return cmp.Or(cmp.Compare(a.on, b.on), a.at-b.at, a.order-b.order) })
	for _, at := range ranks {
		for _, place := range drawAll(grouped[at], draw) {
			reason := place.reason
			if orders[at.stage] > 1 {
				reason = fmt.Sprintf("order %d, %s", at.order, reason)
			}
			switch {
			case !first:
				plan.exclude(place.Target, "a fallback on "+string(place.For)+" only")
			default:
				plan.Candidates = append(plan.Candidates, place.candidate(reason))
			}
		}
	}
	return plan
}

func (p *Plan) exclude(target Target, reason string) {
	p.Excluded = append(p.Excluded, Excluded{target.Deployment, target.Provider, target.Model, reason})
}

func (p placed) candidate(reason string) Candidate {
	candidate := Candidate{
		Deployment: p.Deployment, Provider: p.Provider, Model: p.Model, Timeout: p.Timeout, Silence: p.Silence, Retries: p.Retries,
		Reason: reason, For: p.For,
	}
	if p.Stage > 0 {
		candidate.Group = p.Group
		candidate.Reason = "fallback to " + p.Group + ", " + reason
	}
	return candidate
}

type placed struct {
	Target
	reason string
}

func drawAll(group []Target, draw func() float64) []placed {
	if len(group) == 1 {
		return []placed{{group[0], "the only one"}}
	}
	rest := slices.Clone(group)
	var order []placed
	for len(rest) > 0 {
		var total float64
		for _, target := range rest {
			total += target.Weight
		}
		chosen := 0
		if total > 0 {
			point := draw() * total
			for i, target := range rest {
				chosen = i
				if point < target.Weight {
					break
				}
				point -= target.Weight
			}
		}
		reason := fmt.Sprintf("drawn by weight %g of %g", rest[chosen].Weight, total)
		if len(rest) == 1 {
			reason = fmt.Sprintf("last of its group, weight %g", rest[chosen].Weight)
		}
		order = append(order, placed{rest[chosen], reason})
		rest = slices.Delete(rest, chosen, chosen+1)
	}
	return order
}
