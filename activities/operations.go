package activities

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// ErrTypeGone is the type of error for a domain that no deployment belongs to any more.
const ErrTypeGone = "domain_gone"

// probeTime bounds one probe.
const probeTime = 30 * time.Second

// HealthBoard is where processes tell each other of their providers. Package health/store implements it, through the worker.
type HealthBoard interface {
	// Publish writes a change, and gives what stands then: it may have been overtaken.
	Publish(ctx context.Context, domain failover.Domain, next failover.Health) (failover.Health, error)
	// Standing is what is known of a domain.
	Standing(ctx context.Context, domain failover.Domain) (failover.Health, error)
	// KeepProbe writes a probe down; LastProbes are what came of the latest of a domain, the latest first, empty for success.
	KeepProbe(ctx context.Context, probe Probe) error
	LastProbes(ctx context.Context, domain failover.Domain, method failover.ProbeMethod, limit int) ([]llm.Kind, error)
}

// Probed knows who can be probed. Package routing implements it.
type Probed interface {
	// Endpoints is one endpoint for each place and key.
	Endpoints() []Endpoint
	// Within is an endpoint of the domain; ok is false if there is none any more.
	Within(domain failover.Domain) (endpoint Endpoint, ok bool)
}

// Probe is a probe that was made.
type Probe struct {
	Domain   failover.Domain
	Endpoint Endpoint
	Method   failover.ProbeMethod
	// Error is nil if it went well.
	Error *llm.Error
	Usage llm.Usage
	Took  time.Duration
}

// HealthTeller tells a domain's workflow what stands. Package launch implements it, through the worker.
type HealthTeller interface {
	Tell(ctx context.Context, domain failover.Domain, standing failover.Health, policy failover.BreakerPolicy) error
}

// OperationsConfig is what the activities of operations need. Logger and Now may be nil.
type OperationsConfig struct {
	Board  HealthBoard
	Probed Probed
	Teller HealthTeller
	// Works says whether a place has answered with a key of late: then what a free call says does not count. Nil is never.
	Works func(call failover.Call) bool
	// Policy is what openings by probes go by, Successes how many probes in a row change a state.
	Policy    failover.BreakerPolicy
	Successes int
	// Name is who this process is.
	Name   string
	Logger *slog.Logger
	Now    func() time.Time
}

// Operations are the activities that look after providers. Register the struct with a worker.
type Operations struct{ cfg OperationsConfig }

