package activities

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/tokens"
	"github.com/holdfast-dev/holdfast/transcript"
)

// errSilent is why a call is ended whose first or next word did not come in time.
var errSilent = errors.New("silence for longer than is allowed")

// lastKeepTime bounds how long the last words of an attempt that failed are tried to be kept.
const lastKeepTime = 10 * time.Second

// telling is an attempt whose answer is told as it comes.
type telling struct {
	feed *transcript.Feed
	// kept writes the pieces.
	kept *checkpointed
	// resumption is how the attempt takes up what was said before, said what that is.
	resumption failover.Resumption
	said       transcript.Said
	splice     *transcript.Splice
	// prompt is how many tokens the client's request has, by estimate.
	prompt int64
	// alone says that the attempt's answer is all of the answer.
	alone bool
	// own collects the attempt's own answer.
	own  llm.Collector
	held []llm.Event
	// passing says that its first word has come: from then on clients see what it says. It came at firstWord.
	passing   bool
	firstWord time.Time
	now       func() time.Time
	// gate lets one of two calls answer, number is this one's, and won is called if it is the one.
	gate   *gate
	number int
	won    func()
}

// stream asks the provider for its answer event by event and tells it as it comes, from the first piece of content on: until
// then a failure, or silence for too long, is not seen by the client, and another target can take over.
func (a *Activities) stream(ctx context.Context, c modelCall, endpoint Endpoint, request llm.Request) (given, error) {
	feed, leave := a.cfg.Handover.Open(c.in.ID)
	defer leave()
	recorded := &transcript.Log{}
	if c.number > 1 {
		var err error
		if recorded, err = a.cfg.Store.Transcript(ctx, c.in.ID); err != nil {
			return given{}, err
		}
	}
	feed.Write(recorded)
	defer func() {
		if !c.gate.beaten(c.number) { // whoever answers still writes
			feed.Written()
		}
	}()
	t := &telling{
		feed: feed, gate: c.gate, number: c.number, now: a.cfg.Now,
		kept: &checkpointed{feed: feed, fence: c.fence, number: c.number, kept: recorded.End().At},
	}
	if c.gate == nil {
		defer a.calls.keeping(t.kept)()
	} else { // of two calls, only that which answers is kept
		end := func() {}
		defer func() { end() }()
		t.won = func() { end = a.calls.keeping(t.kept) }
	}
	request = t.take(c, endpoint, request)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := &patience{limit: cmp.Or(c.candidate.Silence, c.candidate.Timeout)}
	patience.timer = time.AfterFunc(patience.limit, func() { cancel(errSilent) })
	defer patience.timer.Stop()
	err := t.tell(endpoint.Provider.Stream(ctx, endpoint.Key, request), patience)
	if c.gate.beaten(c.number) {
		return given{}, beaten(c.candidate)
	}
	if err == nil && !t.complete() { // an answer without a word is none, and one that came too late is not waited for
		err = &llm.Error{Kind: llm.KindBadOutput, Provider: c.candidate.Provider, Detail: llm.EmptyAnswer}
	}
	if err != nil {
		if errors.Is(context.Cause(ctx), errSilent) {
			err = &llm.Error{Kind: llm.KindTimeout, Provider: c.candidate.Provider, Detail: errSilent.Error()}
		}
		return a.brokenOff(ctx, t, request), err
	}
	got := t.answer(request)
	a.keepOrder(ctx, t, got.answer)
	return got, nil
}

// take decides how the attempt takes up what was said before, and gives the request that asks for it.
func (t *telling) take(c modelCall, endpoint Endpoint, request llm.Request) llm.Request {
	before := t.feed.Snapshot()
	t.said = before.Said()
	t.resumption = failover.Resume(c.in.Recovery, shown(t.said, request))
	way := transcript.Way{}
	switch t.resumption {
	case failover.ResumeContinue:
		t.prompt = tokens.Estimate(request).About
		prefiller, ok := endpoint.Provider.(llm.Prefiller)
		way = transcript.Way{Into: &t.said, Sent: sendable(t.said.Text), Prefilled: ok && prefiller.Prefills(request), Parts: before.Parts()}
		request = continued(request, way.Sent, way.Prefilled)
	case failover.ResumeFresh: // thoughts may have been seen, which others follow
		way.Parts = before.Parts()
	case failover.ResumeRestart:
	}
	t.alone = way.Into == nil && len(way.Parts) == 0
	t.splice = transcript.NewSplice(way)
	return request
}

// shown is what clients have seen, as far as it matters for what comes next.
func shown(said transcript.Said, request llm.Request) failover.Shown {
	structured := request.ResponseFormat != nil && request.ResponseFormat.Type != llm.FormatText
	several := request.N != nil && *request.N > 1
	switch {
	case !said.Anything:
		return failover.ShownNothing
	case said.Continuable() && !structured && !several:
		return failover.ShownText
	default:
		return failover.ShownFixed
	}
}

// patience ends a call whose provider is silent for too long.
type patience struct {
	limit time.Duration
	timer *time.Timer
}

