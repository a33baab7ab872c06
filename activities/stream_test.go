package activities_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// performance is how one call of a talker goes: what it streams, and how it fails then, if it is to.
type performance struct {
	events []llm.Event
	fails  error
	// waits makes it wait, behind its events, until the call is ended.
	waits bool
}

// talker is a provider that goes by a script, and notes what it was asked.
type talker struct {
	llm.Provider
	mu       sync.Mutex
	script   []performance
	asked    []llm.Request
	speaking chan struct{}
	prefills bool
}

func (p *talker) Prefills(llm.Request) bool { return p.prefills }

func (p *talker) Stream(ctx context.Context, _ llm.Secret, request llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		p.mu.Lock()
		next := p.script[0]
		p.script, p.asked = p.script[1:], append(p.asked, request)
		p.mu.Unlock()
		for _, event := range next.events {
			if !yield(event, nil) {
				return
			}
		}
		if next.waits {
			if p.speaking != nil {
				close(p.speaking)
			}
			<-ctx.Done()
			next.fails = &llm.Error{Kind: llm.KindTransient, Provider: "scripted", Detail: "the connection was closed"}
		}
		if next.fails != nil {
			yield(llm.Event{}, next.fails)
		}
	}
}

func opening() []llm.Event {
	return []llm.Event{{Type: llm.EventStart, Model: "m"}, {Type: llm.EventUsage, Usage: &llm.Usage{InputTokens: 7}}, {Type: llm.EventPart, Part: &llm.Part{Type: llm.PartText}}}
}

// says is an answer as far as these words.
func says(words ...string) []llm.Event {
	events := opening()
	for _, word := range words {
		events = append(events, llm.Event{Type: llm.EventDelta, Text: word})
	}
	return events
}

// ends is a whole answer of these words.
func ends(words ...string) []llm.Event {
	return append(says(words...), llm.Event{Type: llm.EventPartEnd}, llm.Event{Type: llm.EventFinish, FinishReason: llm.FinishStop})
}

func brokenStream() *llm.Error { return &llm.Error{Kind: llm.KindStreamBroken, Provider: "scripted"} }

// talks makes the process call a talker at two targets.
func (p *process) talks(script ...performance) *talker {
	t := &talker{Provider: p.provider, script: script}
	p.routes.provider = t
	p.routes.targets = []failover.Target{target("one", 0), target("two", 1)}
	return t
}

// told is the text that a client reads who came at the beginning.
func told(feed *transcript.Feed) string { return feed.Snapshot().Collect().Response().Message.Text() }

func TestAStreamIsPassedOnAndRecordedWhole(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.talks(performance{events: ends(reply, " and more")})
	c := p.acceptStream(failover.RecoveryContinue)
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	result, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	require.Equal(t, reply+" and more", told(watch.Feed()))
	_, err = local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	answer := watch.Outcome().Answer
	require.Equal(t, reply+" and more", answer.Message.Text())
	require.Equal(t, transcript.Of(*answer).End(), watch.Feed().End(), "it can be read back from the record in the same places")
	require.Empty(t, p.provider.Calls(), "it was not asked for the whole answer")
	kept, err := p.record.Transcript(t.Context(), c.ID)
	require.NoError(t, err)
	require.Zero(t, kept.End(), "the answer takes the place of the pieces")
}

func TestAStreamThatBreaksBeforeItsFirstWordIsNotSeen(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.talks(performance{events: opening(), fails: &llm.Error{Kind: llm.KindOverloaded, Provider: "scripted"}})
	c := p.acceptStream(failover.RecoveryFail)
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	_, err := local(p, p.acts.CallModel, p.prepared(c))
	failed, _ := failedAttempt(t, err)
	require.Equal(t, failover.ActionNext, failed.Decision.Action)
	require.Zero(t, watch.Feed().End())
}

