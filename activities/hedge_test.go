package activities_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

// pair is a provider whose models behave each in a way of its own.
type pair struct {
	llm.Provider
	stream   map[string]func(ctx context.Context, yield func(llm.Event, error) bool)
	complete map[string]func(ctx context.Context) (llm.Response, error)
}

func (p *pair) Complete(ctx context.Context, _ llm.Secret, request llm.Request) (llm.Response, error) {
	return p.complete[request.Model](ctx)
}

func (p *pair) Stream(ctx context.Context, _ llm.Secret, request llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) { p.stream[request.Model](ctx, yield) }
}

func silent(ended chan<- struct{}) func(context.Context) (llm.Response, error) {
	return func(ctx context.Context) (llm.Response, error) {
		<-ctx.Done()
		close(ended)
		return llm.Response{}, (&llm.Error{Kind: llm.KindCancelled, Provider: "scripted"}).WithCause(ctx.Err())
	}
}

func answering(text string) func(context.Context) (llm.Response, error) {
	return func(context.Context) (llm.Response, error) { return llmtest.Answer(text).Response, nil }
}

func failsWith(kind llm.Kind, after <-chan struct{}) func(context.Context) (llm.Response, error) {
	return func(context.Context) (llm.Response, error) {
		<-after
		return llm.Response{}, &llm.Error{Kind: kind, Provider: "scripted"}
	}
}

func hedging(t *testing.T, provider *pair) *process {
	t.Helper()
	p := setup(t)
	p.routes.provider = provider
	p.routes.policy.Hedge = &activities.HedgePolicy{After: 10 * time.Millisecond, AtLeast: time.Millisecond}
	return p
}

func TestASecondCallAnswersWhereTheFirstIsLate(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	p := hedging(t, &pair{complete: map[string]func(context.Context) (llm.Response, error){"one-model": silent(ended), "two-model": answering(reply)}})
	c := p.accept("")
	result, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	<-ended // the loser's call is over
	require.Equal(t, 2, result.Number)
	require.True(t, result.Hedged)
	in := answered(c, result)
	in.Hedged = true
	_, err = local(p, p.acts.Record, in)
	require.NoError(t, err)
	completion, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptPossiblyBilled, attempts[0].State, "both are accounted for")
	require.Equal(t, completions.AttemptSucceeded, attempts[1].State)
	require.Contains(t, attempts[1].ChosenBecause, "hedge: no word from scripted/one-model within")
	require.Equal(t, 2, completion.Attempts)
	require.Zero(t, p.routes.health.Measured(callOf("one"), false).InFlight)
}

func TestWhoAnswersInTimeIsCalledAlone(t *testing.T) {
	t.Parallel()
	p := hedging(t, &pair{complete: map[string]func(context.Context) (llm.Response, error){"one-model": answering(reply)}})
	p.routes.policy.Hedge.After = time.Minute
	c := p.accept("")
	result, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	require.False(t, result.Hedged)
	_, attempts := p.find(c.ID)
	require.Len(t, attempts, 1)
}

func TestTheFailureOfOneLeavesTheOther(t *testing.T) {
	t.Parallel()
	under := make(chan struct{})
	provider := &pair{complete: map[string]func(context.Context) (llm.Response, error){
		"one-model": failsWith(llm.KindOverloaded, under),
		"two-model": func(context.Context) (llm.Response, error) {
			close(under) // the first fails while this one is under way
			return llmtest.Answer(reply).Response, nil
		},
	}}
	p := hedging(t, provider)
	c := p.accept("")
	result, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	require.Equal(t, 2, result.Number)
	_, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptFailed, attempts[0].State)
	require.Equal(t, "the hedge goes on", attempts[0].Reason)
}

func TestWhenBothFailBothAreKnown(t *testing.T) {
	t.Parallel()
	under := make(chan struct{})
	provider := &pair{complete: map[string]func(context.Context) (llm.Response, error){
		"one-model": failsWith(llm.KindCredential, under),
		"two-model": func(context.Context) (llm.Response, error) {
			close(under)
			return llm.Response{}, &llm.Error{Kind: llm.KindQuota, Provider: "scripted"}
		},
	}}
	p := hedging(t, provider)
	c := p.accept("")
	_, err := local(p, p.acts.CallModel, p.prepared(c))
	failed, _ := failedAttempt(t, err)
	require.Len(t, failed.Also, 1)
	require.ElementsMatch(t, []llm.Kind{llm.KindCredential, llm.KindQuota}, []llm.Kind{failed.Also[0].Kind, failed.Failure.Kind}, "in either order")
	require.Equal(t, failover.ActionGiveUp, failed.Decision.Action, "neither may be repeated")
	_, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptFailed, attempts[0].State)
	require.Equal(t, completions.AttemptFailed, attempts[1].State)
}

// A stream is of one provider only: of the other not a word is told.
func TestAStreamIsToldByTheFirstToSpeak(t *testing.T) {
	t.Parallel()
	for _, firstWins := range []bool{true, false} {
		events := llm.EventsOf(llmtest.Answer(reply).Response)
		both := make(chan struct{})
		slow := func(ctx context.Context, yield func(llm.Event, error) bool) {
			yield(llm.Event{Type: llm.EventStart}, nil)
			<-ctx.Done()
			yield(llm.Event{}, (&llm.Error{Kind: llm.KindCancelled, Provider: "scripted"}).WithCause(ctx.Err()))
		}
		fast := func(_ context.Context, yield func(llm.Event, error) bool) {
			<-both
			for _, event := range events {
				if !yield(event, nil) {
					return
				}
			}
		}
		provider := &pair{stream: map[string]func(context.Context, func(llm.Event, error) bool){}}
		second := func(next func(context.Context, func(llm.Event, error) bool)) func(context.Context, func(llm.Event, error) bool) {
			return func(ctx context.Context, yield func(llm.Event, error) bool) { close(both); next(ctx, yield) }
		}
		if firstWins {
			provider.stream["one-model"], provider.stream["two-model"] = fast, second(slow)
		} else {
			provider.stream["one-model"], provider.stream["two-model"] = slow, second(fast)
		}
		p := hedging(t, provider)
		c := p.acceptStream(failover.RecoveryContinue)
		watch := p.hub.Watch(c.ID, nil)
		result, err := local(p, p.acts.CallModel, p.prepared(c))
		require.NoError(t, err)
		require.Equal(t, firstWins, result.Number == 1)
		require.True(t, result.Hedged)
		require.Equal(t, reply, watch.Feed().Snapshot().Collect().Response().Message.Text())
		require.False(t, watch.Feed().Writing())
		watch.Close()
		in := answered(c, result)
		in.Hedged = true
		_, err = local(p, p.acts.Record, in)
		require.NoError(t, err)
	}
}
