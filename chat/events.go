package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tmaxmax/go-sse"
)

// chunk is one event of an answer.
type chunk struct {
	SequenceNumber int64 `json:"sequence_number"`
	Choices        []struct {
		Delta struct {
			Content          string `json:"content"`
			Refusal          string `json:"refusal"`
			ReasoningContent string `json:"reasoning_content"`
		} `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Holdfast struct {
		Event string `json:"event"`
	} `json:"holdfast"`
	Error *failure `json:"error"`
}

// mostEvent bounds an event.
const mostEvent = 16 << 20

var errBroken = errors.New("it ended before the answer did")

// read takes the events of a connection. The error is nil if the answer is whole.
func (a *Answer) read(body io.Reader) error {
	for event, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: mostEvent}) {
		if err != nil {
			return &LostError{Cause: err}
		}
		if event.Data == "[DONE]" {
			a.tell()
			a.over = true
			return nil
		}
		var c chunk
		if err := json.Unmarshal([]byte(event.Data), &c); err != nil { // the connection ended in the middle of it
			return &LostError{Cause: errBroken}
		}
		if err := a.take(c, event.LastEventID); err != nil {
			return err
		}
	}
	return &LostError{Cause: errBroken}
}

// take takes one event. What it says is told when the event is known to be whole, which the last of its chunks shows by its place.
func (a *Answer) take(c chunk, id string) error {
	if c.Error != nil {
		return &RefusalError{Code: c.Error.Code, Message: c.Error.Message, CompletionID: a.ID}
	}
	a.taken++
	a.noted = false
	if c.Holdfast.Event == "restart" {
		a.place, a.pending, a.Finish = "", nil, ""
		a.audience.Restart()
		return nil
	}
	for _, choice := range c.Choices {
		a.pending = append(a.pending, piece{true, choice.Delta.ReasoningContent}, piece{false, choice.Delta.Content + choice.Delta.Refusal})
		if choice.FinishReason != "" {
			a.Finish = choice.FinishReason
		}
	}
	if c.SequenceNumber > 0 {
		if a.place = id; id == "" {
			a.place = fmt.Sprint(c.SequenceNumber)
		}
		a.tell()
	}
	return nil
}

// tell passes on what is not told yet.
func (a *Answer) tell() {
	for _, said := range a.pending {
		switch {
		case said.text == "":
		case said.thought:
			a.audience.Thought(Visible(said.text))
		default:
			a.audience.Text(Visible(said.text))
		}
	}
	a.pending = nil
}