// breaks lets the first attempt say "CANARY-ANSWER and" and fail.
func breaks(t *testing.T, p *process, recovery failover.Recovery, request llm.Request, first []llm.Event) (completions.Completion, activities.CallInput, activities.AttemptFailed) {
	t.Helper()
	c := p.take("", recovery, request)
	in := p.prepared(c)
	_, err := local(p, p.acts.CallModel, in)
	failed, _ := failedAttempt(t, err)
	_, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptFailed, attempts[0].State)
	require.True(t, attempts[0].Usage == nil || attempts[0].Usage.Estimated, "what was said before it failed is counted")
	failure, _ := attempts[0].Failure()
	require.Equal(t, failed.Failure.Shown, failure.Shown, "a process that takes over knows of it")
	in.Number, in.Failures, in.Decision = 0, append(in.Failures, failed.Failure), failed.Decision
	return c, in, failed
}

func TestTheNextTargetGoesOnWhereAStreamBroke(t *testing.T) {
	t.Parallel()
	for name, prefills := range map[string]bool{"told": false, "prefilled": true} {
		p := setup(t)
		limit := int64(100)
		request := question()
		request.MaxOutputTokens = &limit
		first := says(reply, " and ")
		talker := p.talks(performance{events: first, fails: brokenStream()}, performance{events: append(ends(" then", " the end"), llm.Event{Type: llm.EventUsage, Usage: &llm.Usage{InputTokens: 40, OutputTokens: 4}})})
		talker.prefills = prefills
		c, in, failed := breaks(t, p, failover.RecoveryContinue, request, first)
		require.Equal(t, failover.ActionNext, failed.Decision.Action, name)
		require.Contains(t, failed.Decision.Reason, "goes on where the answer broke off")

		result, err := remote(p, p.acts.CallModel, in)
		require.NoError(t, err)
		require.Equal(t, 2, result.Number)

		asked := talker.asked[1]
		last := asked.Messages[len(asked.Messages)-1]
		if prefills {
			require.Equal(t, llm.RoleAssistant, last.Role)
		} else {
			require.Equal(t, llm.RoleUser, last.Role)
			last = asked.Messages[len(asked.Messages)-2]
		}
		require.Equal(t, reply+" and", last.Text(), "%s: without the blank at its end", name)
		require.Less(t, *asked.MaxOutputTokens, limit)

		_, err = local(p, p.acts.Record, answered(c, result))
		require.NoError(t, err)
		outcome, err := p.record.Outcome(t.Context(), tenant, c.ID)
		require.NoError(t, err)
		require.Equal(t, reply+" and then the end", outcome.Answer.Message.Text(), name)
		require.Equal(t, llm.FinishStop, outcome.Answer.FinishReason)
		require.True(t, outcome.Answer.Usage.Estimated)
		require.Greater(t, outcome.Answer.Usage.OutputTokens, int64(4), "all of the answer is counted")
		require.Less(t, outcome.Answer.Usage.InputTokens, int64(40), "what was sent again is not the client's prompt")
		_, attempts := p.find(c.ID)
		require.Equal(t, int64(40), attempts[1].Usage.InputTokens, "the attempt's own")
	}
}

func TestWhatCannotBeGoneOnWithFails(t *testing.T) {
	t.Parallel()
	structured := question()
	structured.ResponseFormat = &llm.ResponseFormat{Type: llm.FormatJSONObject}
	call := []llm.Event{{Type: llm.EventStart}, {Type: llm.EventPart, Part: &llm.Part{Type: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "c", Name: "weather"}}}}
	for name, c := range map[string]struct {
		recovery failover.Recovery
		request  llm.Request
		first    []llm.Event
		action   failover.Action
	}{
		"a text, by policy":       {failover.RecoveryFail, question(), says("Hel"), failover.ActionGiveUp},
		"a tool call":             {failover.RecoveryContinue, question(), call, failover.ActionGiveUp},
		"JSON":                    {failover.RecoveryContinue, structured, says("{"), failover.ActionGiveUp},
		"a tool call, begun anew": {failover.RecoveryRestart, question(), call, failover.ActionNext},
		"JSON, begun anew":        {failover.RecoveryRestart, structured, says("{"), failover.ActionNext},
	} {
		p := setup(t)
		p.talks(performance{events: c.first, fails: brokenStream()})
		_, _, failed := breaks(t, p, c.recovery, c.request, c.first)
		require.Equal(t, c.action, failed.Decision.Action, name)
		require.NotEmpty(t, failed.Failure.Shown, name)
	}
}

