package chat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// Question is a message of a conversation.
type Question struct {
	Conversation string
	Model        string
	// System is said before the message; empty is nothing.
	System string
	Text   string
}

// Audience is told an answer as it comes.
type Audience interface {
	Text(piece string)
	Thought(piece string)
	// Restart takes back what was told: the answer begins again.
	Restart()
	// Note tells what happens beside the answer, in one line.
	Note(line string)
}

// Answer is the answer to a question, read over any number of connections.
type Answer struct {
	// ID is the completion's, empty until it is known. Finish is the word for why the answer ends, empty until it has.
	ID     string
	Finish string

	client   *Client
	audience Audience
	body     []byte
	key      string
	// place is the id of the last event that was taken, behind which a stream goes on.
	place string
	// pending was said by an event that is not whole yet: it will come again if the connection breaks here.
	pending []piece
	// taken counts events.
	taken int
	noted bool
	over  bool
}

type piece struct {
	thought bool
	text    string
}

// Ask prepares a question. Nothing is sent before [Answer.Read].
func (c *Client) Ask(question Question, audience Audience) *Answer {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	var messages []message
	if question.System != "" {
		messages = append(messages, message{"system", question.System})
	}
	body, _ := json.Marshal(struct { //nolint:errchkjson // it is of words only, which cannot fail
		Model        string    `json:"model"`
		Conversation string    `json:"conversation"`
		Stream       bool      `json:"stream"`
		Messages     []message `json:"messages"`
	}{question.Model, question.Conversation, true, append(messages, message{"user", question.Text})})
	return &Answer{client: c, audience: audience, body: body, key: "chat-" + rand.Text()}
}

// Read asks, and tells the answer until it is whole. When a connection breaks, it goes on with another.
func (a *Answer) Read(ctx context.Context) error {
	for !a.over {
		err := a.client.patiently(ctx, a.note, func() error {
			before := a.taken
			err := a.follow(ctx)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if a.taken > before && passing(err) { // it has come further: the next break has patience of its own
				a.note(err)
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// note tells once that something is waited for, until the answer has come further.
func (a *Answer) note(err error) {
	if a.noted || err == nil {
		return
	}
	a.noted = true
	refusal, _ := errors.AsType[*RefusalError](err)
	lost, _ := errors.AsType[*LostError](err)
	switch {
	case refusal != nil && refusal.Code == "conversation_busy":
		a.audience.Note("another answer is running in this conversation: waiting for its end")
	case refusal != nil && a.taken > 0:
		a.audience.Note("Holdfast is restarting (" + refusal.Code + "): going on as soon as it is back")
	case refusal != nil:
		a.audience.Note("Holdfast cannot take it at the moment (" + refusal.Code + "): trying again")
	case a.taken == 0 && lost != nil:
		a.audience.Note("Holdfast does not answer (" + lost.Cause.Error() + "): trying again")
	case lost != nil:
		a.audience.Note("the connection broke (" + lost.Cause.Error() + "): going on as soon as Holdfast is back")
	}
}

// follow reads one connection.
func (a *Answer) follow(ctx context.Context) error {
	body, stop, err := a.client.listen(ctx, a.open)
	if err != nil {
		if refusal, ok := errors.AsType[*RefusalError](err); ok && refusal.CompletionID != "" {
			a.ID = refusal.CompletionID
		}
		return err
	}
	defer stop()
	defer func() { _ = body.Close() }()
	a.pending = nil
	return a.read(body)
}

// open asks for the answer: behind what is known of it, or by the request itself, which its key makes the same one each time.
func (a *Answer) open(ctx context.Context) (io.ReadCloser, error) {
	method, path, body, headers := http.MethodPost, "/v1/chat/completions", a.body, []string{"Idempotency-Key", a.key}
	if a.ID != "" {
		method, path, body, headers = http.MethodGet, a.path()+"?stream=true", nil, nil
		if a.place != "" {
			path += "&starting_after=" + url.QueryEscape(a.place)
		}
	}
	response, err := a.client.open(ctx, method, path, body, headers...)
	if err != nil {
		return nil, err
	}
	if id := response.Header.Get("X-Holdfast-Completion-Id"); id != "" {
		a.ID = id
	}
	return response.Body, nil
}

func (a *Answer) path() string { return "/v1/chat/completions/" + url.PathEscape(a.ID) }

// Cancel ends the answer at its provider. It reports whether it did: an answer that was whole before stays.
func (a *Answer) Cancel(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, shortly)
	defer cancel()
	if a.ID == "" { // nothing of it has come yet: the same request, to be answered later, tells its id at once
		response, err := a.client.open(ctx, http.MethodPost, "/v1/chat/completions", a.body, "Idempotency-Key", a.key, "Prefer", "respond-async")
		if refusal, ok := errors.AsType[*RefusalError](err); ok && refusal.Code == "conversation_busy" {
			return true, nil // it was never accepted
		}
		if err != nil {
			return false, err
		}
		_ = response.Body.Close()
		a.ID = response.Header.Get("X-Holdfast-Completion-Id")
	}
	var ended struct {
		Status string `json:"status"`
	}
	err := a.client.call(ctx, http.MethodPost, a.path()+"/cancel", nil, &ended)
	return ended.Status == "cancelled", err
}
