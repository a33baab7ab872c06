package activities_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

func TestAnAnswerStaysInTheProcessUntilItIsRecorded(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	c := p.accept("")
	request := question()
	watch := p.hub.Watch(c.ID, &request)
	defer watch.Close()
	in := p.prepared(c)
	require.False(t, closed(watch.Calling()))
	result, err := local(p, p.acts.CallModel, in)
	require.NoError(t, err)
	require.Equal(t, activities.CallResult{Number: 1, Provider: "scripted", Model: "one-model", InputTokens: 10, OutputTokens: 5}, result)
	require.True(t, closed(watch.Calling()))
	require.False(t, closed(watch.Moved()) || closed(watch.Done()))
	calls := p.provider.Calls()
	require.Len(t, calls, 1)
	require.Equal(t, llm.Secret(secret), calls[0].Key)
	require.Equal(t, "one-model", calls[0].Request.Model)
	require.Equal(t, question().Messages, calls[0].Request.Messages)
	_, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptStarted, attempts[0].State, "nothing is written between the call and the outcome")

	recorded, err := local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	require.Equal(t, completions.StateSucceeded, recorded.State)
	require.Equal(t, 1, recorded.Attempts)
	<-watch.Done()
	require.Equal(t, reply, watch.Outcome().Answer.Message.Text())
	require.Equal(t, completions.StateSucceeded, watch.Outcome().Completion.State)
	stored, err := p.record.Outcome(t.Context(), tenant, c.ID)
	require.NoError(t, err)
	require.Equal(t, reply, stored.Answer.Message.Text())
	require.Zero(t, p.record.requests, "the request was at hand")
}

func TestWithoutAWatcherTheRequestIsReadFromTheRecord(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	c := p.accept("")
	_, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	require.Equal(t, 1, p.record.requests)
	require.Equal(t, question().Messages, p.provider.Calls()[0].Request.Messages)
}

func TestAConversationIsReplayedBeforeTheTurn(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	conversation := p.conversation()
	c := p.accept(conversation)
	request := question()
	watch := p.hub.Watch(c.ID, &request)
	defer watch.Close()
	result, err := local(p, p.acts.CallModel, p.prepared(c))
	require.NoError(t, err)
	var said []string
	for _, message := range p.provider.Calls()[0].Request.Messages {
		said = append(said, message.Text())
	}
	require.Equal(t, []string{prompt + " before", reply + " before", prompt}, said)
	_, err = local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	items, err := p.log.Items(t.Context(), conversation, 0, 0)
	require.NoError(t, err)
	require.Len(t, items, 4, "the turn alone is appended, not what was replayed")
	require.Equal(t, prompt, items[2].Message.Text())
	require.Equal(t, reply, items[3].Message.Text())
}

func TestAFailedCallIsRecordedWithWhatFollows(t *testing.T) {
	t.Parallel()
	vendor := errors.New(prompt + reply + secret) // a vendor's text may quote anything
	failure := (&llm.Error{Kind: llm.KindOverloaded, Provider: "scripted", Status: 503, Code: "busy", RequestID: "req-1"}).WithCause(vendor)
	p := setup(t, llmtest.Step{Err: failure})
	c := p.accept("")
	watch := p.hub.Watch(c.ID, nil)
	defer watch.Close()
	_, err := local(p, p.acts.CallModel, p.prepared(c))
	failed, app := failedAttempt(t, err)
	require.Equal(t, "overloaded", app.Type())
	require.True(t, app.NonRetryable())
	require.Equal(t, 1, failed.Number)
	require.Equal(t, failover.ActionNext, failed.Decision.Action)
	require.Equal(t, 1, failed.Decision.Candidate)
	require.Equal(t, "one", failed.Failure.Deployment)
	require.Equal(t, 503, failed.Error.Status)
	require.True(t, closed(watch.Moved()), "from here on the client waits for whoever ends it")

	_, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptFailed, attempts[0].State)
	require.Equal(t, llm.KindOverloaded, attempts[0].Error.Kind)
	require.Equal(t, "req-1", attempts[0].Error.RequestID)
	require.Equal(t, failover.ActionNext, attempts[0].Decision)
	require.Equal(t, failed.Decision.Reason, attempts[0].Reason)
	require.Contains(t, p.logs.String(), `"kind":"overloaded"`)
	require.Contains(t, p.logs.String(), c.ID)
}

