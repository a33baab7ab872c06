package temporaltest

import (
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
)

func TestHistorySpecs(t *testing.T) {
	t.Parallel()
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(map[string]any{"completion": "c1", "attempt": 2})
	require.NoError(t, err)
	var events []event
	for _, from := range []*historypb.HistoryEvent{
		{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
				WorkflowType: &commonpb.WorkflowType{Name: "Completion"}, Input: payloads, Attempt: 1,
			},
		}},
		{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED},
		{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
			ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
				ActivityType: &commonpb.ActivityType{Name: "CallModel"}, WorkflowTaskCompletedEventId: 4,
			},
		}},
		{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED},
	} {
		decoded, err := decodeEvent(from)
		require.NoError(t, err)
		events = append(events, decoded)
	}

	for name, test := range map[string]struct {
		spec string
		want int // line that fails, or -1
	}{
		"every event": {"WorkflowExecutionStarted\nWorkflowTaskScheduled\nActivityTaskScheduled\nWorkflowExecutionCompleted", -1},
		"gaps":        {"...\nActivityTaskScheduled\n...", -1},
		"gap of none": {"WorkflowExecutionStarted\n...\nWorkflowTaskScheduled\n...\nWorkflowExecutionCompleted", -1},
		"attributes at any depth": {
			`WorkflowExecutionStarted {"workflowType": {"name": "Completion"}, "input": [{"completion": "c1", "attempt": 2}]}` + "\n...", -1,
		},
		"part of a payload":     {`WorkflowExecutionStarted {"input": [{"attempt": 2}]}` + "\n...", -1},
		"64-bit number":         {"...\n" + `ActivityTaskScheduled {"workflowTaskCompletedEventId": 4}` + "\n...", -1},
		"comment and blanks":    {"\n  # the beginning\n  WorkflowExecutionStarted\n\n...", -1},
		"wrong type":            {"WorkflowExecutionStarted\nActivityTaskScheduled\n...", 1},
		"wrong value":           {"...\n" + `ActivityTaskScheduled {"activityType": {"name": "Record"}}` + "\n...", 1},
		"missing field":         {`WorkflowExecutionStarted {"cronSchedule": "x"}` + "\n...", 0},
		"longer array":          {`WorkflowExecutionStarted {"input": [{}, {}]}` + "\n...", 0},
		"events left over":      {"WorkflowExecutionStarted\nWorkflowTaskScheduled", 2},
		"spec left over":        {"...\nWorkflowExecutionCompleted\nWorkflowTaskScheduled", 2},
		"an event taken by ...": {"...\nActivityTaskScheduled\nActivityTaskScheduled\n...", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, err := parseSpec(test.spec)
			require.NoError(t, err)
			require.Equal(t, test.want, mismatch(lines, events), renderEvents(events))
		})
	}
	_, err = parseSpec("ActivityTaskShceduled")
	require.ErrorContains(t, err, "is no event type")
	_, err = parseSpec("ActivityTaskScheduled {broken")
	require.ErrorContains(t, err, "attributes of")
}
