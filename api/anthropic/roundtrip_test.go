package anthropic_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/llm"
)

// sentBack is the assistant's turn of a client that puts the SDK's message into its next request.
func sentBack(t *testing.T, message anthropicsdk.Message) llm.Message {
	t.Helper()
	param, err := json.Marshal(message.ToParam())
	require.NoError(t, err)
	request, err := anthropic.DecodeMessages(turns(string(param)))
	require.NoError(t, err, "%s", param)
	require.Len(t, request.Messages, 1)
	return request.Messages[0]
}

// returned is that of an answer in one piece.
func returned(t *testing.T, encoded []byte) llm.Message {
	t.Helper()
	var message anthropicsdk.Message
	require.NoError(t, json.Unmarshal(encoded, &message))
	return sentBack(t, message)
}

// kept is what of an answer's parts comes back: all but what the dialect has no form for.
func kept(parts []llm.Part) []llm.Part {
	var list []llm.Part
	for _, part := range parts {
		part.Citations = nil
		if part.Type == llm.PartRefusal {
			part.Type = llm.PartText
		}
		if part.ToolCall != nil {
			call := *part.ToolCall
			if strings.TrimSpace(call.Arguments) == "" {
				call.Arguments = "{}"
			}
			part.ToolCall = &call
		}
		if part.Text != "" || part.ToolCall != nil || part.Opaque != nil {
			list = append(list, part)
		}
	}
	return list
}

func TestAnAnswerComesBackAsItWas(t *testing.T) {
	t.Parallel()
	want := kept(everything().Message.Parts)
	for i := range want {
		if want[i].ToolCall != nil && want[i].ToolCall.ID == "call_1" {
			want[i].ToolCall.Arguments = `{"city":"Bern"}`
		}
	}
	require.Equal(t, want, returned(t, encoded(t, everything())).Parts)
	require.Equal(t, want, sentBack(t, accumulated(t, sse(streamed(everything())))).Parts)
}

// TestAnyAnswerComesBackAsItWas holds the two ways of answering against each other and against the answer.
func TestAnyAnswerComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		answer := someAnswer(rand.New(rand.NewPCG(seed, 1)))
		want := kept(answer.Message.Parts)
		if len(want) == 0 {
			continue
		}
		require.Equal(t, want, returned(t, encoded(t, answer)).Parts, "seed %d", seed)
		pieces := inPieces(rand.New(rand.NewPCG(seed, 2)), llm.EventsOf(answer))
		require.Equal(t, want, sentBack(t, accumulated(t, sse(framesOf(answer, pieces)))).Parts, "seed %d, streamed", seed)
	}
}

func someAnswer(random *rand.Rand) llm.Response {
	words := []string{"", "x", "Grüße 🙂\n", `"<&>"`, "x", "\u2028 "}
	answer := llm.Response{Model: "m", FinishReason: llm.FinishStop}
	for i := range random.IntN(7) {
		part := llm.Part{Type: []llm.PartType{llm.PartText, llm.PartReasoning, llm.PartServerTool, llm.PartRefusal}[random.IntN(4)]}
		part.Text = words[random.IntN(len(words))]
		if random.IntN(3) == 0 {
			part = llm.Call(fmt.Sprintf("call_%d", i), "f", []string{"", "{}", `{"a":[1,"b"]}`, `{"n":12345678901234567890}`}[random.IntN(4)])
		}
		if random.IntN(2) == 0 {
			part.Opaque = opaque(fmt.Sprint(i))
		}
		answer.Message.Parts = append(answer.Message.Parts, part)
	}
	return answer
}

// inPieces cuts the texts of events, and leaves out ends that say nothing as a transcript does.
func inPieces(random *rand.Rand, events []llm.Event) []llm.Event {
	var cut []llm.Event
	for _, event := range events {
		switch {
		case event.Type == llm.EventPartEnd && event.Part == nil && random.IntN(2) == 0:
		case event.Type == llm.EventDelta:
			for _, r := range event.Text {
				event.Text = string(r)
				cut = append(cut, event)
			}
		default:
			cut = append(cut, event)
		}
	}
	return cut
}

func TestWhatIsAttachedFindsItsPart(t *testing.T) {
	t.Parallel()
	call, text := llm.Call("c", "f", "{}"), llm.Text("x")
	call.Opaque, text.Opaque = opaque("call"), opaque("text")
	var blocks struct{ Content []json.RawMessage }
	require.NoError(t, json.Unmarshal(encoded(t, llm.Response{Message: llm.Message{Parts: []llm.Part{text, call}}}), &blocks))
	xText, ofText, aCall, ofCall := string(blocks.Content[0]), string(blocks.Content[1]), string(blocks.Content[2]), string(blocks.Content[3])
	const other, changed = `{"type":"tool_use","id":"d","name":"f","input":{}}`, `{"type":"text","text":"y"}`
	bare := llm.Call("d", "f", "{}")
	for name, c := range map[string]struct {
		messages string
		want     []llm.Part
	}{
		"in order":           {`{"role":"assistant","content":[` + xText + `,` + ofText + `,` + aCall + `,` + ofCall + `]}`, []llm.Part{text, call}},
		"thoughts put first": {`{"role":"assistant","content":[` + ofCall + `,` + ofText + `,` + xText + `,` + aCall + `]}`, []llm.Part{text, call}},
		"a message a block":  {`{"role":"assistant","content":[` + aCall + `]},{"role":"assistant","content":[` + ofCall + `]}`, []llm.Part{call}},
		"and first of all":   {`{"role":"assistant","content":[` + ofCall + `]},{"role":"assistant","content":[` + aCall + `]}`, []llm.Part{call}},
		"a call gone":        {`{"role":"assistant","content":[` + other + `,` + ofCall + `]}`, []llm.Part{bare}},
		"a text changed":     {`{"role":"assistant","content":[` + changed + `,` + ofText + `]}`, []llm.Part{llm.Text("y")}},
		"another's turn":     {`{"role":"assistant","content":[` + ofCall + `]},{"role":"user","content":"x"},{"role":"assistant","content":[` + aCall + `]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decoded(t, c.messages)
			if c.want == nil {
				require.Nil(t, got[1].Parts[0].Opaque)
				return
			}
			require.Equal(t, []llm.Message{{Role: llm.RoleAssistant, Parts: c.want}}, got)
		})
	}
}
