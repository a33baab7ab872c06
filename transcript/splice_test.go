package transcript_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// goOn lets an attempt go on with what was said, its text in the pieces given.
func goOn(before *transcript.Log, prefilled bool, events ...llm.Event) *transcript.Log {
	said := before.Said()
	splice := transcript.NewSplice(transcript.Way{
		Into: &said, Sent: strings.TrimRight(said.Text, " \n"), Prefilled: prefilled, Parts: before.Parts(),
	})
	after := before.Clone()
	for _, event := range append([]llm.Event{{Type: llm.EventStart, Model: "other"}}, events...) {
		for _, next := range splice.Next(event) {
			after.Append(next)
		}
	}
	for _, next := range splice.End() {
		after.Append(next)
	}
	return after
}

func pieces(words ...string) []llm.Event {
	events := []llm.Event{text(0)}
	for _, word := range words {
		events = append(events, delta(0, word))
	}
	return append(events, end(0), llm.Event{Type: llm.EventFinish, FinishReason: llm.FinishStop})
}

func TestATextThatIsGoneOnWithIsSaidOnce(t *testing.T) {
	t.Parallel()
	const before = "Once upon a time there was a kin"
	for name, c := range map[string]struct {
		before    string
		words     []string
		told      string
		prefilled string
	}{
		"it goes on":                       {before, []string{"g who", " had"}, before + "g who had", before + "g who had"},
		"it begins again":                  {before, []string{"Once upon", " a time there", " was a king who had"}, before + "g who had", before + "g who had"},
		"it begins again and stops short":  {before, []string{"Once upon a"}, before, before},
		"it repeats the last words":        {before, []string{"there was", " a kin", "g who"}, before + "g who", before + "there was a king who"},
		"it repeats many of them":          {before, []string{"upon a time there was a kin", "g"}, before + "g", before + "g"},
		"it repeats a word that may recur": {before, []string{"a kin", "dly one"}, before + "a kindly one", before + "a kindly one"},
		"it says nothing":                  {before, nil, before, before},
		"one word, and it begins again":    {"Hello", []string{"Hello,", " world"}, "Hello, world", "HelloHello, world"},
		"one word, and it goes on":         {"Hello", []string{", world"}, "Hello, world", "Hello, world"},
		"a blank was kept back":            {"Hello ", []string{" wor", "ld"}, "Hello world", "Hello world"},
		"and is not repeated":              {"Hello ", []string{"world"}, "Hello world", "Hello world"},
		"a new paragraph":                  {"Hello\n", []string{"\n", "- one"}, "Hello\n- one", "Hello\n- one"},
		"some of several blanks":           {"Hello there,   \n\n", []string{"\n", "\nmy friend"}, "Hello there,   \n\nmy friend", "Hello there,   \n\nmy friend"},
		"a blank, and it begins again":     {"Hello ", []string{"Hel", "lo world"}, "Hello world", "Hello Hello world"},
		"many-byte characters":             {"Grüße aus Mün", []string{"chen"}, "Grüße aus München", "Grüße aus München"},
		"a refrain":                        {"we sail the sea, we sail the sea,", []string{" we sail", " the sea, ahoy"}, "we sail the sea, we sail the sea, we sail the sea, ahoy", "we sail the sea, we sail the sea, we sail the sea, ahoy"},
		"a long refrain":                   {strings.Repeat("and the rain went on, ", 12), []string{strings.Repeat("and the rain went on, ", 9), "the end"}, strings.Repeat("and the rain went on, ", 21) + "the end", strings.Repeat("and the rain went on, ", 21) + "the end"},
		"a refrain to the end":             {"la la la la", []string{"la", " la"}, "la la la lala la", "la la la lala la"},
		"the same syllable":                {"ha ha ha", []string{" ha", " ha"}, "ha ha ha ha ha", "ha ha ha ha ha"},
	} {
		first := log(text(0), delta(0, c.before))
		require.Equal(t, c.told, said(goOn(first, false, pieces(c.words...)...)), "told to go on: "+name)
		require.Equal(t, c.prefilled, said(goOn(first, true, pieces(c.words...)...)), "made to go on: "+name)
	}
}

