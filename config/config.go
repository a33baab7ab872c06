package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Defaults of settings that the file leaves out.
const (
	DefaultTimeout             = 600 * time.Second // LiteLLM's own default for router_settings.timeout
	DefaultAttemptTimeout      = 120 * time.Second
	DefaultRetries             = 2
	DefaultMaxBodyBytes        = 32 << 20
	DefaultMaxConcurrentStarts = 64
	DefaultQueueSize           = 256
	DefaultQueueTimeout        = 10 * time.Second
	DefaultMaxMediaBytes       = 20 << 20
	DefaultMediaTimeout        = 30 * time.Second
	DefaultStreamKeepAlive     = 15 * time.Second
	DefaultRetryBudget         = 0.2
	DefaultCooldown            = 5 * time.Second // LiteLLM's own default for router_settings.cooldown_time
	DefaultMaxCooldown         = 30 * time.Second
	DefaultBreakerWindow       = 30 * time.Second
	DefaultBreakerCalls        = 5
	DefaultErrorRate           = 0.5
	DefaultSlowAfter           = 10 * time.Second
	DefaultBreakerProbes       = 2
	DefaultRamp                = 20 * time.Second
	DefaultProbeEvery          = 60 * time.Second
	DefaultProbeSuccesses      = 2
	DefaultHedgeAtLeast        = 500 * time.Millisecond
)

// maxFileBytes bounds what [Load] reads: a thousand times a real file.
const maxFileBytes = 4 << 20

// Config is a file that passed every check.
type Config struct {
	// Routes are in the order in which the file first names them; never empty.
	Routes []Route
	// Timeout is a request's absolute deadline, counted from its acceptance (router_settings.timeout).
	Timeout time.Duration
	// AttemptTimeout bounds one call of one provider (holdfast.attempt_timeout); a deployment's own Timeout comes before it.
	AttemptTimeout time.Duration
	// Silence bounds each wait for a piece of a streamed answer, the first and any other (router_settings.stream_timeout); 0
	// is the call's own limit.
	Silence time.Duration
	// Retries is how often the same provider is tried again when no other candidate is left (router_settings.num_retries).
	Retries int
	// RetriesByKind is Retries for kinds of failure, by the words of llm.Kind (router_settings.retry_policy); a kind that is missing
	// has Retries.
	RetriesByKind map[string]int
	// RetryAfter is the least pause before a repetition (router_settings.retry_after).
	RetryAfter time.Duration
	// RetryBudget is how many repetitions of a target there may be, as a share of its requests (holdfast.retry_budget).
	RetryBudget float64
	// Strategy is how the targets of one order are ranked (router_settings.routing_strategy); a route's own comes before it.
	Strategy Strategy
	// LatencyBuffer is for [StrategyLatency]: targets within this share of the best latency share the traffic
	// (router_settings.routing_strategy_args.lowest_latency_buffer).
	LatencyBuffer float64
	// Breaker says when a target rests.
	Breaker Breaker
	// Probes say how targets are asked whether they live.
	Probes Probes
	// TagFiltering lets the tags of a request choose among targets (router_settings.enable_tag_filtering). A target needs one of
	// them, or with TagsMatchAll every one (router_settings.tag_filtering_match_any: false).
	TagFiltering, TagsMatchAll bool
	// Limits bound what the API takes in.
	Limits Limits
	// Vault says what protects provider keys.
	Vault Vault
	// Media bounds what is fetched from addresses in requests.
	Media Media
	// Privacy says how long what is said is kept, and how.
	Privacy Privacy
	// Keys say how provider keys are kept and replaced.
	Keys Keys
	// Alerts says what operators are told, and where.
	Alerts Alerts
	// StreamKeepAlive is how often a silent stream sends a comment (holdfast.stream_keep_alive).
	StreamKeepAlive time.Duration
	// OnStreamFailure is what becomes of a stream that breaks when its client has a part of the answer
	// (holdfast.on_stream_failure): "continue", "restart" or "fail". A route's own comes before it.
	OnStreamFailure string
	// Aliases are further names of routes (router_settings.model_group_alias).
	Aliases []Alias
	// MaxFallbacks is how many other routes are tried for one at most (router_settings.max_fallbacks).
	MaxFallbacks int
	// Warnings name the settings that were read and have no effect, in the order of their lines.
	Warnings []Problem
}

// Limits bound what the API takes in (holdfast.limits).
type Limits struct {
	// MaxBodyBytes is the largest request body accepted, in bytes.
	MaxBodyBytes int64
	// MaxInFlightStarts is the ceiling on completions being started at once: starts, not calls in flight.
	MaxInFlightStarts int
	// QueueSize is how many requests may wait for a start; 0 means that none waits.
	QueueSize int
	// QueueTimeout is how long a request may wait for a start.
	QueueTimeout time.Duration
}

