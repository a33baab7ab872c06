package openai_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// streamed gives the events of an answer as they come from a transcript.
func streamed(view openai.ResponseView) []openai.ResponseEvent {
	answer := *view.Answer
	view.Answer, view.Status = nil, ""
	stream := openai.NewResponseStream(view)
	var events []openai.ResponseEvent
	take := func(frames []dialect.Frame) {
		for _, frame := range frames {
			events = append(events, frame.Data.(openai.ResponseEvent))
		}
	}
	log := transcript.Of(answer)
	for _, entry := range log.Since(0) {
		take(stream.Encode(entry.Event, entry.End.At))
	}
	take(stream.Encode(llm.Event{Type: llm.EventFinish, FinishReason: answer.FinishReason}, log.End().At+1))
	take(stream.End(answer, log.End().At+2))
	return events
}

// requireWhole checks that a stream tells what the whole response says.
func requireWhole(t *testing.T, view openai.ResponseView, events []openai.ResponseEvent) {
	t.Helper()
	want := openai.EncodeResponse(view)
	require.Equal(t, "response.created", events[0].Type)
	require.Equal(t, "response.in_progress", events[1].Type)
	output := map[int]openai.Item{}
	texts, last := map[string]string{}, int64(-1)
	for _, event := range events {
		require.Greater(t, event.SequenceNumber, last)
		last = event.SequenceNumber
		switch event.Type {
		case "response.output_item.added":
			require.Equal(t, want.Output[*event.OutputIndex].ID, event.Item.ID)
			require.NotContains(t, output, *event.OutputIndex)
		case "response.output_item.done":
			output[*event.OutputIndex] = *event.Item
		}
		if event.Delta != nil {
			key := event.ItemID
			if event.ContentIndex != nil {
				key += " " + strconv.Itoa(*event.ContentIndex)
			}
			require.Equal(t, want.Output[*event.OutputIndex].ID, event.ItemID)
			texts[key] += *event.Delta
		}
	}
	require.Len(t, output, len(want.Output))
	for i, item := range want.Output {
		require.Equal(t, item, output[i])
		switch {
		case item.Content != nil:
			for n, content := range *item.Content {
				text := content.Text
				if text == nil {
					text = content.Refusal
				}
				require.Equal(t, *text, texts[item.ID+" "+strconv.Itoa(n)])
			}
		case item.Arguments != nil:
			require.Equal(t, *item.Arguments, texts[item.ID])
		}
	}
	require.Equal(t, want, *events[len(events)-1].Response)
	require.Equal(t, "response."+want.Status, events[len(events)-1].Type)
}

func TestAResponseIsStreamed(t *testing.T) {
	t.Parallel()
	view := viewOf(t, encryptedToo, spoken())
	events := streamed(view)
	requireWhole(t, view, events)
	var lines strings.Builder
	for _, event := range events {
		line, err := json.Marshal(event)
		require.NoError(t, err)
		lines.Write(append(line, '\n'))
	}
	path := filepath.Join("testdata", "responses_stream.golden.jsonl")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(lines.String()), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), lines.String())
}

// TestAnyAnswerIsStreamedAsItIsShown makes answers of all sorts, whose parts overlap as far as vendors let them.
func TestAnyAnswerIsStreamedAsItIsShown(t *testing.T) {
	t.Parallel()
	reasons := []llm.FinishReason{llm.FinishStop, llm.FinishToolCalls, llm.FinishLength, llm.FinishContentFilter}
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		answer := llm.Response{Model: "m", FinishReason: reasons[random.IntN(len(reasons))], Message: llm.Message{Role: llm.RoleAssistant}}
		for i := range random.IntN(7) {
			answer.Message.Parts = append(answer.Message.Parts, anyPart(random, i))
		}
		members := ""
		if random.IntN(2) == 0 {
			members = encryptedToo
		}
		view := viewOf(t, members, answer)
		requireWhole(t, view, streamed(view))
		requireWhole(t, view, interleaved(random, view))
	}
}

