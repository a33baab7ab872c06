package failover

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// Facts are what is known of a target's model and host. What is not known is nil, empty or zero, and held against nobody but
// where a request asks for it by name.
type Facts struct {
	// Family is the model without its host's and date's marks, Line the family's: "claude-sonnet-4-5" and "claude".
	Family, Line string
	// InputPrice and OutputPrice are in millionths of a US dollar for a million tokens.
	InputPrice, OutputPrice *int64
	// CacheReadPrice is that of what the vendor's prompt cache holds; nil is unknown.
	CacheReadPrice *int64
	// ContextTokens is how many tokens the prompt and the answer may have together, or the prompt alone.
	ContextTokens int64
	// Supports are abilities by LiteLLM's words: vision, function_calling, response_schema, reasoning, pdf_input, audio_input.
	Supports map[string]bool
	// Mode is what the model makes: "chat", "embedding".
	Mode string
	// ZeroDataRetention and DataCollection ("allow", "deny") are what the host does with what it is sent.
	ZeroDataRetention *bool
	DataCollection    string
}

// cost is what targets are compared by: the price of as many tokens in as out. An unknown price is the highest.
func (f Facts) cost() int64 {
	if f.InputPrice == nil || f.OutputPrice == nil {
		return math.MaxInt64
	}
	return *f.InputPrice + *f.OutputPrice
}

// Conditions say whom a target serves; the zero value is everybody.
type Conditions struct {
	Tenants, Tokens []string
	// Metadata are notes that the request must carry.
	Metadata map[string]string
	// MinInputTokens and MaxInputTokens bound the prompt; 0 does not.
	MinInputTokens, MaxInputTokens int64
	// Tags are LiteLLM's: with TagFiltering, a request with tags is served by the targets that carry them, one without by those
	// that carry none or "default".
	Tags                       []string
	TagFiltering, TagsMatchAll bool
}

// Ask is what a request needs of its target.
type Ask struct {
	Tenant   string
	Metadata map[string]string
	Routing  llm.Routing
	// Abilities are in the words of [Facts].
	Abilities []string
	// InputTokens is how long the prompt is, by estimate; Bound, how many tokens it has at least.
	InputTokens, Bound int64
	// Embeddings asks for vectors.
	Embeddings bool
}

// AskOf is what a request needs. Its prompt has about tokens, and certainly bound.
func AskOf(tenant string, request llm.Request, tokens, bound int64) Ask {
	ask := Ask{Tenant: tenant, Metadata: request.Metadata, InputTokens: tokens, Bound: bound, Embeddings: request.Embed != nil}
	if request.Routing != nil {
		ask.Routing = *request.Routing
	}
	if len(request.Tools) > 0 {
		ask.Abilities = append(ask.Abilities, "function_calling")
	}
	if request.ResponseFormat != nil && request.ResponseFormat.Type == llm.FormatJSONSchema {
		ask.Abilities = append(ask.Abilities, "response_schema")
	}
	for _, message := range request.Messages {
		for _, part := range message.Parts {
			if ability := abilityFor(part.Type); ability != "" && !slices.Contains(ask.Abilities, ability) {
				ask.Abilities = append(ask.Abilities, ability)
			}
		}
	}
	return ask
}

func abilityFor(part llm.PartType) string {
	switch part {
	case llm.PartImage:
		return "vision"
	case llm.PartAudio:
		return "audio_input"
	case llm.PartDocument:
		return "pdf_input"
	default:
		return ""
	}
}

// doesNotFit begins the reason of a target whose model is too small for the prompt.
const doesNotFit = "the prompt does not fit"

// These begin the reasons of targets that lack what the request needs, that its own words rule out, that make something else, and
// that are for another failure only.
const (
	lacks     = "it has no "
	asks      = "the request "
	makes     = "it makes "
	onlyAfter = "a fallback on "
)

// Filter passes over the targets that must not, or cannot, serve the request, each with its reason. What may only be too long,
// by estimate, is passed over where another target has room.
func (a Ask) Filter(targets []Target) []Target {
	list := slices.Clone(targets)
	for i := range list {
		if list[i].Ineligible == "" {
			list[i].Ineligible = a.against(list[i])
		}
	}
	roomy := slices.ContainsFunc(list, func(t Target) bool {
		return t.Ineligible == "" && t.For != OnContentPolicy && t.Facts.ContextTokens >= a.InputTokens
	})
	for i := range list {
		room := list[i].Facts.ContextTokens
		if list[i].Ineligible == "" && roomy && room > 0 && a.InputTokens > room {
			list[i].Ineligible = fmt.Sprintf("%s: about %d tokens, it takes %d, and another has room", doesNotFit, a.InputTokens, room)
		}
	}
	return list
}

// Tight says whether it matters how many tokens exactly a prompt has that has about so many by estimate, which may be off by half.
func Tight(targets []Target, about int64) bool {
	return slices.ContainsFunc(targets, func(t Target) bool { return t.Facts.ContextTokens > 0 && about > t.Facts.ContextTokens/2 })
}

