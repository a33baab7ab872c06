package routing

import (
	"github.com/holdfast-dev/holdfast/catalog"
	"github.com/holdfast-dev/holdfast/replay"
)

// PromptPrices are those of a provider's model: what the configuration says of one of its deployments, else what the catalog does.
// Where nothing is known of a prompt cache, none is taken to save anything. It is nil if no price is known.
func (t *Table) PromptPrices(provider, model string) *replay.Prices {
	known, _ := catalog.Find(provider, model)
	input := known.InputPrice
	for _, d := range t.deployments {
		if d.Provider == provider && d.Model == model && d.InputPrice != nil {
			input = d.InputPrice
			break
		}
	}
	if input == nil {
		return nil
	}
	prices := &replay.Prices{Input: *input, CacheRead: *input}
	if known.CacheReadPrice != nil {
		prices.CacheRead = *known.CacheReadPrice
	}
	return prices
}
