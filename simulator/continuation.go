package simulator

import (
	"regexp"
	"strings"
)

// Continuation is how a model takes a request to go on with an answer: one that ends with the beginning of an answer, or
// has one message of the user's behind it, whatever that says. What was begun may be another vendor's: the tag that default
// answers begin with, "[openai/gpt-4.1] ", does not count.
type Continuation string

// The ways to go on.
const (
	// ContinuationExact says what is left, from the very next character on. Where nothing is, the answer is empty.
	ContinuationExact Continuation = ""
	// ContinuationRepeat says the whole answer, as if nothing had been begun.
	ContinuationRepeat Continuation = "repeat"
	// ContinuationOverlap says the last three words of what was begun again, and then what is left.
	ContinuationOverlap Continuation = "overlap"
)

// overlapWords is how many words [ContinuationOverlap] says again.
const overlapWords = 3

// blanks are what vendors and adapters cut off the end of an answer that was begun.
const blanks = " \t\r\n"

// begunAnswer is an answer of words alone that ends the conversation, or stands before the user's last message.
type begunAnswer struct {
	text string
	// asked is the user's text before it, results what tools answered then.
	asked   string
	results []string
	// followed says that a message of the user's stands behind it.
	followed bool
	// prefills says that the model goes on with an answer that ends the conversation; repeats that the vendor then sends
	// what was begun again, before what is new.
	prefills, repeats bool
}

// hear takes a user's message, read in the order of the conversation.
func (p *prompt) hear(text string, results []string) {
	if p.begun != nil && (p.begun.followed || len(results) > 0) {
		p.begun = nil
	}
	if p.begun != nil {
		p.begun.followed = true
	}
	p.text, p.results = text, results
}

// say takes a message of the assistant's.
func (p *prompt) say(text string, calls bool) {
	p.begun = nil
	if text != "" && !calls {
		p.begun = &begunAnswer{text: text, asked: p.text, results: p.results}
	}
	p.results = nil
}

// learn takes what a tool answered.
func (p *prompt) learn(result string) {
	p.begun = nil
	p.results = append(p.results, result)
}

// prefill says that the model goes on with an answer at the end of the conversation, which has been read.
func (p *prompt) prefill() {
	if p.begun != nil && !p.begun.followed {
		p.begun.prefills = true
	}
}

// resume finds out whether the call asks to go on with an answer, and what is left of it. An answer by a schema is not gone
// on with: the grammar that makes it begins at the beginning.
func (x *exchange) resume() {
	p := x.call.prompt
	if x.call.Operation != OperationComplete || p == nil || p.begun == nil || p.schema != nil {
		return
	}
	begun := p.begun
	if !begun.followed && !begun.prefills {
		return
	}
	then := *p
	then.text, then.results, then.begun = begun.asked, begun.results, nil
	call := x.call
	call.Text, call.prompt, call.Continues = begun.asked, &then, true
	answer := x.sim.said(call)
	x.call.Continues = begun.prefills
	if answer.Status != 0 || answer.Body != nil || answer.Refusal != "" || len(answer.ToolCalls) > 0 {
		return
	}
	rest, ok := begun.rest(answer.Text)
	if !ok {
		return
	}
	switch x.state.behaviour.Load().Continuation {
	case ContinuationRepeat:
		rest = answer.Text
	case ContinuationOverlap:
		rest = lastWords(untagged(begun.text)) + rest
	case ContinuationExact:
	}
	answer.Text = rest
	x.rest, x.call.Continues = &answer, true
}

// repeat puts what was begun before the answer, where the vendor does so.
func (x *exchange) repeat(answer *shapedAnswer) {
	if begun := x.call.prompt.begun; begun != nil && begun.repeats && len(answer.ToolCalls) == 0 && answer.Refusal == "" {
		answer.Text = begun.text + answer.Text
	}
}

// tag begins a default answer; its last blank may have been cut off.
var (
	tag     = regexp.MustCompile(`^\[[^\]]+\]( |$)`)
	halfTag = regexp.MustCompile(`^\[[^\]]*$`)
)

func untagged(text string) string { return text[len(tag.FindString(text)):] }

// rest is what is left of whole, if b is the beginning of it. Behind an answer with more of the user's words the whole is
// no beginning, but a part of the conversation.
func (b *begunAnswer) rest(whole string) (string, bool) {
	body := untagged(whole)
	if halfTag.MatchString(b.text) && body != whole {
		return whole, true // nobody knows what the tag was to be
	}
	begun := untagged(b.text)
	if begun == "" && !strings.HasSuffix(b.text, " ") {
		body = " " + body // the tag's
	}
	rest, ok := strings.CutPrefix(body, begun)
	if !ok {
		if rest, ok = strings.CutPrefix(body, strings.TrimRight(begun, blanks)); ok {
			rest = strings.TrimLeft(rest, blanks)
		} else if strings.HasPrefix(begun, body) {
			ok = body != "" // a size asked for gives an answer with a longer tag fewer words
		}
	}
	return rest, ok && (rest != "" || !b.followed)
}

// lastWords are the last words of a text, with the blanks before them.
func lastWords(text string) string {
	at := len(strings.TrimRight(text, blanks))
	for range overlapWords {
		at = strings.LastIndexAny(text[:at], blanks)
		if at < 0 {
			return text
		}
		at = len(strings.TrimRight(text[:at], blanks))
	}
	return text[at:]
}