// against says why a target must not serve the request; empty if it may.
func (a Ask) against(t Target) string {
	for _, check := range []func(Target) string{a.againstConditions, a.againstTags, a.againstRouting, a.againstAbilities} {
		if reason := check(t); reason != "" {
			return reason
		}
	}
	return ""
}

func (a Ask) againstConditions(t Target) string {
	c := t.Conditions
	switch {
	case len(c.Tenants) > 0 && !slices.Contains(c.Tenants, a.Tenant):
		return "it does not serve this tenant"
	case len(c.Tokens) > 0 && !slices.Contains(c.Tokens, a.Routing.Token):
		return "it does not serve this API token"
	case a.InputTokens < c.MinInputTokens:
		return fmt.Sprintf("it serves prompts from %d tokens, this one has about %d", c.MinInputTokens, a.InputTokens)
	case c.MaxInputTokens > 0 && a.InputTokens > c.MaxInputTokens:
		return fmt.Sprintf("it serves prompts up to %d tokens, this one has about %d", c.MaxInputTokens, a.InputTokens)
	}
	for name, value := range c.Metadata {
		if a.Metadata[name] != value {
			return fmt.Sprintf("it serves requests whose metadata say %s: %s", name, value)
		}
	}
	return ""
}

func (a Ask) againstTags(t Target) string {
	c := t.Conditions
	switch {
	case !c.TagFiltering:
		return ""
	case len(a.Routing.Tags) == 0:
		if len(c.Tags) > 0 && !slices.Contains(c.Tags, "default") {
			return "it serves requests tagged " + strings.Join(c.Tags, " or ")
		}
		return ""
	}
	matched := 0
	for _, tag := range a.Routing.Tags {
		if slices.Contains(c.Tags, tag) {
			matched++
		}
	}
	if matched == 0 || c.TagsMatchAll && matched < len(a.Routing.Tags) {
		return "it does not carry the tags " + strings.Join(a.Routing.Tags, ", ")
	}
	return ""
}

func (a Ask) againstRouting(t Target) string {
	r := a.Routing
	switch {
	case len(r.Only) > 0 && !slices.Contains(r.Only, t.Provider):
		return asks + "allows only " + strings.Join(r.Only, ", ")
	case slices.Contains(r.Ignore, t.Provider):
		return asks + "does not want " + t.Provider
	case r.ZeroDataRetention && (t.Facts.ZeroDataRetention == nil || !*t.Facts.ZeroDataRetention):
		return asks + "asks for zero data retention, which is not declared of it"
	case r.NoDataCollection && t.Facts.DataCollection != "deny" && (t.Facts.ZeroDataRetention == nil || !*t.Facts.ZeroDataRetention):
		return asks + "allows no data collection, and it is not declared to do without"
	}
	for _, price := range []struct {
		most, is *int64
		what     string
	}{{r.MaxInputPrice, t.Facts.InputPrice, "prompt"}, {r.MaxOutputPrice, t.Facts.OutputPrice, "completion"}} {
		switch {
		case price.most == nil:
		case price.is == nil:
			return asks + "bounds the price, and its price is not known"
		case *price.is > *price.most:
			return fmt.Sprintf(asks+"allows $%s for a million %s tokens, its price is $%s", dollars(*price.most), price.what, dollars(*price.is))
		}
	}
	return ""
}

func (a Ask) againstAbilities(t Target) string {
	for _, ability := range a.Abilities {
		if can, known := t.Facts.Supports[ability]; known && !can {
			return lacks + strings.ReplaceAll(ability, "_", " ") + ", which the request needs"
		}
	}
	switch {
	case a.Embeddings && t.Facts.Mode != "" && t.Facts.Mode != "embedding":
		return makes + "no embeddings"
	case !a.Embeddings && t.Facts.Mode == "embedding":
		return makes + "embeddings only"
	case t.Facts.ContextTokens > 0 && a.Bound > t.Facts.ContextTokens:
		return fmt.Sprintf("%s: at least %d tokens, it takes %d", doesNotFit, a.Bound, t.Facts.ContextTokens)
	}
	return ""
}

// TooLong says whether the prompt was too long for every target of the plan.
func TooLong(plan Plan) bool { return all(plan, doesNotFit) }

// Unable says whether no target of the plan can or may do what the request asks, now or later.
func Unable(plan Plan) bool { return all(plan, lacks, asks, makes, doesNotFit) }

func all(plan Plan, reasons ...string) bool {
	reasons = append(reasons, onlyAfter)
	return len(plan.Candidates) == 0 && len(plan.Excluded) > 0 && !slices.ContainsFunc(plan.Excluded, func(e Excluded) bool {
		return !slices.ContainsFunc(reasons, func(reason string) bool { return strings.HasPrefix(e.Reason, reason) })
	})
}