// Media bounds what is fetched from addresses in requests (holdfast.media).
type Media struct {
	// MaxBytes is the largest file fetched.
	MaxBytes int64
	// Timeout bounds one fetch.
	Timeout time.Duration
	// AllowPrivate permits addresses inside the operator's own network.
	AllowPrivate bool
}

// Vault says what protects provider keys.
type Vault struct {
	// Keeper is the URL of the key-encryption keeper (holdfast.keeper); empty means the caller's default.
	Keeper string
}

// Alias is another name of a route. A hidden one is understood and not listed.
type Alias struct {
	Name, Route string
	Hidden      bool
}

// Route finds a route by its name.
func (c *Config) Route(name string) (Route, bool) {
	for _, route := range c.Routes {
		if route.Name == name {
			return route, true
		}
	}
	return Route{}, false
}

// resolve is the route that a name means, which may be an alias.
func (c *Config) resolve(name string) string {
	for _, alias := range c.Aliases {
		if alias.Name == name {
			return alias.Route
		}
	}
	return name
}

// StreamPolicy is what becomes of a route's streams that break.
func (c *Config) StreamPolicy(name string) string {
	if route, ok := c.Route(c.resolve(name)); ok && route.OnStreamFailure != "" {
		return route.OnStreamFailure
	}
	return c.OnStreamFailure
}

// Parks says whether a request of the route waits for a provider to come back when none can be called. Async are those that nobody
// waits for.
func (c *Config) Parks(name string, async bool) bool {
	route, ok := c.Route(c.resolve(name))
	return ok && (route.WhenDown.Park == "always" || async && route.WhenDown.Park == "async")
}

// RouteNames lists the routes' names, and their other names that are not hidden, in the order of the file.
func (c *Config) RouteNames() []string {
	names := make([]string, 0, len(c.Routes))
	for _, route := range c.Routes {
		names = append(names, route.Name)
	}
	for _, alias := range c.Aliases {
		if !alias.Hidden {
			names = append(names, alias.Name)
		}
	}
	return names
}

// HiddenNames lists the names that clients may ask for and are not shown.
func (c *Config) HiddenNames() []string {
	var names []string
	for _, alias := range c.Aliases {
		if alias.Hidden {
			names = append(names, alias.Name)
		}
	}
	return names
}

// Load reads and checks the file at path. What is wrong in the file comes as an *[Error].
func Load(path string) (*Config, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("config: read: %w", err)
	}
	return Parse(path, data)
}

// Parse checks data; name is the file's name in messages. What is wrong comes as an *[Error].
func Parse(name string, data []byte) (*Config, error) {
	r := &reader{}
	config := r.file(data)
	if len(r.problems) > 0 {
		return nil, &Error{File: name, Problems: sorted(r.problems)}
	}
	config.Warnings = sorted(r.warnings)
	return config, nil
}

func defaults() *Config {
	return &Config{
		Timeout:        DefaultTimeout,
		AttemptTimeout: DefaultAttemptTimeout,
		Retries:        DefaultRetries,
		Limits: Limits{
			MaxBodyBytes:      DefaultMaxBodyBytes,
			MaxInFlightStarts: DefaultMaxConcurrentStarts,
			QueueSize:         DefaultQueueSize,
			QueueTimeout:      DefaultQueueTimeout,
		},
		Strategy:    StrategyShuffle,
		RetryBudget: DefaultRetryBudget,
		Breaker: Breaker{
			Cooldown: DefaultCooldown, MaxCooldown: DefaultMaxCooldown, Window: DefaultBreakerWindow, MinCalls: DefaultBreakerCalls,
			ErrorRate: DefaultErrorRate, SlowAfter: DefaultSlowAfter, Probes: DefaultBreakerProbes, Ramp: DefaultRamp,
		},
		Privacy:         Privacy{IdempotencyWindow: DefaultIdempotencyWindow},
		Keys:            Keys{CacheFor: DefaultKeyCache},
		Alerts:          Alerts{Expiry: defaultExpiry()},
		Probes:          Probes{Every: DefaultProbeEvery, Successes: DefaultProbeSuccesses},
		StreamKeepAlive: DefaultStreamKeepAlive,
		OnStreamFailure: streamPolicies()[0],
		Media:           Media{MaxBytes: DefaultMaxMediaBytes, Timeout: DefaultMediaTimeout},
	}
}
