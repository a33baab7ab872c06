package transcript

import (
	"maps"
	"sort"
	"unicode/utf8"

	"github.com/holdfast-dev/holdfast/llm"
)

// Log is what was said so far. The zero value is empty and ready. It is not safe for concurrent use; a [Feed] is.
//
// It has a form of its own, which the same answer has however it came: a part begins with its first word, the pieces of a
// part that follow each other are one, and the ends that say nothing are left out.
type Log struct {
	// base is the place where the answer begins: behind what was taken back. 0 if nothing was.
	base    int64
	entries []entry
	end     Cursor
	begun   map[place]llm.Part // parts whose first word has not come
	parts   map[int]int        // how many parts each choice has, by the highest index
}

type place struct{ choice, index int }

// entry is an event and the cursor behind it. That of a delta grows until another event comes.
type entry struct {
	event llm.Event
	text  []byte // of a delta, in place of the event's own
	end   Cursor
}

// Entry is an event with the cursor behind it.
type Entry struct {
	llm.Event
	End Cursor
}

// Restart takes back what was said: the answer begins again behind it. No provider sends it.
const Restart llm.EventType = "restart"

// restartGap is how many places are left out where an answer begins again. A process that died may have told its readers more
// than was kept; none of their places may be taken for one in the new answer.
const restartGap = 1 << 20

// Of is the log of an answer that is there already.
func Of(answer llm.Response) *Log {
	log := &Log{}
	for _, event := range llm.EventsOf(answer) {
		log.Append(event)
	}
	return log
}

// End is the cursor behind the last event.
func (l *Log) End() Cursor { return l.end }

// Base is the place where the answer begins: behind what was taken back by an [Restart].
func (l *Log) Base() int64 { return l.base }

// Append adds an event. How a choice finished, and what was used, are not part of a transcript: both are known when there is
// an outcome.
func (l *Log) Append(event llm.Event) {
	switch event.Type {
	case llm.EventStart:
		if len(l.entries) == 0 {
			l.add(llm.Event{Type: llm.EventStart, ID: event.ID, Model: event.Model, Rendering: event.Rendering, Warnings: event.Warnings})
		}
	case llm.EventPart:
		l.begin(event)
	case llm.EventDelta:
		l.delta(event)
	case llm.EventPartEnd:
		if event.Part != nil && (event.Part.Opaque != nil || len(event.Part.Citations) > 0) {
			l.show(event)
			l.add(llm.Event{Type: llm.EventPartEnd, Choice: event.Choice, Index: event.Index, Part: &llm.Part{
				Type: event.Part.Type, Opaque: event.Part.Opaque, Citations: event.Part.Citations,
			}})
		}
	case Restart:
		base := l.end.At + restartGap
		*l = Log{base: base, end: Cursor{At: base}}
	case llm.EventFinish, llm.EventUsage:
	}
}

// begin notes a part. Only a tool call is said at once: its name is something to be read.
func (l *Log) begin(event llm.Event) {
	if event.Part == nil {
		return
	}
	part, text := *event.Part, event.Part.Text
	part.Text, part.Opaque, part.Citations = "", nil, nil
	if part.ToolCall != nil {
		call := *part.ToolCall
		text, call.Arguments = call.Arguments, ""
		part.ToolCall = &call
	}
	if l.begun == nil {
		l.begun = map[place]llm.Part{}
	}
	l.begun[place{event.Choice, event.Index}] = part
	if part.ToolCall != nil || part.Media != nil {
		l.show(event)
	}
	if text != "" {
		l.delta(llm.Event{Type: llm.EventDelta, Choice: event.Choice, Index: event.Index, Text: text})
	}
}

// show adds the beginning of the event's part, if it has only been noted.
func (l *Log) show(event llm.Event) {
	at := place{event.Choice, event.Index}
	part, noted := l.begun[at]
	if !noted {
		return
	}
	delete(l.begun, at)
	if l.parts == nil {
		l.parts = map[int]int{}
	}
	l.parts[event.Choice] = max(l.parts[event.Choice], event.Index+1)
	l.add(llm.Event{Type: llm.EventPart, Choice: event.Choice, Index: event.Index, Part: &part})
}

func (l *Log) delta(event llm.Event) {
	if event.Text == "" && len(event.Logprobs) == 0 {
		return
	}
	l.show(event)
	if last := len(l.entries) - 1; last >= 0 && len(event.Logprobs) == 0 {
		before := &l.entries[last]
		if before.event.Type == llm.EventDelta && before.event.Choice == event.Choice && before.event.Index == event.Index &&
			len(before.event.Logprobs) == 0 {
			before.text = append(before.text, event.Text...)
			l.end = l.end.afterText(before.text[len(before.text)-len(event.Text):])
			before.end = l.end
			return
		}
	}
	text := []byte(event.Text)
	event.Text = ""
	l.end = l.end.afterText(text)
	l.entries = append(l.entries, entry{event: event, text: text, end: l.end})
}

func (l *Log) add(event llm.Event) {
	l.end = l.end.after(event)
	l.entries = append(l.entries, entry{event: event, end: l.end})
}

// Since lists what was said behind a place. A reader that has seen something which was taken back is told so first, by an
// [Restart].
func (l *Log) Since(at int64) []Entry { return l.appendSince(nil, at) }

func (l *Log) appendSince(list []Entry, at int64) []Entry {
	if at > 0 && at < l.base {
		list = append(list, Entry{Event: llm.Event{Type: Restart}, End: Cursor{At: l.base}})
	}
	for i := l.behind(at); i < len(l.entries); i++ {
		list = append(list, l.entries[i].since(at, l.before(i)))
	}
	return list
}