// Wherever a text is cut, a model that goes on exactly there is neither trimmed nor repeated, though the text be a refrain; nor is
// one that begins again.
func TestNoCutOfATextShows(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]string{
		"prose":   "It was a dark and stormy night; the rain fell in torrents, except at occasional intervals, when it was checked by a violent gust of wind which swept up the streets, for it is in London that our scene lies. Größer und größer, 日本 ❄️.",
		"refrain": "Then: " + strings.Repeat("and the rain went on over the hills, größer und größer, ", 12) + "(5)",
		"list":    "1. one thing\n2. another thing\n3. another thing again\n\nAnd so on.",
	} {
		words := strings.SplitAfter(whole, " ")
		for cut := 1; cut < len(words); cut++ {
			before, rest := strings.Join(words[:cut], ""), words[cut:]
			first := log(text(0), delta(0, before))
			require.Equal(t, whole, said(goOn(first, false, pieces(rest...)...)), "%s, cut behind %q", name, before)
			if name != "refrain" { // whether a refrain was begun again, nobody can tell
				require.Equal(t, whole, said(goOn(first, false, pieces(words...)...)), "%s, begun again, cut behind %q", name, before)
			}
		}
	}
}

func TestEachPieceIsPassedOnOnceItIsCertain(t *testing.T) {
	t.Parallel()
	first := log(text(0), delta(0, "The answer"))
	said := first.Said()
	splice := transcript.NewSplice(transcript.Way{Into: &said, Sent: said.Text, Parts: first.Parts()})
	require.Empty(t, splice.Next(text(0)))
	require.Empty(t, splice.Next(delta(0, "The")), "it may begin again")
	got := splice.Next(delta(0, "n it rained"))
	require.Len(t, got, 1)
	require.Equal(t, "Then it rained", got[0].Text)
	require.Equal(t, " a lot", splice.Next(delta(0, " a lot"))[0].Text)
}

func TestThoughtsAreNotPutIntoAText(t *testing.T) {
	t.Parallel()
	first := log(thought(0), delta(0, "let me think"), end(0), text(1), delta(1, "It is "))
	after := goOn(first, false,
		thought(0), delta(0, "what was said?"), end(0), text(1), delta(1, "raining."), end(1), call(2), delta(2, "{}"), end(2))
	require.Equal(t, "(let me think)It is raining.<weather {}>", said(after))
}

func TestThoughtsMayFollowThoughts(t *testing.T) {
	t.Parallel()
	first := log(thought(0), delta(0, "let me th"))
	splice := transcript.NewSplice(transcript.Way{Parts: first.Parts()})
	for _, event := range []llm.Event{
		{Type: llm.EventStart},
		thought(0), delta(0, "so"),
		{Type: llm.EventPartEnd, Part: &llm.Part{Type: llm.PartReasoning, Opaque: &llm.Opaque{}}},
		text(1), delta(1, "Rain."), end(1),
	} {
		for _, next := range splice.Next(event) {
			first.Append(next)
		}
	}
	require.Equal(t, "(let me th)(so)Rain.", said(first))
}

func TestATextBehindCitationsIsAPartOfItsOwn(t *testing.T) {
	t.Parallel()
	first := log(text(0), delta(0, "Rain. "), llm.Event{Type: llm.EventPartEnd, Part: &llm.Part{Type: llm.PartText, Citations: []llm.Citation{{URL: "https://a.example"}}}})
	after := goOn(first, false, pieces("And sun.")...)
	parts := after.Collect().Response().Message.Parts
	require.Len(t, parts, 2)
	require.Len(t, parts[0].Citations, 1)
	require.Equal(t, "Rain. And sun.", said(after))
}
