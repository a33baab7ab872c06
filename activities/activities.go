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
	"github.com/holdfast-dev/holdfast/transcript"
)

// RecordStore is where attempts and outcomes are kept. Package completions/store implements it.
type RecordStore interface {
	StartFirst(ctx context.Context, fence completions.Fence, next completions.NewAttempt) (started bool, err error)
	Resume(ctx context.Context, fence completions.Fence, choose func(prior []completions.Attempt) *completions.NewAttempt) (completions.Resumed, error)
	Fail(ctx context.Context, fence completions.Fence, failed completions.Failed) error
	KeepAnswer(ctx context.Context, fence completions.Fence, number int, answer llm.Response, usage llm.Usage, at time.Time) error
	KeptAnswer(ctx context.Context, id string, number int) (llm.Response, error)
	RecordSuccess(ctx context.Context, fence completions.Fence, success completions.Success) (recorded bool, err error)
	RecordFailure(ctx context.Context, fence completions.Fence, failure completions.Failure) (recorded bool, err error)
	KeepTranscripts(ctx context.Context, checkpoints []completions.Checkpoint) error
	Transcript(ctx context.Context, id string) (*transcript.Log, error)
	CancelRequested(ctx context.Context, ids []string) ([]string, error)
	Request(ctx context.Context, id string) (llm.Request, error)
	Attempts(ctx context.Context, id string) ([]completions.Attempt, error)
	Outcome(ctx context.Context, tenant, id string) (completions.Outcome, error)
}

// ConversationLog replays what was said before. Package conversations implements it.
type ConversationLog interface {
	// Replay puts the conversation's log in front of the turn's messages.
	Replay(ctx context.Context, id string, turn []llm.Message) ([]llm.Message, error)
}

// MediaLibrary has the bytes of what messages name by address. Package media implements it.
type MediaLibrary interface {
	// Resolve puts the bytes beside each address. What was fetched in a scope (a conversation, else a completion) is fetched
	// no more. Its error is an *llm.Error if the address is to blame.
	Resolve(ctx context.Context, scope string, messages []llm.Message) ([]llm.Message, error)
}

// Router knows the deployments: which a route names, and how to reach one.
type Router interface {
	// Targets lists the deployments of a route, each with the reason if it cannot be used now.
	Targets(route string) []failover.Target
	// Endpoint gives the way to a deployment with a key to use; an error is an *llm.Error.
	Endpoint(deployment string) (Endpoint, error)
}

// Endpoint is a deployment ready to be called.
type Endpoint struct {
	Provider llm.Provider
	// Model is the vendor's name for the model.
	Model   string
	KeyName string
	Key     llm.Secret
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
	Handover      Handover
	Lease         Lease
	Logger        *slog.Logger
	// Now and Draw default to the real clock and random numbers in [0, 1).
	Now  func() time.Time
	Draw func() float64
}

// Activities are the activities of a completion. Register the struct with a worker.
type Activities struct {
	cfg   Config
	stash *stash
	calls *Calls
}

// New checks the configuration and makes the activities, and the list of the calls that they make.
func New(cfg Config) (*Activities, *Calls, error) {
	if cfg.Store == nil || cfg.Conversations == nil || cfg.Media == nil || cfg.Router == nil || cfg.Handover == nil || cfg.Lease == nil {
		return nil, nil, errors.New("activities: store, conversations, media, router, handover and lease are required")
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
	return &Activities{cfg: cfg, stash: newStash(cfg.Now), calls: calls}, calls, nil
}

func (a *Activities) fence(id string, epoch int) (completions.Fence, context.Context) {
	instance, held := a.cfg.Lease.Current()
	return completions.Fence{ID: id, Epoch: epoch, InstanceID: instance}, held
}

func randomDraw() float64 { return rand.Float64() } //nolint:gosec // spreading load needs no secrecy