func TestAnAnswerThatBeginsAgainIsToldSo(t *testing.T) {
	t.Parallel()
	p := setup(t)
	first := says("Half an ans")
	p.talks(performance{events: first, fails: brokenStream()}, performance{events: opening(), fails: brokenStream()}, performance{events: ends(reply)})
	c, in, _ := breaks(t, p, failover.RecoveryRestart, question(), first)
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	_, err := remote(p, p.acts.CallModel, in)
	failed, _ := failedAttempt(t, err)
	require.Equal(t, "Half an ans", told(watch.Feed()), "it is taken back when there is something in its place")
	in.Failures, in.Decision = append(in.Failures, failed.Failure), failed.Decision
	result, err := remote(p, p.acts.CallModel, in)
	require.NoError(t, err)
	require.Equal(t, reply, told(watch.Feed()))
	require.Positive(t, watch.Feed().Base(), "what was said before is taken back")
	reader := transcript.Reader{Cursor: transcript.Cursor{At: 5, Sum: 1}}
	require.Equal(t, transcript.Restart, reader.Read(watch.Feed())[0].Type)

	_, err = local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	kept, err := p.record.Told(t.Context(), c.ID, *watch.Outcome().Answer)
	require.NoError(t, err)
	require.Equal(t, watch.Feed().End(), kept.End(), "a client that comes back finds its place, and that it was taken back")
}

func TestAContinuationWithNothingLeftToSayIsTheEnd(t *testing.T) {
	t.Parallel()
	p := setup(t)
	first := says(reply)
	nothing := []llm.Event{{Type: llm.EventStart}}
	p.talks(performance{events: first, fails: brokenStream()},
		performance{events: nothing, fails: &llm.Error{Kind: llm.KindBadOutput, Provider: "scripted", Detail: llm.EmptyAnswer}})
	c, in, _ := breaks(t, p, failover.RecoveryContinue, question(), first)
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	result, err := remote(p, p.acts.CallModel, in)
	require.NoError(t, err)
	_, err = local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	require.Equal(t, reply, watch.Outcome().Answer.Message.Text())
	require.Equal(t, llm.FinishStop, watch.Outcome().Answer.FinishReason, "the vendor finished its answer in good order")
}

// speaking is a stream that has said "CANARY-ANSWER and" and goes on until its call is ended.
func (p *process) speaking() (completions.Completion, <-chan error) {
	p.t.Helper()
	talker := p.talks(performance{events: says(reply, " and"), waits: true})
	talker.speaking = make(chan struct{})
	c := p.acceptStream(failover.RecoveryContinue)
	in := p.prepared(c)
	ended := make(chan error, 1)
	go func() {
		_, err := p.env.ExecuteLocalActivity(p.acts.CallModel, in)
		ended <- err
	}()
	<-talker.speaking
	return c, ended
}

