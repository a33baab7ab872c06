package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/holdfast-dev/holdfast/chat"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
)

// page prints what was said for a person to read.
type page struct {
	out   io.Writer
	width int
	// colour dims thoughts; without it a word marks them all the same.
	colour bool
}

// pageWidth is that of a page which is not a terminal, and the most that lines are read well at.
const pageWidth = 100

func newPage(out io.Writer) *page {
	p := &page{out: out, width: pageWidth}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.colour = chat.Colours()
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 20 {
			p.width = min(width, pageWidth)
		}
	}
	return p
}

func (p *page) conversation(head conversationRecord, items []store.ExportedItem) {
	moment := func(t time.Time) string { return t.Local().Format(time.DateTime) }
	p.line("%s  tenant %s, %s, about %s", head.ID, head.Tenant, counted(int(head.Items), "item"), counted(int(head.Tokens), "token"))
	answered := ""
	if head.LastProvider != "" {
		answered = ", last answered by " + head.LastProvider + "/" + head.LastModel
	}
	p.line("  created %s, last turn %s%s", moment(head.CreatedAt), moment(head.LastTurnAt), answered)
	if len(head.Metadata) > 0 {
		p.line("  metadata %s", shortened(metadataOf(head.Metadata), p.width-11))
	}
	if head.Parent != "" {
		p.line("  forked from %s", head.Parent)
	}
	if len(head.Forks) > 0 {
		p.line("  gone on from by %s", strings.Join(head.Forks, ", "))
	}
	if head.Active != "" {
		p.line("  running: %s", head.Active)
	}
	if earlier := head.Items - int64(len(items)); earlier > 0 && len(items) > 0 {
		p.line("\n  %s before: holdfast conversations show %s --last %d", counted(int(earlier), "item"), head.ID, min(head.Items, mostShown))
	}
	for _, item := range items {
		who := string(item.Message.Role)
		if item.Provider != "" {
			who += ", " + item.Provider + "/" + item.Model
		}
		p.line("\n%d  %s, %s\n", item.Seq, who, moment(item.CreatedAt))
		for _, part := range item.Message.Parts {
			p.part(part)
		}
	}
}

func (p *page) line(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

// indent stands before all that was said.
const indent = "    "

func (p *page) part(part llm.Part) {
	switch {
	case part.Type == llm.PartText:
		p.text("", part.Text)
	case part.Type == llm.PartRefusal:
		p.text("refuses: ", part.Text)
	case part.Type == llm.PartReasoning && strings.TrimSpace(part.Text) != "":
		p.dimmed(func() { p.text("thought: ", part.Text) })
	case part.Type == llm.PartReasoning:
		p.dimmed(func() { p.text("", "[a thought that its vendor does not show]") })
	case part.ToolCall != nil:
		p.short("calls " + part.ToolCall.Name + " " + part.ToolCall.Arguments)
	case part.ToolResult != nil:
		what := "result of " + part.ToolResult.CallID + ": "
		if part.ToolResult.IsError {
			what = "error of " + part.ToolResult.CallID + ": "
		}
		p.short(what + part.ToolResult.Content)
		for _, more := range part.ToolResult.Parts {
			p.part(more)
		}
	case part.Media != nil:
		said := "[" + strings.Join(strings.Fields(string(part.Type)+" "+part.Media.MIME+" "+part.Media.Name+" "+part.Media.URL), " ") + "]"
		p.short(said)
	case part.Type == replay.Erased:
		p.short("[erased]")
	default:
		p.short("[" + string(part.Type) + "] " + part.Text)
	}
}

// short is one line, whatever does not fit.
func (p *page) short(text string) { p.line("%s%s", indent, shortened(text, p.width-len(indent))) }

func (p *page) dimmed(show func()) {
	if p.colour {
		_, _ = io.WriteString(p.out, chat.Dim)
		defer func() { _, _ = io.WriteString(p.out, chat.Plain) }()
	}
	show()
}

// text is as many lines as it takes. Those of the writer are kept.
func (p *page) text(mark, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(mark+chat.Visible(text), "\n"), "\n") {
		for _, row := range wrapped(line, p.width-len(indent)) {
			p.line("%s", strings.TrimRight(indent+row, " "))
		}
	}
}

// wrapped breaks a line between words, and within those that are too long for a row. White space at its beginning stays: it may be
// code.
func wrapped(line string, width int) []string {
	if utf8.RuneCountInString(line) <= width {
		return []string{line}
	}
	var rows []string
	row := []rune(line)
	for len(row) > width {
		at := width
		for at > 0 && row[at] != ' ' {
			at--
		}
		if strings.TrimSpace(string(row[:at])) == "" {
			at = width
		}
		rows = append(rows, string(row[:at]))
		row = []rune(strings.TrimLeft(string(row[at:]), " "))
	}
	return append(rows, string(row))
}
