package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
	"github.com/holdfast-dev/holdfast/replay"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const (
	tenant = "acme"
	// What must appear in no history and no log.
	prompt = "CANARY-PROMPT"
	reply  = "CANARY-ANSWER"
	secret = "CANARY-KEY"
)

// record is the real store, with failures on demand.
type record struct {
	*store.Store
	mu       sync.Mutex
	requests int
	// broken names methods and how often each still fails; a negative number is for ever.
	broken map[string]int
	// written, if set, is told of each failure that is on record.
	written chan struct{}
}

var errDown = fmt.Errorf("connection refused: %w", os.ErrDeadlineExceeded)

func (r *record) fails(method string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken[method] == 0 {
		return nil
	}
	r.broken[method]--
	return errDown
}

func (r *record) Request(ctx context.Context, id string) (llm.Request, error) {
	r.mu.Lock()
	r.requests++
	r.mu.Unlock()
	if err := r.fails("Request"); err != nil {
		return llm.Request{}, err
	}
	return r.Store.Request(ctx, id)
}

func (r *record) StartFirst(ctx context.Context, fence completions.Fence, next completions.NewAttempt) (bool, error) {
	if err := r.fails("StartFirst"); err != nil {
		return false, err
	}
	return r.Store.StartFirst(ctx, fence, next)
}

func (r *record) Fail(ctx context.Context, fence completions.Fence, failed completions.Failed) error {
	if err := r.fails("Fail"); err != nil {
		return err
	}
	err := r.Store.Fail(ctx, fence, failed)
	if r.written != nil {
		r.written <- struct{}{}
	}
	return err
}

func (r *record) KeepAnswer(ctx context.Context, fence completions.Fence, number int, answer llm.Response, usage llm.Usage, at time.Time) error {
	if err := r.fails("KeepAnswer"); err != nil {
		return err
	}
	return r.Store.KeepAnswer(ctx, fence, number, answer, usage, at)
}

func (r *record) RecordSuccess(ctx context.Context, fence completions.Fence, success completions.Success) (bool, error) {
	if err := r.fails("RecordSuccess"); err != nil {
		return false, err
	}
	return r.Store.RecordSuccess(ctx, fence, success)
}

// library is a media library that notes the scopes it is asked in, and puts two bytes beside each address.
type library struct {
	mu     sync.Mutex
	scopes []string
	err    error
}

func (l *library) Resolve(_ context.Context, scope string, messages []llm.Message) ([]llm.Message, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scopes = append(l.scopes, scope)
	resolved := make([]llm.Message, len(messages))
	for i, message := range messages {
		resolved[i].Role = message.Role
		for _, part := range message.Parts {
			if part.Media != nil {
				part = llm.Image(llm.Media{URL: part.Media.URL, MIME: "image/png", Data: []byte{1, 2}})
			}
			resolved[i].Parts = append(resolved[i].Parts, part)
		}
	}
	return resolved, l.err
}

// routes is a routing table of one route whose deployments all lead to the scripted provider.
type routes struct {
	// mark is that of all keys; several says that providers have several places.
	mark        string
	several     bool
	provider    llm.Provider
	targets     []failover.Target
	endpointErr error
	health      *health.View
	policy      activities.RoutePolicy
	keys        []string
}

func (r *routes) Targets(string, string, []string, bool) []failover.Target { return r.targets }

func (r *routes) Rests(_ string, candidates []failover.Candidate, tokens int64) []failover.Rest {
	var rests []failover.Rest
	for _, candidate := range candidates {
		if rest, resting := r.health.Rest(callOf(candidate.Deployment), tokens); resting {
			rests = append(rests, rest)
		}
	}
	return rests
}

func (r *routes) Policy(string) activities.RoutePolicy { return r.policy }

// Admit, Queue, MayRepeat, Repeated and P95 are those of the health that the test has set.
func (r *routes) Admit(call failover.Call, tokens int64, queued bool) (activities.Permit, failover.Rest) {
	return r.health.Admit(call, tokens, queued)
}

func (r *routes) Queue(call failover.Call, tokens int64) time.Duration {
	return r.health.Queue(call, tokens)
}

func (r *routes) MayRepeat() string { return r.health.MayRepeat() }

func (r *routes) Repeated() { r.health.Repeated() }

func (r *routes) P95(deployment string, streamed bool) time.Duration {
	return r.health.P95(deployment, streamed)
}

func callOf(deployment string) failover.Call {
	return failover.Call{Deployment: deployment, Place: deployment, Model: deployment + "-model", Key: "main"}
}

func (r *routes) Endpoint(_ activities.Caller, deployment string, avoid []string) (activities.Endpoint, error) {
	if r.endpointErr != nil {
		return activities.Endpoint{}, r.endpointErr
	}
	endpoint := activities.Endpoint{
		Call: callOf(deployment), Provider: r.provider, Model: deployment + "-model", KeyName: "main", Key: llm.Secret(secret), Several: r.several,
	}
	endpoint.Call.Mark = r.mark
	for _, key := range r.keys {
		if !slices.Contains(avoid, key) {
			endpoint.KeyName, endpoint.Call.Key = key, key
			break
		}
	}
	return endpoint, nil
}

