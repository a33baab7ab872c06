package openai

import (
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
)

// Chunk is one event of a streamed answer (https://platform.openai.com/docs/api-reference/chat-streaming).
type Chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []ChunkChoice `json:"choices"`
	// Usage stands in the last chunk, and is null in those before, if the client asked for it; else it is left out.
	Usage    *nullable[Usage] `json:"usage,omitempty"`
	Warnings []llm.Warning    `json:"warnings,omitempty"`
	// SequenceNumber is the place of the chunk, by which a client that lost its connection goes on behind it; 0 if the event
	// that it belongs to has further chunks. OpenAI has it in its newer dialect only.
	SequenceNumber int64 `json:"sequence_number,omitempty"`
	// Holdfast is what the gateway itself has to say.
	Holdfast *Notice `json:"holdfast,omitempty"`
}

// Notice is what a gateway that OpenAI's dialect knows nothing of has to say in it.
type Notice struct {
	// Event is "restart": what was sent before is void, and the answer begins again.
	Event string `json:"event,omitempty"`
	// ServedFrom stands in the chunks that end an answer which is not from a provider as wanted: "hit", "stale" or "degraded".
	ServedFrom string `json:"served_from,omitempty"`
}

// ChunkChoice is what a chunk adds to one of the answers.
type ChunkChoice struct {
	Index              int       `json:"index"`
	Delta              Delta     `json:"delta"`
	Logprobs           *logprobs `json:"logprobs"`
	FinishReason       *string   `json:"finish_reason"`
	NativeFinishReason string    `json:"native_finish_reason,omitempty"`
}

// Delta is a piece of an assistant's message.
type Delta struct {
	Role             string            `json:"role,omitempty"`
	Content          *string           `json:"content,omitempty"`
	Refusal          string            `json:"refusal,omitempty"`
	ToolCalls        []toolCallDelta   `json:"tool_calls,omitempty"`
	ReasoningContent string            `json:"reasoning_content,omitempty"`
	ReasoningDetails []reasoningDetail `json:"reasoning_details,omitempty"`
	Annotations      []annotation      `json:"annotations,omitempty"`
}

type toolCallDelta struct {
	Index        int           `json:"index"`
	ID           string        `json:"id,omitempty"`
	Type         string        `json:"type,omitempty"`
	Function     *methodDelta  `json:"function,omitempty"`
	ExtraContent *extraContent `json:"extra_content,omitempty"`
}

type methodDelta struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// nullable is a value that is written as null where it is not there.
type nullable[T any] struct{ value *T }

// MarshalJSON implements [json.Marshaler].
func (n nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.value) }
