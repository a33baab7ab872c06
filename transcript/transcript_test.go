package transcript_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

func text(index int) llm.Event {
	return llm.Event{Type: llm.EventPart, Index: index, Part: &llm.Part{Type: llm.PartText}}
}

func thought(index int) llm.Event {
	return llm.Event{Type: llm.EventPart, Index: index, Part: &llm.Part{Type: llm.PartReasoning}}
}

func call(index int) llm.Event {
	return llm.Event{Type: llm.EventPart, Index: index, Part: &llm.Part{Type: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "c1", Name: "weather"}}}
}

func delta(index int, words string) llm.Event {
	return llm.Event{Type: llm.EventDelta, Index: index, Text: words}
}

func end(index int) llm.Event { return llm.Event{Type: llm.EventPartEnd, Index: index} }

func log(events ...llm.Event) *transcript.Log {
	log := &transcript.Log{}
	for _, event := range append([]llm.Event{{Type: llm.EventStart, Model: "m"}}, events...) {
		log.Append(event)
	}
	return log
}

// said is the text of an answer's first choice, thoughts and calls marked.
func said(log *transcript.Log) string {
	var text strings.Builder
	for _, part := range log.Collect().Response().Message.Parts {
		switch part.Type {
		case llm.PartReasoning:
			fmt.Fprintf(&text, "(%s)", part.Text)
		case llm.PartToolCall:
			fmt.Fprintf(&text, "<%s %s>", part.ToolCall.Name, part.ToolCall.Arguments)
		default:
			text.WriteString(part.Text)
		}
	}
	return text.String()
}

// cut is the answer in other pieces: each text torn wherever the random numbers say.
func cut(random *rand.Rand, answer llm.Response) []llm.Event {
	var events []llm.Event
	for _, event := range llm.EventsOf(answer) {
		for event.Type == llm.EventDelta && len(event.Logprobs) == 0 && len(event.Text) > 1 {
			before, behind := transcript.Split(event.Text, int64(1+random.IntN(len(event.Text))))
			if behind == "" {
				break
			}
			piece := event
			piece.Text, event.Text = before, behind
			events = append(events, piece)
		}
		events = append(events, event)
	}
	return events
}

// answers are of every shape that a log knows.
func answers() map[string]llm.Response {
	says := func(parts ...llm.Part) llm.Response {
		return llm.Response{Model: "m", Message: llm.Message{Role: llm.RoleAssistant, Parts: parts}, FinishReason: llm.FinishStop}
	}
	several := says(llm.Text("One answer of several words."))
	several.Alternatives = []llm.Choice{{Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("Zwei Wörter, größer.")}}, FinishReason: llm.FinishStop}}
	opaque := &llm.Opaque{Data: []byte(`"sig"`)}
	return map[string]llm.Response{
		"text":     says(llm.Text("It is raining in Paris, 雨, and it is cold ❄️ too.")),
		"calls":    says(llm.Text("Let me see."), llm.Call("c1", "weather", `{"city":"Zürich"}`), llm.Call("c2", "time", "{}")),
		"thoughts": says(llm.Part{Type: llm.PartReasoning, Text: "Hm, let me think.", Opaque: opaque}, llm.Text("Rain.")),
		"cited": says(llm.Part{Type: llm.PartText, Text: "Rain.", Citations: []llm.Citation{{URL: "https://a.example"}}},
			llm.Text("And sun.")),
		"several": several,
	}
}

// Places and checksums are those of the answer, not of the pieces in which it came; whoever goes on at any place, by another
// log, by what was kept or by the recorded answer, gets each byte once.
func TestAPlaceDoesNotDependOnHowTheAnswerWasCut(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, answer := range answers() {
		whole := transcript.Of(answer)
		require.Equal(t, answer.Message, whole.Collect().Response().Message, name)
		for range 20 {
			other := &transcript.Log{}
			var pieces []transcript.Piece
			kept := int64(0)
			for _, event := range cut(random, answer) {
				other.Append(event)
				if random.IntN(4) == 0 {
					pieces = append(pieces, other.Piece(kept))
					kept = other.End().At
				}
			}
			require.Equal(t, whole.End(), other.End(), name)
			pieces = append(pieces, other.Piece(kept))
			require.Equal(t, whole.End(), transcript.From(pieces).End(), name)

			at := random.Int64N(whole.End().At + 1)
			place, ok := whole.Locate(at)
			require.True(t, ok)
			there, ok := other.Locate(at)
			require.True(t, ok)
			require.Equal(t, place, there, name)
			reader := transcript.Reader{Cursor: place}
			entries := reader.Finish(whole)
			total := int64(0)
			for _, entry := range entries {
				require.NotEqual(t, transcript.Restart, entry.Type)
				total += int64(max(1, len(entry.Text)))
			}
			require.LessOrEqual(t, total, whole.End().At-at, "a part was told twice")
			require.GreaterOrEqual(t, total, whole.End().At-at-3, "a part was left out") // a character torn apart is not told again
		}
	}
}

