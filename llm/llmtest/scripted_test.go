package llmtest_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

func TestScriptedTakesItsSteps(t *testing.T) {
	t.Parallel()
	scripted := llmtest.NewScripted(
		llmtest.Answer("one"),
		llmtest.Fail(llm.KindOverloaded),
		llmtest.Step{Func: func(_ context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
			return llm.Response{Model: req.Model + key.Reveal()}, nil
		}},
	)
	response, err := scripted.Complete(t.Context(), "k", llm.Request{Model: "a"})
	require.NoError(t, err)
	require.Equal(t, "one", response.Message.Text())

	_, err = scripted.Complete(t.Context(), "k", llm.Request{Model: "b"})
	require.Equal(t, llm.KindOverloaded, llm.KindOf(err))

	response, err = scripted.Complete(t.Context(), "k", llm.Request{Model: "c"})
	require.NoError(t, err)
	require.Equal(t, "ck", response.Model)
	require.Zero(t, scripted.Remaining())

	_, err = scripted.Complete(t.Context(), "k", llm.Request{Model: "d"})
	require.Equal(t, llm.KindUnknown, llm.KindOf(err), "a call past the end")

	var models string
	for _, call := range scripted.Calls() {
		require.Equal(t, llm.Secret("k"), call.Key)
		models += call.Request.Model
	}
	require.Equal(t, "abcd", models)
}

func TestScriptedHangsUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	started := make(chan struct{})
	scripted := llmtest.NewScripted(llmtest.Hang(started), llmtest.Hang(nil))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	_, err := scripted.Complete(ctx, "", llm.Request{})
	require.Equal(t, llm.KindCancelled, llm.KindOf(err))

	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = scripted.Complete(ctx, "", llm.Request{})
	require.Equal(t, llm.KindTimeout, llm.KindOf(err))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestScriptedIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	const calls = 50
	scripted := llmtest.NewScripted()
	for range calls {
		scripted.Append(llmtest.Answer("x"))
	}
	var group sync.WaitGroup
	for range calls {
		group.Go(func() {
			_, _ = scripted.Complete(context.Background(), "", llm.Request{})
		})
	}
	group.Wait()
	require.Len(t, scripted.Calls(), calls)
	require.Zero(t, scripted.Remaining())
}

func TestCasesAreCopies(t *testing.T) {
	t.Parallel()
	first := llmtest.Cases(t)
	first[0].Request.Messages[0].Parts[0].Text = "changed"
	require.NotEqual(t, first[0], llmtest.Cases(t)[0])
}
