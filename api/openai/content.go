package openai

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/media"
)

// content is a string, null, or an array of parts.
type content []llm.Part

// part is one of them on the wire. Parts may carry what only answers have (annotations, logprobs): they are read
// leniently, unlike the rest.
type part struct {
	Type         string          `json:"type"`
	Text         string          `json:"text"`
	Refusal      string          `json:"refusal"`
	ImageURL     json.RawMessage `json:"image_url"`
	Detail       string          `json:"detail"` // of input_image
	InputAudio   *inputAudio     `json:"input_audio"`
	File         *file           `json:"file"`
	file                         // of input_file
	CacheControl *cacheControl   `json:"cache_control"`
}

type inputAudio struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

type file struct {
	FileData string `json:"file_data"`
	FileURL  string `json:"file_url"`
	FileID   string `json:"file_id"`
	Filename string `json:"filename"`
}

// cacheControl is Anthropic's, as other gateways take it in this dialect.
type cacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl"`
}

func (c *cacheControl) decode() (*llm.CacheHint, error) {
	switch {
	case c == nil:
		return nil, nil //nolint:nilnil // no hint, and nothing wrong
	case c.Type != "ephemeral" || c.TTL != "" && c.TTL != "5m" && c.TTL != "1h":
		return nil, invalid("messages", "invalid_value", "cache_control is {\"type\": \"ephemeral\"}, with a ttl of 5m or 1h.")
	default:
		return &llm.CacheHint{TTL: c.TTL}, nil
	}
}

func (c *content) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			*c = content{llm.Text(*text)}
		}
		return nil
	}
	var parts []part
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		decoded, err := p.decode()
		if err != nil {
			return err
		}
		if decoded.Cache, err = p.CacheControl.decode(); err != nil {
			return err
		}
		*c = append(*c, decoded)
	}
	return nil
}

func (p part) decode() (llm.Part, error) {
	switch p.Type {
	case "text", "input_text", "output_text":
		return llm.Text(p.Text), nil
	case "refusal":
		return llm.Part{Type: llm.PartRefusal, Text: p.Refusal}, nil
	case "image_url", "input_image":
		return p.image()
	case "input_audio":
		if p.InputAudio == nil {
			return llm.Part{}, invalid("messages", "missing_required_parameter", "A part of type input_audio needs input_audio.")
		}
		return bytesOf(llm.PartAudio, "audio/"+p.InputAudio.Format, p.InputAudio.Data, llm.Media{})
	case "file", "input_file":
		if p.File != nil {
			p.file = *p.File
		}
		return p.document()
	default:
		return llm.Part{}, invalid("messages", "unsupported_value", "Content parts of type '%s' are not supported.", p.Type)
	}
}

// image reads Chat Completions' object, or the plain address of the Responses API.
func (p part) image() (llm.Part, error) {
	image := struct {
		URL    string `json:"url"`
		Detail string `json:"detail"`
	}{Detail: p.Detail}
	if p.FileID != "" {
		return llm.Part{}, invalid("messages", "unsupported_value", "Files by id are one vendor's own: send an image_url.")
	}
	if json.Unmarshal(p.ImageURL, &image.URL) != nil {
		if json.Unmarshal(p.ImageURL, &image) != nil {
			return llm.Part{}, invalid("messages", "invalid_type", "image_url must be an object with a url.")
		}
	}
	if image.Detail == "auto" {
		image.Detail = ""
	}
	if image.Detail != "" && image.Detail != "low" && image.Detail != "high" {
		return llm.Part{}, invalid("messages", "invalid_value", "An image's detail must be auto, low or high.")
	}
	return located(llm.PartImage, image.URL, llm.Media{Detail: image.Detail})
}

func (p part) document() (llm.Part, error) {
	named := llm.Media{Name: p.Filename}
	switch {
	case p.FileID != "":
		return llm.Part{}, invalid("messages", "unsupported_value", "Files by id are one vendor's own: send file_data or file_url.")
	case p.FileURL != "":
		return located(llm.PartDocument, p.FileURL, named)
	case strings.HasPrefix(p.FileData, "data:"):
		return located(llm.PartDocument, p.FileData, named)
	case p.FileData != "":
		return bytesOf(llm.PartDocument, "application/pdf", p.FileData, named)
	default:
		return llm.Part{}, invalid("messages", "missing_required_parameter", "A file part needs file_data or file_url.")
	}
}

// located is a part by its address, which may hold the bytes itself (a data URL).
func located(kind llm.PartType, address string, m llm.Media) (llm.Part, error) {
	rest, inline := strings.CutPrefix(address, "data:")
	if !inline {
		if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
			return llm.Part{}, invalid("messages", "invalid_value", "An address must begin with https://, http:// or data:.")
		}
		m.URL = address
		return llm.Part{Type: kind, Media: &m}, nil
	}
	declared, data, ok := strings.Cut(rest, ",")
	declared, encoded := strings.CutSuffix(declared, ";base64")
	if !ok || !encoded {
		return llm.Part{}, invalid("messages", "invalid_value", "A data URL must be of the form data:TYPE;base64,DATA.")
	}
	return bytesOf(kind, declared, data, m)
}

// bytesOf is a part by its bytes. They are looked at: what a vendor would refuse, or take for something else, goes no further.
func bytesOf(kind llm.PartType, declared, data string, m llm.Media) (llm.Part, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		if raw, err = base64.RawStdEncoding.DecodeString(data); err != nil {
			return llm.Part{}, invalid("messages", "invalid_value", "The %s is not valid base64.", kind)
		}
	}
	var ok bool
	if m.MIME, ok = media.Type(kind, declared, raw); !ok {
		return llm.Part{}, invalid("messages", "invalid_value", "The %s is not of a type that is taken, or not what it is declared to be.", kind)
	}
	m.Data = raw
	return llm.Part{Type: kind, Media: &m}, nil
}