func TestAReaderWhosePlaceWasLostBeginsAgain(t *testing.T) {
	t.Parallel()
	var reader transcript.Reader
	first := transcript.Feed{}
	first.Append(log(text(0), delta(0, "The sky is blue")).Piece(0).Events...)
	require.Len(t, reader.Read(&first), 3)

	reader = transcript.Reader{Cursor: reader.Cursor}
	var second transcript.Feed
	second.Append(log(text(0), delta(0, "The sky is")).Piece(0).Events...)
	require.Empty(t, reader.Read(&second), "it has not come as far, so nothing can be said yet")
	second.Append(delta(0, " grey today"))
	entries := reader.Read(&second)
	require.Equal(t, transcript.Restart, entries[0].Type)
	require.Equal(t, "The sky is grey today", entries[3].Text)
	second.Append(delta(0, "."))
	require.Equal(t, ".", reader.Read(&second)[0].Text)

	same := transcript.Reader{Cursor: first.End()}
	var third transcript.Feed
	third.Append(log(text(0), delta(0, "The sky is blue, they say")).Piece(0).Events...)
	require.Equal(t, ", they say", same.Read(&third)[0].Text, "what is said again is said as before")
}

func TestWhatIsTakenBackIsTold(t *testing.T) {
	t.Parallel()
	l := log(text(0), delta(0, "Half"))
	early, late := l.End().At, transcript.Reader{}
	l.Append(llm.Event{Type: transcript.Restart})
	for _, event := range []llm.Event{{Type: llm.EventStart}, text(0), delta(0, "Whole")} {
		l.Append(event)
	}
	require.Equal(t, "Whole", said(l))
	entries := l.Since(early)
	require.Equal(t, transcript.Restart, entries[0].Type)
	require.Greater(t, entries[0].End.At, early+1000, "no place that the first answer may have had is taken for one in the second")
	require.NotEqual(t, transcript.Restart, late.Finish(l)[0].Type, "who has seen nothing need not know")
	require.Equal(t, l.End(), transcript.From([]transcript.Piece{log(text(0), delta(0, "Ha")).Piece(0), l.Piece(early)}).End())
	require.Equal(t, "Whole", said(transcript.From([]transcript.Piece{log(text(0), delta(0, "Ha")).Piece(0), l.Piece(early)})))
}

func TestALaterPieceTakesThePlaceOfAnEarlierOne(t *testing.T) {
	t.Parallel()
	zombie := log(text(0), delta(0, "one two three"))
	heir := transcript.From([]transcript.Piece{zombie.Piece(0), {From: 2 + int64(len("one two")), Events: []llm.Event{delta(0, " four")}}})
	require.Equal(t, "one two four", said(heir))
	require.False(t, zombie.Continues(heir))
	require.True(t, heir.Continues(log(text(0), delta(0, "one two"))))
}

func TestCursorsSurviveTheirText(t *testing.T) {
	t.Parallel()
	c := transcript.Cursor{At: 1234, Sum: 0xbeef}
	back, summed, err := transcript.ParseCursor(c.String())
	require.NoError(t, err)
	require.True(t, summed)
	require.Equal(t, c, back)
	back, summed, err = transcript.ParseCursor("17")
	require.NoError(t, err)
	require.False(t, summed)
	require.Equal(t, int64(17), back.At)
	for _, wrong := range []string{"", "-1", "x", "1-", "1-12", "1-zzzzzzzz", "1-123456789", "9999999999999999999999"} {
		_, _, err := transcript.ParseCursor(wrong)
		require.ErrorIs(t, err, transcript.ErrCursor, wrong)
	}
}

func TestACharacterIsNotTornApart(t *testing.T) {
	t.Parallel()
	l := log(text(0), delta(0, "añb"))
	require.Equal(t, "b", l.Since(4)[0].Text, "the place is in the middle of the ñ")
	require.Equal(t, "ñb", l.Since(3)[0].Text)
}

func TestWhatCanBeGoneOnWith(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		log         *transcript.Log
		anything    bool
		continuable bool
		text        string
	}{
		"nothing":               {log(), false, false, ""},
		"a part without words":  {log(text(0)), false, false, ""},
		"thoughts":              {log(thought(0), delta(0, "hm")), false, false, ""},
		"text":                  {log(text(0), delta(0, "Hel"), delta(0, "lo")), true, true, "Hello"},
		"thoughts, then text":   {log(thought(0), delta(0, "hm"), end(0), text(1), delta(1, "Hello")), true, true, "Hello"},
		"two texts":             {log(text(0), delta(0, "Hel"), end(0), text(1), delta(1, "lo")), true, true, "Hello"},
		"a tool call":           {log(call(0)), true, false, ""},
		"text, then a call":     {log(text(0), delta(0, "Let me see"), call(1), delta(1, "{")), true, false, "Let me see"},
		"a refusal":             {log(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartRefusal}}, delta(0, "No")), true, false, ""},
		"two answers at a time": {log(text(0), delta(0, "A"), llm.Event{Type: llm.EventPart, Choice: 1, Part: &llm.Part{Type: llm.PartText, Text: "B"}}), true, false, "AB"},
	} {
		got := c.log.Said()
		require.Equal(t, c.anything, got.Anything, name)
		require.Equal(t, c.continuable, got.Continuable(), name)
		require.Equal(t, c.text, got.Text, name)
	}
}
