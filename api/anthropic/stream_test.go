package anthropic_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/ssestream"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/llm"
)

// streamed are the frames of an answer whose events come as they are told once it is there.
func streamed(answer llm.Response) []dialect.Frame {
	return framesOf(answer, llm.EventsOf(answer))
}

func framesOf(answer llm.Response, events []llm.Event) []dialect.Frame {
	stream := anthropic.NewStream("msg_1", "route")
	var frames []dialect.Frame
	for i, event := range events {
		frames = append(frames, stream.Encode(event, int64(i+1))...)
	}
	return append(frames, stream.End(answer, int64(len(events)+1))...)
}

// sse is what is written of frames.
func sse(frames []dialect.Frame) string {
	var text strings.Builder
	for _, frame := range frames {
		data, err := json.Marshal(frame.Data)
		if err != nil {
			panic(err)
		}
		text.WriteString("event: " + frame.Event + "\ndata: " + string(data) + "\n\n")
	}
	return text.String()
}

// accumulated is a stream as the SDK puts it together. It checks that blocks come one after the other, each begun and ended.
func accumulated(t *testing.T, text string) anthropicsdk.Message {
	t.Helper()
	response := &http.Response{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(text))}
	stream := ssestream.NewStream[anthropicsdk.MessageStreamEventUnion](ssestream.NewDecoder(response), nil)
	var message anthropicsdk.Message
	open, next, last := false, int64(0), ""
	for stream.Next() {
		event := stream.Current()
		require.NoError(t, message.Accumulate(event))
		switch last = event.Type; event.Type {
		case "content_block_start":
			require.False(t, open)
			require.Equal(t, next, event.Index)
			open = true
		case "content_block_delta":
			require.True(t, open)
			require.Equal(t, next, event.Index)
		case "content_block_stop":
			require.True(t, open)
			require.Equal(t, next, event.Index)
			open, next = false, next+1
		case "message_start", "message_delta", "message_stop":
			require.False(t, open)
		default:
			require.Fail(t, event.Type)
		}
	}
	require.NoError(t, stream.Err())
	require.Equal(t, "message_stop", last)
	return message
}

func TestAStreamIsEncoded(t *testing.T) {
	t.Parallel()
	golden(t, "stream.golden.txt", sse(streamed(everything())))
}

func TestTheSDKPutsAStreamTogether(t *testing.T) {
	t.Parallel()
	var whole anthropicsdk.Message
	require.NoError(t, json.Unmarshal(encoded(t, everything()), &whole))
	message := accumulated(t, sse(streamed(everything())))
	require.Equal(t, whole.ID, message.ID)
	require.Equal(t, whole.Model, message.Model)
	require.Equal(t, whole.StopReason, message.StopReason)
	require.Equal(t, whole.Usage.InputTokens, message.Usage.InputTokens)
	require.Equal(t, whole.Usage.CacheReadInputTokens, message.Usage.CacheReadInputTokens)
	require.Equal(t, whole.Usage.CacheCreationInputTokens, message.Usage.CacheCreationInputTokens)
	require.Equal(t, whole.Usage.OutputTokens, message.Usage.OutputTokens)
	require.Len(t, message.Content, len(whole.Content))
	for i, block := range whole.Content {
		require.JSONEq(t, block.RawJSON(), message.Content[i].RawJSON())
	}
}

func TestWhereAnAnswerIsFromStandsAtItsEnd(t *testing.T) {
	t.Parallel()
	stream := anthropic.NewStream("msg_1", "route")
	answer := llm.Response{FinishReason: llm.FinishStop}
	stream.Encode(llm.Event{Type: llm.EventStart}, 1)
	stream.ServedFrom("hit")
	stream.Encode(llm.Event{Type: llm.EventFinish, FinishReason: llm.FinishStop, Warnings: []llm.Warning{{Param: "n", Message: "left out"}}}, 2)
	text := sse(stream.End(answer, 3))
	require.Contains(t, text, `"warnings":[{"param":"n","message":"left out"}],"holdfast":{"served_from":"hit"}`)
	require.NotContains(t, text, "message_start")
}

func TestAMessageBeginsFirstWhateverCame(t *testing.T) {
	t.Parallel()
	stream := anthropic.NewStream("msg_1", "route")
	require.Contains(t, sse(stream.Encode(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}, 1)), `"model":"route"`)
	require.Empty(t, stream.Encode(llm.Event{Type: llm.EventStart, Model: "m"}, 2))
	require.Empty(t, stream.Encode(llm.Event{Type: llm.EventUsage, Usage: &llm.Usage{}}, 3))
	nothing := accumulated(t, sse(framesOf(llm.Response{Model: "m"}, nil)))
	require.Equal(t, "m", nothing.Model)
	require.Empty(t, nothing.Content)
}