func TestTemporalRepeatsACallOnlyWhenThatIsTheDecision(t *testing.T) {
	t.Parallel()
	repeated := []llm.Kind{
		llm.KindRateLimit, llm.KindOverloaded, llm.KindTransient, llm.KindTimeout, llm.KindStreamBroken, llm.KindBadOutput,
	}
	p := setup(t)
	for _, targets := range []int{1, 2} {
		for _, kind := range llm.Kinds() {
			name := fmt.Sprintf("%s with %d targets", kind, targets)
			p.routes.targets = []failover.Target{target("one", 1), target("two", 2)}[:targets]
			c := p.accept("")
			in := p.prepared(c)
			in.Number = 0
			p.provider.Append(llmtest.Fail(kind), llmtest.Fail(kind))
			_, err := remote(p, p.acts.CallModel, in)
			failed, app := failedAttempt(t, err)
			require.Equal(t, string(kind), app.Type(), name)
			again := targets == 1 && slices.Contains(repeated, kind)
			require.Equal(t, !again, app.NonRetryable(), name)
			require.Equal(t, again, failed.Decision.Action == failover.ActionRetry, name)
			require.Equal(t, failed.Decision.Delay, app.NextRetryDelay(), name)
			_, err = local(p, p.acts.CallModel, in)
			_, app = failedAttempt(t, err)
			require.True(t, app.NonRetryable(), "%s: a local activity leaves the next step to the workflow", name)
		}
	}
}

func TestTheProvidersPauseIsKept(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindRateLimit, Provider: "scripted", RetryAfter: 20 * time.Second}})
	p.routes.targets = p.routes.targets[:1]
	in := p.prepared(p.accept(""))
	_, err := remote(p, p.acts.CallModel, in)
	failed, app := failedAttempt(t, err)
	require.False(t, app.NonRetryable())
	require.GreaterOrEqual(t, app.NextRetryDelay(), 20*time.Second)
	require.LessOrEqual(t, app.NextRetryDelay(), 25*time.Second)
	require.Equal(t, 20*time.Second, failed.Failure.RetryAfter)
	_, attempts := p.find(in.ID)
	require.Equal(t, 20*time.Second, attempts[0].Error.RetryAfter)
}

func TestADeploymentThatCannotBeReachedIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	p := setup(t)
	in := p.prepared(p.accept(""))
	p.routes.endpointErr = &llm.Error{Kind: llm.KindCredential, Provider: "scripted", Detail: "no key in the vault"}
	_, err := local(p, p.acts.CallModel, in)
	failed, app := failedAttempt(t, err)
	require.Equal(t, "credential", app.Type())
	require.Equal(t, failover.ActionNext, failed.Decision.Action)
	_, attempts := p.find(in.ID)
	require.Equal(t, completions.AttemptFailed, attempts[0].State)
}

func TestACallEndsWithItsTime(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*activities.CallInput){
		"the attempt's":    func(in *activities.CallInput) { in.Candidates[0].Timeout = 20 * time.Millisecond },
		"the completion's": func(in *activities.CallInput) { in.Deadline = time.Now().Add(20 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := setup(t, llmtest.Hang(nil))
			in := p.prepared(p.accept(""))
			limit(&in)
			_, err := local(p, p.acts.CallModel, in)
			failed, app := failedAttempt(t, err)
			require.Equal(t, "timeout", app.Type())
			_, attempts := p.find(in.ID)
			require.Equal(t, completions.AttemptFailed, attempts[0].State)
			if name == "the attempt's" {
				require.Equal(t, failover.ActionNext, failed.Decision.Action)
			} else {
				require.Equal(t, failover.ActionGiveUp, failed.Decision.Action, "the deadline has passed")
			}
		})
	}
}

func TestACallThatIsCalledOffIsOnRecord(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan struct{})
	p := setup(t, llmtest.Hang(started))
	p.record.written = make(chan struct{}, 1)
	p.env.SetWorkerOptions(sdkworker.Options{BackgroundActivityContext: ctx})
	in := p.prepared(p.accept(""))
	go func() {
		<-started
		cancel()
	}()
	_, err := local(p, p.acts.CallModel, in)
	require.Error(t, err)
	<-p.record.written // Temporal does not wait for a local activity whose context has ended
	_, attempts := p.find(in.ID)
	require.Equal(t, completions.AttemptFailed, attempts[0].State, "it is recorded though its context has ended")
	require.Equal(t, llm.KindCancelled, attempts[0].Error.Kind)
	require.Equal(t, failover.ActionGiveUp, attempts[0].Decision)
}

func TestAFailureIsWrittenDownOverAnOutage(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Fail(llm.KindOverloaded))
	in := p.prepared(p.accept(""))
	p.record.broken["Fail"] = 3
	_, err := local(p, p.acts.CallModel, in)
	require.Equal(t, "overloaded", application(t, err).Type())
	_, attempts := p.find(in.ID)
	require.Equal(t, completions.AttemptFailed, attempts[0].State)
}

