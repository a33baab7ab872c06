package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/holdfast-dev/holdfast/simulator"
)

func TestAFailingPrimaryIsReplacedByTheNext(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-failing"}, Status: http.StatusServiceUnavailable})

	got := holdfast.mustSend(t, ask{route: "failing", prompt: "Who is there?"})
	require.Equal(t, "[anthropic/claude-standby] You said: Who is there?", got.text(t))
	require.Equal(t, "1", got.header.Get("X-Holdfast-Failovers"))
	require.Equal(t, "2", got.header.Get("X-Holdfast-Attempts"))
	require.Equal(t, "anthropic", got.header.Get("X-Holdfast-Provider"))
	require.Equal(t, 1, providers.ofModel(simulator.OpenAI, "gpt-failing"), "the failing provider was called again")

	found := holdfast.record(t, got.id())
	require.Equal(t, "succeeded", found.State)
	require.Equal(t, 1, found.Failovers)
	require.Len(t, found.Attempts, 2)
	first, second := found.Attempts[0], found.Attempts[1]
	require.Equal(t, "failed", first.State)
	require.Equal(t, "openai", first.Provider)
	require.Equal(t, "overloaded", first.ErrorKind)
	require.Equal(t, http.StatusServiceUnavailable, first.HTTPStatus)
	require.Equal(t, "next", first.Decision)
	require.Contains(t, first.Reason, "overloaded from openai/gpt-failing")
	require.Equal(t, "succeeded", second.State)
	require.Equal(t, "anthropic", second.Provider)
	require.Equal(t, first.Reason, second.ChosenBecause)

	events := historyOf(t, holdfast.temporal(t), found.WorkflowID)
	local := eventOf(t, events, enumspb.EVENT_TYPE_MARKER_RECORDED, func(e *historypb.HistoryEvent) bool {
		return e.GetMarkerRecordedEventAttributes().GetFailure() != nil
	})
	require.Equal(t, "overloaded", local.GetMarkerRecordedEventAttributes().GetFailure().GetApplicationFailureInfo().GetType())
	require.Contains(t, local.GetMarkerRecordedEventAttributes().GetFailure().GetMessage(), "openai")
	scheduled := eventOf(t, events, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, func(*historypb.HistoryEvent) bool { return true })
	require.Equal(t, "CallModel", scheduled.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName())
	var summary string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(scheduled.GetUserMetadata().GetSummary(), &summary))
	require.Contains(t, summary, "anthropic/claude-standby", "the story does not name the provider")
	require.Contains(t, summary, first.Reason, "the story does not say why")
}

func TestWhenEveryProviderIsDownTheClientIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-down"}, Status: http.StatusTooManyRequests, Code: "insufficient_quota"})
	providers.SetFault(simulator.Anthropic, simulator.Fault{Match: simulator.Match{Model: "claude-down"}, Status: http.StatusTooManyRequests, RetryAfter: time.Hour})

	got, err := holdfast.send(within(t, soon), ask{route: "down", prompt: "Anyone?"})
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "3600", got.header.Get("Retry-After"), "the wait that the provider asked for")
	require.NotContains(t, string(got.body), "anthropic")
	require.NotContains(t, string(got.body), "openai")

	found := holdfast.record(t, got.id())
	require.Equal(t, "failed", found.State)
	require.Len(t, found.Attempts, 2)
	require.Equal(t, "quota", found.Attempts[0].ErrorKind)
	require.Equal(t, "rate_limit", found.Attempts[1].ErrorKind)
	require.Equal(t, "give_up", found.Attempts[1].Decision)

	require.Eventually(t, func() bool {
		described, err := holdfast.temporal(t).DescribeWorkflowExecution(within(t, soon), found.WorkflowID, "")
		return err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_FAILED
	}, soon, 50*time.Millisecond, "a failed completion is a failed workflow")
}

// historyOf reads the history of the workflow's latest run.
func historyOf(t testing.TB, c sdkclient.Client, workflowID string) []*historypb.HistoryEvent {
	t.Helper()
	var events []*historypb.HistoryEvent
	all := c.GetWorkflowHistory(within(t, soon), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		event, err := all.Next()
		require.NoError(t, err)
		events = append(events, event)
	}
	return events
}

// eventOf is the first event of the kind that fits.
func eventOf(t testing.TB, events []*historypb.HistoryEvent, kind enumspb.EventType, fits func(*historypb.HistoryEvent) bool) *historypb.HistoryEvent {
	t.Helper()
	for _, event := range events {
		if event.GetEventType() == kind && fits(event) {
			return event
		}
	}
	require.Failf(t, "no such event", "the history has no fitting %s", kind)
	return nil
}

func TestARouteIsExplained(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := standing.use(t)
	said := command(t, "", nil, "route", "explain", "--model", "another-name", "--data", holdfast.dir)
	require.Regexp(t, `1 +openai/gpt-asked`, said)
	require.Contains(t, said, "fallback to larger, the only one, after context_length only")
}

func TestEachFailureHasItsFallback(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	for code, answers := range map[string]string{
		"":                         "[openai/gpt-asked]",
		"overloaded":               "[anthropic/claude-general]",
		"insufficient_quota":       "[anthropic/claude-general]",
		"context_length_exceeded":  "[gemini/gemini-larger]",
		"content_policy_violation": "[anthropic/claude-lenient]",
	} {
		if code != "" {
			providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-asked"}, Code: code, Count: 1})
		}
		got := holdfast.mustSend(t, ask{route: "another-name", prompt: "hello " + code})
		require.Equal(t, answers+" You said: hello "+code, got.text(t), code)
		found := holdfast.record(t, got.id())
		if code == "" {
			continue
		}
		require.Len(t, found.Attempts, 2, code)
		require.Contains(t, found.Attempts[0].Reason, "fallback to ", code)
		require.Contains(t, found.Attempts[1].ChosenBecause, "fallback to ", code)
	}
}
