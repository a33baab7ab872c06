package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/media"
)

// source is where an image or a document is.
type source struct {
	Type      string          `json:"type"`
	MediaType string          `json:"media_type"`
	Data      string          `json:"data"`
	URL       string          `json:"url"`
	FileID    string          `json:"file_id"`
	Content   json.RawMessage `json:"content"`
}

// image reads an image (https://platform.claude.com/docs/en/build-with-claude/vision).
func (b block) image() (llm.Part, error) {
	var transformations struct {
		OversizedImage string `json:"oversized_image"`
	}
	if !absent(b.Transformations) {
		at := under(b.at, "transformations")
		if err := read(at, b.Transformations, &transformations); err != nil {
			return llm.Part{}, err
		}
		if transformations.OversizedImage != "" && transformations.OversizedImage != "downsize" {
			return llm.Part{}, invalid(under(at, "oversized_image"), codeUnsupported, "How large an image may be differs by model: Input should be 'downsize'.")
		}
	}
	s, err := b.source()
	if err != nil {
		return llm.Part{}, err
	}
	var m llm.Media
	switch at := under(b.at, "source"); s.Type {
	case "base64":
		m, err = s.bytes(at, llm.PartImage)
	case "url":
		m, err = s.address(at)
	default:
		err = s.unsupported(at, "'base64' or 'url'")
	}
	if err != nil {
		return llm.Part{}, err
	}
	return b.hinted(llm.Image(m))
}

// document reads a PDF or a text (https://platform.claude.com/docs/en/build-with-claude/pdf-support). What its author says about
// it stands before it.
func (b block) document() ([]llm.Part, error) {
	if err := b.uncited(); err != nil {
		return nil, err
	}
	s, err := b.source()
	if err != nil {
		return nil, err
	}
	var m llm.Media
	switch at := under(b.at, "source"); s.Type {
	case "base64":
		if s.MediaType != "application/pdf" {
			return nil, invalid(under(at, "media_type"), codeValue, "Input should be 'application/pdf'.")
		}
		m, err = s.bytes(at, llm.PartDocument)
	case "text":
		m, err = plain(under(at, "data"), s.Data)
	case "content":
		m, err = s.texts(under(at, "content"))
	case "url":
		m, err = s.address(at)
	default:
		err = s.unsupported(at, "'base64', 'text', 'content' or 'url'")
	}
	if err != nil {
		return nil, err
	}
	m.Name = b.Title
	part, err := b.hinted(llm.Document(m))
	if b.Context == "" {
		return []llm.Part{part}, err
	}
	return []llm.Part{llm.Text(b.Context), part}, err
}

// uncited refuses a document that the answer is to cite: only Anthropic's models would.
func (b block) uncited() error {
	var citations struct {
		Enabled bool `json:"enabled"`
	}
	at := under(b.at, "citations")
	if absent(b.Citations) {
		return nil
	}
	if err := read(at, b.Citations, &citations); err != nil {
		return err
	}
	if citations.Enabled {
		return invalid(under(at, "enabled"), codeUnsupported, "Citations of documents are Anthropic's own: Input should be false.")
	}
	return nil
}

func (b block) source() (source, error) {
	var s source
	at := under(b.at, "source")
	if absent(b.Source) {
		return s, required(at)
	}
	err := read(at, b.Source, &s)
	return s, err
}

func (s source) unsupported(at, expected string) error {
	if s.Type == "file" {
		return invalid(under(at, "type"), codeUnsupported, "Files by id are one vendor's own: send the bytes as base64, or a url.")
	}
	return invalid(under(at, "type"), codeValue, "Input should be %s.", expected)
}

// bytes are those of the source. They are looked at: what a vendor would refuse, or take for something else, goes no further.
func (s source) bytes(at string, kind llm.PartType) (llm.Media, error) {
	raw, err := base64.StdEncoding.DecodeString(s.Data)
	if err != nil {
		if raw, err = base64.RawStdEncoding.DecodeString(s.Data); err != nil {
			return llm.Media{}, invalid(under(at, "data"), codeValue, "The %s is not valid base64.", kind)
		}
	}
	found, ok := media.Type(kind, s.MediaType, raw)
	if !ok {
		return llm.Media{}, invalid(under(at, "data"), codeValue, "The %s is not of a type that is taken, or not what it is declared to be.", kind)
	}
	return llm.Media{MIME: found, Data: raw}, nil
}

func (s source) address(at string) (llm.Media, error) {
	if !strings.HasPrefix(s.URL, "https://") && !strings.HasPrefix(s.URL, "http://") {
		return llm.Media{}, invalid(under(at, "url"), codeValue, "An address must begin with https:// or http://.")
	}
	return llm.Media{URL: s.URL}, nil
}

// plain is a text as a document.
func plain(at, text string) (llm.Media, error) {
	if strings.TrimSpace(text) == "" {
		return llm.Media{}, invalid(at, codeMissing, "A document must not be empty.")
	}
	found, ok := media.Type(llm.PartDocument, "text/plain", []byte(text))
	if !ok {
		return llm.Media{}, invalid(at, codeValue, "The document is not plain text.")
	}
	return llm.Media{MIME: found, Data: []byte(text)}, nil
}

// texts are a document that came in blocks, which are where Anthropic's citations would point: one text, a line each.
func (s source) texts(at string) (llm.Media, error) {
	blocks, err := blocksOf(at, s.Content)
	if err != nil {
		return llm.Media{}, err
	}
	lines := make([]string, 0, len(blocks))
	for _, b := range blocks {
		if b.Type != "text" {
			return llm.Media{}, b.unsupported("A document's content is text: send images by themselves.")
		}
		lines = append(lines, b.Text)
	}
	return plain(at, strings.Join(lines, "\n"))
}
