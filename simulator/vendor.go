package simulator

import (
	"errors"
	"fmt"
)

// Vendor names whose protocol is spoken.
type Vendor string

// The vendors.
const (
	OpenAI    Vendor = "openai"
	Anthropic Vendor = "anthropic"
	Gemini    Vendor = "gemini"
)

// ErrUnknownVendor says that a name is not one of [Vendors].
var ErrUnknownVendor = errors.New("unknown vendor")

// Vendors lists every vendor once.
func Vendors() []Vendor { return []Vendor{OpenAI, Anthropic, Gemini} }

// ParseVendor turns a name into a [Vendor], or fails with [ErrUnknownVendor].
func ParseVendor(name string) (Vendor, error) {
	for _, vendor := range Vendors() {
		if string(vendor) == name {
			return vendor, nil
		}
	}
	return "", fmt.Errorf("%w %q: want openai, anthropic or gemini", ErrUnknownVendor, name)
}

// defaultModels is what GET models lists when [Options.Models] does not say.
func defaultModels(vendor Vendor) []string {
	switch vendor {
	case OpenAI:
		return []string{"gpt-5.5", "gpt-5.4-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini"}
	case Anthropic:
		return []string{"claude-opus-5", "claude-sonnet-5", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"}
	case Gemini:
		return []string{"gemini-3.6-flash", "gemini-3-pro-preview", "gemini-2.5-pro", "gemini-2.5-flash"}
	default:
		return nil
	}
}