func anyPart(random *rand.Rand, i int) llm.Part {
	kinds := []llm.PartType{llm.PartText, llm.PartText, llm.PartReasoning, llm.PartRefusal, llm.PartServerTool, llm.PartToolCall, llm.PartToolCall}
	part := llm.Part{Type: kinds[random.IntN(len(kinds))], Text: "text " + strconv.Itoa(i)}
	if part.Type == llm.PartToolCall {
		part = llm.Call("call_"+strconv.Itoa(i), "f", []string{"", `{"a":1}`}[random.IntN(2)])
	}
	if random.IntN(3) == 0 {
		part.Opaque = &llm.Opaque{Origin: llm.Origin{Provider: "p"}, Data: json.RawMessage(strconv.Itoa(i))}
		if part.Type == llm.PartReasoning && random.IntN(2) == 0 {
			part.Text = ""
		}
	}
	if part.Type == llm.PartText && random.IntN(3) == 0 {
		part.Citations = []llm.Citation{{URL: "https://x", Title: "X", End: 4}, {Title: "no page"}}
	}
	return part
}

// interleaved streams an answer whose parts begin in their order, and go on in any.
func interleaved(random *rand.Rand, view openai.ResponseView) []openai.ResponseEvent {
	answer := *view.Answer
	byPart := make([][]llm.Event, len(answer.Message.Parts))
	for _, event := range llm.EventsOf(answer) {
		switch event.Type {
		case llm.EventDelta: // letter by letter
			for _, letter := range strings.Split(event.Text, "") {
				byPart[event.Index] = append(byPart[event.Index], llm.Event{Type: llm.EventDelta, Index: event.Index, Text: letter})
			}
		case llm.EventPart, llm.EventPartEnd:
			byPart[event.Index] = append(byPart[event.Index], event)
		default:
		}
	}
	stream := openai.NewResponseStream(view)
	var events []openai.ResponseEvent
	place := int64(0)
	take := func(event llm.Event) {
		place++
		for _, frame := range stream.Encode(event, place) {
			events = append(events, frame.Data.(openai.ResponseEvent))
		}
	}
	take(llm.Event{Type: llm.EventStart, Model: answer.Model})
	begun := 0
	for {
		var open []int
		for i, rest := range byPart[:begun] {
			if len(rest) > 0 {
				open = append(open, i)
			}
		}
		switch {
		case begun < len(byPart) && (len(open) == 0 || random.IntN(4) == 0):
			take(byPart[begun][0])
			byPart[begun] = byPart[begun][1:]
			begun++
		case len(open) > 0:
			i := open[random.IntN(len(open))]
			take(byPart[i][0])
			byPart[i] = byPart[i][1:]
		default:
			take(llm.Event{Type: llm.EventFinish, FinishReason: answer.FinishReason})
			for _, frame := range stream.End(answer, place+1) {
				events = append(events, frame.Data.(openai.ResponseEvent))
			}
			return events
		}
	}
}

func TestTheSDKParsesEachEvent(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var accumulator responses.ResponseAccumulator
	for _, event := range streamed(viewOf(t, encryptedToo, spoken())) {
		line, err := json.Marshal(event)
		require.NoError(t, err)
		var parsed responses.ResponseStreamEventUnion
		require.NoError(t, json.Unmarshal(line, &parsed))
		require.NotNil(t, parsed.AsAny(), "%s", line)
		require.Equal(t, event.SequenceNumber, parsed.SequenceNumber)
		seen[parsed.Type] = true
		var fromServer responses.ResponsesServerEventUnion
		require.NoError(t, json.Unmarshal(line, &fromServer))
		require.NoError(t, accumulator.AddEvent(fromServer), "%s", line)
		switch variant := parsed.AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			require.True(t, variant.JSON.Logprobs.Valid() && variant.JSON.ContentIndex.Valid() && variant.JSON.OutputIndex.Valid())
		case responses.ResponseFunctionCallArgumentsDoneEvent:
			require.NotEmpty(t, variant.Arguments)
		case responses.ResponseOutputItemAddedEvent:
			require.Equal(t, "in_progress", variant.Item.Status)
		case responses.ResponseContentPartAddedEvent:
			require.NotNil(t, variant.Part.AsAny())
		case responses.ResponseReasoningSummaryTextDoneEvent:
			require.Equal(t, "Hm.", variant.Text)
		case responses.ResponseOutputTextAnnotationAddedEvent:
			require.Equal(t, "https://x", variant.Annotation.AsURLCitation().URL)
		case responses.ResponseCompletedEvent:
			require.Equal(t, "[web_search]It rains.", variant.Response.OutputText())
		}
	}
	whole, err := accumulator.ReconstructedResponse()
	require.NoError(t, err)
	require.Equal(t, "[web_search]It rains.", whole.OutputText())
	for _, kind := range []string{
		"created", "in_progress", "completed", "output_item.added", "output_item.done", "content_part.added", "content_part.done",
		"output_text.delta", "output_text.done", "output_text.annotation.added", "refusal.delta", "refusal.done",
		"function_call_arguments.delta", "function_call_arguments.done",
		"reasoning_summary_part.added", "reasoning_summary_part.done", "reasoning_summary_text.delta", "reasoning_summary_text.done",
	} {
		require.True(t, seen["response."+kind], kind)
	}
}

