package failover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
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
	// Strategy orders the targets of the same order.
	Strategy Strategy
	// Facts and Conditions say what the target can do and whom it serves; Measured, how it does.
	Facts      Facts
	Conditions Conditions
	Measured   Measured
	// The rest is handed on to the [Candidate].
	Place       string
	Keys        []string
	RetriesFor  map[llm.Kind]int
	Pause       time.Duration
	Degraded    bool
	AwaitsLimit bool
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
	// Place is the provider's, with its host, region or project where it has several; Keys name the keys that may be used there.
	Place string   `json:"place,omitempty"`
	Keys  []string `json:"keys,omitempty"`
	// RetriesFor are retries that depend on the kind of the latest failure; Pause is the least time before one.
	RetriesFor map[llm.Kind]int `json:"retries_for,omitempty"`
	Pause      time.Duration    `json:"pause,omitempty"`
	// Degraded is called only for want of anything better, and its answer marked.
	Degraded bool `json:"degraded,omitempty"`
	// AwaitsLimit is waited for when its limit is used up, though others are left.
	AwaitsLimit bool `json:"awaits_limit,omitempty"`
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

// Explained says who would serve a request now, and why.
type Explained struct {
	Plan
	// Resting are those of the candidates that would not be called now.
	Resting []Rest `json:"resting,omitempty"`
	// First is what would be done first.
	First Decision `json:"first"`
}

// Preference is what a request or its conversation wants of the order.
type Preference struct {
	// Providers come first, in this order.
	Providers []string
	// Sort takes the place of every target's strategy; empty leaves it.
	Sort Strategy
	// Last is who gave the conversation's last answer, whose prompt cache may still hold it.
	Last LastAnswer
	// Held is how many tokens that cache may hold: what another would have to read anew.
	Held int64
	// Single keeps the first target only.
	Single bool
}

// LastAnswer says who gave a conversation's last answer; empty if nobody did.
type LastAnswer struct{ Provider, Model string }

// Rank orders the eligible targets: those for one failure only behind all others, those for want of anything better last, by
// Stage, by the preferred providers, by Order, and within one order by the strategy. Behind the first, the same model elsewhere
// comes before its family, and that before others. Who gave the conversation's last answer comes before all. Draw returns numbers in
// [0, 1); the caller owns its seed. Where nothing but fallbacks for a prompt that is too long is left, they are called at once;
// without a first call nothing could lead to other conditional ones.
func Rank(targets []Target, prefer Preference, draw func() float64) Plan {
	var plan Plan
	grouped := map[rank][]Target{}
	orders := map[stage]int{} // how many each stage has
	var ranks []rank
	for _, target := range promoted(targets) {
		if target.Ineligible != "" {
			plan.exclude(target, target.Ineligible)
			continue
		}
		at := rankOf(target, prefer)
		if _, seen := grouped[at]; !seen {
			ranks = append(ranks, at)
			orders[at.stage]++
		}
		grouped[at] = append(grouped[at], target)
	}
	slices.SortFunc(ranks, rank.compare)
	for _, at := range ranks {
		for _, place := range ordered(grouped[at], prefer.Sort, draw) {
			reason := place.reason
			if orders[at.stage] > 1 {
				reason = fmt.Sprintf("order %d, %s", at.order, reason)
			}
			if at.preferred < len(prefer.Providers) {
				reason = "asked for first, " + reason
			}
			plan.Candidates = append(plan.Candidates, place.candidate(reason))
		}
	}
	plan.keepFirst(prefer, targets)
	return plan
}

type stage struct {
	on       Trigger
	degraded bool
	at       int
}

type rank struct {
	stage
	preferred int
	order     int
}

func rankOf(target Target, prefer Preference) rank {
	at := rank{stage{target.For, target.Degraded, target.Stage}, len(prefer.Providers), target.Order}
	if i := slices.Index(prefer.Providers, target.Provider); i >= 0 {
		at.preferred = i
	}
	if prefer.Sort != "" { // a request that sorts sorts all of a stage
		at.order = 0
	}
	return at
}

