package openai_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

// requireShort checks that the short way writes what the long one does.
func requireShort(t *testing.T, text string, place int64) {
	t.Helper()
	view := openai.ResponseView{ID: aCompletion}
	long, short := openai.NewResponseStream(view), openai.NewResponseStream(view)
	for _, stream := range []dialect.Stream{long, short} {
		require.Equal(t, "response.output_text.delta", stream.(*openai.ResponseStream).TextEvent())
		stream.Encode(llm.Event{Type: llm.EventPart, Index: 1, Part: &llm.Part{Type: llm.PartReasoning}}, 1)
		stream.Encode(llm.Event{Type: llm.EventPart, Index: 2, Part: &llm.Part{Type: llm.PartText}}, 2)
	}
	event := llm.Event{Type: llm.EventDelta, Index: 2, Text: text}
	for range 2 {
		frames := long.Encode(event, place)
		require.Len(t, frames, 1)
		require.Equal(t, "response.output_text.delta", frames[0].Event)
		want, err := json.Marshal(frames[0].Data)
		require.NoError(t, err)
		got, ok := short.AppendText([]byte("before "), event, place)
		require.True(t, ok)
		require.Equal(t, "before "+string(want), string(got))
	}
	answer := llm.Response{FinishReason: llm.FinishStop}
	require.Equal(t, long.End(answer, place+1), short.End(answer, place+1), "both know what was said")
}

func TestATextOfAResponseTakesTheShortWay(t *testing.T) {
	t.Parallel()
	for _, text := range texts() {
		if text != "" {
			requireShort(t, text, 7)
		}
	}
	stream := openai.NewResponseStream(openai.ResponseView{ID: aCompletion})
	require.Equal(t, "response.output_text.delta", stream.TextEvent())
	for _, event := range []llm.Event{
		{Type: llm.EventDelta, Text: "x"}, // nothing has begun
		{Type: llm.EventDelta, Text: "x", Choice: 1},
		{Type: llm.EventPartEnd, Text: "x"},
	} {
		_, ok := stream.AppendText(nil, event, 1)
		require.False(t, ok)
	}
	stream.Encode(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}, 1)
	_, ok := stream.AppendText(nil, llm.Event{Type: llm.EventDelta, Text: "x", Logprobs: []llm.TokenLogprob{{Token: "x"}}}, 1)
	require.False(t, ok)
	stream.Encode(llm.Event{Type: llm.EventPart, Index: 1, Part: &llm.Part{Type: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "c"}}}, 2)
	_, ok = stream.AppendText(nil, llm.Event{Type: llm.EventDelta, Text: "x"}, 3)
	require.False(t, ok, "the text was told to be over")
}

func FuzzAppendResponseText(f *testing.F) {
	for _, text := range texts() {
		f.Add(text, int64(1))
	}
	f.Fuzz(func(t *testing.T, text string, place int64) {
		if text != "" && place > 0 && place < 1<<50 {
			requireShort(t, text, place)
		}
	})
}