// lease is a place among the living that a test can end.
type lease struct {
	id   string
	held context.Context //nolint:containedctx // as the real one
	lose context.CancelFunc
}

func newLease(id string) *lease {
	held, lose := context.WithCancel(context.Background())
	return &lease{id, held, lose}
}

func (l *lease) Current() (string, context.Context) { return l.id, l.held }

// process is one process's activities, over a record that it may share with others.
type process struct {
	t        *testing.T
	acts     *activities.Activities
	calls    *activities.Calls
	env      *testsuite.TestActivityEnvironment
	pool     *pgxpool.Pool
	record   *record
	log      *conversations.Store
	media    *library
	hub      *handover.Hub
	lease    *lease
	routes   *routes
	guard    *guard
	provider *llmtest.Scripted
	logs     *bytes.Buffer
	// history is all that would stand in Temporal's.
	history *bytes.Buffer
}

// setup starts a process whose provider goes by the script. When the test ends, neither history nor log may hold a prompt,
// an answer or a key.
func setup(t *testing.T, script ...llmtest.Step) *process {
	t.Helper()
	pool := pgtest.New(t)
	return start(t, pool, &record{Store: store.New(pool), broken: map[string]int{}}, "node-a/1", script...)
}

// another is a second process on the same record.
func (p *process) another(script ...llmtest.Step) *process {
	return start(p.t, p.pool, p.record, "node-b/1", script...)
}

func start(t *testing.T, pool *pgxpool.Pool, rec *record, instance string, script ...llmtest.Step) *process {
	t.Helper()
	p := &process{
		t: t, pool: pool, record: rec, log: conversations.NewStore(pool), media: &library{}, hub: handover.NewHub(), lease: newLease(instance), guard: &guard{},
		provider: llmtest.NewScripted(script...), logs: &bytes.Buffer{}, history: &bytes.Buffer{},
	}
	p.routes = &routes{health: health.New(health.Config{Breaker: forgiving()}), provider: p.provider, targets: []failover.Target{target("one", 1), target("two", 2)}}
	require.NoError(t, rec.Join(t.Context(), instance, "", time.Hour))
	var err error
	p.acts, p.calls, err = activities.New(activities.Config{
		Store: rec, Conversations: p.log, Media: p.media, Router: p.routes, Health: p.routes, Handover: p.hub, Lease: p.lease, Keys: p.guard,
		Logger: slog.New(slog.NewJSONHandler(p.logs, nil)), Draw: func() float64 { return 0 },
	})
	require.NoError(t, err)
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(slog.New(slog.DiscardHandler))
	p.env = suite.NewTestActivityEnvironment()
	p.env.RegisterActivity(p.acts)
	t.Cleanup(p.lease.lose)
	t.Cleanup(func() {
		for what, content := range map[string]string{"history": p.history.String(), "log": p.logs.String()} {
			require.NotContains(t, content, "CANARY", what)
		}
	})
	return p
}

// forgiving is a breaker that holds nothing against anybody: for tests of single calls.
func forgiving() failover.BreakerPolicy {
	policy := failover.DefaultBreaker()
	policy.Disabled = true
	return policy
}

func target(name string, order int) failover.Target {
	return failover.Target{
		Deployment: name, Provider: "scripted", Model: name + "-model", Weight: 1, Order: order, Timeout: time.Minute, Retries: 2,
	}
}

// local and remote run an activity as a workflow would, and note what history would hold of it.
func local[In, Out any](p *process, fn func(context.Context, In) (Out, error), in In) (Out, error) {
	value, err := p.env.ExecuteLocalActivity(fn, in)
	return noted[In, Out](p, in, value, err)
}

func remote[In, Out any](p *process, fn func(context.Context, In) (Out, error), in In) (Out, error) {
	value, err := p.env.ExecuteActivity(fn, in)
	return noted[In, Out](p, in, value, err)
}

func noted[In, Out any](p *process, in In, value converter.EncodedValue, err error) (out Out, _ error) {
	p.t.Helper()
	input, marshalErr := json.Marshal(in)
	require.NoError(p.t, marshalErr)
	p.history.Write(input)
	if err != nil {
		failure, marshalErr := proto.Marshal(temporal.GetDefaultFailureConverter().ErrorToFailure(err))
		require.NoError(p.t, marshalErr)
		p.history.Write(failure)
		p.history.WriteString(err.Error())
		return out, err
	}
	require.NoError(p.t, value.Get(&out))
	result, marshalErr := json.Marshal(out)
	require.NoError(p.t, marshalErr)
	p.history.Write(result)
	return out, nil
}

