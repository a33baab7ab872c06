package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
)

var retry = failover.Decision{Action: failover.ActionRetry, Reason: "overloaded: once more"}

func TestTheFirstAttemptIsBegun(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	fence.InstanceID = "node-b/1" // the workflow may run elsewhere than the request was accepted
	w.started(t, fence)
	completion, attempts := w.find(t, fence.ID)
	require.Equal(t, 1, completion.Attempts)
	require.Equal(t, "node-b/1", completion.InstanceID)
	require.Len(t, attempts, 1)
	require.WithinDuration(t, moment, attempts[0].StartedAt, 0)
	attempts[0].StartedAt = time.Time{}
	require.Equal(t, completions.Attempt{
		Number: 1, Epoch: 1, InstanceID: "node-b/1", State: completions.AttemptStarted, Deployment: "first", Provider: "openai",
		Model: "gpt-4.1", KeyName: "main", ChosenBecause: "the only one",
	}, attempts[0])
}

func TestTheFirstAttemptIsNotBegunWhereMoreMustBeKnown(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, *world, completions.Fence) completions.Fence{
		"an older epoch": func(t *testing.T, w *world, fence completions.Fence) completions.Fence {
			w.adopted(t, fence)
			return fence
		},
		"an epoch that nobody has raised to": func(_ *testing.T, _ *world, fence completions.Fence) completions.Fence {
			fence.Epoch = 2
			return fence
		},
		"a recorded failure": func(t *testing.T, w *world, fence completions.Fence) completions.Fence {
			_, err := w.store.RecordFailure(t.Context(), fence, ended())
			require.NoError(t, err)
			return fence
		},
		"an earlier attempt": func(t *testing.T, w *world, fence completions.Fence) completions.Fence {
			w.started(t, fence)
			return fence
		},
		"an unknown completion": func(_ *testing.T, _ *world, fence completions.Fence) completions.Fence {
			fence.ID = completions.NewID()
			return fence
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			accepted := w.accept(t)
			fence := prepare(t, w, accepted)
			beforeCompletion, before := w.find(t, accepted.ID)
			fence.InstanceID = "late/1"
			started, err := w.store.StartFirst(t.Context(), fence, next("second"))
			require.NoError(t, err)
			require.False(t, started)
			afterCompletion, after := w.find(t, accepted.ID)
			require.Equal(t, beforeCompletion, afterCompletion)
			require.Equal(t, before, after)
		})
	}
}

func TestOfManyFirstAttemptsAtOnceOneIsBegun(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	var begun atomic.Int64
	atOnce(16, func(int) {
		started, err := w.store.StartFirst(t.Context(), fence, next("first"))
		require.NoError(t, err)
		if started {
			begun.Add(1)
		}
	})
	require.EqualValues(t, 1, begun.Load())
	_, attempts := w.find(t, fence.ID)
	require.Len(t, attempts, 1)
}

func TestResumingMarksWhatWasOpenAndBeginsTheNext(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	require.NoError(t, w.store.Fail(t.Context(), fence, failedAt(1, retry, moment.Add(time.Second))))
	_, err := w.store.Resume(t.Context(), fence, always("second"))
	require.NoError(t, err)
	heir := w.adopted(t, fence)

	var asked []completions.Attempt
	resumed, err := w.store.Resume(t.Context(), heir, func(prior []completions.Attempt) *completions.NewAttempt {
		asked = prior
		return always("third")(prior)
	})
	require.NoError(t, err)
	require.Equal(t, completions.StateOpen, resumed.State)
	require.Equal(t, 3, resumed.Number)
	require.Zero(t, resumed.Answered())
	require.Equal(t, asked, resumed.Prior)
	require.Equal(t, []completions.AttemptState{completions.AttemptFailed, completions.AttemptPossiblyBilled}, states(asked))
	require.NotNil(t, asked[1].FinishedAt)
	require.Equal(t, failover.ActionRetry, asked[1].Decision)
	require.Contains(t, asked[1].Reason, "died")

	completion, attempts := w.find(t, fence.ID)
	require.Equal(t, 3, completion.Attempts)
	require.Equal(t, heir.InstanceID, completion.InstanceID)
	require.Len(t, attempts, 3)
	require.Equal(t, completions.AttemptStarted, attempts[2].State)
	require.Equal(t, 2, attempts[2].Epoch)
	require.Equal(t, heir.InstanceID, attempts[2].InstanceID)
	require.Equal(t, "third", attempts[2].Deployment)
	require.Equal(t, overloaded(), attempts[0].Error, "what was known stays as it was")
	require.Equal(t, retry.Reason, attempts[0].Reason)
}

