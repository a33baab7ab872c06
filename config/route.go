package config

import "time"

// Route is a name that clients ask for, and the deployments that can answer it. What holdfast.routes.<name> leaves out is empty
// or nil, and means the Config's or the default.
type Route struct {
	Name string
	// Deployments are in the order of the file; never empty.
	Deployments []Deployment
	// Fallbacks are the routes that stand in for this one.
	Fallbacks Fallbacks
	// OnStreamFailure is the route's own (holdfast.routes.<name>.on_stream_failure); empty means [Config.OnStreamFailure].
	OnStreamFailure string
	// Strategy is the route's own; empty means [Config.Strategy].
	Strategy Strategy
	// RetriesByKind is the route's own (router_settings.model_group_retry_policy); nil means [Config.RetriesByKind].
	RetriesByKind map[string]int
	// Cache says how long answers are kept; nil means that none is.
	Cache *Cache
	// Hedge says when a second target is asked beside the first; nil means never.
	Hedge *Hedge
	// WhenDown says what becomes of a request when no target can answer.
	WhenDown WhenDown
	// OnLimit is what a request does whose target's known limit is used up: "next" takes another, "wait" waits for it.
	OnLimit string
	// Sticky keeps a conversation at the target that answered it last, whose prompt cache holds it; nil means true.
	Sticky *bool
	// Overflow is what becomes of a conversation that no target can hold; its zero value refuses.
	Overflow Overflow
}

// Cache says how long a route's answers are kept.
type Cache struct {
	// TTL is how long an answer is as good as a new one.
	TTL time.Duration
	// Stale is how long past TTL an answer may stand in when everything is down.
	Stale time.Duration
	// ByDefault says whether requests that say nothing of the cache use it.
	ByDefault bool
}

// Hedge says when a second target is asked beside the first, whichever answers first being taken.
type Hedge struct {
	// After is how long the first may be silent; 0 means as long as 95 of a hundred of its answers take to begin.
	After time.Duration
	// AtLeast is the shortest such wait.
	AtLeast time.Duration
}

// WhenDown says what becomes of a request when no target can answer, in this order.
type WhenDown struct {
	// StaleCache gives a kept answer that is past its time.
	StaleCache bool
	// Local is a route that is asked then, such as a model in the house; empty means none.
	Local string
	// Park says who waits for a target to come back: "never", "async" requests only, or "always".
	Park string
}

// Words of settings that are one of a few; the first is the default.
func onLimits() []string { return []string{"next", "wait"} }

func parks() []string { return []string{"async", "never", "always"} }
