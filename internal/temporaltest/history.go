package temporaltest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
)

// historyTimeout bounds reading one history.
const historyTimeout = 30 * time.Second

// RequireHistory fails the test unless the history of the workflow's latest run matches spec. Each line of spec is one event:
//
//	EventType                     any event of that type
//	EventType {"field": value}    one whose attributes contain at least these, at any depth
//	...                           any events, also none
//	# text                        nothing
//
// Field names and enum values are those of Temporal's JSON; JSON payloads stand as the values they carry, so an activity's
// first argument is {"input": [{…}]}. An object matches when the event's has each of its fields; an array, element by
// element; a number also matches the string that JSON makes of a 64-bit integer.
func RequireHistory(tb testing.TB, c client.Client, workflowID, spec string) {
	tb.Helper()
	want, err := parseSpec(spec)
	if err != nil {
		tb.Fatalf("history spec: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), historyTimeout)
	defer cancel()
	have, err := readHistory(ctx, c, workflowID)
	if err != nil {
		tb.Fatalf("history of %s: %v", workflowID, err)
	}
	if at := mismatch(want, have); at >= 0 {
		tb.Fatalf("history of %s does not match line %d of the spec\n--- spec\n%s\n--- history\n%s",
			workflowID, at+1, renderSpec(want, at), renderEvents(have))
	}
}

// event is one event of a history: its type and its attributes as decoded JSON.
type event struct {
	kind  string
	attrs map[string]any
}

// line is one line of a spec.
type line struct {
	text  string
	any   bool // "..."
	kind  string
	attrs map[string]any
}

func parseSpec(spec string) ([]line, error) {
	var lines []line
	for text := range strings.Lines(spec) {
		text = strings.TrimSpace(text)
		switch {
		case text == "", strings.HasPrefix(text, "#"):
			continue
		case text == "...":
			lines = append(lines, line{text: text, any: true})
			continue
		}
		kind, raw, _ := strings.Cut(text, " ")
		if _, ok := enumspb.EventType_shorthandValue[kind]; !ok {
			return nil, fmt.Errorf("%q is no event type", kind)
		}
		parsed := line{text: text, kind: kind}
		if raw = strings.TrimSpace(raw); raw != "" {
			if err := json.Unmarshal([]byte(raw), &parsed.attrs); err != nil {
				return nil, fmt.Errorf("attributes of %q: %w", text, err)
			}
		}
		lines = append(lines, parsed)
	}
	return lines, nil
}

func readHistory(ctx context.Context, c client.Client, workflowID string) ([]event, error) {
	var events []event
	iterator := c.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		next, err := iterator.Next()
		if err != nil {
			return nil, err
		}
		decoded, err := decodeEvent(next)
		if err != nil {
			return nil, err
		}
		events = append(events, decoded)
	}
	return events, nil
}

func decodeEvent(from *historypb.HistoryEvent) (event, error) {
	readable := temporalproto.CustomJSONMarshalOptions{Metadata: map[string]any{commonpb.EnablePayloadShorthandMetadataKey: true}}
	raw, err := readable.Marshal(from)
	if err != nil {
		return event{}, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return event{}, err
	}
	decoded := event{kind: from.GetEventType().String()}
	for name, value := range fields {
		if strings.HasSuffix(name, "EventAttributes") {
			if err := json.Unmarshal(value, &decoded.attrs); err != nil {
				return event{}, err
			}
		}
	}
	return decoded, nil
}

// mismatch is the line of the spec that could not be matched, or -1. With several ways to read "...", it is the furthest line
// that any of them reached; len(want) means that events are left over.
func mismatch(want []line, have []event) int {
	furthest := 0
	// reached[i] tells that the lines so far can match the first i events.
	reached := make([]bool, len(have)+1)
	reached[0] = true
	for at, w := range want {
		next := make([]bool, len(have)+1)
		for i, ok := range reached {
			switch {
			case !ok:
			case w.any:
				for j := i; j <= len(have); j++ {
					next[j] = true
				}
			case i < len(have) && w.matches(have[i]):
				next[i+1] = true
			}
		}
		if !slices.Contains(next, true) {
			return at
		}
		furthest, reached = at+1, next
	}
	if reached[len(have)] {
		return -1
	}
	return furthest
}

func (l line) matches(e event) bool {
	return l.kind == e.kind && (l.attrs == nil || contains(l.attrs, e.attrs))
}

// contains tells whether have holds at least what want does.
func contains(want, have any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range want {
			if other, ok := have[name]; !ok || !contains(value, other) {
				return false
			}
		}
		return true
	case []any:
		have, ok := have.([]any)
		return ok && slices.EqualFunc(want, have, contains)
	case float64:
		return want == have || fmt.Sprint(want) == have
	default:
		return want == have
	}
}

func renderSpec(lines []line, at int) string {
	var out strings.Builder
	for i, l := range lines {
		mark := "  "
		if i == at {
			mark = "> "
		}
		fmt.Fprintf(&out, "%s%s\n", mark, l.text)
	}
	if at == len(lines) {
		out.WriteString("> (end)\n")
	}
	return out.String()
}

func renderEvents(events []event) string {
	var out strings.Builder
	for i, e := range events {
		fmt.Fprintf(&out, "%3d %s", i+1, e.kind)
		for _, name := range slices.Sorted(maps.Keys(e.attrs)) {
			var value bytes.Buffer
			encoder := json.NewEncoder(&value)
			encoder.SetEscapeHTML(false)
			_ = encoder.Encode(e.attrs[name]) //nolint:errchkjson // it was decoded from JSON
			text := strings.TrimSpace(value.String())
			if len(text) > 200 {
				text = text[:200] + "…"
			}
			fmt.Fprintf(&out, " %s=%s", name, text)
		}
		out.WriteByte('\n')
	}
	return out.String()
}