func TestResumingWithoutANextAttemptStillMarksWhatWasOpen(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	resumed, err := w.store.Resume(t.Context(), fence, never)
	require.NoError(t, err)
	require.Zero(t, resumed.Number)
	completion, attempts := w.find(t, fence.ID)
	require.Equal(t, []completions.AttemptState{completions.AttemptPossiblyBilled}, states(attempts))
	require.Equal(t, 1, completion.Attempts)
}

func TestResumingARecordedCompletionAsksNobody(t *testing.T) {
	t.Parallel()
	for _, want := range []completions.State{completions.StateSucceeded, completions.StateFailed} {
		t.Run(string(want), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			fence := w.accept(t)
			w.started(t, fence)
			var recorded bool
			var err error
			if want == completions.StateSucceeded {
				recorded, err = w.store.RecordSuccess(t.Context(), fence, success(1, "yes"))
			} else {
				recorded, err = w.store.RecordFailure(t.Context(), fence, ended())
			}
			require.NoError(t, err)
			require.True(t, recorded)
			_, before := w.find(t, fence.ID)
			resumed, err := w.store.Resume(t.Context(), fence, func([]completions.Attempt) *completions.NewAttempt {
				t.Error("asked for an attempt though the outcome is recorded")
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, completions.Resumed{State: want}, resumed)
			_, after := w.find(t, fence.ID)
			require.Equal(t, before, after)
		})
	}
}

func TestAnOldEpochCannotResume(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	heir := w.adopted(t, fence)
	resumed, err := w.store.Resume(t.Context(), heir, always("second"))
	require.NoError(t, err)
	require.Equal(t, 1, resumed.Number)
	_, err = w.store.Resume(t.Context(), fence, always("third"))
	require.ErrorIs(t, err, completions.ErrSuperseded)
	_, attempts := w.find(t, fence.ID)
	require.Equal(t, []completions.AttemptState{completions.AttemptStarted}, states(attempts), "the heir's call goes on")
	_, err = w.store.Resume(t.Context(), completions.Fence{ID: completions.NewID(), Epoch: 1}, never)
	require.ErrorIs(t, err, completions.ErrNotFound)
}

func TestAKeptAnswerOutlivesAResumption(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	require.NoError(t, w.store.KeepAnswer(t.Context(), fence, 1, answer("kept"), answer("kept").Usage, moment.Add(time.Second)))
	_, attempts := w.find(t, fence.ID)
	require.Equal(t, []completions.AttemptState{completions.AttemptSucceeded}, states(attempts))
	require.EqualValues(t, 10, attempts[0].Usage.InputTokens)
	require.WithinDuration(t, moment.Add(time.Second), *attempts[0].FinishedAt, 0)

	heir := w.adopted(t, fence)
	resumed, err := w.store.Resume(t.Context(), heir, never)
	require.NoError(t, err)
	require.Equal(t, 1, resumed.Answered())
	kept, err := w.store.KeptAnswer(t.Context(), fence.ID, 1)
	require.NoError(t, err)
	require.Equal(t, "kept", kept.Message.Text())
	require.JSONEq(t, `{"prompt_tokens": 10}`, string(kept.Usage.Raw))
}

func TestResumptionsAtOnceBeginDifferentAttempts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	var seen [9]atomic.Int64
	atOnce(8, func(int) {
		resumed, err := w.store.Resume(t.Context(), fence, always("x"))
		require.NoError(t, err)
		seen[resumed.Number].Add(1)
	})
	for number := 1; number <= 8; number++ {
		require.EqualValues(t, 1, seen[number].Load(), number)
	}
	_, attempts := w.find(t, fence.ID)
	open := 0
	for _, attempt := range attempts {
		if attempt.State == completions.AttemptStarted {
			open++
		}
	}
	require.Equal(t, 1, open, "one attempt at most is under way")
}

