package llm

import "time"

// Routing is what a request asks of the choice of its target, beyond the name of its route. Its zero value asks for nothing.
type Routing struct {
	// Fallbacks are routes that stand in for the one asked for, in order, before those that the configuration names.
	Fallbacks []string `json:"fallbacks,omitempty"`
	// Order names providers that come first, in this order; Only, the only ones that may be called; Ignore, those that may not.
	Order  []string `json:"order,omitempty"`
	Only   []string `json:"only,omitempty"`
	Ignore []string `json:"ignore,omitempty"`
	// Single keeps to the first target: no other is called when it fails.
	Single bool `json:"single,omitempty"`
	// Sort orders by one property in place of the route's strategy.
	Sort Sort `json:"sort,omitempty"`
	// MaxInputPrice and MaxOutputPrice bound what a target may cost, in millionths of a US dollar for a million tokens.
	MaxInputPrice  *int64 `json:"max_input_price,omitempty"`
	MaxOutputPrice *int64 `json:"max_output_price,omitempty"`
	// NoDataCollection asks for targets that do not train on what they are sent, ZeroDataRetention for those that keep nothing
	// of it. A target of which neither is known is passed over.
	NoDataCollection  bool `json:"no_data_collection,omitempty"`
	ZeroDataRetention bool `json:"zero_data_retention,omitempty"`
	// Tags choose among the targets that carry some.
	Tags []string `json:"tags,omitempty"`
	// Token is the id of the API token that the request came with.
	Token string `json:"token,omitempty"`
	// Park lets the request wait for its targets to come back, to be answered late.
	Park bool `json:"park,omitempty"`
	// Cache says how the response cache is used for the request; nil leaves it to the route.
	Cache *CacheControl `json:"cache,omitempty"`
}

// Sort is a property that targets are ordered by.
type Sort string

// The orders: the cheapest first, the one that begins its answers soonest, the one that has most room left.
const (
	SortPrice      Sort = "price"
	SortLatency    Sort = "latency"
	SortThroughput Sort = "throughput"
)

// CacheControl is a request's own word on the response cache. It reaches a cache only where the route has one.
type CacheControl struct {
	// Use asks for a kept answer if there is one, and for the answer to be kept; where both are on by themselves it changes nothing.
	Use bool `json:"use,omitempty"`
	// NoRead asks for an answer of a provider; NoStore, for the answer not to be kept.
	NoRead  bool `json:"no_read,omitempty"`
	NoStore bool `json:"no_store,omitempty"`
	// TTL is how long the answer is fresh; 0 is the route's.
	TTL time.Duration `json:"ttl,omitempty"`
	// MaxAge is how old a kept answer may be; 0 is any that is fresh.
	MaxAge time.Duration `json:"max_age,omitempty"`
}
