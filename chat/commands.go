package chat

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

const help = `/model [NAME]    ask another model, or list those there are
/system [TEXT]   say how to answer, from the next message on, or show what was said
/new             begin a new conversation
/history         show what was said last
/exit            leave; so do Ctrl-C and Ctrl-D
//…              a message that begins with a slash
A line that ends with \ goes on in the next one. Ctrl-C while an answer comes cancels that answer.`

// historyShown is how many items are shown of what was said.
const historyShown = 20

// obey does what a line says that begins with a slash.
func (s *Session) obey(ctx context.Context, text string) error {
	name, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "/help":
		s.Screen.Say(help)
	case "/model":
		return s.model(ctx, rest)
	case "/system":
		s.system(rest)
	case "/new":
		s.Conversation, s.unsaid = "", s.System != ""
		s.Screen.Note("a new conversation begins with the next message")
	case "/history":
		return s.history(ctx)
	case "/exit", "/quit":
		return io.EOF
	default:
		return fmt.Errorf("there is no command %s: /help lists them, and // begins a message with a slash", name)
	}
	return nil
}

func (s *Session) model(ctx context.Context, name string) error {
	models, err := s.Client.Models(ctx)
	if err != nil {
		return err
	}
	if name == "" {
		for i, model := range models {
			if model == s.Model {
				models[i] += "   (this one)"
			}
		}
		s.Screen.Say(strings.Join(models, "\n"))
		return nil
	}
	if base, _, _ := strings.Cut(name, ":"); !slices.Contains(models, name) && !slices.Contains(models, base) { // :nitro and :floor sort
		return fmt.Errorf("there is no model %s: /model lists those there are", name)
	}
	s.Model = name
	s.Screen.Note("from now on " + name)
	return nil
}

func (s *Session) system(text string) {
	switch {
	case text != "":
		s.System, s.unsaid = text, true
		s.Screen.Note("it is said with the next message")
	case s.System != "":
		s.Screen.Say(s.System)
	default:
		s.Screen.Note("none was said here: /system TEXT says one")
	}
}

func (s *Session) history(ctx context.Context) error {
	if s.Conversation == "" {
		s.Screen.Note("nothing was said yet")
		return nil
	}
	said, err := s.Client.History(ctx, s.Conversation, historyShown)
	if err != nil {
		return err
	}
	if len(said) == 0 {
		s.Screen.Note("nothing was said yet")
		return nil
	}
	for _, one := range said {
		s.Screen.Say(s.Screen.dimmed(one.Role+": ") + Visible(one.Text))
	}
	return nil
}
