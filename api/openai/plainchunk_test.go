package openai_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

// texts are some that are written as they are, and some that are not.
func texts() []string {
	return []string{
		"word", " ", "\x7f", "é 雨 😀", "", "a\nb", `"`, `\`, "<", ">", "&", "<b>&amp;</b>", "\u2028", "x\u2029", "\x00\x1f", "\xff", "é\xc3", "\ufffd", `","sequence_number":1`, `content":"x"`,
	}
}

// requirePlain compares the short way of a text with the long one.
func requirePlain(t *testing.T, model, text string, choice int, kind llm.PartType, usage bool, place int64) {
	t.Helper()
	encoder := openai.NewChunkEncoder("c-1", time.Unix(1780000000, 0), "route", usage)
	encoder.Encode(llm.Event{Type: llm.EventStart, Model: model}, 1)
	encoder.Encode(llm.Event{Type: llm.EventPart, Choice: choice, Index: 2, Part: &llm.Part{Type: kind}}, 1)
	event := llm.Event{Type: llm.EventDelta, Choice: choice, Index: 2, Text: text}
	for range 2 { // the second time from what is kept of the first
		frames := encoder.Encode(event, place)
		require.Len(t, frames, 1)
		want, err := json.Marshal(frames[0].Data)
		require.NoError(t, err)
		got, ok := encoder.AppendText([]byte("before "), event, place)
		require.True(t, ok)
		require.Equal(t, "before "+string(want), string(got))
	}
}

func TestATextTakesTheShortWay(t *testing.T) {
	t.Parallel()
	for _, text := range texts() {
		if text == "" {
			continue
		}
		for _, kind := range []llm.PartType{llm.PartText, llm.PartReasoning} {
			requirePlain(t, "m", text, 0, kind, false, 1)
			requirePlain(t, text, text, 3, kind, true, 1<<62)
		}
	}
}

func TestWhatIsNotJustTextGoesTheLongWay(t *testing.T) {
	t.Parallel()
	encoder := openai.NewChunkEncoder("c-1", time.Unix(1780000000, 0), "route", false)
	delta := llm.Event{Type: llm.EventDelta, Text: "x"}
	requireLong := func(event llm.Event, place int64) {
		t.Helper()
		out, ok := encoder.AppendText([]byte("before"), event, place)
		require.False(t, ok)
		require.Equal(t, "before", string(out))
	}
	requireLong(delta, 1) // nothing has begun
	encoder.Encode(llm.Event{Type: llm.EventStart, Model: "m"}, 1)
	requireLong(delta, 1)
	for index, kind := range []llm.PartType{llm.PartText, llm.PartRefusal, llm.PartToolCall} {
		encoder.Encode(llm.Event{Type: llm.EventPart, Index: index, Part: &llm.Part{Type: kind, ToolCall: &llm.ToolCall{ID: "c", Name: "f"}}}, 1)
	}
	_, ok := encoder.AppendText(nil, delta, 1)
	require.True(t, ok)
	requireLong(delta, 0)
	for _, event := range []llm.Event{
		{Type: llm.EventDelta},
		{Type: llm.EventDelta, Text: "x", Index: 1},
		{Type: llm.EventDelta, Text: "x", Index: 2},
		{Type: llm.EventDelta, Text: "x", Index: 7},
		{Type: llm.EventDelta, Text: "x", Choice: 1},
		{Type: llm.EventDelta, Text: "x", Logprobs: []llm.TokenLogprob{{Token: "x"}}},
		{Type: llm.EventPartEnd, Text: "x"},
	} {
		requireLong(event, 1)
	}
	encoder.Encode(llm.Event{Type: llm.EventStart, Model: "another"}, 1)
	encoder.Encode(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}, 1)
	out, ok := encoder.AppendText(nil, delta, 1)
	require.True(t, ok)
	require.Contains(t, string(out), `"model":"another"`)
}

// FuzzAppendText checks that the short way writes what the long one does, byte by byte.
func FuzzAppendText(f *testing.F) {
	for _, text := range texts() {
		f.Add("m", text, 0, false, int64(1))
		f.Add(text, text, 3, true, int64(1<<40))
	}
	f.Fuzz(func(t *testing.T, model, text string, choice int, usage bool, place int64) {
		if text == "" || place == 0 {
			return
		}
		requirePlain(t, model, text, choice, llm.PartText, usage, place)
		requirePlain(t, model, text, choice, llm.PartReasoning, usage, place)
	})
}
