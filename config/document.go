package config

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document parses the bytes to the root of their one YAML document.
func (r *reader) document(data []byte) *yaml.Node {
	whole := &yaml.Node{Line: 1}
	if len(data) > maxFileBytes {
		r.problem(whole, "", "is larger than %d MiB", maxFileBytes>>20)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.problem(whole, "", "is empty; model_list is required")
		return nil
	case err != nil:
		r.syntax(data, err)
		return nil
	case len(document.Content) == 0:
		r.problem(whole, "", "is empty; model_list is required")
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.problem(&second, "", "a second document begins here; there may be one only")
	case !errors.Is(err, io.EOF):
		r.syntax(data, err)
	}
	return document.Content[0]
}

// syntax reports what the YAML parser says, without what it quotes from the file: an unquoted password that begins with
// an asterisk is an alias to it.
func (r *reader) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		_, text, _ = strings.Cut(rest, ": ")
	}
	for _, quoting := range []string{"anchor", "alias", "tag", "directive"} {
		if strings.Contains(text, quoting) {
			text = "an alias, anchor, tag or directive cannot be understood; a value that begins with * & ! or % needs quotes"
		}
	}
	r.problem(&yaml.Node{Line: brokenLine(data)}, "", "is not YAML: %s", text)
}

// maxSearch bounds the bytes parsed to find a broken line.
const maxSearch = 1 << 20

// brokenLine is the first line after the longest beginning of the file that is good YAML. The parser's own line is often
// that of the list or mapping around the mistake. It searches backwards from where the parser stopped reading.
func brokenLine(data []byte) int {
	feed := &lines{rest: data}
	parses(feed)
	ends := feed.ends
	for line, budget := len(ends), maxSearch; line > 1; line-- {
		beginning := data[:ends[line-2]]
		if budget -= len(beginning); budget < 0 {
			break
		}
		if parses(bytes.NewReader(beginning)) {
			return line
		}
	}
	return max(len(ends), 1)
}

// lines gives out a line at a time, and remembers how far it came.
type lines struct {
	rest []byte
	read int
	ends []int // how many bytes were read at the end of each line
}

func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		return 0, io.EOF
	}
	n := bytes.IndexByte(l.rest, '\n') + 1
	if n == 0 {
		n = len(l.rest)
	}
	n = copy(p, l.rest[:n])
	l.rest, l.read = l.rest[n:], l.read+n
	if len(l.rest) == 0 || p[n-1] == '\n' {
		l.ends = append(l.ends, l.read)
	}
	return n, nil
}

func parses(from io.Reader) bool {
	decoder := yaml.NewDecoder(from)
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
