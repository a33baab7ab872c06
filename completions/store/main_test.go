package store_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const (
	tenant = "acme"
	alive  = "node-a/1" // an instance that holds a lease in every world
)

// moment is a time that PostgreSQL can keep, to the microsecond.
var moment = time.Date(2026, 5, 1, 12, 0, 0, 123456000, time.UTC)

// world is a record in a database of its own.
type world struct {
	pool          *pgxpool.Pool
	store         *store.Store
	conversations *conversations.Store
	accepted      atomic.Int64
}

func setup(t *testing.T) *world {
	t.Helper()
	pool := pgtest.New(t)
	w := &world{pool: pool, store: store.New(pool), conversations: conversations.NewStore(pool)}
	require.NoError(t, w.store.Join(t.Context(), alive, "", time.Hour))
	return w
}

// acceptance is a request that nobody has made before.
func (w *world) acceptance() completions.Acceptance {
	n := w.accepted.Add(1)
	id := completions.IDForKey(tenant, fmt.Sprint(n))
	return completions.Acceptance{
		ID: id, Tenant: tenant, WorkflowID: completions.WorkflowID(tenant, id, ""), Fingerprint: []byte{1, 2, 3},
		Dialect: "openai.chat", Route: "gpt", InstanceID: alive, AcceptedAt: moment.Add(time.Duration(n) * time.Second),
		Deadline: time.Now().Add(time.Hour).Truncate(time.Microsecond), Request: question(fmt.Sprintf("question %d", n)),
	}
}

// accepts says whether a request was recorded anew.
func (w *world) accepts(t *testing.T, a completions.Acceptance) (bool, error) {
	t.Helper()
	accepted, err := w.store.Accept(t.Context(), a)
	return accepted.Created, err
}

// accept records a request and gives the fence of its first epoch.
func (w *world) accept(t *testing.T, change ...func(*completions.Acceptance)) completions.Fence {
	t.Helper()
	a := w.acceptance()
	for _, c := range change {
		c(&a)
	}
	created, err := w.accepts(t, a)
	require.NoError(t, err)
	require.True(t, created)
	return completions.Fence{ID: a.ID, Epoch: 1, InstanceID: a.InstanceID}
}

func in(conversation string) func(*completions.Acceptance) {
	return func(a *completions.Acceptance) { a.ConversationID = conversation }
}

func drivenBy(instance string) func(*completions.Acceptance) {
	return func(a *completions.Acceptance) { a.InstanceID = instance }
}

func (w *world) conversation(t *testing.T) string {
	t.Helper()
	c, err := w.conversations.Create(t.Context(), tenant, nil, nil)
	require.NoError(t, err)
	return c.ID
}

// started begins the first attempt.
func (w *world) started(t *testing.T, fence completions.Fence) {
	t.Helper()
	started, err := w.store.StartFirst(t.Context(), fence, next("first"))
	require.NoError(t, err)
	require.True(t, started)
}

// adopted makes the completion's instance die and another process adopt it; the result is the new epoch's fence.
func (w *world) adopted(t *testing.T, fence completions.Fence) completions.Fence {
	t.Helper()
	heir := fmt.Sprintf("heir/%d", w.accepted.Add(1))
	require.NoError(t, w.store.Join(t.Context(), heir, "", time.Hour))
	w.exec(t, `UPDATE completions SET instance_id = 'dead/1' WHERE id = $1`, fence.ID)
	adopted, err := w.store.Adopt(t.Context(), heir, 10)
	require.NoError(t, err)
	require.Len(t, adopted, 1)
	require.Equal(t, fence.ID, adopted[0].ID)
	return completions.Fence{ID: fence.ID, Epoch: adopted[0].Epoch, InstanceID: heir}
}

func (w *world) find(t *testing.T, id string) (completions.Completion, []completions.Attempt) {
	t.Helper()
	completion, attempts, err := w.store.Find(context.WithoutCancel(t.Context()), tenant, id)
	require.NoError(t, err)
	return completion, attempts
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := w.pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

func (w *world) count(t *testing.T, sql string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, w.pool.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

func states(attempts []completions.Attempt) []completions.AttemptState {
	list := make([]completions.AttemptState, len(attempts))
	for i, attempt := range attempts {
		list[i] = attempt.State
	}
	return list
}

func next(deployment string) completions.NewAttempt {
	return completions.NewAttempt{
		Deployment: deployment, Provider: "openai", Model: "gpt-4.1", KeyName: "main", ChosenBecause: "the only one", StartedAt: moment,
	}
}

func always(deployment string) func([]completions.Attempt) *completions.NewAttempt {
	return func([]completions.Attempt) *completions.NewAttempt {
		attempt := next(deployment)
		return &attempt
	}
}

func never([]completions.Attempt) *completions.NewAttempt { return nil }

func question(text string) llm.Request {
	return llm.Request{Model: "gpt", Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(text)}}}}
}

func answer(text string) llm.Response {
	return llm.Response{
		ID: "vendor-1", Model: "gpt-4.1-2026", FinishReason: llm.FinishStop, NativeFinishReason: "stop",
		Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text(text)}},
		Usage:   llm.Usage{InputTokens: 10, OutputTokens: 5, Raw: []byte(`{"prompt_tokens":10}`)},
	}
}

func success(number int, text string) completions.Success {
	return completions.Success{
		Number: number, Provider: "openai", Model: "gpt-4.1", Answer: answer(text), AnsweredAt: moment.Add(2 * time.Second),
		At: moment.Add(3 * time.Second), Failovers: number - 1, ProviderTime: 2 * time.Second,
	}
}

// turn makes the success one of a conversation.
func turn(s completions.Success, conversation string, messages ...llm.Message) completions.Success {
	s.ConversationID, s.Turn = conversation, messages
	return s
}

func overloaded() *llm.Error {
	return &llm.Error{
		Kind: llm.KindOverloaded, Provider: "openai", Status: 503, Code: "busy", RetryAfter: time.Second, RequestID: "req-1", Detail: "shed",
	}
}

// ended is a completion's end without an answer.
func ended() completions.Failure { return completions.Failure{Error: *overloaded(), At: moment} }

// failedAt is the end of an attempt.
func failedAt(number int, decision failover.Decision, at time.Time) completions.Failed {
	return completions.Failed{Number: number, Error: overloaded(), Decision: decision, At: at}
}