// heard begins the wait for the next word; it says false if the wait for this one was over.
func (p *patience) heard() bool {
	if !p.timer.Stop() {
		return false
	}
	p.timer.Reset(p.limit)
	return true
}

// tell passes the events on, for as long as there is patience.
func (t *telling) tell(events func(func(llm.Event, error) bool), patience *patience) error {
	for event, err := range events {
		if err != nil {
			if t.nothingLeft(err) {
				return nil
			}
			return err
		}
		t.own.Add(event)
		if t.passing {
			if event.Type != llm.EventUsage { // a count is no word
				patience.heard()
			}
			t.feed.Append(t.splice.Next(event)...)
			continue
		}
		t.held = append(t.held, event)
		if !event.Output() || !patience.heard() { // too late: the call is being ended
			continue
		}
		if !t.gate.claim(t.number) {
			return nil
		}
		t.begin()
	}
	if t.passing {
		t.feed.Append(t.splice.End()...)
	}
	return nil
}

// begin tells the first word, and what came with it.
func (t *telling) begin() {
	t.passing, t.firstWord = true, t.now()
	if t.won != nil {
		t.feed.Write(&transcript.Log{}) // the other call may have ended the writing
		t.won()
	}
	if t.resumption == failover.ResumeRestart {
		t.feed.Append(llm.Event{Type: transcript.Restart})
	}
	for _, event := range t.held {
		t.feed.Append(t.splice.Next(event)...)
	}
	t.held = nil
}

// complete says whether there is an answer.
func (t *telling) complete() bool {
	return t.passing || t.resumption == failover.ResumeContinue && t.own.Response().FinishReason != ""
}

// nothingLeft says whether the attempt was asked to go on with an answer and found it finished: an empty answer is one then.
func (t *telling) nothingLeft(err error) bool {
	failure, ok := errors.AsType[*llm.Error](err)
	if !ok || t.passing || t.resumption != failover.ResumeContinue || !failure.Empty() {
		return false
	}
	t.own.Add(llm.Event{Type: llm.EventFinish, FinishReason: llm.FinishStop, NativeFinishReason: failure.Code})
	return true
}

// answer is the whole answer: what was said before the attempt, and by it.
func (t *telling) answer(request llm.Request) given {
	own := counted(request, t.own.Response())
	if t.alone {
		return given{answer: own, usage: own.Usage, firstWord: t.firstWord}
	}
	collector := t.feed.Snapshot().Collect()
	collector.Add(llm.Event{Type: llm.EventFinish, FinishReason: own.FinishReason, NativeFinishReason: own.NativeFinishReason})
	for i, choice := range own.Alternatives {
		collector.Add(llm.Event{Type: llm.EventFinish, Choice: i + 1, FinishReason: choice.FinishReason, NativeFinishReason: choice.NativeFinishReason})
	}
	told := collector.Response()
	answer := own
	answer.Message, answer.Logprobs, answer.Alternatives = told.Message, told.Logprobs, told.Alternatives
	if t.resumption == failover.ResumeContinue {
		answer.Usage = joined(own.Usage, t.said.Text, t.prompt)
	}
	return given{answer: answer, usage: own.Usage, firstWord: t.firstWord}
}

// brokenOff is what there is of an attempt that failed. Its last words are kept, so that whoever goes on knows them.
func (a *Activities) brokenOff(ctx context.Context, t *telling, request llm.Request) given {
	got := given{shown: shown(t.feed.Said(), request), firstWord: t.firstWord}
	partial := t.own.Response()
	if t.passing || partial.Usage.InputTokens > 0 {
		got.usage = produced(request, partial)
	}
	if t.passing {
		keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastKeepTime)
		defer cancel()
		if err := persist(keeping, func(ctx context.Context) error { return a.calls.keep(ctx, t.kept) }); err != nil {
			a.cfg.Logger.WarnContext(ctx, "the last words of an attempt could not be kept", "completion", t.kept.fence.ID, "error", err)
		}
	}
	return got
}

// keepOrder keeps the order in which an answer was told, where it cannot be seen from the answer: parts that came at the same
// time, or an answer that was begun again. The call may have been ended by then, if its provider was silent at the end.
func (a *Activities) keepOrder(ctx context.Context, t *telling, answer llm.Response) {
	if t.feed.End() == transcript.Of(answer).End() {
		return
	}
	log := t.feed.Snapshot()
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastKeepTime)
	defer cancel()
	err := persist(keeping, func(ctx context.Context) error {
		return a.cfg.Store.KeepTranscripts(ctx, []completions.Checkpoint{{
			Fence: t.kept.fence, Number: t.kept.number, Piece: log.Piece(log.Base()), Whole: true,
		}})
	})
	if err != nil { // who comes back to the stream finds other places, and by their checksums is told so
		a.cfg.Logger.WarnContext(ctx, "the order of an answer could not be kept", "completion", t.kept.fence.ID, "error", err)
	}
}
