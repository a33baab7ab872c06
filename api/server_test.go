package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/workflows"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// bundle is the real API on a real PostgreSQL; the workflow's part is played by a function.
type bundle struct {
	url    string
	hub    *handover.Hub
	store  *store.Store
	tokens *tokens
	cfg    api.Config
	server *api.Server
	// play is what the "workflow" does once started.
	play   func(workflows.CompletionInput)
	starts atomic.Int32
	// cancelled are the workflows that were told to end.
	cancelled chan string
}

type tokens struct{ err error }

func (f *tokens) Verify(_ context.Context, token string) (access.Principal, error) {
	if f.err != nil {
		return access.Principal{}, f.err
	}
	if owner, ok := strings.CutPrefix(token, "token-of-"); ok {
		tenant, id, _ := strings.Cut(owner, "/")
		return access.Principal{Tenant: tenant, TokenID: id}, nil
	}
	return access.Principal{}, access.ErrInvalid
}

type lease struct{}

func (lease) Current() (string, context.Context) { return "node/1", context.Background() }

// temporal starts nothing but calls play; its runs end at once, so that the durable wait asks the record.
type temporal struct{ b *bundle }

func (f temporal) ExecuteWorkflow(_ context.Context, _ client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	f.b.starts.Add(1)
	input, ok := args[0].(workflows.CompletionInput)
	if !ok {
		return nil, errors.New("not a completion")
	}
	if f.b.play != nil {
		go f.b.play(input)
	}
	return nil, nil
}

type endedRun struct{ client.WorkflowRun }

func (endedRun) Get(context.Context, any) error { return errors.New("terminated") }

func (temporal) GetWorkflow(context.Context, string, string) client.WorkflowRun { return endedRun{} }

func (f temporal) CancelWorkflow(_ context.Context, id, _ string) error {
	f.b.cancelled <- id
	return nil
}

func setup(t *testing.T, change func(*api.Config)) *bundle {
	t.Helper()
	pool := pgtest.New(t)
	b := &bundle{hub: handover.NewHub(), store: store.New(pool), tokens: &tokens{}, cancelled: make(chan string, 16)}
	b.cfg = api.Config{
		Record: b.store, Conversations: conversations.NewStore(pool), Temporal: temporal{b}, Lease: lease{}, Tokens: b.tokens, Hub: b.hub,
		Routes: []string{"demo", "openai/gpt-4.1"}, Timeout: 20 * time.Second, MaxBodyBytes: 4096,
		Admission: api.AdmissionConfig{MinStarts: 4, MaxStarts: 16, QueueSize: 8, QueueTimeout: 200 * time.Millisecond},
		Logger:    slog.New(slog.DiscardHandler),
	}
	b.play = b.answer
	if change != nil {
		change(&b.cfg)
	}
	server, err := api.New(b.cfg)
	require.NoError(t, err)
	b.server = server
	http := httptest.NewServer(server.Handler())
	t.Cleanup(http.Close)
	b.url = http.URL
	return b
}

// answer records and hands over an answer, as the activities do.
func (b *bundle) answer(in workflows.CompletionInput) {
	ctx := context.Background()
	b.hub.Claim(in.ID)
	fence := completions.Fence{ID: in.ID, Epoch: in.Epoch, InstanceID: "node/1"}
	now := time.Now()
	_, _ = b.store.StartFirst(ctx, fence, completions.NewAttempt{Deployment: "d", Provider: "openai", Model: "gpt-4.1", StartedAt: now})
	b.hub.Calling(in.ID)
	answer := llm.Response{Model: "gpt-4.1", FinishReason: llm.FinishStop, Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("hello")}}}
	_, _ = b.store.RecordSuccess(ctx, fence, completions.Success{Number: 1, Provider: "openai", Model: "gpt-4.1", Answer: answer, AnsweredAt: now, At: now})
	outcome, _ := b.store.Outcome(ctx, "", in.ID)
	b.hub.Deliver(in.ID, outcome)
}

func (b *bundle) fail(kind llm.Kind) func(workflows.CompletionInput) {
	return func(in workflows.CompletionInput) {
		ctx := context.Background()
		b.hub.Claim(in.ID)
		fence := completions.Fence{ID: in.ID, Epoch: in.Epoch}
		failure := llm.Error{Kind: kind, Provider: "secret-vendor", Detail: "secret detail"}
		_, _ = b.store.RecordFailure(ctx, fence, completions.Failure{Error: failure, At: time.Now()})
		outcome, _ := b.store.Outcome(ctx, "", in.ID)
		b.hub.Deliver(in.ID, outcome)
	}
}