// application is the application error that the workflow would see.
func application(t *testing.T, err error) *temporal.ApplicationError {
	t.Helper()
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	return app
}

// refused requires an error of the given type that is not retried.
func refused(t *testing.T, err error, kind string) {
	t.Helper()
	app := application(t, err)
	require.Equal(t, kind, app.Type())
	require.True(t, app.NonRetryable())
}

// failedAttempt is the detail of a failed call.
func failedAttempt(t *testing.T, err error) (activities.AttemptFailed, *temporal.ApplicationError) {
	t.Helper()
	app := application(t, err)
	var failed activities.AttemptFailed
	require.NoError(t, app.Details(&failed))
	return failed, app
}

// accept records a request, in a conversation if one is named.
func (p *process) accept(conversation string) completions.Completion {
	p.t.Helper()
	return p.take(conversation, "", question())
}

// acceptStream records a request whose answer is to be streamed.
func (p *process) acceptStream(recovery failover.Recovery) completions.Completion {
	p.t.Helper()
	return p.take("", recovery, question())
}

func (p *process) take(conversation string, recovery failover.Recovery, request llm.Request) completions.Completion {
	p.t.Helper()
	c := completions.Completion{
		ID: completions.NewID(), Tenant: tenant, Route: "gpt", ConversationID: conversation, Epoch: 1, Recovery: recovery,
		AcceptedAt: time.Now().Truncate(time.Microsecond), Deadline: time.Now().Add(time.Hour).Truncate(time.Microsecond),
	}
	accepted, err := p.record.Accept(p.t.Context(), completions.Acceptance{
		ID: c.ID, Tenant: tenant, WorkflowID: completions.WorkflowID(tenant, c.ID, ""), Fingerprint: []byte{1}, Dialect: "openai.chat",
		Route: c.Route, ConversationID: conversation, InstanceID: p.lease.id, AcceptedAt: c.AcceptedAt, Deadline: c.Deadline,
		Recovery: recovery, Request: request,
	})
	require.NoError(p.t, err)
	require.True(p.t, accepted.Created)
	return c
}

// adopt takes the completion over from a process that died.
func (p *process) adopt(c completions.Completion) completions.Completion {
	p.t.Helper()
	_, err := p.pool.Exec(p.t.Context(), `UPDATE completions SET instance_id = 'dead/1' WHERE id = $1`, c.ID)
	require.NoError(p.t, err)
	adopted, err := p.record.Adopt(p.t.Context(), p.lease.id, 1)
	require.NoError(p.t, err)
	require.Len(p.t, adopted, 1)
	c.Epoch = adopted[0].Epoch
	return c
}

func (p *process) prepare(c completions.Completion) (activities.PrepareResult, error) {
	return local(p, p.acts.Prepare, activities.PrepareInput{
		ID: c.ID, Tenant: c.Tenant, Route: c.Route, ConversationID: c.ConversationID, Epoch: c.Epoch, Deadline: c.Deadline, Recovery: c.Recovery,
	})
}

// prepared is a completion with its first attempt begun, and the call that makes it.
func (p *process) prepared(c completions.Completion) activities.CallInput {
	p.t.Helper()
	plan, err := p.prepare(c)
	require.NoError(p.t, err)
	return call(c, plan)
}

func call(c completions.Completion, plan activities.PrepareResult) activities.CallInput {
	return activities.CallInput{
		ID: c.ID, Route: c.Route, ConversationID: c.ConversationID, Epoch: c.Epoch, Deadline: c.Deadline, Number: plan.Number,
		Candidates: plan.Plan.Candidates, Failures: plan.Failures, Decision: plan.Decision, Ladder: plan.Ladder, Tokens: plan.Tokens,
		Recovery: c.Recovery,
	}
}

func answered(c completions.Completion, result activities.CallResult) activities.RecordInput {
	return activities.RecordInput{
		ID: c.ID, Tenant: c.Tenant, Route: c.Route, ConversationID: c.ConversationID, Epoch: c.Epoch, AcceptedAt: c.AcceptedAt,
		Answered: result.Number, Provider: result.Provider, Model: result.Model, Recovery: c.Recovery,
	}
}

func (p *process) find(id string) (completions.Completion, []completions.Attempt) {
	p.t.Helper()
	completion, attempts, err := p.record.Find(p.t.Context(), tenant, id)
	require.NoError(p.t, err)
	return completion, attempts
}

func (p *process) conversation() string {
	p.t.Helper()
	c, err := p.log.Create(p.t.Context(), tenant, nil, []conversations.Item{
		{Message: llm.Message{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(prompt + " before")}}},
		{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text(reply + " before")}}},
	})
	require.NoError(p.t, err)
	return c.ID
}

func question() llm.Request {
	return llm.Request{Model: "gpt", Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(prompt)}}}}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (r *routes) PromptPrices(string, string) *replay.Prices {
	return &replay.Prices{Input: 2_000_000, CacheRead: 500_000}
}
