package catalog

import (
	"regexp"
	"strings"
)

var (
	claudePoint  = regexp.MustCompile(`([0-9])\.([0-9])`)
	claudeFour   = regexp.MustCompile(`^(claude-(?:opus|sonnet)-4)-0$`)
	llamaVersion = regexp.MustCompile(`^(?:meta-)?llama-?v?([0-9])(?:[.-]([0-9]+))?(-.*)?$`)
	gemmaVersion = regexp.MustCompile(`^(gemma|phi)-?([0-9])`)
	openAIReason = regexp.MustCompile(`^o[1-9](-|$)`)
)

// Line is the vendor's line that a model is of: claude, gpt, gemini, llama, mistral and so on; empty if the name does not tell.
func Line(model string) string {
	family := read(model).family
	for _, line := range []struct {
		name     string
		prefixes []string
	}{
		{"claude", []string{"claude"}},
		{"gpt", []string{"gpt-", "chatgpt-", "codex-"}},
		{"gemini", []string{"gemini"}},
		{"gemma", []string{"gemma"}},
		{"llama", []string{"llama", "codellama"}},
		{"mistral", []string{
			"mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral", "voxtral", "open-mistral", "open-mixtral",
		}},
		{"command", []string{"command", "c4ai-command"}},
		{"deepseek", []string{"deepseek"}},
		{"qwen", []string{"qwen", "qwq"}},
		{"grok", []string{"grok"}},
		{"kimi", []string{"kimi", "moonshot"}},
		{"nova", []string{"nova-"}},
		{"glm", []string{"glm-"}},
		{"phi", []string{"phi-"}},
		{"jamba", []string{"jamba"}},
	} {
		for _, prefix := range line.prefixes {
			if strings.HasPrefix(family, prefix) {
				return line.name
			}
		}
	}
	if openAIReason.MatchString(family) {
		return "gpt"
	}
	return ""
}

// inLine writes a name as its vendor does, where hosts write it in ways of their own.
func inLine(rest string) string {
	rest = pointAsLetter.ReplaceAllString(quantization.ReplaceAllString(rest, ""), "$1.$2")
	switch {
	case strings.HasPrefix(rest, "claude-"):
		return claudeFour.ReplaceAllString(claudePoint.ReplaceAllString(rest, "$1-$2"), "$1")
	case llamaVersion.MatchString(rest):
		match := llamaVersion.FindStringSubmatch(without(rest, "instruct", "turbo", "lite", "versatile", "instant", "chat", "hf", "maas"))
		if match[2] != "" {
			match[1] += "." + match[2]
		}
		return "llama-" + match[1] + match[3]
	case gemmaVersion.MatchString(rest):
		return without(gemmaVersion.ReplaceAllString(rest, "$1-$2"), "it", "instruct", "maas")
	case strings.HasPrefix(rest, "qwen"), strings.HasPrefix(rest, "deepseek"), strings.HasPrefix(rest, "kimi"), strings.HasPrefix(rest, "gpt-oss"):
		return without(rest, "instruct", "maas", "hf")
	default:
		return rest
	}
}

// without takes words off the end, as long as there are any.
func without(rest string, words ...string) string {
	for again := true; again; {
		again = false
		rest = quantization.ReplaceAllString(rest, "")
		for _, word := range words {
			if before, ok := strings.CutSuffix(rest, "-"+word); ok {
				rest, again = before, true
			}
		}
	}
	return rest
}
