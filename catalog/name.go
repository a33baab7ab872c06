package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// latest stands for the date in a name that leads to whatever snapshot is newest.
const latest = "latest"

// name is what a model's name at some host says.
type name struct {
	family string
	// region is Bedrock's word before a model that is called across regions: us, eu, global.
	region string
	// date is the snapshot's, as 20250929, or latest; short says that it was one of four digits or fewer, whose year is a guess.
	date  string
	short bool
	// tuned says that it is somebody's own version of the model.
	tuned bool
}

var (
	regionPrefix = regexp.MustCompile(`^(us|us-gov|eu|apac|ap|jp|au|ca|sa|global)\.`)
	vendorPrefix = regexp.MustCompile(`^(anthropic|amazon|meta|mistral|cohere|ai21|openai|qwen|moonshot|google|nvidia|minimax)\.`)
	// Bedrock's versions, with the context length that some have behind.
	versionSuffix = regexp.MustCompile(`-v?[0-9]+:[0-9].*$`)
	sizeTag       = regexp.MustCompile(`^[a-z]?[0-9][0-9.x]*[bm]`)
	quantization  = regexp.MustCompile(`-(q[0-9].*|fp16|fp8|bf16|int4|int8|awq|gptq)$`)
	pointAsLetter = regexp.MustCompile(`([0-9])p([0-9])`)

	isoDate   = regexp.MustCompile(`-(20[0-9]{2})-([0-9]{2})-([0-9]{2})$`)
	plainDate = regexp.MustCompile(`-(20[0-9]{6})$`)
	monthYear = regexp.MustCompile(`-([0-9]{2}-20[0-9]{2})$`)
	shortDate = regexp.MustCompile(`-((0[1-9]|1[0-2])[0-3][0-9]|2[3-9](0[1-9]|1[0-2]))$`)
	// Vendors that count their snapshots.
	claudeVersion = regexp.MustCompile(`-v[0-9]$`)
	geminiVersion = regexp.MustCompile(`^(gemini-[0-9].*)-(00[0-9])$`)
)

// Family is the model that a name at any host stands for, without host, date, version or size of its numbers: claude-sonnet-4-5 for
// us.anthropic.claude-sonnet-4-5-20250929-v1:0. Two names of one family are the same model elsewhere. A name that says nothing of
// this kind, or of a tuned version, is its own family.
func Family(model string) string {
	n := read(model)
	if n.tuned {
		return strings.ToLower(model)
	}
	return n.family
}

// read takes a name apart.
func read(model string) name {
	var n name
	rest := strings.ToLower(strings.TrimSpace(model))
	if base, ok := strings.CutPrefix(rest, "ft:"); ok {
		n.tuned = true
		rest, _, _ = strings.Cut(base, ":")
	}
	rest = rest[strings.LastIndexByte(rest, '/')+1:]
	if match := regionPrefix.FindStringSubmatch(rest); match != nil {
		n.region, rest = match[1], rest[len(match[0]):]
	}
	if after, ok := strings.CutPrefix(rest, "deepseek."); ok {
		rest = "deepseek-" + after
	}
	rest = vendorPrefix.ReplaceAllString(rest, "")
	if strings.Contains(rest, "embed") {
		// Of these every mark tells models apart: vectors of two versions do not mix.
		n.family = strings.TrimSuffix(rest, ":0")
		return n
	}
	rest = tagged(rest)
	rest, at, dated := strings.Cut(rest, "@")
	if rest = n.snapshot(rest); dated && at != "default" {
		n.date = at
	}
	n.family = inLine(rest)
	return n
}

// tagged takes off what stands behind a colon, but for the size that Ollama writes there.
func tagged(rest string) string {
	rest = versionSuffix.ReplaceAllString(rest, "")
	before, tag, ok := strings.Cut(rest, ":")
	switch {
	case !ok:
		return rest
	case sizeTag.MatchString(tag):
		return before + "-" + tag
	case slices.Contains([]string{latest, "free", "nitro", "floor", "online", "beta", "extended", "exacto", "thinking", "cloud"}, tag):
		return before
	default:
		return rest
	}
}

// snapshot takes the date off.
func (n *name) snapshot(rest string) string {
	if isClaude := strings.HasPrefix(rest, "claude-"); isClaude || strings.HasPrefix(rest, "nova-") {
		rest = claudeVersion.ReplaceAllString(rest, "")
	}
	if before, ok := strings.CutSuffix(rest, "-"+latest); ok {
		n.date = latest
		return before
	}
	for _, form := range []*regexp.Regexp{isoDate, plainDate, monthYear, shortDate} {
		if match := form.FindStringSubmatch(rest); match != nil {
			n.short = form == shortDate
			n.date = strings.ReplaceAll(match[0], "-", "")
			return strings.TrimSuffix(rest, match[0])
		}
	}
	if match := geminiVersion.FindStringSubmatch(rest); match != nil {
		n.short, n.date = true, match[2]
		return match[1]
	}
	return rest
}