func (r rank) compare(other rank) int {
	worse := func(degraded bool) int {
		if degraded {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(r.on, other.on), worse(r.degraded)-worse(other.degraded), r.at-other.at, r.preferred-other.preferred, r.order-other.order)
}

// promoted makes fallbacks for a prompt that is too long unconditional where no other target is left, and excludes conditional
// ones that no first call could lead to.
func promoted(targets []Target) []Target {
	first, tooLong := false, false
	for _, target := range targets {
		first = first || target.Ineligible == "" && target.For == ""
		tooLong = tooLong || target.For == "" && strings.HasPrefix(target.Ineligible, doesNotFit)
	}
	if first {
		return targets
	}
	list := slices.Clone(targets)
	for i := range list {
		switch {
		case list[i].Ineligible != "" || list[i].For == "":
		case list[i].For == OnContextLength && tooLong:
			list[i].For = ""
		default:
			list[i].Ineligible = onlyAfter + string(list[i].For) + " only"
		}
	}
	return list
}

// keepFirst puts the conversation's last answerer first, and takes the others away where one is all that is wanted.
func (p *Plan) keepFirst(prefer Preference, targets []Target) {
	for i, candidate := range p.Candidates {
		if prefer.Last.Provider != "" && candidate.For == "" && !candidate.Degraded && candidate.Group == "" &&
			candidate.Provider == prefer.Last.Provider && candidate.Model == prefer.Last.Model {
			stays, reason := stays(prefer, find(targets, candidate), find(targets, p.Candidates[0]))
			if i > 0 && !stays {
				p.Candidates[0].Reason += ", " + reason
				break
			}
			if i > 0 {
				candidate.Reason = "gave the conversation's last answer" + reason
				p.Candidates = slices.Insert(slices.Delete(p.Candidates, i, i+1), 0, candidate)
			}
			break
		}
	}
	if !prefer.Single || len(p.Candidates) == 0 {
		return
	}
	for _, candidate := range p.Candidates[1:] {
		p.Excluded = append(p.Excluded, Excluded{candidate.Deployment, candidate.Provider, candidate.Model, "the request allows no fallback"})
	}
	p.Candidates = p.Candidates[:1]
}

func find(targets []Target, candidate Candidate) Target {
	for _, target := range targets {
		if target.Deployment == candidate.Deployment && target.For == candidate.For {
			return target
		}
	}
	return Target{}
}

// stays weighs what leaving the last answerer's prompt cache would cost. Where the cheapest is wanted, it stays only if the best of
// the others is not cheaper even so.
func stays(prefer Preference, last, best Target) (stays bool, reason string) {
	cached, anew := last.Facts.CacheReadPrice, best.Facts.InputPrice
	if prefer.Held == 0 || anew == nil {
		return true, ""
	}
	switched := float64(prefer.Held) * float64(*anew) / 1e12
	strategy := prefer.Sort
	if strategy == "" {
		strategy = best.Strategy
	}
	if strategy == StrategyCost && cached != nil && *cached > *anew {
		return false, fmt.Sprintf("cheaper than %s even without the %d tokens in its prompt cache", last.Deployment, prefer.Held)
	}
	return true, fmt.Sprintf(", %s would read %d tokens anew for about $%.4f", best.Deployment, prefer.Held, switched)
}

func (p *Plan) exclude(target Target, reason string) {
	p.Excluded = append(p.Excluded, Excluded{target.Deployment, target.Provider, target.Model, reason})
}

func (p placed) candidate(reason string) Candidate {
	candidate := Candidate{
		Deployment: p.Deployment, Provider: p.Provider, Model: p.Model, Timeout: p.Timeout, Silence: p.Silence, Retries: p.Retries,
		Reason: reason, For: p.For, Place: p.Place, Keys: p.Keys, RetriesFor: p.RetriesFor, Pause: p.Pause, Degraded: p.Degraded,
		AwaitsLimit: p.AwaitsLimit,
	}
	if p.Stage > 0 {
		candidate.Group = p.Group
		candidate.Reason = "fallback to " + p.Group + ", " + reason
	}
	if p.Degraded {
		candidate.Reason = "for want of anything better, " + reason
	}
	return candidate
}
