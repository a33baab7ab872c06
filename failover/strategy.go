package failover

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Strategy orders targets of the same order.
type Strategy string

// The strategies. Their values are those of the configuration; empty is [StrategyShuffle].
const (
	// StrategyShuffle draws by weight.
	StrategyShuffle Strategy = "shuffle"
	// StrategyLatency takes the one whose first word comes soonest.
	StrategyLatency Strategy = "latency"
	// StrategyCost takes the cheapest.
	StrategyCost Strategy = "cost"
	// StrategyLeastBusy takes the one with the fewest calls under way here.
	StrategyLeastBusy Strategy = "least_busy"
	// StrategyUsage takes the one that has most of its limit left.
	StrategyUsage Strategy = "usage"
)

// SortBy is the strategy that a request asks for.
func SortBy(sort llm.Sort) Strategy {
	switch sort {
	case llm.SortPrice:
		return StrategyCost
	case llm.SortLatency:
		return StrategyLatency
	case llm.SortThroughput:
		return StrategyUsage
	default:
		return ""
	}
}

// Measured is how a target does, as this process sees it.
type Measured struct {
	// FirstWord is a moving average of the time to the first word; zero if nothing is known.
	FirstWord time.Duration
	// Within is the share by which another may be slower than the fastest and still be drawn; of the configuration.
	Within float64
	// InFlight are the calls under way.
	InFlight int
	// Used is the share of its limit that is used up, from 0 to 1.
	Used float64
}

type placed struct {
	Target
	reason string
}

// ordered puts targets in order, and behind the first those that are nearest to it.
func ordered(group []Target, sort Strategy, draw func() float64) []placed {
	if len(group) == 1 {
		return []placed{{group[0], "the only one"}}
	}
	strategy := sort
	if strategy == "" {
		strategy = group[0].Strategy
	}
	// The draw comes first, whatever the strategy: it decides between equals.
	order := drawAll(group, draw)
	if measure := measures(strategy, order); measure != nil {
		slices.SortStableFunc(order, func(a, b placed) int { return cmp.Compare(measure(a.Target), measure(b.Target)) })
		for i := range order {
			order[i].reason = explained(strategy, order[i].Target)
		}
	}
	first := order[0]
	slices.SortStableFunc(order[1:], func(a, b placed) int { return first.distance(a.Target) - first.distance(b.Target) })
	for i := range order[1:] {
		switch place := &order[i+1]; first.distance(place.Target) {
		case 0:
			place.reason = "the same model elsewhere, " + place.reason
		case 1:
			place.reason = "of the same family, " + place.reason
		}
	}
	return order
}

// distance is how far a target's model is from another's: the same, one of its family, another.
func (t Target) distance(other Target) int {
	switch {
	case t.Facts.Family != "" && t.Facts.Family == other.Facts.Family:
		return 0
	case t.Facts.Line != "" && t.Facts.Line == other.Facts.Line:
		return 1
	default:
		return 2
	}
}

// measures is what a strategy compares; nil for the draw.
func measures(strategy Strategy, group []placed) func(Target) float64 {
	switch strategy {
	case StrategyLatency:
		fastest := time.Duration(0)
		for _, target := range group {
			if known := target.Measured.FirstWord; known > 0 && (fastest == 0 || known < fastest) {
				fastest = known
			}
		}
		return func(t Target) float64 {
			switch word := float64(t.Measured.FirstWord); {
			case word == 0: // not known yet: it is tried
				return -1
			case word <= float64(fastest)*(1+t.Measured.Within):
				return 0
			default:
				return word
			}
		}
	case StrategyCost:
		return func(t Target) float64 { return float64(t.Facts.cost()) }
	case StrategyLeastBusy:
		return func(t Target) float64 { return float64(t.Measured.InFlight) }
	case StrategyUsage:
		return func(t Target) float64 { return t.Measured.Used }
	case StrategyShuffle:
		return nil
	default:
		return nil
	}
}

// explained says in words what a strategy saw.
func explained(strategy Strategy, t Target) string {
	switch strategy {
	case StrategyLatency:
		if t.Measured.FirstWord == 0 {
			return "by latency: not known yet"
		}
		return fmt.Sprintf("by latency: first word after %s", round(t.Measured.FirstWord))
	case StrategyCost:
		if t.Facts.InputPrice == nil || t.Facts.OutputPrice == nil {
			return "by cost: its price is not known"
		}
		return fmt.Sprintf("by cost: $%s in, $%s out for a million tokens", dollars(*t.Facts.InputPrice), dollars(*t.Facts.OutputPrice))
	case StrategyLeastBusy:
		return fmt.Sprintf("least busy: %d calls under way", t.Measured.InFlight)
	case StrategyUsage:
		return fmt.Sprintf("by usage: %.0f%% of its limit is used", 100*t.Measured.Used)
	case StrategyShuffle:
		return ""
	default:
		return ""
	}
}

// dollars writes millionths of a dollar.
func dollars(millionths int64) string {
	text := fmt.Sprintf("%d.%06d", millionths/1_000_000, millionths%1_000_000)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

func drawAll(group []Target, draw func() float64) []placed {
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