func TestAFailedAttemptIsClosedOnceWithItsDecision(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	ended := moment.Add(time.Second)
	require.NoError(t, w.store.Fail(t.Context(), fence, failedAt(1, retry, ended)))
	_, first := w.find(t, fence.ID)
	require.Equal(t, completions.AttemptFailed, first[0].State)
	require.Equal(t, overloaded(), first[0].Error)
	require.Equal(t, failover.ActionRetry, first[0].Decision)
	require.Equal(t, retry.Reason, first[0].Reason)
	require.Equal(t, time.Second, first[0].Latency())

	other := failover.Decision{Action: failover.ActionGiveUp, Reason: "later"}
	require.NoError(t, w.store.Fail(t.Context(), fence, failedAt(1, other, ended.Add(time.Hour))))
	_, second := w.find(t, fence.ID)
	require.Equal(t, first, second)
}

func TestAFailureOfAnotherEpochIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	heir := w.adopted(t, fence)
	_, err := w.store.Resume(t.Context(), heir, always("second"))
	require.NoError(t, err)
	_, before := w.find(t, fence.ID)
	require.NoError(t, w.store.Fail(t.Context(), fence, failedAt(1, retry, moment))) // lost already
	require.NoError(t, w.store.Fail(t.Context(), fence, failedAt(2, retry, moment))) // the heir's
	require.NoError(t, w.store.Fail(t.Context(), heir, failedAt(1, retry, moment)))  // its predecessor's
	_, after := w.find(t, fence.ID)
	require.Equal(t, before, after)
}

func TestAnAnswerIsNotKeptWhenItIsNoLongerAwaited(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, *world, completions.Fence){
		"adopted": func(t *testing.T, w *world, fence completions.Fence) { w.adopted(t, fence) },
		"adopted and resumed": func(t *testing.T, w *world, fence completions.Fence) {
			_, err := w.store.Resume(t.Context(), w.adopted(t, fence), always("second"))
			require.NoError(t, err)
		},
		"taken for lost": func(t *testing.T, w *world, fence completions.Fence) {
			_, err := w.store.Resume(t.Context(), fence, always("second"))
			require.NoError(t, err)
		},
		"failed": func(t *testing.T, w *world, fence completions.Fence) {
			require.NoError(t, w.store.Fail(t.Context(), fence, failedAt(1, retry, moment)))
		},
		"outcome recorded": func(t *testing.T, w *world, fence completions.Fence) {
			_, err := w.store.RecordFailure(t.Context(), fence, ended())
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			fence := w.accept(t)
			w.started(t, fence)
			prepare(t, w, fence)
			_, before := w.find(t, fence.ID)
			err := w.store.KeepAnswer(t.Context(), fence, 1, answer("late"), answer("late").Usage, moment)
			require.ErrorIs(t, err, completions.ErrSuperseded)
			_, after := w.find(t, fence.ID)
			require.Equal(t, before, after)
			_, err = w.store.KeptAnswer(t.Context(), fence.ID, 1)
			require.ErrorIs(t, err, completions.ErrAnswerLost)
		})
	}
}

func TestAnAnswerThatWasNotKeptIsLost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	_, err := w.store.KeptAnswer(t.Context(), fence.ID, 1)
	require.ErrorIs(t, err, completions.ErrAnswerLost, "no such attempt")
	w.started(t, fence)
	_, err = w.store.KeptAnswer(t.Context(), fence.ID, 1)
	require.ErrorIs(t, err, completions.ErrAnswerLost, "an attempt without one")
}

func TestKeepingAnAnswerAgainIsNoError(t *testing.T) {
	t.Parallel()
	w := setup(t)
	fence := w.accept(t)
	w.started(t, fence)
	for range 2 { // the first was committed, and the connection died before it said so
		require.NoError(t, w.store.KeepAnswer(t.Context(), fence, 1, answer("kept"), answer("kept").Usage, moment))
	}
}