func TestACallElsewhereKeepsItsAnswerInTheRecord(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Fail(llm.KindOverloaded))
	conversation := p.conversation()
	c := p.accept(conversation)
	in := p.prepared(c)
	_, err := local(p, p.acts.CallModel, in)
	failed, _ := failedAttempt(t, err)

	other := p.another(llmtest.Answer(reply))
	in.Number, in.Failures, in.Decision = 0, []failover.Failure{failed.Failure}, failed.Decision
	p.record.broken["KeepAnswer"] = 2 // an outage costs no answer
	result, err := remote(other, other.acts.CallModel, in)
	require.NoError(t, err)
	require.Equal(t, 2, result.Number)
	require.Equal(t, "two-model", result.Model)
	kept, err := p.record.KeptAnswer(t.Context(), c.ID, 2)
	require.NoError(t, err)
	require.Equal(t, reply, kept.Message.Text())
	_, attempts := p.find(c.ID)
	require.Equal(t, completions.AttemptSucceeded, attempts[1].State)
	require.Equal(t, "node-b/1", attempts[1].InstanceID)
	require.Equal(t, failed.Decision.Reason, attempts[1].ChosenBecause)

	again, err := remote(other, other.acts.CallModel, in) // the worker died before it could say so
	require.NoError(t, err)
	require.Equal(t, 2, again.Number)
	require.Len(t, other.provider.Calls(), 1, "a kept answer is not asked for again")

	recorded, err := local(p, p.acts.Record, answered(c, result))
	require.NoError(t, err)
	require.Equal(t, completions.StateSucceeded, recorded.State)
	require.Equal(t, 1, recorded.Failovers)
	require.Equal(t, 2, recorded.Attempts)
	items, err := p.log.Items(t.Context(), conversation, 0, 0)
	require.NoError(t, err)
	require.Len(t, items, 4)
	completion, _ := p.find(c.ID)
	require.Equal(t, 1, completion.Failovers)
}

func TestALongCallElsewhereBeatsItsHeart(t *testing.T) {
	t.Parallel()
	beaten := make(chan struct{}, 100)
	p := setup(t, llmtest.Step{Func: func(ctx context.Context, _ llm.Secret, _ llm.Request) (llm.Response, error) {
		select {
		case <-beaten:
			return llmtest.Answer(reply).Response, nil
		case <-ctx.Done():
			return llm.Response{}, &llm.Error{Kind: llm.KindTimeout, Provider: "scripted", Detail: "no heartbeat came"}
		}
	}})
	p.env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { beaten <- struct{}{} })
	in := p.prepared(p.accept(""))
	in.Candidates[0].Timeout = 5 * time.Second
	_, err := remote(p, p.acts.CallModel, in)
	require.NoError(t, err)
}

func TestAProcessJudgedDeadRecordsNothing(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(*process, activities.CallInput) error{
		"in the first process": func(p *process, in activities.CallInput) error {
			_, err := local(p, p.acts.CallModel, in)
			return err
		},
		"elsewhere": func(p *process, in activities.CallInput) error {
			_, err := remote(p, p.acts.CallModel, in)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := make(chan struct{})
			p := setup(t, llmtest.Hang(started))
			c := p.accept("")
			watch := p.hub.Watch(c.ID, nil)
			defer watch.Close()
			in := p.prepared(c)
			go func() {
				<-started
				p.lease.lose()
			}()
			refused(t, run(p, in), activities.ErrTypeSuperseded)
			require.True(t, closed(watch.Moved()))
			_, attempts := p.find(c.ID)
			require.Equal(t, completions.AttemptStarted, attempts[0].State, "what becomes of it is its heir's to say")
			require.Nil(t, attempts[0].Error)
		})
	}
}

func TestAnAnswerOfAnOldEpochIsNotKeptNorRecorded(t *testing.T) {
	t.Parallel()
	for name, isLocal := range map[string]bool{"in the first process": true, "elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := setup(t)
			c := p.accept("")
			p.provider.Append(llmtest.Step{Func: func(context.Context, llm.Secret, llm.Request) (llm.Response, error) {
				p.adopt(c) // while the call is under way
				return llmtest.Answer(reply).Response, nil
			}})
			in := p.prepared(c)
			watch := p.hub.Watch(c.ID, nil)
			defer watch.Close()
			var err error
			if isLocal {
				var result activities.CallResult
				result, err = local(p, p.acts.CallModel, in)
				require.NoError(t, err)
				_, err = local(p, p.acts.Record, answered(c, result))
				require.True(t, closed(watch.Moved()))
			} else {
				_, err = remote(p, p.acts.CallModel, in)
			}
			refused(t, err, activities.ErrTypeSuperseded)
			require.False(t, closed(watch.Done()))
			completion, attempts := p.find(c.ID)
			require.Equal(t, completions.StateOpen, completion.State)
			require.Equal(t, completions.AttemptStarted, attempts[0].State)
		})
	}
}

func TestALaterCallFindsTheOutcomeRecordedOrTheEpochRaised(t *testing.T) {
	t.Parallel()
	p := setup(t)
	c := p.accept("")
	in := p.prepared(c)
	in.Number = 0
	p.adopt(c)
	_, err := remote(p, p.acts.CallModel, in)
	refused(t, err, activities.ErrTypeSuperseded)

	c = p.accept("")
	in = p.prepared(c)
	in.Number = 0
	_, err = local(p, p.acts.Record, activities.RecordInput{ID: c.ID, Tenant: tenant, Epoch: 1, Failure: &llm.Error{Kind: llm.KindQuota}})
	require.NoError(t, err)
	_, err = remote(p, p.acts.CallModel, in)
	refused(t, err, activities.ErrTypeSuperseded)
	require.Empty(t, p.provider.Calls())
}