const hello = `{"model":"demo","messages":[{"role":"user","content":"hi"}]}`

func (b *bundle) do(t *testing.T, method, path, tenant, body string, header ...string) (*http.Response, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	if tenant != "" {
		request.Header.Set("Authorization", "Bearer token-of-"+tenant)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var object map[string]any
	require.NoError(t, json.Unmarshal(content, &object), string(content))
	return response, object
}

func code(object map[string]any) string {
	failure, _ := object["error"].(map[string]any)
	text, _ := failure["code"].(string)
	return text
}

func TestACompletionIsAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "default", hello)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "chat.completion", object["object"])
	for header, want := range map[string]string{"Provider": "openai", "Model": "gpt-4.1", "Attempts": "1", "Failovers": "0"} {
		require.Equal(t, want, response.Header.Get("X-Holdfast-"+header), header)
	}
	require.NotEmpty(t, response.Header.Get("X-Holdfast-Overhead-Ms"))
	require.Equal(t, object["id"], response.Header.Get("X-Holdfast-Completion-Id"))
}

func TestAnAnswerThatIsNotHandedOverIsReadFromTheRecord(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) { cfg.WorksElsewhere = true })
	b.play = func(in workflows.CompletionInput) { // another process drives it: this one's hub hears nothing
		elsewhere := &bundle{hub: handover.NewHub(), store: b.store}
		elsewhere.answer(in)
	}
	response, _ := b.do(t, http.MethodPost, "/v1/chat/completions", "default", hello)
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestATokenThatCannotBeCheckedIsNotAWrongToken(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "", hello)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Equal(t, "invalid_api_key", code(object))
	b.tokens.err = access.ErrUnavailable
	response, _ = b.do(t, http.MethodPost, "/v1/chat/completions", "default", hello)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Retry-After"))
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, completion := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
	_, conversation := b.do(t, http.MethodPost, "/v1/conversations", "a", "")
	id, conv := completion["id"].(string), conversation["id"].(string) //nolint:forcetypeassert // fails the test either way
	for _, path := range []string{
		"/v1/chat/completions/" + id, "/v1/holdfast/completions/" + id, "/v1/conversations/" + conv, "/v1/conversations/" + conv + "/items",
	} {
		response, _ := b.do(t, http.MethodGet, path, "a", "")
		require.Equal(t, http.StatusOK, response.StatusCode, path)
		response, _ = b.do(t, http.MethodGet, path, "b", "")
		require.Equal(t, http.StatusNotFound, response.StatusCode, path)
	}
	response, _ := b.do(t, http.MethodPost, "/v1/chat/completions", "b", `{"model":"demo","conversation":"`+conv+`","messages":[{"role":"user","content":"hi"}]}`)
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	_, list := b.do(t, http.MethodGet, "/v1/conversations", "b", "")
	require.Empty(t, list["data"])
	_, first := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Idempotency-Key", "k")
	_, second := b.do(t, http.MethodPost, "/v1/chat/completions", "b", hello, "Idempotency-Key", "k")
	require.NotEqual(t, first["id"], second["id"], "keys of two tenants are two keys")
}

func TestAnIdempotencyKeyAttaches(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, first := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Idempotency-Key", "k")
	_, again := b.do(t, http.MethodPost, "/v1/chat/completions", "a", `{ "messages":[{"content":"hi","role":"user"}], "model":"demo"}`, "Idempotency-Key", "k")
	require.Equal(t, first, again, "white space and key order are not another body")
	require.Equal(t, int32(1), b.starts.Load())
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", strings.Replace(hello, "hi", "ho", 1), "Idempotency-Key", "k")
	require.Equal(t, http.StatusConflict, response.StatusCode)
	require.Equal(t, "idempotency_key_reused", code(object))
	require.Equal(t, "false", response.Header.Get("X-Should-Retry"))
}

func TestASecondTurnOnABusyConversationIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.play = nil // the first turn stays in flight
	_, conversation := b.do(t, http.MethodPost, "/v1/conversations", "a", `{"metadata":{"topic":"x"}}`)
	turn := `{"model":"demo","conversation":"` + conversation["id"].(string) + `","messages":[{"role":"user","content":"hi"}]}` //nolint:forcetypeassert // a test
	response, _ := b.do(t, http.MethodPost, "/v1/chat/completions", "a", turn, "Prefer", "respond-async")
	require.Equal(t, http.StatusAccepted, response.StatusCode)
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", turn)
	require.Equal(t, http.StatusConflict, response.StatusCode)
	require.Equal(t, "conversation_busy", code(object))
}

func TestAsyncIsAcceptedAndReadLater(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	release := make(chan struct{})
	b.play = func(in workflows.CompletionInput) {
		<-release
		b.answer(in)
	}
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Prefer", "respond-async")
	require.Equal(t, http.StatusAccepted, response.StatusCode)
	location := response.Header.Get("Location")
	require.Equal(t, "/v1/chat/completions/"+object["id"].(string), location) //nolint:forcetypeassert // a test
	response, _ = b.do(t, http.MethodGet, location, "a", "")
	require.Equal(t, http.StatusAccepted, response.StatusCode)
	close(release)
	response, object = b.do(t, http.MethodGet, location, "a", "", "Prefer", "wait=10")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.NotEmpty(t, object["choices"])
}

func TestFailuresTellTheClientWhatToDoAndNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	want := map[llm.Kind]int{
		llm.KindCallerFault: 400, llm.KindContextLength: 400, llm.KindContentPolicy: 400, llm.KindRefusal: 400,
		llm.KindUnsupported: 400, llm.KindCredential: 502, llm.KindTimeout: 504, llm.KindCancelled: 499,
	}
	for _, kind := range llm.Kinds() {
		b.play = b.fail(kind)
		response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
		status := want[kind]
		if status == 0 {
			status = http.StatusServiceUnavailable
			require.NotEmpty(t, response.Header.Get("Retry-After"), kind)
		}
		require.Equal(t, status, response.StatusCode, kind)
		require.NotEmpty(t, code(object), kind)
		body, err := json.Marshal(object)
		require.NoError(t, err)
		require.NotContains(t, string(body), "secret", kind)
		require.NotEmpty(t, response.Header.Get("X-Holdfast-Completion-Id"), kind)
	}
}

func TestMoreThanTheQueueHoldsIsRefusedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) {
		cfg.Admission = api.AdmissionConfig{MinStarts: 1, MaxStarts: 1, QueueSize: 0, QueueTimeout: 50 * time.Millisecond}
		cfg.Timeout = 3 * time.Second
	})
	b.play = nil // the first start never gets anywhere
	b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Prefer", "respond-async")
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "overloaded", code(object))
	require.NotEmpty(t, response.Header.Get("Retry-After"))
	list, err := b.store.List(t.Context(), "a", "", 10, "")
	require.NoError(t, err)
	require.Len(t, list, 1)
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	cases := map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"no such model":        {http.MethodPost, "/v1/chat/completions", `{"model":"x","messages":[{"role":"user","content":"hi"}]}`, 404, "model_not_found"},
		"too large":            {http.MethodPost, "/v1/chat/completions", `{"model":"` + strings.Repeat("x", 5000) + `"}`, 413, "request_too_large"},
		"no such endpoint":     {http.MethodGet, "/v1/nothing", "", 404, "not_found"},
		"wrong method":         {http.MethodDelete, "/v1/chat/completions", "", 405, "method_not_allowed"},
		"no such completion":   {http.MethodGet, "/v1/chat/completions/chatcmpl-x", "", 404, "not_found"},
		"no such conversation": {http.MethodGet, "/v1/conversations/conv_x", "", 404, "not_found"},
		"bad limit":            {http.MethodGet, "/v1/conversations?limit=1000", "", 400, "invalid_value"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response, object := b.do(t, c.method, c.path, "a", c.body)
			require.Equal(t, c.status, response.StatusCode)
			require.Equal(t, c.code, code(object))
		})
	}
}

func TestModelsAreTheRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, list := b.do(t, http.MethodGet, "/v1/models", "a", "")
	require.Len(t, list["data"], 2)
	response, object := b.do(t, http.MethodGet, "/v1/models/openai/gpt-4.1", "a", "")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "openai/gpt-4.1", object["id"])
}
