package workflows_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
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
	"github.com/holdfast-dev/holdfast/rotation"
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
	// first, if set, is what Prepare decides; nothing is begun then.
	first *failover.Decision
	// postpone makes the first call find its candidate at rest.
	postpone bool
	// summarise has a summary wanted first.
	summarise bool
}

func (s *scripted) AcceptSummary(_ context.Context, in activities.SummaryInput) (activities.SummaryAccepted, error) {
	return activities.SummaryAccepted{WorkflowID: "completion/default/" + in.ID, AcceptedAt: time.Now(), Deadline: in.Deadline}, nil
}

func (s *scripted) Prepare(_ context.Context, in activities.PrepareInput) (activities.PrepareResult, error) {
	if s.first != nil {
		return activities.PrepareResult{State: completions.StateOpen, Plan: s.plan, Decision: *s.first, Ladder: failover.Ladder{Park: true}}, nil
	}
	if s.summarise {
		s.summarise = false
		return activities.PrepareResult{State: completions.StateOpen, Summary: &activities.SummaryWork{ID: "chatcmpl-summary", Route: "teller", Before: 7}}, nil
	}
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
	if s.postpone {
		s.postpone = false
		return activities.CallResult{}, temporal.NewApplicationErrorWithOptions("not called", activities.ErrTypePostponed, temporal.ApplicationErrorOptions{
			NonRetryable: true, Details: []any{failover.Decision{Action: failover.ActionPark, Candidate: 0, Delay: 200 * time.Millisecond, Reason: "parked again"}},
		})
	}
	outcome := s.outcomes[s.calls]
	s.calls++
	if outcome == nil {
		return activities.CallResult{Number: s.calls, Provider: candidate.Provider, Model: candidate.Model, InputTokens: 8, OutputTokens: 5}, nil
	}
	failure := failover.Failure{Deployment: candidate.Deployment, Kind: outcome.Kind, RetryAfter: outcome.RetryAfter, At: time.Now()}
	if len(candidate.Keys) > 0 {
		failure.Key = candidate.Keys[s.calls-1]
	}
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
	if in.ServedFrom != "" && in.Answered == 0 {
		return activities.RecordResult{State: completions.StateSucceeded, ServedFrom: in.ServedFrom}, nil
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
	keyed := failover.Plan{Candidates: slices.Clone(one.Candidates)}
	keyed.Candidates[0].Keys = []string{"main", "spare"}
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
		"parked_and_postponed": {plan: two, outcomes: []*llm.Error{nil}, postpone: true, first: &failover.Decision{
			Action: failover.ActionPark, Candidate: 1, Delay: 200 * time.Millisecond, Reason: "parked",
		}},
		"every_provider_rests": {plan: two, first: &failover.Decision{
			Action: failover.ActionGiveUp, Candidate: -1, Resting: true, RetryAfter: 20 * time.Second, Reason: "every candidate rests",
		}},
		"answered_from_the_cache": {plan: two, first: &failover.Decision{Action: failover.ActionCached, Candidate: -1, Reason: "kept"}},
		"key_rotated":             {plan: keyed, outcomes: []*llm.Error{kind(llm.KindCredential), nil}},
		"summarised":              {plan: one, outcomes: []*llm.Error{nil, nil}, summarise: true},
		"cancelled_during_a_call": {plan: two, outcomes: []*llm.Error{kind(llm.KindOverloaded)}, block: true},
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
	save(t, c, filepath.Join("completion", name), completion.WorkflowID, run.GetRunID())
}

// save writes the history of a run down.
func save(t *testing.T, c client.Client, name, workflowID, runID string) {
	t.Helper()
	history := &historypb.History{}
	events := c.GetWorkflowHistory(t.Context(), workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	encoded, err := protojson.MarshalOptions{Indent: "  "}.Marshal(history)
	require.NoError(t, err)
	path := filepath.Join("testdata", "histories", name+".json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, append(encoded, '\n'), 0o644))
}

// watching are the activities of operations by a script: what probes find, one after the other.
type watching struct{ finds []llm.Kind }

func (w *watching) PublishHealth(_ context.Context, change activities.HealthChange) (failover.Health, error) {
	return change.Health, nil
}

func (w *watching) ProbeDomain(_ context.Context, in activities.ProbeInput) (activities.ProbeResult, error) {
	found := w.finds[0]
	w.finds = w.finds[1:]
	return activities.ProbeResult{Method: in.Method, Kind: found, At: time.Now()}, nil
}

func (w *watching) EraseExpired(context.Context) (completions.Erasure, error) {
	return completions.Erasure{Completions: 200, Conversations: 3}, nil
}

func (w *watching) ProbeAll(context.Context) (activities.ProbesResult, error) {
	return activities.ProbesResult{Probed: 3}, nil
}

// TestRecordHealthHistories records those of the workflows that look after providers, as TestRecordHistories does.
func TestRecordHealthHistories(t *testing.T) { //nolint:paralleltest // one worker at a time owns the task queues
	if os.Getenv("RECORD_HISTORIES") == "" {
		t.Skip("RECORD_HISTORIES is not set: the recorded histories stand")
	}
	c := temporaltest.Start(t).Client(t)
	script := &watching{finds: []llm.Kind{llm.KindOverloaded, "", ""}}
	w := sdkworker.New(c, workflows.OperationsQueue, sdkworker.Options{})
	workflows.RegisterOperations(w)
	w.RegisterActivity(script)
	require.NoError(t, w.Start())
	defer w.Stop()
	policy := failover.DefaultBreaker()
	policy.Cooldown = 300 * time.Millisecond
	now := time.Now()
	opened := failover.Health{State: failover.BreakerOpen, Since: now, Until: now.Add(300 * time.Millisecond), Cause: failover.CauseErrorRate, Reason: "4 of 5 calls failed", By: "p-1"}
	teller := launch.Health{Temporal: c}
	require.NoError(t, teller.Tell(t.Context(), domain, opened, policy))
	longer := opened
	longer.Until = now.Add(600 * time.Millisecond)
	require.NoError(t, teller.Tell(t.Context(), domain, longer, policy))
	id := workflows.HealthWorkflowID(domain)
	require.Eventually(t, func() bool { return len(script.finds) == 0 }, 20*time.Second, 20*time.Millisecond)
	again := opened
	again.Since, again.Until, again.Cause = time.Now().Add(time.Second), time.Now().Add(1200*time.Millisecond), failover.Cause(llm.KindRateLimit)
	require.NoError(t, teller.Tell(t.Context(), domain, again, policy))
	require.Eventually(t, func() bool {
		described, err := c.DescribeWorkflowExecution(t.Context(), id, "")
		return err == nil && described.GetWorkflowExecutionInfo().GetHistoryLength() > 50 && len(described.GetPendingActivities()) == 0
	}, 20*time.Second, 50*time.Millisecond)
	save(t, c, "health/opened_tried_and_closed", id, "")

	expired, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "retention", TaskQueue: workflows.OperationsQueue}, workflows.RetentionWorkflow)
	require.NoError(t, err)
	require.NoError(t, expired.Get(t.Context(), nil))
	save(t, c, "health/retention", "retention", expired.GetRunID())

	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "provider-probes", TaskQueue: workflows.OperationsQueue}, workflows.ProviderProbesWorkflow)
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
	save(t, c, "health/probes", "provider-probes", run.GetRunID())
}

