package anthropic

import (
	"encoding/json"
	"strconv"
	"strings"
)

// maxWords bounds what is told of a tool that another gateway's vendor ran.
const maxWords = 8000

// words tells a block of a tool that the vendor ran itself: it can go back to nobody, but what came of it belongs to the
// conversation. Answers of this gateway hold no such blocks.
func (b block) words() string {
	var text string
	if strings.HasSuffix(b.Type, "_tool_use") {
		text = "[" + b.Name
		if input := string(compact(b.Input)); input != "" && input != "null" && input != noInput {
			text += ": " + input
		}
		text += "]"
	} else {
		text = "[" + strings.TrimSuffix(b.Type, "_tool_result") + " result] " + outcome(b.Content)
	}
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	return strings.TrimSpace(text)
}

// finding is a page of a search, or what else such a tool gives.
type finding struct {
	Title     string `json:"title"`
	URL       string `json:"url"`
	Text      string `json:"text"`
	Stdout    string `json:"stdout"`
	Stderr    string `json:"stderr"`
	ErrorCode string `json:"error_code"`
}

// outcome tells what came of a tool: a list of pages or texts, or one thing.
func outcome(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []finding
	if json.Unmarshal(raw, &list) != nil {
		var one finding
		if json.Unmarshal(raw, &one) != nil {
			return ""
		}
		list = []finding{one}
	}
	var lines []string
	for i, f := range list {
		if f.URL != "" {
			lines = append(lines, strconv.Itoa(i+1)+". "+strings.TrimSpace(f.Title+" "+f.URL))
			continue
		}
		if f.ErrorCode != "" {
			lines = append(lines, "error "+f.ErrorCode)
		}
		for _, text := range []string{f.Text, f.Stdout, f.Stderr} {
			if text != "" {
				lines = append(lines, text)
			}
		}
	}
	return strings.Join(lines, "\n")
}