// NewOperations makes the activities.
func NewOperations(cfg OperationsConfig) (*Operations, error) {
	if cfg.Board == nil || cfg.Probed == nil || cfg.Teller == nil {
		return nil, errors.New("activities: a board, a teller and who can be probed are required")
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Operations{cfg}, nil
}

// HealthChange is a new health of a domain.
type HealthChange struct {
	Domain failover.Domain `json:"domain"`
	Health failover.Health `json:"health"`
}

// PublishHealth tells all processes of a change, and gives what stands then.
func (o *Operations) PublishHealth(ctx context.Context, change HealthChange) (failover.Health, error) {
	standing, err := o.cfg.Board.Publish(ctx, change.Domain, change.Health)
	if err != nil {
		return failover.Health{}, storeError(err)
	}
	o.cfg.Logger.InfoContext(ctx, "provider health", "domain", change.Domain, "state", standing.State, "until", standing.Until, "reason", standing.Reason)
	return standing, nil
}

// ProbeInput asks for a domain to be tried.
type ProbeInput struct {
	Domain failover.Domain      `json:"domain"`
	Method failover.ProbeMethod `json:"method"`
	// Embeddings says that the domain makes vectors.
	Embeddings bool `json:"embeddings,omitempty"`
}

// ProbeResult is what came of a probe.
type ProbeResult struct {
	Deployment string               `json:"deployment"`
	Method     failover.ProbeMethod `json:"method"`
	// Kind is empty if it went well.
	Kind       llm.Kind      `json:"kind,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Mark is the key's that was used.
	Mark string    `json:"mark,omitempty"`
	At   time.Time `json:"at"`
}

// ProbeDomain tries a domain once. That the provider does not answer is a result; an error is one of our own.
func (o *Operations) ProbeDomain(ctx context.Context, in ProbeInput) (ProbeResult, error) {
	endpoint, ok := o.cfg.Probed.Within(in.Domain)
	if !ok {
		return ProbeResult{}, temporal.NewNonRetryableApplicationError("no deployment belongs to it any more", ErrTypeGone, nil)
	}
	for _, wider := range endpoint.Call.Domains() {
		if standing, err := o.cfg.Board.Standing(ctx, wider); err == nil && standing.State == failover.BreakerOpen && standing.Cause == failover.CauseOperator {
			return ProbeResult{Deployment: endpoint.Call.Deployment, Method: in.Method, Kind: llm.KindUnknown, At: o.cfg.Now()}, nil // an operator wants nobody called
		}
	}
	probe := o.probe(ctx, in.Domain, endpoint, in.Method, in.Embeddings)
	if ctx.Err() != nil {
		return ProbeResult{}, ctx.Err()
	}
	if err := o.cfg.Board.KeepProbe(ctx, probe); err != nil { // it was made, and is not made again for that
		o.cfg.Logger.WarnContext(ctx, "a probe was not written down", "domain", in.Domain, "error", err)
	}
	result := ProbeResult{Deployment: endpoint.Call.Deployment, Method: probe.Method, Mark: endpoint.Call.Mark, At: o.cfg.Now()}
	if probe.Error != nil {
		result.Kind, result.RetryAfter = probe.Error.Kind, probe.Error.RetryAfter
	}
	return result, nil
}

// probe asks once. A free call where the vendor has none becomes a generation.
func (o *Operations) probe(ctx context.Context, domain failover.Domain, endpoint Endpoint, method failover.ProbeMethod, embeddings bool) Probe {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	probe := Probe{Domain: domain, Endpoint: endpoint, Method: method}
	began := o.cfg.Now()
	var err error
	if method == failover.ProbeFree {
		err = free(ctx, endpoint)
		if llm.KindOf(err) == llm.KindUnsupported && err != nil {
			probe.Method = failover.ProbeGeneration
		}
	}
	if probe.Method == failover.ProbeGeneration {
		probe.Usage, err = generate(ctx, endpoint, embeddings)
	}
	probe.Took = o.cfg.Now().Sub(began)
	if err != nil && !errors.As(err, &probe.Error) {
		probe.Error = &llm.Error{Kind: llm.KindUnknown, Provider: endpoint.Call.Place, Detail: "the probe failed"}
	}
	if probe.Error != nil && probe.Error.Kind == llm.KindBadOutput { // few words were allowed, and thoughts may have taken them
		probe.Error = nil
	}
	return probe
}

func free(ctx context.Context, endpoint Endpoint) error {
	prober, ok := endpoint.Provider.(llm.Prober)
	if !ok {
		return &llm.Error{Kind: llm.KindUnsupported, Provider: endpoint.Call.Place, Detail: "there is no free call"}
	}
	return prober.Probe(ctx, endpoint.Key, endpoint.Model)
}

// generate asks for as little as models give: fewer tokens than this some do not accept.
func generate(ctx context.Context, endpoint Endpoint, embeddings bool) (llm.Usage, error) {
	const few = 16
	tokens := int64(few)
	if embedder, ok := endpoint.Provider.(llm.Embedder); ok && embeddings {
		answer, err := embedder.Embed(ctx, endpoint.Key, llm.Request{Model: endpoint.Model, Embed: &llm.Embed{Texts: []string{"ping"}}})
		return answer.Usage, err
	}
	answer, err := endpoint.Provider.Complete(ctx, endpoint.Key, llm.Request{
		Model: endpoint.Model, MaxOutputTokens: &tokens,
		Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("ping")}}},
	})
	return answer.Usage, err
}

// ProbesResult is what the scheduled probes found.
type ProbesResult struct {
	Probed  int               `json:"probed"`
	Failed  []failover.Domain `json:"failed,omitempty"`
	Opened  []failover.Domain `json:"opened,omitempty"`
	Skipped []failover.Domain `json:"skipped,omitempty"`
}

// ProbeAll asks every place, with each of its keys, by a call that costs nothing. Those that have no such call, and those that
// are open and so have a workflow that tries them, are passed over.
func (o *Operations) ProbeAll(ctx context.Context) (ProbesResult, error) {
	var result ProbesResult
	for _, endpoint := range o.cfg.Probed.Endpoints() {
		domain := endpoint.Call.Domain(failover.ScopeKey)
		standing, err := o.cfg.Board.Standing(ctx, domain)
		if err != nil {
			return result, storeError(err)
		}
		if _, ok := endpoint.Provider.(llm.Prober); !ok || standing.State == failover.BreakerOpen {
			result.Skipped = append(result.Skipped, domain)
			continue
		}
		activity.RecordHeartbeat(ctx, domain)
		err = o.probeScheduled(ctx, domain, endpoint, &result)
		if err != nil {
			return result, storeError(err)
		}
	}
	return result, nil
}

func (o *Operations) probeScheduled(ctx context.Context, domain failover.Domain, endpoint Endpoint, result *ProbesResult) error {
	probing, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	began := o.cfg.Now()
	err := free(probing, endpoint)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	probe := Probe{Domain: domain, Endpoint: endpoint, Method: failover.ProbeFree, Took: o.cfg.Now().Sub(began)}
	if err != nil && !errors.As(err, &probe.Error) {
		probe.Error = &llm.Error{Kind: llm.KindUnknown, Provider: endpoint.Call.Place, Detail: "the probe failed"}
	}
	if probe.Error != nil && probe.Error.Kind == llm.KindUnsupported {
		result.Skipped = append(result.Skipped, domain)
		return nil
	}
	result.Probed++
	if probe.Error != nil {
		result.Failed = append(result.Failed, domain)
	}
	if err := o.cfg.Board.KeepProbe(ctx, probe); err != nil {
		return err
	}
	kinds, err := o.cfg.Board.LastProbes(ctx, domain, failover.ProbeFree, o.cfg.Successes)
	if err != nil {
		return err
	}
	opening, ok := failover.Probed(kinds, o.cfg.Successes, o.cfg.Now())
	if !ok || o.cfg.Works != nil && o.cfg.Works(endpoint.Call) {
		return nil
	}
	opening.Mark = endpoint.Call.Mark
	name := endpoint.Call.Domain(opening.Scope)
	before, err := o.cfg.Board.Standing(ctx, name)
	if err != nil {
		return err
	}
	next, changed := before.Open(o.cfg.Policy, opening, o.cfg.Name)
	if !changed {
		return nil
	}
	result.Opened = append(result.Opened, name)
	standing, err := o.cfg.Board.Publish(ctx, name, next)
	if err != nil {
		return err
	}
	return o.cfg.Teller.Tell(ctx, name, standing, o.cfg.Policy)
}
