package workflows_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/internal/temporaltest"
	"github.com/holdfast-dev/holdfast/launch"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/workflows"
)

func TestMain(m *testing.M) { os.Exit(temporaltest.Main(m)) }

// scripted are activities under the production names that answer from a script, so that histories can be recorded without
// a database and without providers.
type scripted struct {
	plan     failover.Plan
	outcomes []*llm.Error // of CallModel, call by call; nil answers
	calls    int
	failures []failover.Failure
	lose     bool // lose the first answer
	block    bool // hang until cancelled
}

func (s *scripted) Prepare(_ context.Context, in activities.PrepareInput) (activities.PrepareResult, error) {
	decision := failover.Decide(failover.State{Candidates: s.plan.Candidates, Deadline: in.Deadline, Seed: in.ID}, time.Now())
	return activities.PrepareResult{State: completions.StateOpen, Plan: s.plan, Decision: decision, Number: min(1, len(s.plan.Candidates))}, nil
}

func (s *scripted) CallModel(ctx context.Context, in activities.CallInput) (activities.CallResult, error) {
	candidate := in.Candidates[in.Decision.Candidate]
	local := activity.GetInfo(ctx).IsLocalActivity
	if s.block && !local {
		for ctx.Err() == nil {
			activity.RecordHeartbeat(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
		return activities.CallResult{}, ctx.Err()
	}
	outcome := s.outcomes[s.calls]
	s.calls++
	if outcome == nil {
		return activities.CallResult{Number: s.calls, Provider: candidate.Provider, Model: candidate.Model, InputTokens: 8, OutputTokens: 5}, nil
	}
	failure := failover.Failure{Deployment: candidate.Deployment, Kind: outcome.Kind, RetryAfter: outcome.RetryAfter, At: time.Now()}
	s.failures = append(s.failures, failure)
	decision := failover.Decide(failover.State{Candidates: in.Candidates, Failures: s.failures, Deadline: in.Deadline, Seed: in.ID}, time.Now())
	return activities.CallResult{}, temporal.NewApplicationErrorWithOptions(outcome.Error(), string(outcome.Kind), temporal.ApplicationErrorOptions{
		NonRetryable: local || decision.Action != failover.ActionRetry, NextRetryDelay: decision.Delay,
		Details: []any{activities.AttemptFailed{Number: s.calls, Failure: failure, Decision: decision, Error: outcome}},
	})
}

func (s *scripted) Record(_ context.Context, in activities.RecordInput) (activities.RecordResult, error) {
	if s.lose {
		s.lose = false
		return activities.RecordResult{}, temporal.NewNonRetryableApplicationError("lost", activities.ErrTypeAnswerLost, nil)
	}
	if in.Answered == 0 {
		kind := llm.KindUnknown
		if in.Failure != nil {
			kind = in.Failure.Kind
		}
		return activities.RecordResult{State: completions.StateFailed, Attempts: s.calls, ErrorKind: kind}, nil
	}
	return activities.RecordResult{State: completions.StateSucceeded, Provider: in.Provider, Model: in.Model, Attempts: in.Answered}, nil
}

// TestRecordHistories records the fixtures of TestRecordedHistoriesReplay; run it with RECORD_HISTORIES=1 (make
// record-histories). Record from the code that is deployed, never from a branch whose workflow has changed: a fixture made
// by the changed code replays by definition, and proves nothing.
func TestRecordHistories(t *testing.T) { //nolint:paralleltest // one worker at a time owns the task queues
	if os.Getenv("RECORD_HISTORIES") == "" {
		t.Skip("RECORD_HISTORIES is not set: the recorded histories stand")
	}
	two := failover.Plan{Candidates: []failover.Candidate{
		{Deployment: "demo/openai/gpt-4.1/1", Provider: "openai", Model: "gpt-4.1", Timeout: 20 * time.Second, Retries: 2, Reason: "order 1"},
		{Deployment: "demo/anthropic/claude-sonnet-4-5/1", Provider: "anthropic", Model: "claude-sonnet-4-5", Timeout: 20 * time.Second, Retries: 2, Reason: "order 2"},
	}}
	one := failover.Plan{Candidates: two.Candidates[:1]}
	kind := func(kind llm.Kind) *llm.Error { return &llm.Error{Kind: kind, Provider: "openai", Status: 503} }
	limited := &llm.Error{Kind: llm.KindRateLimit, Provider: "openai", Status: 429, RetryAfter: 300 * time.Millisecond}
	scenarios := map[string]*scripted{
		"answered":                     {plan: two, outcomes: []*llm.Error{nil}},
		"primary_down":                 {plan: two, outcomes: []*llm.Error{kind(llm.KindOverloaded), nil}},
		"rate_limited_twice":           {plan: one, outcomes: []*llm.Error{limited, limited, nil}},
		"every_provider_down":          {plan: two, outcomes: []*llm.Error{kind(llm.KindQuota), kind(llm.KindCredential)}},
		"caller_fault":                 {plan: two, outcomes: []*llm.Error{kind(llm.KindCallerFault)}},
		"no_eligible_target":           {plan: failover.Plan{Excluded: []failover.Excluded{{Deployment: "x", Reason: "no key"}}}},
		"answer_lost_before_recording": {plan: two, outcomes: []*llm.Error{nil, nil}, lose: true},
		"cancelled_during_a_call":      {plan: two, outcomes: []*llm.Error{kind(llm.KindOverloaded)}, block: true},
	}
	c := temporaltest.Start(t).Client(t)
	for name, script := range scenarios { //nolint:paralleltest // one worker at a time owns the task queues
		t.Run(name, func(t *testing.T) {
			record(t, c, name, script)
		})
	}
}

func record(t *testing.T, c client.Client, name string, script *scripted) {
	t.Helper()
	for _, queue := range []string{workflows.CompletionsQueue, workflows.ProviderCallsQueue} {
		w := sdkworker.New(c, queue, sdkworker.Options{})
		workflows.Register(w)
		w.RegisterActivity(script)
		require.NoError(t, w.Start())
		defer w.Stop()
	}
	accepted := time.Now()
	completion := completions.Completion{
		ID: "chatcmpl-" + name, Tenant: "default", WorkflowID: "completion/default/" + name, Route: "demo", Epoch: 1,
		AcceptedAt: accepted, Deadline: accepted.Add(30 * time.Second),
	}
	require.NoError(t, launch.First(t.Context(), c, completion))
	run := c.GetWorkflow(t.Context(), completion.WorkflowID, "")
	if script.block {
		require.Eventually(t, func() bool {
			described, err := c.DescribeWorkflowExecution(t.Context(), completion.WorkflowID, "")
			return err == nil && len(described.GetPendingActivities()) == 1
		}, 10*time.Second, 50*time.Millisecond)
		require.NoError(t, c.CancelWorkflow(t.Context(), completion.WorkflowID, ""))
	}
	_ = run.Get(t.Context(), nil) // some scenarios fail on purpose
	history := &historypb.History{}
	events := c.GetWorkflowHistory(t.Context(), completion.WorkflowID, run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	encoded, err := protojson.MarshalOptions{Indent: "  "}.Marshal(history)
	require.NoError(t, err)
	dir := filepath.Join("testdata", "histories", "completion")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), append(encoded, '\n'), 0o644))
}
