package openai

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// scanner reads JSON of the simple kind that streams consist of, without a copy of it. Its methods say false of what is no JSON,
// and of what is not simple: escapes outside of the text that is looked for, numbers with exponents, deep nesting. Nothing is
// to be concluded from false.
type scanner struct {
	data  []byte
	at    int
	depth int
}

// maxDepth bounds the nesting of what is passed over.
const maxDepth = 16

func (s *scanner) blanks() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// next takes a byte of the grammar, if it is this one.
func (s *scanner) next(c byte) bool {
	if s.at < len(s.data) && s.data[s.at] == c { // mostly there are no blanks
		s.at++
		return true
	}
	s.blanks()
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) atEnd() bool {
	s.blanks()
	return s.at == len(s.data)
}

// object reads an object; member is called behind each name, and reads the value. Names have the letters of the protocol: the
// full decoding takes names in capitals for the same.
func (s *scanner) object(member func(name []byte) bool) bool {
	if !s.next('{') {
		return false
	}
	if s.next('}') {
		return true
	}
	for {
		if name, ok := s.name(); !ok || !member(name) {
			return false
		}
		if !s.next(',') {
			return s.next('}')
		}
	}
}

// name reads a name of small letters, digits and underscores, and the colon behind it.
func (s *scanner) name() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	rest := s.data[s.at:]
	for i, c := range rest {
		switch {
		case c >= 'a' && c <= 'z', c == '_', c >= '0' && c <= '9':
		case c == '"':
			s.at += i + 1
			return rest[:i], s.next(':')
		default:
			return nil, false
		}
	}
	return nil, false
}

// only reads a list of one element.
func (s *scanner) only(element func() bool) bool {
	return s.next('[') && element() && s.next(']')
}

// text passes over a string that means what it holds.
func (s *scanner) text() bool {
	_, escaped, ok := s.quoted()
	return ok && !escaped
}

// decoded reads a string.
func (s *scanner) decoded() (string, bool) {
	s.blanks()
	begin := s.at
	raw, escaped, ok := s.quoted()
	if !ok {
		return "", false
	}
	if !escaped && utf8.Valid(raw) {
		return string(raw), true
	}
	var text string
	err := json.Unmarshal(s.data[begin:s.at], &text)
	return text, err == nil
}

// quoted reads a string's inside.
func (s *scanner) quoted() (inside []byte, escaped, ok bool) {
	if !s.next('"') {
		return nil, false, false
	}
	rest := s.data[s.at:]
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			s.at += i + 1
			return rest[:i], escaped, true
		case c == '\\':
			escaped = true
			i++ // what follows is checked by whoever takes an escaped string
		case c < ' ':
			return nil, false, false
		}
	}
	return nil, false, false
}

func (s *scanner) null() bool { return s.word("null") }

func (s *scanner) word(word string) bool {
	s.blanks()
	if !bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		return false
	}
	s.at += len(word)
	return true
}

// digit reads a number below ten.
func (s *scanner) digit() (int, bool) {
	s.blanks()
	begin := s.at
	if !s.number() || s.at != begin+1 {
		return 0, false
	}
	return int(s.data[begin] - '0'), true
}

// number reads a number without an exponent.
func (s *scanner) number() bool {
	if s.at < len(s.data) && s.data[s.at] == '-' {
		s.at++
	}
	begin := s.at
	if s.digits() == 0 || s.data[begin] == '0' && s.at > begin+1 {
		return false
	}
	if s.at < len(s.data) && s.data[s.at] == '.' {
		s.at++
		return s.digits() > 0
	}
	return true
}

func (s *scanner) digits() int {
	begin := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at - begin
}

// skip reads a value that does not matter.
func (s *scanner) skip() bool {
	if s.depth++; s.depth > maxDepth {
		return false
	}
	defer func() { s.depth-- }()
	s.blanks()
	if s.at == len(s.data) {
		return false
	}
	switch s.data[s.at] {
	case '"':
		return s.text()
	case '{':
		return s.object(func([]byte) bool { return s.skip() })
	case '[':
		return s.skipList()
	case 'n':
		return s.null()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	default:
		return s.number()
	}
}

func (s *scanner) skipList() bool {
	if !s.next('[') {
		return false
	}
	if s.next(']') {
		return true
	}
	for {
		if !s.skip() {
			return false
		}
		if !s.next(',') {
			return s.next(']')
		}
	}
}
