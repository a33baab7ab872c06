package activities

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
	"github.com/holdfast-dev/holdfast/transcript"
)

// RecordStore is where attempts and outcomes are kept. Package completions/store implements it.
type RecordStore interface {
	StartFirst(ctx context.Context, fence completions.Fence, next completions.NewAttempt) (started bool, err error)
	// StartHedge begins an attempt beside the one under way.
	StartHedge(ctx context.Context, fence completions.Fence, next completions.NewAttempt) (number int, err error)
	Resume(ctx context.Context, fence completions.Fence, choose func(prior []completions.Attempt) *completions.NewAttempt) (completions.Resumed, error)
	Fail(ctx context.Context, fence completions.Fence, failed completions.Failed) error
	KeepAnswer(ctx context.Context, fence completions.Fence, number int, answer llm.Response, usage llm.Usage, at time.Time) error
	KeptAnswer(ctx context.Context, id string, number int) (llm.Response, error)
	RecordSuccess(ctx context.Context, fence completions.Fence, success completions.Success) (recorded bool, err error)
	RecordFailure(ctx context.Context, fence completions.Fence, failure completions.Failure) (recorded bool, err error)
	// KeepPlan keeps the plan of a completion whose first call comes later.
	KeepPlan(ctx context.Context, fence completions.Fence, plan failover.Plan) error
	// CachedAnswer is the answer given before under a key, if it is fresh, or may stand in for want of a better; its Answer is
	// nil if there is none.
	CachedAnswer(ctx context.Context, key []byte) (completions.Cached, error)
	KeepTranscripts(ctx context.Context, checkpoints []completions.Checkpoint) error
	Transcript(ctx context.Context, id string) (*transcript.Log, error)
	CancelRequested(ctx context.Context, ids []string) ([]string, error)
	Request(ctx context.Context, id string) (llm.Request, error)
	Attempts(ctx context.Context, id string) ([]completions.Attempt, error)
	Outcome(ctx context.Context, tenant, id string) (completions.Outcome, error)
	// Find and Accept are for what is asked for on behalf of a completion.
	Find(ctx context.Context, tenant, id string) (completions.Completion, []completions.Attempt, error)
	Accept(ctx context.Context, a completions.Acceptance) (completions.Accepted, error)
}

// ConversationLog replays what was said before. Package conversations implements it.
type ConversationLog interface {
	// Load reads the log from its end until it has as many tokens as are enough; 0 reads all.
	Load(ctx context.Context, id string, enough int64) (replay.Loaded, error)
	// ItemsBackward reads the log newest first, from before a place.
	ItemsBackward(ctx context.Context, id string, before int64, limit int) ([]replay.Item, error)
	// Summary is the latest that stands in for nothing at or behind a place; nil if there is none.
	Summary(ctx context.Context, id string, until int64) (*replay.Summary, error)
	KeepSummary(ctx context.Context, id string, summary replay.Summary) error
}

// MediaLibrary has the bytes of what messages name by address. Package media implements it.
type MediaLibrary interface {
	// Resolve puts the bytes beside each address. What was fetched in a scope (a conversation, else a completion) is fetched
	// no more. Its error is an *llm.Error if the address is to blame.
	Resolve(ctx context.Context, scope string, messages []llm.Message) ([]llm.Message, error)
}

// Router knows the deployments: which a route names, and how to reach one.
type Router interface {
	// Targets lists the deployments of a route, of those that the request names as its fallbacks, and of those that the
	// configuration does, each with the reason if it cannot be used now. Streamed says which measurements count.
	Targets(tenant, route string, fallbacks []string, streamed bool) []failover.Target
	// Rests says which of the candidates are not to be called now for the tenant, with as many tokens.
	Rests(tenant string, candidates []failover.Candidate, tokens int64) []failover.Rest
	// Endpoint gives the way to a deployment with a key to use, none of those to be avoided; an error is an *llm.Error.
	Endpoint(caller Caller, deployment string, avoid []string) (Endpoint, error)
	// Policy is what a route does beyond calling its deployments.
	Policy(route string) RoutePolicy
	// PromptPrices are those of a provider's model, nil if they are not known.
	PromptPrices(provider, model string) *replay.Prices
}

// Caller is whom a call is made for.
type Caller struct {
	Tenant string
	// Affinity is what keeps to one of several keys that share a provider's calls: a conversation, or a completion by itself.
	Affinity string
}

// RoutePolicy is what a route does beyond calling its deployments.
type RoutePolicy struct {
	// Route is the route's own name, whatever other name it was asked for by.
	Route string
	// Cache keeps answers; nil keeps none.
	Cache *CachePolicy
	// Stale lets an answer that is not fresh any more stand in when no provider answers.
	Stale bool
	// Hedge starts a second call where the first is late; nil does not.
	Hedge *HedgePolicy
	// Sticky keeps a conversation with who answered last.
	Sticky bool
	// Overflow is what becomes of conversations that no target can hold, if their requests do not say; empty refuses.
	Overflow llm.Overflow
	// SummaryRoute writes the summaries of conversations that are too long; empty if there is none.
	SummaryRoute string
}

