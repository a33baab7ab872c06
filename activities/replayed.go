package activities

import (
	"context"
	"slices"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
	"github.com/holdfast-dev/holdfast/tokens"
)

// asking names the request of a completion.
type asking struct {
	id           string
	tenant       string
	route        string
	conversation string
	streamed     bool
}

// replayed is a whole request: what the client sent, behind what is said again of its conversation.
type replayed struct {
	llm.Request
	// unread are the tokens of the conversation that were not read, since nothing could be done with them.
	unread int64
	// record is nil if there is no conversation, and nothing was left out.
	record *replay.Record
	last   failover.LastAnswer
	// wanted is the place behind what a summary is to stand in for; 0 if none is wanted, or one is there.
	wanted int64
}

// whole reads the request of a completion, and what of its conversation the largest target can be told. The same is read
// whoever reads it, as long as they know of the same targets.
func (a *Activities) whole(ctx context.Context, in asking) (replayed, error) {
	request, here := a.cfg.Handover.Request(in.id)
	if !here {
		var err error
		if request, err = a.cfg.Store.Request(ctx, in.id); err != nil {
			return replayed{}, err
		}
	}
	overflow := request.Overflow
	if overflow == "" {
		overflow = a.cfg.Router.Policy(in.route).Overflow
	}
	drops := overflow == llm.OverflowDropOldest || overflow == llm.OverflowSummarise
	if in.conversation == "" && !drops {
		return replayed{Request: request.Instructed()}, nil
	}
	window := a.room(in, request)
	drops = drops && window > 0
	switch {
	case in.conversation == "" && drops:
		return fit(request, replay.Loaded{}, window, false), nil
	case in.conversation == "":
		return replayed{Request: request.Instructed()}, nil
	}
	enough := window
	if !drops {
		enough = 3 * window // what is longer than that does not fit for certain, however it is counted
	}
	loaded, err := a.cfg.Conversations.Load(ctx, in.conversation, enough)
	if err != nil {
		return replayed{}, err
	}
	if drops && overflow == llm.OverflowSummarise {
		return a.summarised(ctx, in, request, loaded, window)
	}
	if drops {
		return fit(request, loaded, window, true), nil
	}
	whole := replayed{Request: request, unread: loaded.Before, last: lastOf(loaded), record: recordOf(loaded)}
	whole.Messages = append(append(replay.Messages(loaded.System), replay.Messages(loaded.Items)...), request.Messages...)
	whole.Request = whole.Instructed()
	return whole, nil
}

const (
	// defaultAnswer is the room that is left for an answer whose length the request does not bound, in tokens.
	defaultAnswer = 4096
	// foreignShare is how much of a window is filled by OpenAI's count where the tokenizer is another: those of other vendors
	// need up to a quarter more for the same text.
	foreignShare = 0.8
)

// room is how many tokens of a conversation and its turn the largest target of the route can be told, beside the instructions and
// tools and with room for an answer, by OpenAI's tokenizer; 0 if that is not known of a target.
func (a *Activities) room(in asking, request llm.Request) int64 {
	var fallbacks []string
	if request.Routing != nil {
		fallbacks = request.Routing.Fallbacks
	}
	largest := int64(0)
	for _, target := range a.cfg.Router.Targets(in.tenant, in.route, fallbacks, in.streamed) {
		window := target.Facts.ContextTokens
		if target.Ineligible != "" {
			continue
		}
		if window == 0 {
			return 0
		}
		if target.Provider != "openai" && target.Provider != "azure" {
			window = int64(float64(window) * foreignShare)
		}
		largest = max(largest, window)
	}
	answer := min(defaultAnswer, largest/4)
	if request.MaxOutputTokens != nil {
		answer = min(*request.MaxOutputTokens, largest/2)
	}
	beside := tokens.Exact(llm.Request{Tools: request.Tools, Messages: []llm.Message{{Parts: request.Instructions}}}).About
	return max(0, largest-answer-beside)
}

