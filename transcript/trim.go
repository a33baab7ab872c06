package transcript

import "strings"

const (
	// overlapWindow is how far back a model that was told to go on may begin to repeat, in bytes.
	overlapWindow = 400
	// minToldOverlap is the shortest repetition, in bytes, that is taken for one of a model that was told to go on: shorter ones
	// are words that occur twice.
	minToldOverlap = 10
	// minPrefilledOverlap is the same for a model that was made to go on with its own words, which does not repeat them.
	minPrefilledOverlap = 24
)

// trimmer takes out of a continuation what was said before. Models that are told to go on with a text often say its last
// words again, or begin again from its first.
type trimmer struct {
	said string // what the client has, without the blanks at its end
	tail string // those blanks
	min  int
	// whole is the shortest text whose repetition from its first word is taken for one.
	whole int
	held  []byte
	done  bool
}

func newTrimmer(said, sent string, prefilled bool) *trimmer {
	t := &trimmer{said: sent, tail: strings.TrimPrefix(said, sent), min: minToldOverlap, whole: 1}
	if prefilled {
		t.min, t.whole = minPrefilledOverlap, minPrefilledOverlap
	}
	return t
}

// add takes the next piece and gives what of the text is new and certain to be so.
func (t *trimmer) add(text string) string {
	if t.done {
		return text
	}
	t.held = append(t.held, text...)
	held := string(t.held)
	switch {
	case t.repeatsAll(held), t.overlaps(held), t.blank(held):
		return ""
	}
	return t.settle(held, false)
}

// repeatsAll reports whether the text may still be the whole answer from its first word on.
func (t *trimmer) repeatsAll(held string) bool {
	return len(t.said) >= t.whole && len(held) <= len(t.said) && strings.HasPrefix(t.said, held)
}

// overlaps reports whether the text may still become a repetition of the last words.
func (t *trimmer) overlaps(held string) bool {
	window := t.window()
	for from := range window {
		if rest := window[from:]; len(rest) > len(held) && len(rest) >= t.min && strings.HasPrefix(rest, held) {
			return true
		}
	}
	return false
}

// once reports whether a text ends what was said and stands nowhere else in it. Words that have come before may well come
// once more: a refrain is no repetition.
func (t *trimmer) once(text string) bool {
	return strings.Index(t.said, text) == strings.LastIndex(t.said, text)
}

func (t *trimmer) window() string { return t.said[max(0, len(t.said)-overlapWindow):] }

// settle decides what is repeated, once more text cannot change it; last says that there is no more.
func (t *trimmer) settle(held string, last bool) string {
	rest := held
	if len(t.said) >= t.whole && strings.HasPrefix(held, t.said) {
		rest = held[len(t.said):]
	} else if again := t.repeated(held); again > 0 {
		rest = held[again:]
		words, more := strings.TrimSpace(held[:again]), strings.TrimLeft(rest, " \t\r\n")
		switch {
		case strings.HasPrefix(more, words): // and once more: it is a refrain
			rest = held
		case !last && strings.HasPrefix(words, more): // it may become one
			return ""
		}
	}
	t.done, t.held = true, nil
	return t.untail(rest)
}

// repeated is how much of the text repeats the last words; 0 if it may as well be a refrain.
func (t *trimmer) repeated(held string) int {
	window, found := t.window(), 0
	for n := min(len(held), len(window)); n >= t.min; n-- {
		if !strings.HasSuffix(window, held[:n]) {
			continue
		}
		if found > 0 { // the longer repetition ends as it begins
			return 0
		}
		found = n
	}
	if found > 0 && !t.once(strings.TrimSpace(held[:found])) {
		return 0
	}
	return found
}

// blank reports whether the text may be some of the blanks that the client has already.
func (t *trimmer) blank(held string) bool {
	for from := range t.tail {
		if strings.HasPrefix(t.tail[from:], held) {
			return true
		}
	}
	return false
}

// untail takes out the blanks that the client has already: the last of them, as many as come again.
func (t *trimmer) untail(text string) string {
	for from := range t.tail {
		if rest, ok := strings.CutPrefix(text, t.tail[from:]); ok {
			return rest
		}
	}
	return text
}

// rest gives what was kept back and is no repetition.
func (t *trimmer) rest() string {
	if t.done || len(t.held) == 0 {
		return ""
	}
	held := string(t.held)
	again := t.repeatsAll(held) && strings.LastIndex(t.said, held) == 0
	if again || t.blank(held) {
		t.done = true
		return ""
	}
	return t.settle(held, true)
}