// A process dies in the middle of an answer that it has kept a part of. The next one goes on from there.
func TestAStreamOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	p := setup(t)
	c, gone := p.speaking()
	require.NoError(t, p.calls.Checkpoint(t.Context()))
	require.NoError(t, p.calls.Checkpoint(t.Context()), "nothing is new")

	heir := p.another()
	second := heir.talks(performance{events: ends(" so on")})
	c = heir.adopt(c)
	plan, err := heir.prepare(c)
	require.NoError(t, err)
	require.True(t, plan.Failures[0].Lost)
	watch := heir.hub.Watch(c.ID, nil)
	defer watch.Close()
	result, err := local(heir, heir.acts.CallModel, call(c, plan))
	require.NoError(t, err)
	require.Equal(t, llm.RoleUser, second.asked[0].Messages[2].Role, "it was told to go on")
	require.Equal(t, reply+" and so on", told(watch.Feed()))
	_, err = local(heir, heir.acts.Record, answered(c, result))
	require.NoError(t, err)
	require.Equal(t, reply+" and so on", watch.Outcome().Answer.Message.Text())

	p.lease.lose()
	refused(t, <-gone, activities.ErrTypeSuperseded)
	require.NoError(t, p.calls.Checkpoint(t.Context()))
	kept, err := p.record.Transcript(t.Context(), c.ID)
	require.NoError(t, err)
	require.Zero(t, kept.End(), "who was judged dead keeps nothing")
}

func TestACancelledCallEndsAtOnceAndKeepsWhatWasSaid(t *testing.T) {
	t.Parallel()
	p := setup(t)
	c, ended := p.speaking()
	_, err := p.record.RequestCancel(t.Context(), tenant, c.ID)
	require.NoError(t, err)
	require.NoError(t, p.calls.CancelRequested(t.Context()), "it may have missed the announcement")
	failed, _ := failedAttempt(t, <-ended)
	require.Equal(t, llm.KindCancelled, failed.Error.Kind)
	require.Equal(t, failover.ActionGiveUp, failed.Decision.Action)

	result, err := local(p, p.acts.Record, activities.RecordInput{
		ID: c.ID, Tenant: tenant, Route: c.Route, Epoch: 1, AcceptedAt: c.AcceptedAt, Failure: failed.Error, Recovery: c.Recovery,
	})
	require.NoError(t, err)
	require.Equal(t, completions.StateCancelled, result.State)
	outcome, err := p.record.Outcome(t.Context(), tenant, c.ID)
	require.NoError(t, err)
	require.Equal(t, reply+" and", outcome.Answer.Message.Text())
	require.Empty(t, outcome.Answer.FinishReason, "an end is not made up")
	require.True(t, outcome.Answer.Usage.Estimated)
	require.Equal(t, int64(7), outcome.Answer.Usage.InputTokens)
	require.Positive(t, outcome.Answer.Usage.OutputTokens)
	_, attempts := p.find(c.ID)
	require.Equal(t, outcome.Answer.Usage.OutputTokens, attempts[0].Usage.OutputTokens)
}

func TestACompletionToBeCancelledIsNotCalledFor(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.talks()
	c := p.acceptStream(failover.RecoveryContinue)
	_, err := p.record.RequestCancel(t.Context(), tenant, c.ID)
	require.NoError(t, err)
	plan, err := p.prepare(c)
	require.NoError(t, err)
	require.True(t, plan.Cancelled)
	require.Zero(t, plan.Number)
	_, err = remote(p, p.acts.CallModel, call(c, plan))
	refused(t, err, activities.ErrTypeCancelled)
}

func TestWhatIsNotStreamedIsAskedForWhole(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.routes.provider = &talker{Provider: p.provider}
	_, err := local(p, p.acts.CallModel, p.prepared(p.accept("")))
	require.Error(t, err, "the scripted provider, which has no step left, was asked for the whole")
	require.Len(t, p.provider.Calls(), 1)
}

func TestASilentStreamIsLeftForTheNextTarget(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.talks(performance{events: opening(), waits: true})
	first := target("one", 0)
	first.Silence = 20 * time.Millisecond
	p.routes.targets = []failover.Target{first, target("two", 1)}
	c := p.acceptStream(failover.RecoveryContinue)
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	_, err := local(p, p.acts.CallModel, p.prepared(c))
	failed, _ := failedAttempt(t, err)
	require.Equal(t, llm.KindTimeout, failed.Error.Kind)
	require.Equal(t, failover.ActionNext, failed.Decision.Action)
	require.Zero(t, watch.Feed().End())
}
