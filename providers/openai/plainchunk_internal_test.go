package openai

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// plainChunks are read without the full decoding.
func plainChunks() map[string]string {
	return map[string]string{
		`{"choices":[{"index":0,"delta":{"content":"word"}}]}`: "word",
		`{"id":"c-1","object":"chat.completion.chunk","created":1780000000,"model":"m","service_tier":null,"obfuscation":"xQ9",
			"choices":[ {"index":3,"delta":{"role":"assistant","content":"a\n\"b\" \u00e9 \ud83d\ude00 é","refusal":null,"tool_calls":null},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n": "a\n\"b\" é 😀 é",
		`{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe","score":-0.25}},"delta":{"content":"x"},"finish_reason":null,"logprobs":null}],
			"prompt_filter_results":[{"prompt_index":0},[],{},true,false,null,1.5,"é"]}`: "x",
		"{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}": "\ufffd",
	}
}

// others are left to the full decoding, and what it makes of them may be something else than text or an error.
func others() []string {
	return []string{
		``, `{}`, `[]`, `null`, `{"choices":[]}`, `{"choices":[{}]}`, `{"choices":[{"delta":{}}]}`, `{"choices":[{"delta":{"content":""}}]}`,
		`{"choices":[{"delta":{"content":null}}]}`, `{"choices":[{"delta":{"content":[{"type":"text","text":"x"}]}}]}`,
		`{"choices":[{"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}`, `{"choices":[{"delta":{"content":"a"}}],"choices":[]}`,
		`{"choices":[{"delta":{"content":"a"},"delta":{"refusal":"b"}}]}`, `{"choices":[{"delta":{"content":"a","refusal":"b"}}]}`,
		`{"choices":[{"delta":{"content":"a","reasoning":"b"}}]}`, `{"choices":[{"delta":{"content":"a","tool_calls":[{}]}}]}`,
		`{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}`, `{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[]}}]}`,
		`{"choices":[{"delta":{"content":"a"},"error":{}}]}`, `{"choices":[{"delta":{"content":"a"},"Error":{}}]}`,
		`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}`, `{"choices":[{"delta":{"content":"a"}}],"error":{}}`,
		`{"choices":[{"delta":{"content":"a"}}],"ERROR":{"message":"x"}}`, `{"choices":[{"delta":{"content":"a"}}],"u\u0073age":{}}`,
		`{"choices":[{"delta":{"content":"a"}}],"citations":["x"]}`, `{"choices":[{"delta":{"content":"a"}}],"x_groq":{"usage":{}}}`,
		`{"choices":[{"delta":{"content":"a"}}]`, `{"choices":[{"delta":{"content":"a"}}]}}`, `{"choices":[{"delta":{"content":"a\x"}}]}`,
		`{"choices":[{"delta":{"content":"a"}}],}`, `{"choices":[{"delta":{"content":"a"}}],"x":01}`, `{"choices":[{"delta":{"content":"a"}}],"x":-}`,
		`{"choices":[{"delta":{"content":"a"}}],"x":1.}`, `{"choices":[{"delta":{"content":"a"}}],"x":[1,]}`, `{"choices":[{"delta":{"content":"a"}}],"x"}`,
		"{\"choices\":[{\"delta\":{\"content\":\"a\nb\"}}]}", `{"choices":[{"index":12,"delta":{"content":"a"}}]}`, `{"choices":[{"index":-1,"delta":{"content":"a"}}]}`,
		`{"choices":[{"index":"0","delta":{"content":"a"}}]}`, `{"choices":[{"index":0.5,"delta":{"content":"a"}}]}`, `{"id":7,"choices":[{"delta":{"content":"a"}}]}`,
	}
}

func TestPlainChunks(t *testing.T) {
	t.Parallel()
	for data, text := range plainChunks() {
		chunk, ok := readPlain([]byte(data), "x_groq")
		require.True(t, ok, data)
		require.Equal(t, text, chunk.text)
	}
	for _, data := range others() {
		_, ok := readPlain([]byte(data), "x_groq")
		require.False(t, ok, data)
	}
}

// What stands before a plain chunk decides what it means: it is read in full unless it goes on with a text.
func TestAPlainChunkGoesOnWithItsText(t *testing.T) {
	t.Parallel()
	d := newDecoder(&Client{profile: OpenAI(), now: time.Now}, wire.Answer{}, llm.Origin{})
	var types []llm.EventType
	for _, delta := range []string{`{"content":"a"}`, `{"content":"b"}`, `{"reasoning":"hm"}`, `{"content":"c"}`, `{"content":"d"}`} {
		events, failure := d.Decode(wire.Frame{Data: []byte(`{"id":"c-1","choices":[{"index":0,"delta":` + delta + `}]}`)})
		require.Nil(t, failure)
		for _, event := range events {
			types = append(types, event.Type)
		}
	}
	require.Equal(t, []llm.EventType{
		llm.EventStart, llm.EventPart, llm.EventDelta, llm.EventDelta, // a, b
		llm.EventPart, llm.EventDelta, llm.EventPartEnd, llm.EventDelta, llm.EventDelta, // the thought ends where the text goes on
	}, types)
	_, failure := d.Decode(wire.Frame{Event: "error", Data: []byte(`{"choices":[{"delta":{"content":"e"}}]}`)})
	require.NotNil(t, failure, "an error by its name")
}

// FuzzPlainChunk compares with the full decoding.
func FuzzPlainChunk(f *testing.F) {
	for data := range plainChunks() {
		f.Add([]byte(data))
	}
	for _, data := range others() {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, ok := readPlain(data, "x_groq")
		if !ok {
			return
		}
		var whole completion
		require.NoError(t, json.Unmarshal(data, &whole))
		profile := Profile{Usage: []string{"x_groq", "usage"}}
		require.False(t, isObject(whole.Error) || isObject(whole.Citations) || isObject(profile.usage(data, whole.Usage)))
		require.Len(t, whole.Choices, 1)
		choice := whole.Choices[0]
		require.Equal(t, plain.choice, choice.Index)
		require.False(t, choice.Delta.empty() || isObject(choice.Error))
		thoughts, words := choice.Delta.read()
		require.False(t, thoughts.any())
		require.Equal(t, plain.text, words)
		require.Empty(t, choice.Delta.Refusal)
		require.Empty(t, choice.Delta.ToolCalls)
		require.Empty(t, choice.Delta.Annotations)
		require.Empty(t, choice.FinishReason)
		require.Empty(t, choice.Logprobs.tokens())
	})
}