// fit leaves out the oldest exchanges of a conversation, or of a request that stands by itself, for the rest to fit the room. The
// last one stays, whether it fits or not: the vendor says so then.
func fit(request llm.Request, loaded replay.Loaded, room int64, stored bool) replayed {
	items := loaded.Items
	entries := make([]replay.Entry, 0, len(items)+len(request.Messages))
	for _, item := range items {
		entries = append(entries, replay.Entry{Role: item.Message.Role, Tokens: item.Tokens})
	}
	for _, message := range request.Messages {
		entries = append(entries, replay.Entry{Role: message.Role, Tokens: tokens.Exact(llm.Request{Messages: []llm.Message{message}}).About})
	}
	fitted := replayed{Request: request, last: lastOf(loaded)}
	if stored {
		fitted.record = recordOf(loaded)
	}
	system := int64(0)
	for _, item := range loaded.System {
		system += item.Tokens
	}
	start, _ := replay.Start(entries, loaded.Before, system, room)
	messages := append(replay.Messages(items), request.Messages...)
	if start == 0 && loaded.Before == 0 {
		fitted.Messages = messages
		fitted.Request = fitted.Instructed()
		return fitted
	}
	left := loaded.Before
	for _, entry := range entries[:start] {
		left += entry.Tokens
	}
	before := int64(start)
	switch {
	case stored && start < len(items):
		before = items[start].Seq
	case stored:
		before = loaded.Count + 1
	}
	if fitted.record == nil {
		fitted.record = &replay.Record{}
	}
	fitted.record.LeftOut = &replay.LeftOut{
		Before: before, Tokens: left, Window: room, Reason: "the conversation is longer than what any target of the route can hold",
	}
	if loaded.Before == 0 {
		fitted.record.LeftOut.Exchanges = replay.Exchanges(entries[:start])
	}
	fitted.Messages = append(replay.Messages(loaded.System), replay.From(messages, start, nil)...)
	fitted.Request = fitted.Instructed()
	return fitted
}

// changed is what the record says of the conversation that a completion was given, with what it meant that another answers than
// before.
func (a *Activities) changed(ctx context.Context, in RecordInput, success completions.Success) *replay.Record {
	if in.Replay == nil || in.ConversationID == "" {
		return in.Replay
	}
	record := *in.Replay
	if record.LastProvider == "" || record.LastProvider == success.Provider && record.LastModel == success.Model {
		return &record
	}
	loaded, err := a.cfg.Conversations.Load(ctx, in.ConversationID, lookedOver)
	if err != nil { // the answer is recorded all the same
		a.cfg.Logger.WarnContext(ctx, "what a change of provider cost is not in the record", "completion", in.ID, "error", err)
		return &record
	}
	usage := success.Usage
	record.Switch = replay.NewSwitch(
		[2]string{record.LastProvider, record.LastModel}, [2]string{success.Provider, success.Model},
		usage.InputTokens, usage.CacheReadTokens, record.Tokens,
		a.cfg.Router.PromptPrices(record.LastProvider, record.LastModel), a.cfg.Router.PromptPrices(success.Provider, success.Model),
		replay.Lost(replay.Messages(loaded.Items), success.Provider, success.Model),
	)
	return &record
}

// lookedOver is how much of a conversation is looked over for what a new provider is not told, in tokens.
const lookedOver = 200_000

func recordOf(loaded replay.Loaded) *replay.Record {
	return &replay.Record{Items: loaded.Count, Tokens: loaded.Tokens, LastProvider: loaded.LastProvider, LastModel: loaded.LastModel}
}

func lastOf(loaded replay.Loaded) failover.LastAnswer {
	return failover.LastAnswer{Provider: loaded.LastProvider, Model: loaded.LastModel}
}

// leastSummarised is the least room in which a summary has a place: in less, it would leave none for what it is about.
const leastSummarised = 3 * summaryTokens

// summarised leaves out the oldest exchanges, and has a summary stand in for them. If there is none for that place yet, an earlier
// one does, and says that one is wanted.
func (a *Activities) summarised(ctx context.Context, in asking, request llm.Request, loaded replay.Loaded, window int64) (replayed, error) {
	whole := fit(request, loaded, window, true)
	if window < leastSummarised {
		return whole, nil
	}
	fitted := fit(request, loaded, window-summaryTokens, true)
	if whole.record.LeftOut == nil || fitted.record.LeftOut == nil {
		return whole, nil
	}
	left := fitted.record.LeftOut
	summary, err := a.cfg.Conversations.Summary(ctx, in.conversation, left.Before)
	if err != nil {
		return fitted, err
	}
	if summary == nil || summary.FromSeq < left.Before {
		fitted.wanted = left.Before
	}
	if summary != nil && summary.Tokens <= summaryTokens {
		left.Summary = summary.CompletionID
		// Behind the system messages, before the first question.
		at := 0
		for at < len(fitted.Messages) && fitted.Messages[at].Role == llm.RoleSystem {
			at++
		}
		fitted.Messages = slices.Insert(slices.Clone(fitted.Messages), at, summary.Message)
	}
	return fitted, nil
}