// CachePolicy says how long answers are kept.
type CachePolicy struct {
	// TTL is how long an answer is fresh, Stale how long it may stand in after that.
	TTL, Stale time.Duration
	// ByDefault says that requests which say nothing use the cache.
	ByDefault bool
}

// HedgePolicy says when a second call is started.
type HedgePolicy struct {
	// After is how late the first may be; 0 is as late as one of twenty. It is AtLeast that, while too little is known as well.
	After, AtLeast time.Duration
}

// Health is what this process knows of providers. Package health implements it, through the worker.
type Health interface {
	// Admit takes what a call of as many tokens needs; the call is not made if permit is nil, and rest says why. Queued calls have
	// waited for their turn.
	Admit(call failover.Call, tokens int64, queued bool) (permit Permit, rest failover.Rest)
	// Queue gives a call its turn at limits that are used up, behind those that wait already, as a time from now.
	Queue(call failover.Call, tokens int64) time.Duration
	// MayRepeat says why no target may be called again now; empty if one may. Repeated counts one that is.
	MayRepeat() string
	Repeated()
	// P95 is the time to the first word that one of twenty calls takes longer than; zero while too little is known.
	P95(deployment string, streamed bool) time.Duration
}

// Permit is a call that may be made.
type Permit interface {
	// Done takes in what came of it.
	Done(outcome Outcome)
}

// Outcome is what came of a call, for what is known of its provider.
type Outcome struct {
	// Kind is empty if it was answered.
	Kind       llm.Kind
	RetryAfter time.Duration
	// FirstWord is the time to the first word of a stream, or to the whole answer; zero if none came.
	FirstWord  time.Duration
	Streamed   bool
	Embeddings bool
	// Tokens are those that it used; 0 if that is not known.
	Tokens    int64
	RateLimit *llm.RateLimit
}

// Endpoint is a deployment ready to be called.
type Endpoint struct {
	// Call says which domains a call of it belongs to.
	Call     failover.Call
	Provider llm.Provider
	// Model is the vendor's name for the model.
	Model   string
	KeyName string
	Key     llm.Secret
	// Several says that the provider has several places, so that a key which one of them refuses may be good at another.
	Several bool
}

// Handover is the short way to a client waiting in this process. Package handover implements it.
type Handover interface {
	Request(id string) (llm.Request, bool)
	Claim(id string)
	Calling(id string)
	Release(id string)
	Deliver(id string, outcome completions.Outcome)
	// Open gives the feed that a streamed answer is written to, until leave is called.
	Open(id string) (feed *transcript.Feed, leave func())
}

// Lease tells who this process is while it is held to be alive.
type Lease interface {
	// Current is this process's instance id, and a context that ends when another process has judged it dead.
	Current() (instanceID string, held context.Context)
}

// Config is what the activities need. Every field but Logger, Now and Draw is required.
type Config struct {
	Store         RecordStore
	Conversations ConversationLog
	Media         MediaLibrary
	Router        Router
	Health        Health
	Handover      Handover
	Lease         Lease
	// Keys takes refused keys out of use; nil leaves them to the breaker.
	Keys   KeyGuard
	Logger *slog.Logger
	// Now and Draw default to the real clock and random numbers in [0, 1).
	Now  func() time.Time
	Draw func() float64
}

// Activities are the activities of a completion. Register the struct with a worker.
type Activities struct {
	cfg      Config
	stash    *stash
	requests *requests
	calls    *Calls
}

// New checks the configuration and makes the activities, and the list of the calls that they make.
func New(cfg Config) (*Activities, *Calls, error) {
	if cfg.Store == nil || cfg.Conversations == nil || cfg.Media == nil || cfg.Router == nil || cfg.Health == nil || cfg.Handover == nil || cfg.Lease == nil {
		return nil, nil, errors.New("activities: store, conversations, media, router, health, handover and lease are required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Draw == nil {
		cfg.Draw = randomDraw
	}
	calls := &Calls{store: cfg.Store, logger: cfg.Logger, running: map[string]map[*call]struct{}{}, streams: map[*checkpointed]struct{}{}}
	return &Activities{cfg: cfg, stash: newStash(cfg.Now), requests: newRequests(cfg.Now), calls: calls}, calls, nil
}

func (a *Activities) fence(id string, epoch int) (completions.Fence, context.Context) {
	instance, held := a.cfg.Lease.Current()
	return completions.Fence{ID: id, Epoch: epoch, InstanceID: instance}, held
}

func randomDraw() float64 { return rand.Float64() } //nolint:gosec // spreading load needs no secrecy