func TestAStreamFailsAndRests(t *testing.T) {
	t.Parallel()
	stream := anthropic.NewStream("msg_1", "route")
	require.Nil(t, stream.Restart())
	require.Equal(t, "event: ping\ndata: {\"type\": \"ping\"}\n\n", stream.Idle())
	out, short := stream.AppendText([]byte("x"), llm.Event{Type: llm.EventDelta, Text: "y"}, 1)
	require.False(t, short)
	require.Equal(t, "x", string(out))
	text := stream.Idle() + sse(stream.Fail(dialect.Failure{Status: 503, Code: "no_model_available", Message: "Later."}, 1))
	response := &http.Response{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(text))}
	read := ssestream.NewStream[anthropicsdk.MessageStreamEventUnion](ssestream.NewDecoder(response), nil)
	require.False(t, read.Next())
	require.ErrorContains(t, read.Err(), `{"type":"overloaded_error","message":"Later."}`)
}

// told are the events of parts that overlap.
func told(steps ...llm.Event) []llm.Event {
	return append([]llm.Event{{Type: llm.EventStart, Model: "m"}}, append(steps, llm.Event{Type: llm.EventFinish, FinishReason: llm.FinishToolCalls})...)
}

func part(index int, part llm.Part) llm.Event {
	return llm.Event{Type: llm.EventPart, Index: index, Part: &part}
}

func more(index int, text string) llm.Event {
	return llm.Event{Type: llm.EventDelta, Index: index, Text: text}
}

func end(index int, opaque *llm.Opaque) llm.Event {
	event := llm.Event{Type: llm.EventPartEnd, Index: index}
	if opaque != nil {
		event.Part = &llm.Part{Opaque: opaque}
	}
	return event
}

func TestPartsThatOverlapBecomeBlocksOneAfterTheOther(t *testing.T) {
	t.Parallel()
	text, thought := llm.Part{Type: llm.PartText}, llm.Part{Type: llm.PartReasoning}
	signed := func(part llm.Part, word string) llm.Part {
		part.Opaque = opaque(word)
		return part
	}
	for name, c := range map[string]struct {
		events []llm.Event
		want   []llm.Part
	}{
		"calls in parallel": {
			[]llm.Event{
				part(0, llm.Call("a", "f", "")), part(1, llm.Call("b", "g", "")), more(0, `{"x":`), more(1, `{"y"`), part(2, llm.Call("c", "h", `{"z":1}`)),
				more(0, `1}`), more(1, `:2}`), end(0, nil), end(1, opaque("b")), end(2, opaque("c")),
			},
			[]llm.Part{llm.Call("a", "f", `{"x":1}`), signed(llm.Call("b", "g", `{"y":2}`), "b"), signed(llm.Call("c", "h", `{"z":1}`), "c")},
		},
		"calls without arguments": {
			[]llm.Event{part(0, llm.Call("a", "f", "")), part(1, llm.Call("b", "g", "")), part(2, text), more(2, "x")},
			[]llm.Part{llm.Call("a", "f", `{}`), llm.Call("b", "g", `{}`), llm.Text("x")},
		},
		"ends that say nothing are left out": {
			[]llm.Event{part(0, thought), more(0, "h"), part(1, text), more(1, "x"), part(2, llm.Call("a", "f", "")), more(2, "{}"), part(3, text), more(3, "y")},
			[]llm.Part{{Type: llm.PartReasoning, Text: "h"}, llm.Text("x"), llm.Call("a", "f", `{}`), llm.Text("y")},
		},
		"more of a text": {
			[]llm.Event{part(0, text), more(0, "x"), part(1, llm.Call("a", "f", "")), more(0, "y"), more(1, "{}"), more(0, "z"), end(0, opaque("torn")), end(1, opaque("a"))},
			[]llm.Part{llm.Text("x"), signed(llm.Call("a", "f", `{}`), "a"), llm.Text("yz")},
		},
		"a signature that is late": {
			[]llm.Event{part(0, thought), more(0, "h"), part(1, text), more(1, "x"), end(0, opaque("thought")), more(1, "y"), end(1, opaque("text"))},
			[]llm.Part{{Type: llm.PartReasoning, Text: "h", Opaque: opaque("thought")}, signed(llm.Text("xy"), "text")},
		},
		"a thought without words that is late": {
			[]llm.Event{part(0, thought), part(1, text), more(1, "x"), end(0, opaque("thought")), more(1, "y")},
			[]llm.Part{llm.Text("xy"), {Type: llm.PartReasoning, Opaque: opaque("thought")}},
		},
		"a tool of the vendor's": {
			[]llm.Event{
				part(0, text), more(0, "x"), part(1, llm.Part{Type: llm.PartServerTool}), more(1, "[sea"), more(1, "rch]"), part(2, llm.Part{Type: llm.PartServerTool}),
				end(2, opaque("silent")), part(3, text), more(3, "y"), more(1, "late"),
			},
			[]llm.Part{
				llm.Text("x"), {Type: llm.PartServerTool, Text: "[search]"}, {Type: llm.PartServerTool, Opaque: opaque("silent")}, llm.Text("y"),
			},
		},
		"more than arguments": {
			[]llm.Event{part(0, llm.Call("a", "f", "{}")), part(1, text), more(1, "x"), more(0, "}"), more(1, "y"), end(5, nil), more(6, "?")},
			[]llm.Part{llm.Call("a", "f", `{}`), llm.Text("xy")},
		},
		"another answer": {
			[]llm.Event{part(0, text), more(0, "x"), {Type: llm.EventPart, Choice: 1, Part: &text}, {Type: llm.EventDelta, Choice: 1, Text: "z"}, more(0, "y")},
			[]llm.Part{llm.Text("xy")},
		},
		"sound": {
			[]llm.Event{part(0, llm.Part{Type: llm.PartAudio}), more(0, "?"), part(1, text), more(1, "x")},
			[]llm.Part{llm.Text("x")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := accumulated(t, sse(framesOf(llm.Response{FinishReason: llm.FinishToolCalls}, told(c.events...))))
			require.Equal(t, c.want, sentBack(t, message).Parts)
		})
	}
}