// behind is the index of the first entry that ends behind the place.
func (l *Log) behind(at int64) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].end.At > at })
}

// before is the cursor in front of an entry.
func (l *Log) before(i int) Cursor {
	if i == 0 {
		return Cursor{At: l.base}
	}
	return l.entries[i-1].end
}

// since is the part of an entry that lies behind a place.
func (e *entry) since(at int64, begins Cursor) Entry {
	event := e.event
	if event.Type == llm.EventDelta {
		from := snap(e.text, at-begins.At)
		event.Text = string(e.text[from:])
		if from > 0 {
			event.Logprobs = nil // they are those of the whole
		}
	}
	return Entry{Event: event, End: e.end}
}

// snap moves a place inside a text behind the character that it tears apart.
func snap(text []byte, at int64) int {
	from := int(max(0, min(at, int64(len(text)))))
	for from < len(text) && from > 0 && !utf8.RuneStart(text[from]) {
		from++
	}
	return from
}

// Split cuts a text at a place inside it, behind the character that the place tears apart.
func Split(text string, at int64) (before, behind string) {
	from := snap([]byte(text), at)
	return text[:from], text[from:]
}

// Locate is the cursor at a place: ok is false if nothing was said there yet, or if the place lies in what was taken back.
func (l *Log) Locate(at int64) (c Cursor, ok bool) {
	if at == 0 && l.base == 0 {
		return Cursor{}, true
	}
	if at < l.base || at > l.end.At {
		return Cursor{}, false
	}
	i := l.behind(at)
	if i == len(l.entries) {
		return l.end, true
	}
	c = l.before(i)
	if c.At == at {
		return c, true
	}
	return c.afterText(l.entries[i].text[:at-c.At]), true
}

// Continues reports whether this log says all that the other one says, in the same places, and perhaps more.
func (l *Log) Continues(other *Log) bool {
	there, ok := l.Locate(other.end.At)
	return ok && l.base == other.base && there.Sum == other.end.Sum
}

// Clone is a copy of its own.
func (l *Log) Clone() *Log {
	clone := &Log{}
	clone.base, clone.end.At = l.base, l.base
	for _, entry := range l.Since(l.base) {
		clone.Append(entry.Event)
	}
	return clone
}

// Parts says how many parts each choice has.
func (l *Log) Parts() map[int]int {
	return maps.Clone(l.parts)
}

// Collect puts together what was said, into a collector that then takes how it finished.
func (l *Log) Collect() *llm.Collector {
	var collector llm.Collector
	for _, entry := range l.Since(l.base) {
		collector.Add(entry.Event)
	}
	return &collector
}

// truncate takes back what lies behind a place, for what stands there instead.
func (l *Log) truncate(at int64) {
	kept := l.Since(l.base)
	base := l.base
	*l = Log{base: base, end: Cursor{At: base}}
	for _, entry := range kept {
		if over := entry.End.At - at; over > 0 {
			if entry.Type != llm.EventDelta || over >= int64(len(entry.Text)) {
				return
			}
			entry.Text = entry.Text[:int64(len(entry.Text))-over]
		}
		l.Append(entry.Event)
	}
}

// Said is how far the answer has come, as far as going on with it is concerned.
type Said struct {
	// Anything says that a part of the answer was said: thoughts do not count, for further ones may follow them.
	Anything bool
	// Text is all of it where it is text and nothing else, in one answer: such a text can be gone on with.
	Text string
	// part is the index of the part that the text ends in; -1 if its next word begins another.
	part int
	fits bool
}

// Continuable reports whether another attempt can go on behind the last word.
func (s Said) Continuable() bool { return s.Anything && s.fits }

// Said tells how far the answer has come.
func (l *Log) Said() Said {
	said := Said{part: -1, fits: true}
	kinds := map[place]llm.PartType{}
	var text []byte
	for i := range l.entries {
		e := &l.entries[i]
		at := place{e.event.Choice, e.event.Index}
		said.fits = said.fits && e.event.Choice == 0
		switch e.event.Type {
		case llm.EventPart:
			kinds[at] = e.event.Part.Type
			if kinds[at] == llm.PartReasoning {
				said.part = -1
				continue
			}
			said.Anything = true
			said.fits = said.fits && kinds[at] == llm.PartText
			said.part = e.event.Index
		case llm.EventDelta:
			if kinds[at] == llm.PartText {
				text = append(text, e.text...)
			}
		case llm.EventPartEnd:
			if kinds[at] == llm.PartText {
				said.part = -1
			}
		default:
		}
	}
	said.Text = string(text)
	return said
}

// Piece is what was said behind a place, as it is kept.
type Piece struct {
	From   int64
	Events []llm.Event
}

// Piece is what was said behind a place. One that begins behind a place where nothing was kept stands for an answer that began
// again there.
func (l *Log) Piece(from int64) Piece {
	piece := Piece{From: max(from, l.base)}
	for _, entry := range l.Since(piece.From) {
		piece.Events = append(piece.Events, entry.Event)
	}
	return piece
}

// Apply adds a piece. One that begins before the end takes the place of what stood there: the attempt that said it went on
// from there.
func (l *Log) Apply(piece Piece) {
	switch {
	case piece.From >= l.base && piece.From < l.end.At:
		l.truncate(piece.From)
	case piece.From != l.end.At:
		*l = Log{base: piece.From, end: Cursor{At: piece.From}}
	}
	for _, event := range piece.Events {
		l.Append(event)
	}
}

// From puts pieces together, in the order in which they were kept.
func From(pieces []Piece) *Log {
	log := &Log{}
	for _, piece := range pieces {
		log.Apply(piece)
	}
	return log
}
