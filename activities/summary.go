package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
	"github.com/holdfast-dev/holdfast/tokens"
)

// SummaryWork is a summary that is to be written before a completion's first call: it stands in for the beginning of a
// conversation that is too long to be said again.
type SummaryWork struct {
	// ID is the completion that writes it, which has a record of its own, and Route the route that it is written by.
	ID    string `json:"id"`
	Route string `json:"route"`
	// Before is the place in the log behind what it stands in for.
	Before int64 `json:"before"`
}

// SummaryInput asks for a summary to be accepted.
type SummaryInput struct {
	SummaryWork
	// For is the completion that it is written for.
	For            string    `json:"for"`
	Tenant         string    `json:"tenant"`
	ConversationID string    `json:"conversation"`
	Deadline       time.Time `json:"deadline"`
}

// SummaryAccepted is a summary on its way.
type SummaryAccepted struct {
	WorkflowID string    `json:"workflow_id"`
	AcceptedAt time.Time `json:"accepted_at"`
	Deadline   time.Time `json:"deadline"`
}

const (
	// summaryTokens bounds a summary, and is the room that is left for it.
	summaryTokens = 1024
	// summaryTime is how long one may take to be written, and summaryShare as a share of the time that the completion has which waits
	// for it.
	summaryTime  = time.Minute
	summaryShare = 3
	// summarySource bounds what one is made from where the window of its route is not known, in tokens.
	summarySource = 32_000
	// mostTold is how much of one message goes into a summary, in characters: what a tool gave can be long.
	mostTold = 4000
)

// summariser is what a model is told to do with a conversation.
const summariser = `You keep the memory of a conversation between a user and an assistant that has become too long to be repeated.
Write what the assistant must know to go on as if it remembered all of it: who the user is and what they want, facts, names, numbers,
decisions and their reasons, results of tools that still matter, what is done and what is open. Write in the language of the
conversation, in plain sentences, at most 600 words. Write the memory alone, without a greeting and without a comment.`

// AcceptSummary records a request for a summary as a completion of its own, whose workflow the caller starts. A repetition finds
// what was recorded before.
func (a *Activities) AcceptSummary(ctx context.Context, in SummaryInput) (SummaryAccepted, error) {
	asking, _, err := a.cfg.Store.Find(ctx, in.Tenant, in.For)
	if err != nil {
		return SummaryAccepted{}, a.refused(in.For, err)
	}
	request, err := a.summaryRequest(ctx, in)
	if err != nil {
		return SummaryAccepted{}, a.refused(in.For, err)
	}
	instance, _ := a.cfg.Lease.Current()
	now := a.cfg.Now()
	accepted := SummaryAccepted{
		WorkflowID: completions.WorkflowID(in.Tenant, in.ID, ""), AcceptedAt: now,
		Deadline: now.Add(min(summaryTime, max(0, in.Deadline.Sub(now)/summaryShare))),
	}
	_, err = a.cfg.Store.Accept(ctx, completions.Acceptance{
		ID: in.ID, Tenant: in.Tenant, WorkflowID: accepted.WorkflowID, Fingerprint: []byte(in.ID), Dialect: completions.DialectSummary,
		Route: in.Route, About: in.ConversationID, InstanceID: instance, AcceptedAt: now, Deadline: accepted.Deadline, Request: request,
		EndUser: asking.EndUser,
	})
	if err != nil {
		return SummaryAccepted{}, a.refused(in.For, err)
	}
	return accepted, nil
}

// summaryRequest asks for a summary of what lies before a place: of the last summary and what came after it, as far as the route's
// models can read so much.
func (a *Activities) summaryRequest(ctx context.Context, in SummaryInput) (llm.Request, error) {
	most := int64(summaryTokens)
	request := llm.Request{Model: in.Route, MaxOutputTokens: &most, Instructions: []llm.Part{llm.Text(summariser)}}
	source := a.room(asking{id: in.ID, tenant: in.Tenant, route: in.Route}, request)
	if source == 0 {
		source = summarySource
	}
	earlier, err := a.cfg.Conversations.Summary(ctx, in.ConversationID, in.Before)
	if err != nil {
		return request, err
	}
	after := int64(0)
	var told []string
	if earlier != nil {
		after = earlier.FromSeq - 1
	}
	before, left := in.Before, source*3/4
	for left > 0 && before > after+1 {
		page, err := a.cfg.Conversations.ItemsBackward(ctx, in.ConversationID, before, summaryPage)
		if err != nil {
			return request, err
		}
		for _, item := range page {
			text := tell(item.Message)
			if before = item.Seq; before <= after {
				break
			}
			if left -= tokens.Exact(llm.Request{Messages: []llm.Message{{Parts: []llm.Part{llm.Text(text)}}}}).About; left > 0 {
				told = append(told, text)
			}
		}
		if len(page) < summaryPage {
			break
		}
	}
	slices.Reverse(told)
	if earlier != nil {
		told = append([]string{"The memory so far:\n" + earlier.Message.Text()}, told...)
	}
	request.Messages = []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("<conversation>\n" + strings.Join(told, "\n\n") + "\n</conversation>")}}}
	return request, nil
}

// summaryPage is how many items are read at a time.
const summaryPage = 64

// tell is a message in words, for a model that reads of it.
func tell(message llm.Message) string {
	var told []string
	for _, part := range message.Parts {
		switch {
		case part.ToolCall != nil:
			told = append(told, fmt.Sprintf("(calls %s with %s)", part.ToolCall.Name, cut(part.ToolCall.Arguments)))
		case part.ToolResult != nil:
			told = append(told, cut(part.ToolResult.Content))
		case part.Media != nil:
			told = append(told, fmt.Sprintf("(%s %s)", part.Type, part.Media.Name))
		case part.Type == llm.PartReasoning: // what was thought has led to what was said
		case part.Text != "":
			told = append(told, cut(part.Text))
		}
	}
	return string(message.Role) + ": " + strings.Join(told, "\n")
}

// cut keeps the beginning and the end of a long text.
func cut(text string) string {
	characters := []rune(text)
	if len(characters) <= mostTold {
		return text
	}
	return string(characters[:mostTold/2]) + " … " + string(characters[len(characters)-mostTold/2:])
}

// remembered says before a summary what it is.
const remembered = "What was said before, in short, since all of it would be too long:\n\n"

// takeSummary keeps what a summary's completion has written, if it has.
func (a *Activities) takeSummary(ctx context.Context, tenant, conversation string, work SummaryWork) error {
	outcome, err := a.cfg.Store.Outcome(ctx, tenant, work.ID)
	if errors.Is(err, completions.ErrNotFound) || err == nil && (outcome.Answer == nil || outcome.Completion.State != completions.StateSucceeded) {
		return nil
	}
	if err != nil {
		return err
	}
	message := llm.Message{Role: llm.RoleUser, Parts: []llm.Part{llm.Text(remembered + within(outcome.Answer.Message.Text(), summaryTokens))}}
	return a.cfg.Conversations.KeepSummary(ctx, conversation, replay.Summary{
		FromSeq: work.Before, CompletionID: work.ID, Message: message, Tokens: tokens.Exact(llm.Request{Messages: []llm.Message{message}}).About,
	})
}

// within cuts off what a model has said beyond what it was asked for.
func within(text string, limit int64) string {
	for {
		characters := []rune(text)
		count := tokens.Exact(llm.Request{Messages: []llm.Message{{Parts: []llm.Part{llm.Text(remembered + text)}}}}).About
		if count <= limit {
			return text
		}
		text = string(characters[:int64(len(characters))*limit*9/10/count])
	}
}
