package chat

import (
	"io"
	"os"
	"strings"
)

// What colours a terminal.
const (
	Dim   = "\x1b[2m"
	Plain = "\x1b[0m"
)

// Colours says whether a terminal is to be coloured (https://no-color.org).
func Colours() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

// Screen is where a chat is shown: answers on Out, everything else on Notes, so that a pipe has the answers alone.
type Screen struct {
	Out, Notes io.Writer
	// Together says that both are seen on one terminal, Colour that notes are dimmed there.
	Together, Colour bool
	// open says that the cursor stands behind a text in its line, and thinking, that this is a thought.
	open, thinking bool
}

// Text implements [Audience].
func (s *Screen) Text(piece string) {
	if s.thinking {
		s.end()
	}
	_, _ = io.WriteString(s.Out, piece)
	s.open = !strings.HasSuffix(piece, "\n")
}

// Thought implements [Audience]: thoughts are shown to people only.
func (s *Screen) Thought(piece string) {
	if !s.Together {
		return
	}
	if s.open && !s.thinking {
		s.end()
	}
	_, _ = io.WriteString(s.Notes, s.dimmed(piece))
	s.open, s.thinking = !strings.HasSuffix(piece, "\n"), true
}

// Restart implements [Audience].
func (s *Screen) Restart() {
	s.End()
	s.Note("what came before is void: the answer begins again")
}

// Note implements [Audience].
func (s *Screen) Note(line string) {
	if s.Together {
		s.end()
	}
	_, _ = io.WriteString(s.Notes, s.dimmed("- "+line)+"\n")
}

// Say shows lines that were asked for.
func (s *Screen) Say(lines string) {
	_, _ = io.WriteString(s.Notes, strings.TrimSuffix(lines, "\n")+"\n")
}

// End ends the line that an answer's text has left open.
func (s *Screen) End() { s.end() }

func (s *Screen) end() {
	if s.open {
		out := s.Out
		if s.thinking {
			out = s.Notes
		}
		_, _ = io.WriteString(out, "\n")
	}
	s.open, s.thinking = false, false
}

func (s *Screen) dimmed(text string) string {
	if !s.Colour {
		return text
	}
	return Dim + text + Plain
}