// TestWhateverOverlapsIsAStream tells parts in any order, and checks that nothing of it breaks the protocol or is lost.
func TestWhateverOverlapsIsAStream(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 3))
		var events []llm.Event
		rest := map[int][]string{} // what parts still say
		arguments := map[string]string{}
		words := 0
		for i := range 1 + random.IntN(6) {
			switch random.IntN(3) {
			case 0:
				call := llm.Call(fmt.Sprintf("call_%d", i), "f", "")
				events, rest[i], arguments[call.ToolCall.ID] = append(events, part(i, call)), []string{`{"a"`, `:{"b"`, `:1}`, `}`}, `{"a":{"b":1}}`
			case 1:
				events, rest[i] = append(events, part(i, llm.Part{Type: llm.PartText})), []string{"x", "x", "x"}
				words += 3
			default:
				events, rest[i] = append(events, part(i, llm.Part{Type: llm.PartReasoning})), []string{"h", ""}
			}
			for random.IntN(4) > 0 {
				at := random.IntN(i + 1)
				if pieces := rest[at]; len(pieces) > 0 {
					events, rest[at] = append(events, more(at, pieces[0])), pieces[1:]
				}
			}
		}
		for at := range len(rest) {
			for _, piece := range rest[at] {
				events = append(events, more(at, piece))
			}
			if random.IntN(2) == 0 {
				events = append(events, end(at, opaque("late")))
			}
		}
		message := sentBack(t, accumulated(t, sse(framesOf(llm.Response{FinishReason: llm.FinishStop}, told(events...)))))
		require.Len(t, message.Text(), words, "seed %d", seed)
		require.Len(t, message.ToolCalls(), len(arguments), "seed %d", seed)
		for _, call := range message.ToolCalls() {
			require.Equal(t, arguments[call.ID], call.Arguments, "seed %d", seed)
		}
	}
}

func TestACallIsToldAsItComes(t *testing.T) {
	t.Parallel()
	stream := anthropic.NewStream("msg_1", "route")
	stream.Encode(llm.Event{Type: llm.EventStart}, 1)
	require.Contains(t, sse(stream.Encode(part(0, llm.Call("a", "f", "")), 2)), `"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}`)
	require.Contains(t, sse(stream.Encode(more(0, `{"x"`), 3)), `"partial_json":"{\"x\""`)
	require.Empty(t, stream.Encode(part(1, llm.Call("b", "g", "{}")), 4), "the first call is not whole")
	require.Contains(t, sse(stream.Encode(more(0, `:1}`), 5)), `"name":"g"`, "now it is")
	require.Contains(t, sse(stream.Encode(part(2, llm.Part{Type: llm.PartText}), 6)), `content_block_stop`)
}
