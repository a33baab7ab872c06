package cohere

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// answer is V2ChatResponse of the SDK as far as it is read here.
type answer struct {
	ID           string `json:"id"`
	FinishReason string `json:"finish_reason"`
	Message      *struct {
		Content   []content  `json:"content"`
		ToolPlan  string     `json:"tool_plan"`
		ToolCalls []toolCall `json:"tool_calls"`
		Citations []citation `json:"citations"`
	} `json:"message"`
	Usage    json.RawMessage `json:"usage"`
	Logprobs []logprob       `json:"logprobs"`
}

type content struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Thinking string `json:"thinking"`
}

type toolCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type citation struct {
	Start        int    `json:"start"`
	End          int    `json:"end"`
	ContentIndex int    `json:"content_index"`
	Type         string `json:"type"`
	Sources      []struct {
		Type     string                     `json:"type"`
		ID       string                     `json:"id"`
		Document map[string]json.RawMessage `json:"document"`
	} `json:"sources"`
}

// canonical gives a citation for each source. Start and end count the characters of the text that the citation belongs to.
func (c citation) canonical() []llm.Citation {
	var list []llm.Citation
	for _, source := range c.Sources {
		one := llm.Citation{Start: c.Start, End: c.End, Title: word(source.Document, "title"), URL: word(source.Document, "url")}
		one.Text = word(source.Document, "snippet")
		if one.Text == "" {
			one.Text = word(source.Document, "text")
		}
		if number, ok := strings.CutPrefix(source.ID, documentID); ok && source.Type != "tool" {
			if n, err := strconv.Atoi(number); err == nil && n >= 0 {
				one.Document = &n
			}
		}
		if one.Title == "" && one.URL == "" && one.Document == nil {
			one.Title = source.ID // of a tool's result
		}
		list = append(list, one)
	}
	return list
}

func word(members map[string]json.RawMessage, name string) string {
	var text string
	_ = json.Unmarshal(members[name], &text)
	return text
}

// logprob is a piece of text with the log probabilities of its tokens.
type logprob struct {
	Text     string    `json:"text"`
	Logprobs []float64 `json:"logprobs"`
}

// canonical is the piece as if it were one token: Cohere does not say where in it the tokens end.
func (l logprob) canonical() llm.TokenLogprob {
	token := llm.TokenLogprob{Token: l.Text}
	for _, one := range l.Logprobs {
		token.Logprob += one
	}
	return token
}

// fromUsage reads what was used (tokens), not what is billed for it (billed_units), which leaves out what Cohere adds to a
// prompt. Cached tokens are among the input's.
func fromUsage(raw json.RawMessage) (llm.Usage, bool) {
	type counts struct {
		Input  float64 `json:"input_tokens"`
		Output float64 `json:"output_tokens"`
	}
	var counted struct {
		Tokens counts  `json:"tokens"`
		Billed counts  `json:"billed_units"`
		Cached float64 `json:"cached_tokens"`
	}
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &counted) != nil {
		return llm.Usage{}, false
	}
	used := counted.Tokens
	if used == (counts{}) {
		used = counted.Billed
	}
	usage := llm.Usage{InputTokens: whole(used.Input), OutputTokens: whole(used.Output), Raw: raw}
	usage.CacheReadTokens = min(whole(counted.Cached), usage.InputTokens)
	return usage, true
}

// whole is a count, which the API writes as a decimal.
func whole(number float64) int64 { return int64(min(max(number, 0), 1<<53)) }

// fromFinish follows replay rule 17.
func fromFinish(reason string, calls bool) llm.FinishReason {
	switch {
	case reason == "MAX_TOKENS":
		return llm.FinishLength
	case reason == "ERROR_TOXIC", strings.Contains(reason, "FILTER"):
		return llm.FinishContentFilter
	case calls:
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

// fromAnswer reads an answer in one piece by the steps of a streamed one.
func (c *Client) fromAnswer(got wire.Answer, from llm.Origin) (llm.Response, *llm.Error) {
	if !got.OK() {
		return llm.Response{}, classify(got, c.now())
	}
	d := newDecoder(got, from, c.now)
	var a answer
	err := json.Unmarshal(got.Body, &a)
	if message, _ := parse(got.Body); message != "" { // where an answer has an object
		return llm.Response{}, inBand(got, got.Body, c.now())
	}
	switch {
	case err != nil:
		return llm.Response{}, d.bad("", "the answer is not JSON of the expected form")
	case a.Message == nil:
		return llm.Response{}, d.bad("", llm.EmptyAnswer)
	}
	d.start(a.ID)
	for _, logprob := range a.Logprobs {
		d.held = append(d.held, logprob.canonical())
	}
	for i, piece := range a.Message.Content {
		d.content(i, piece)
		d.contentEnd(i)
	}
	d.plan(a.Message.ToolPlan)
	for i, call := range a.Message.ToolCalls {
		if !d.toolCall(i, call) {
			return llm.Response{}, d.bad("", "a tool call has no name")
		}
	}
	for _, citation := range a.Message.Citations {
		d.cite(citation)
	}
	if failure := d.finish(a.FinishReason, "", a.Usage); failure != nil {
		return llm.Response{}, failure
	}
	var collector llm.Collector
	for _, event := range d.events {
		collector.Add(event)
	}
	return collector.Response(), nil
}
