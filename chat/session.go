package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// ErrInterrupted says that somebody has pressed Ctrl-C.
var ErrInterrupted = errors.New("interrupted")

// Session is a chat from its first line to its last.
type Session struct {
	Client *Client
	Lines  Lines
	Screen *Screen
	// Interrupts are Ctrl-C. While an answer is read, one ends that answer, else the session.
	Interrupts <-chan os.Signal
	// Model is whom to ask; empty is the first there is. Conversation is one to go on with; empty begins one.
	Model, Conversation string
	// System is said with the next message, and stays in the conversation; empty is nothing.
	System string
	// Interactive says that a person is there. Without one, an answer that fails ends the session.
	Interactive bool
	// Again is the command that goes on with a conversation, before its id.
	Again string

	// unsaid tells that the system message is not in the conversation yet.
	unsaid bool
}

const (
	prompt     = "> "
	promptMore = "… "
)

// Run reads lines until there are no more. What it gives back is what kept it from going on.
func (s *Session) Run(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.leave()
	for {
		text, err := s.read(ctx)
		if err == nil {
			err = s.take(ctx, text)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), s.Interactive && errors.Is(err, ErrInterrupted):
			return nil
		case !s.Interactive || ctx.Err() != nil:
			return err
		default:
			s.Screen.Note(err.Error())
		}
	}
}

// begin finds out whom to ask, and whether the conversation is there.
func (s *Session) begin(ctx context.Context) error {
	s.unsaid = s.System != ""
	if s.Model == "" {
		models, err := s.Client.Models(ctx)
		if err != nil {
			return err
		}
		if len(models) == 0 {
			return errors.New("no model is configured")
		}
		s.Model = models[0]
	}
	where := "a new conversation"
	if s.Conversation != "" {
		if err := s.Client.Find(ctx, s.Conversation); err != nil {
			return err
		}
		where = s.Conversation
	}
	if s.Interactive {
		s.Screen.Note(fmt.Sprintf("%s, %s; /help lists commands, Ctrl-D leaves", s.Model, where))
	}
	return nil
}

func (s *Session) leave() {
	if s.Conversation != "" {
		s.Screen.Note("go on with it: " + s.Again + " " + s.Conversation)
	}
}

// read reads a message: a line, and those that belong to it.
func (s *Session) read(ctx context.Context) (string, error) {
	s.forget()
	var text strings.Builder
	at := prompt
	for {
		var line string
		var more bool
		err := s.interruptible(ctx, func(ctx context.Context) (err error) {
			line, more, err = s.Lines.Next(ctx, at)
			return err
		})
		continued, open := strings.CutSuffix(line, `\`)
		text.WriteString(continued)
		switch ended := errors.Is(err, io.EOF) && text.Len() > 0 && !s.Interactive; { // a pipe may end behind a line that is to go on
		case err != nil && !ended:
			return "", err
		case ended, !more && !open:
			return strings.TrimSpace(text.String()), nil
		}
		text.WriteByte('\n')
		at = promptMore
	}
}

// take does what a message says, or asks it.
func (s *Session) take(ctx context.Context, text string) error {
	switch {
	case text == "":
		return nil
	case strings.HasPrefix(text, "//"):
		return s.say(ctx, text[1:])
	case strings.HasPrefix(text, "/"):
		return s.obey(ctx, text)
	default:
		return s.say(ctx, text)
	}
}

// say asks a message and shows its answer.
func (s *Session) say(ctx context.Context, text string) error {
	question := Question{Model: s.Model, Text: text}
	if s.unsaid {
		question.System = s.System
	}
	var answer *Answer
	err := s.interruptible(ctx, func(ctx context.Context) error {
		if err := s.converse(ctx); err != nil {
			return err
		}
		question.Conversation = s.Conversation
		answer = s.Client.Ask(question, s.Screen)
		return answer.Read(ctx)
	})
	s.Screen.End()
	if errors.Is(err, ErrInterrupted) {
		return s.cancel(ctx, answer)
	}
	if err != nil {
		return err
	}
	s.unsaid = false
	s.tell(ctx, answer)
	return nil
}

// converse begins a conversation if there is none.
func (s *Session) converse(ctx context.Context) error {
	if s.Conversation != "" {
		return nil
	}
	noted := false
	return s.Client.patiently(ctx, func(err error) {
		if !noted {
			s.Screen.Note(err.Error() + ": trying again")
		}
		noted = true
	}, func() (err error) {
		s.Conversation, err = s.Client.Begin(ctx)
		return err
	})
}

// cancel ends an answer that nobody wants to read on; nil is one that was not asked for yet.
func (s *Session) cancel(ctx context.Context, answer *Answer) error {
	ended := true
	err := s.interruptible(ctx, func(ctx context.Context) (err error) {
		if answer != nil {
			ended, err = answer.Cancel(ctx)
		}
		return err
	})
	switch {
	case err != nil:
		s.Screen.Note("it could not be cancelled, and goes on by itself: " + err.Error())
	case ended:
		s.Screen.Note("cancelled: neither the message nor its answer is part of the conversation")
	default:
		s.unsaid = false
		s.Screen.Note("the answer was whole before it could be cancelled: /history shows it")
	}
	if s.Interactive {
		return nil
	}
	return ErrInterrupted
}

// tell says who has answered, if that can be read.
func (s *Session) tell(ctx context.Context, answer *Answer) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	record, err := s.Client.Record(ctx, answer.ID)
	if err != nil {
		return
	}
	line := record.Provider + "/" + record.Model
	switch record.ServedFrom {
	case "hit", "stale":
		line += ", kept from before"
	case "degraded":
		line += ", for want of anything better"
	}
	if n := len(record.Attempts); n > 1 {
		line += fmt.Sprintf(", %d attempts", n)
	}
	switch record.Failovers {
	case 0:
	case 1:
		line += ", 1 failover"
	default:
		line += fmt.Sprintf(", %d failovers", record.Failovers)
	}
	if record.FinishedAt != nil {
		line += ", " + record.FinishedAt.Sub(record.AcceptedAt).Round(10*time.Millisecond).String()
	}
	if record.Replay != nil && record.Replay.LeftOut != nil {
		line += fmt.Sprintf("; the oldest %d tokens of the conversation did not fit", record.Replay.LeftOut.Tokens)
	}
	switch answer.Finish {
	case "", "stop":
	case "length":
		line += "; it ends where its length was limited"
	default:
		line += "; it ends with " + answer.Finish
	}
	s.Screen.Note(line)
}

// interruptible does something that Ctrl-C ends.
func (s *Session) interruptible(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-s.Interrupts:
			cancel(ErrInterrupted)
		case <-done:
		}
	}()
	err := do(ctx)
	close(done)
	<-watched
	if err != nil && errors.Is(context.Cause(ctx), ErrInterrupted) {
		return ErrInterrupted
	}
	return err
}

// forget lets go of a Ctrl-C that came when there was nothing to interrupt any more.
func (s *Session) forget() {
	select {
	case <-s.Interrupts:
	default:
	}
}