func TestAStreamedResponseFails(t *testing.T) {
	t.Parallel()
	failure := dialect.Failure{Status: http.StatusBadGateway, Code: "stream_interrupted", Message: "m", Param: "p"}
	stream := openai.NewResponseStream(viewOf(t, "", llm.Response{}))
	frames := stream.Fail(failure, 0)
	require.Equal(t, "error", frames[0].Event)
	line, err := json.Marshal(frames[0].Data)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"error","code":"stream_interrupted","message":"m","param":"p","sequence_number":1}`, string(line))

	stream.Encode(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}, 1)
	stream.Encode(llm.Event{Type: llm.EventDelta, Text: "so f"}, 5)
	frames = stream.Fail(failure, 5)
	require.Equal(t, "response.failed", frames[0].Event)
	event := frames[0].Data.(openai.ResponseEvent)
	require.EqualValues(t, 5*64+1, event.SequenceNumber, "behind what was told last")
	parsed := throughSDK(t, *event.Response)
	require.Equal(t, responses.ResponseStatusFailed, parsed.Status)
	require.Equal(t, "so f", parsed.OutputText())
	require.Equal(t, responses.ResponseErrorCodeServerError, parsed.Error.Code)
}

func TestAResponseIsCreatedFirst(t *testing.T) {
	t.Parallel()
	stream := openai.NewResponseStream(viewOf(t, "", llm.Response{}))
	frames := stream.Encode(llm.Event{Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}, 1)
	require.Equal(t, "response.created", frames[0].Event)
	require.Empty(t, stream.Encode(llm.Event{Type: llm.EventStart}, 1))
	frames = openai.NewResponseStream(viewOf(t, "", llm.Response{})).End(llm.Response{FinishReason: llm.FinishStop}, 3)
	require.Equal(t, "response.created", frames[0].Event)
	require.Equal(t, "response.completed", frames[2].Event)
	require.Nil(t, stream.Restart())
	require.Equal(t, ": keep-alive\n\n", stream.Idle())
}

func TestSequenceNumbers(t *testing.T) {
	t.Parallel()
	for number, want := range map[int64][2]int64{0: {0, 1}, 63: {0, 64}, 64: {1, 1}, 5*64 + 2: {5, 3}, -1: {0, 0}} {
		place, seen := openai.ParseSequence(number)
		require.Equal(t, want, [2]int64{place, int64(seen)})
	}
	stream := openai.NewResponseStream(viewOf(t, "", llm.Response{}))
	for i := range 40 { // which are all told to be over in the end
		stream.Encode(llm.Event{Type: llm.EventPart, Index: i, Part: &llm.Part{Type: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "c", Name: "f"}}}, int64(i)+1)
	}
	frames := stream.Encode(llm.Event{Type: llm.EventFinish, FinishReason: llm.FinishToolCalls}, 50)
	require.Len(t, frames, 120)
	for i, frame := range frames {
		place, seen := openai.ParseSequence(frame.Data.(openai.ResponseEvent).SequenceNumber)
		require.EqualValues(t, 50, place)
		require.LessOrEqual(t, seen, i+1, "none is passed over that was not seen")
	}
	require.Equal(t, int64(50*64+63), frames[119].Data.(openai.ResponseEvent).SequenceNumber)
}
