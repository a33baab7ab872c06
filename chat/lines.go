package chat

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Lines are what a person writes, or what comes from a pipe.
type Lines interface {
	// Next reads a line; more says that the next one belongs to it. The error is [io.EOF] at the end, which a person means by
	// Ctrl-C and Ctrl-D.
	Next(ctx context.Context, prompt string) (line string, more bool, err error)
}

type line struct {
	text string
	more bool
	err  error
}

// awaited reads in a goroutine of its own, since reading cannot be given up. What was read meanwhile is the next line.
type awaited struct {
	lines   chan line
	reading bool
}

func (a *awaited) next(ctx context.Context, read func() line) line {
	if a.lines == nil {
		a.lines = make(chan line, 1)
	}
	if !a.reading {
		a.reading = true
		go func() { a.lines <- read() }()
	}
	select {
	case got := <-a.lines:
		a.reading = false
		return got
	case <-ctx.Done():
		return line{err: context.Cause(ctx)}
	}
}

// Piped are lines of a pipe or a file.
type Piped struct {
	in      *bufio.Reader
	prompts io.Writer
	awaited awaited
}

// NewPiped reads lines. Prompts are where somebody is asked for them; nil if nobody is there.
func NewPiped(in io.Reader, prompts io.Writer) *Piped {
	return &Piped{in: bufio.NewReader(in), prompts: prompts}
}

// Next implements [Lines].
func (p *Piped) Next(ctx context.Context, prompt string) (string, bool, error) {
	if p.prompts != nil {
		_, _ = io.WriteString(p.prompts, prompt)
	}
	got := p.awaited.next(ctx, func() line {
		text, err := p.in.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		return line{text: strings.TrimRight(text, "\r\n"), err: err}
	})
	return got.text, got.more, got.err
}

// Terminal are lines that a person edits.
type Terminal struct {
	in      *os.File
	out     *os.File
	editor  *term.Terminal
	awaited awaited
}

// NewTerminal reads from a terminal.
func NewTerminal(in, out *os.File) *Terminal {
	both := struct {
		io.Reader
		io.Writer
	}{in, out}
	return &Terminal{in: in, out: out, editor: term.NewTerminal(both, "")}
}

// Next implements [Lines]. The terminal is given back as it was before anything else is shown.
func (t *Terminal) Next(ctx context.Context, prompt string) (string, bool, error) {
	before, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return "", false, err
	}
	defer func() { _ = term.Restore(int(t.in.Fd()), before) }()
	if width, height, err := term.GetSize(int(t.out.Fd())); err == nil {
		_ = t.editor.SetSize(width, height)
	}
	t.editor.SetPrompt(prompt)
	t.editor.SetBracketedPasteMode(true)
	defer t.editor.SetBracketedPasteMode(false)
	got := t.awaited.next(ctx, func() line {
		text, err := t.editor.ReadLine()
		if errors.Is(err, term.ErrPasteIndicator) { // a line end that was pasted does not send what stands before it
			return line{text: text, more: true}
		}
		return line{text: text, err: err}
	})
	if got.err != nil {
		_, _ = io.WriteString(t.out, "\r\n")
	}
	return got.text, got.more, got.err
}