// TestRecordKeyHistories records those of the workflows that look after keys, as TestRecordHistories does.
func TestRecordKeyHistories(t *testing.T) { //nolint:paralleltest // one worker at a time owns the task queues
	if os.Getenv("RECORD_HISTORIES") == "" {
		t.Skip("RECORD_HISTORIES is not set: the recorded histories stand")
	}
	c := temporaltest.Start(t).Client(t)
	record := func(name string, in workflows.KeyRotationInput, prepare func(k *keyStand)) {
		k := newKeyStand()
		prepare(k)
		w := sdkworker.New(c, workflows.OperationsQueue, sdkworker.Options{})
		workflows.RegisterOperations(w)
		rotate, err := activities.NewRotation(activities.RotationConfig{
			Vault: k, Checker: k, Flights: k, Plans: func(string, string) (activities.RotationPlan, bool) {
				return activities.RotationPlan{Minter: k, Policy: rotation.Policy{Drain: 10 * time.Minute}}, true
			},
		})
		require.NoError(t, err)
		w.RegisterActivity(rotate)
		upkeep, err := activities.NewUpkeep(activities.UpkeepConfig{
			Vault:   &watchedKeys{now: time.Now(), keys: []rotation.Key{{Provider: "openai", Name: "main", State: "active"}}},
			Checker: k, Policy: func(string, string) (rotation.Policy, bool) { return rotation.Policy{Every: time.Hour}, true },
		})
		require.NoError(t, err)
		w.RegisterActivity(upkeep)
		require.NoError(t, w.Start())
		defer w.Stop()
		in.Provider, in.Name = "openai", "main"
		id := workflows.KeyRotationID(in.Provider, in.Name)
		if name == "upkeep" {
			looked, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "key-upkeep", TaskQueue: workflows.OperationsQueue}, workflows.KeyUpkeepWorkflow)
			require.NoError(t, err)
			require.NoError(t, looked.Get(t.Context(), nil))
			save(t, c, "keys/upkeep", "key-upkeep", looked.GetRunID())
			require.NoError(t, c.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
			return
		}
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: workflows.OperationsQueue}, workflows.KeyRotationWorkflow, in)
		require.NoError(t, err)
		require.NoError(t, run.Get(t.Context(), nil))
		save(t, c, "keys/"+name, id, run.GetRunID())
	}
	record("done", workflows.KeyRotationInput{Because: "it is old"}, func(k *keyStand) { k.flights = []int{2, 0} })
	record("rehearsed", workflows.KeyRotationInput{DryRun: true}, func(*keyStand) {})
	record("undone", workflows.KeyRotationInput{}, func(k *keyStand) { k.fails["promote"] = -1 })
	record("refused_in_use", workflows.KeyRotationInput{}, func(k *keyStand) {
		k.versions[2].State = "quarantined"
		k.events = func(string) { k.versions[2].State = "quarantined" }
	})
	record("upkeep", workflows.KeyRotationInput{}, func(*keyStand) {})
}

// TestRecordAlertHistories records those of the workflows that deliver alerts, as TestRecordHistories does.
func TestRecordAlertHistories(t *testing.T) { //nolint:paralleltest // one worker at a time owns the task queues
	if os.Getenv("RECORD_HISTORIES") == "" {
		t.Skip("RECORD_HISTORIES is not set: the recorded histories stand")
	}
	c := temporaltest.Start(t).Client(t)
	w := sdkworker.New(c, workflows.OperationsQueue, sdkworker.Options{})
	workflows.RegisterOperations(w)
	acts, err := activities.NewAlerts(activities.AlertsConfig{Desk: &noticeboard{failures: 1, undelivered: []activities.AlertTarget{oncall}}})
	require.NoError(t, err)
	w.RegisterActivity(acts)
	require.NoError(t, w.Start())
	defer w.Stop()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "alerts", TaskQueue: workflows.OperationsQueue}, workflows.AlertsWorkflow)
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
	save(t, c, "alerts/begun", "alerts", run.GetRunID())
	delivery := c.GetWorkflow(t.Context(), "alert/alert_1/oncall", "")
	require.NoError(t, delivery.Get(t.Context(), nil))
	save(t, c, "alerts/delivered", delivery.GetID(), "")
}
