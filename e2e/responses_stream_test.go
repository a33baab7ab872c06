package e2e_test

import (
	"strings"
	"testing"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// responseStream is a streamed response, event by event and put together.
type responseStream struct {
	events    []responses.ResponseStreamEventUnion
	text      string
	arguments string
	final     responses.Response
}

// newResponse streams a response to its end and requires what every such stream has.
func newResponse(t testing.TB, sdk openaisdk.Client, params responses.ResponseNewParams, opts ...option.RequestOption) responseStream {
	t.Helper()
	stream := sdk.Responses.NewStreaming(within(t, late), params, opts...)
	var got responseStream
	for stream.Next() {
		got.take(stream.Current())
	}
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	got.requireWhole(t)
	return got
}

func (r *responseStream) take(event responses.ResponseStreamEventUnion) {
	r.events = append(r.events, event)
	switch event.Type {
	case "response.output_text.delta":
		r.text += event.Delta
	case "response.function_call_arguments.delta":
		r.arguments += event.Delta
	case "response.completed", "response.incomplete", "response.failed":
		r.final = event.Response
	}
}

// requireWhole requires a beginning, an end, and numbers that grow by one; each item is opened before it is closed, and what came
// in pieces is what stands in the end.
func (r *responseStream) requireWhole(t testing.TB) {
	t.Helper()
	require.Greater(t, len(r.events), 3)
	require.Equal(t, "response.created", r.events[0].Type)
	require.Equal(t, "response.in_progress", r.events[1].Type)
	require.Equal(t, "response.completed", r.events[len(r.events)-1].Type)
	r.requireOrder(t, -1)
	open := map[string]bool{}
	for _, event := range r.events {
		switch event.Type {
		case "response.output_item.added":
			require.False(t, open[event.Item.ID], "item %s is opened twice", event.Item.ID)
			open[event.Item.ID] = true
		case "response.output_item.done":
			require.True(t, open[event.Item.ID], "item %s was not open", event.Item.ID)
			delete(open, event.Item.ID)
		case "response.output_text.delta", "response.function_call_arguments.delta":
			require.True(t, open[event.ItemID], "a piece of %s, which is not open", event.ItemID)
		}
	}
	require.Empty(t, open, "items that are never closed")
	require.Equal(t, r.final.OutputText(), r.text)
}

func (r *responseStream) requireOrder(t testing.TB, after int64) {
	t.Helper()
	for _, event := range r.events {
		require.Greater(t, event.SequenceNumber, after, event.Type)
		after = event.SequenceNumber
	}
}

func TestAStreamedResponseIsTheResponse(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	for _, s := range spokenVendors() {
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			got := newResponse(t, sdk, responses.ResponseNewParams{Model: s.route, Input: said(story)})
			require.Contains(t, got.text, "You said: "+story)
			read, err := sdk.Responses.Get(t.Context(), got.final.ID, responses.ResponseGetParams{})
			require.NoError(t, err)
			require.JSONEq(t, got.final.RawJSON(), read.RawJSON())
		})
	}
}

// From each event on, the rest of a stream is exactly the rest: its text, once, and the same end.
func TestAResponsesStreamIsGoneOnWithFromAnywhere(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	whole := newResponse(t, sdk, responses.ResponseNewParams{Model: "spoken-claude", Tools: functions("weather"), Input: said(story)})
	before := ""
	for i, event := range whole.events {
		if event.Type == "response.output_text.delta" {
			before += event.Delta
		}
		rest := responseRest(t, sdk, whole.final.ID, event.SequenceNumber)
		if i == len(whole.events)-1 {
			require.Empty(t, rest.events, "there is nothing behind the end")
			continue
		}
		rest.requireOrder(t, event.SequenceNumber)
		require.Equal(t, whole.text, before+rest.text, "behind event %d, %s", event.SequenceNumber, event.Type)
		require.JSONEq(t, whole.final.RawJSON(), rest.final.RawJSON())
		var want, got []string
		for _, e := range whole.events[i+1:] {
			want = appendOnce(want, e.Type)
		}
		for _, e := range rest.events {
			got = appendOnce(got, e.Type)
		}
		require.Equal(t, want, got, "behind event %d, %s", event.SequenceNumber, event.Type)
	}
}

// appendOnce adds a type of event unless it is the last one's: pieces of text may be cut differently.
func appendOnce(list []string, kind string) []string {
	if len(list) > 0 && list[len(list)-1] == kind {
		return list
	}
	return append(list, kind)
}

// responseRest reads what a response's stream holds behind a number.
func responseRest(t testing.TB, sdk openaisdk.Client, id string, after int64) responseStream {
	t.Helper()
	stream := sdk.Responses.GetStreaming(within(t, late), id, responses.ResponseGetParams{StartingAfter: openaisdk.Int(after)})
	var rest responseStream
	for stream.Next() {
		rest.take(stream.Current())
	}
	require.NoError(t, stream.Err())
	return rest
}

// The same while the response is being made: the client leaves in the middle and comes back for the rest.
func TestAResponsesStreamIsGoneOnWithWhileItRuns(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-response-slow-stream"}, SlowBytes: 4000})
	for _, background := range []bool{false, true} {
		stream := sdk.Responses.NewStreaming(within(t, late), responses.ResponseNewParams{
			Model: "response-slow-stream", Input: said(story), Background: openaisdk.Bool(background),
		})
		var got responseStream
		for strings.Count(got.text, " ") < 6 && stream.Next() {
			got.take(stream.Current())
		}
		require.NoError(t, stream.Err())
		require.NoError(t, stream.Close())
		id := got.events[0].Response.ID
		running, err := sdk.Responses.Get(t.Context(), id, responses.ResponseGetParams{})
		require.NoError(t, err)
		require.Equal(t, responses.ResponseStatusInProgress, running.Status)
		require.Equal(t, background, running.Background)
		rest := responseRest(t, sdk, id, got.events[len(got.events)-1].SequenceNumber)
		rest.requireOrder(t, got.events[len(got.events)-1].SequenceNumber)
		for _, event := range rest.events {
			got.take(event)
		}
		got.requireWhole(t)
		require.Equal(t, "[openai/gpt-response-slow-stream] You said: "+story, got.text)
	}
}
