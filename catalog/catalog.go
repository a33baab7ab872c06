package catalog

import (
	"slices"
	"strings"
)

// Model is what is known of a model at a provider. What it points to is the table's own, and never changed.
type Model struct {
	// The prices are in millionths of a US dollar for a million tokens; nil is unknown. 0 is said only of what a model does not
	// charge for, as an embedding model's output.
	InputPrice, OutputPrice, CacheReadPrice, CacheWritePrice *int64
	// ContextWindow is how many tokens prompt and answer have together, MaxOutput how long an answer may safely be; 0 is unknown.
	// MaxOutput is not always the vendor's ceiling.
	ContextWindow, MaxOutput int64
	// Reasons and Images say whether the model thinks before it answers, and whether it takes pictures; nil is unknown.
	Reasons, Images *bool
}

// row is a line of the table.
type row struct {
	Model
	provider, model string
	name            name
}

// Find tells what is known of a provider's model, by the provider's name in Holdfast. A dated snapshot is found by the model it is
// one of, and a model at another host by what its vendor says of it, then without prices.
//
// At another gateway (litellm, holdfast) nothing is found: what a route is called there says nothing of what stands behind it.
func Find(provider, model string) (Model, bool) {
	if provider == "litellm" || provider == "holdfast" {
		return Model{}, false
	}
	asked := read(model)
	var found []row
	for _, r := range rows() {
		switch {
		case r.provider == provider && strings.EqualFold(r.model, model):
			return r.Model, true
		case r.name.family == asked.family:
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return Model{}, false
	}
	best := slices.MinFunc(found, func(a, b row) int { return a.distance(provider, asked) - b.distance(provider, asked) })
	switch {
	case best.provider != provider && best.provider != vendorOf(asked.family):
		return best.elsewhere(), true
	case best.provider != provider || !best.chargesFor(asked):
		return best.unpriced(), true
	}
	return best.Model, true
}

// distance ranks rows of one family: the provider's own in the same region, its own, the vendor's, any.
func (r row) distance(provider string, asked name) int {
	switch {
	case r.provider == provider && r.name.region == asked.region:
		return 0
	case r.provider == provider:
		return 1
	case r.provider == vendorOf(r.name.family):
		return 2
	default:
		return 3
	}
}

// chargesFor reports whether what is asked for costs what the row says. Both are one model at one provider; regions have prices
// of their own, and so may snapshots.
func (r row) chargesFor(asked name) bool {
	switch {
	case r.name.region != asked.region || asked.tuned || asked.short || otherPrice(asked):
		return false
	case r.name.date == asked.date:
		return true
	case asked.date == "" || asked.date == latest:
		return true // the vendor's name for the newest snapshot
	default:
		return r.name.date == ""
	}
}

// otherPrice names the snapshots that cost something else than what their name without a date does.
func otherPrice(asked name) bool { return asked.family == "gpt-4o" && asked.date == "20240513" }

func (r row) unpriced() Model {
	r.InputPrice, r.OutputPrice, r.CacheReadPrice, r.CacheWritePrice = nil, nil, nil, nil
	return r.Model
}

// elsewhere is what one host's row says of the model at another that is not its vendor either: what a host cuts off or leaves out
// is its own affair.
func (r row) elsewhere() Model {
	m := r.unpriced()
	m.MaxOutput = 0
	for _, fact := range []**bool{&m.Reasons, &m.Images} {
		if *fact != nil && !**fact {
			*fact = nil
		}
	}
	return m
}

// vendorOf is the provider that a model's own vendor is called through.
func vendorOf(family string) string {
	switch Line(family) {
	case "claude":
		return "anthropic"
	case "gpt":
		return "openai"
	case "gemini":
		return "gemini"
	case "mistral":
		return "mistral"
	case "command":
		return "cohere"
	case "deepseek":
		return "deepseek"
	case "grok":
		return "xai"
	case "kimi":
		return "moonshot"
	default:
		return ""
	}
}
