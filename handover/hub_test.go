package handover_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/llm"
)

const id = "chatcmpl-1"

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func outcome(provider string) completions.Outcome {
	return completions.Outcome{Completion: completions.Completion{ID: id, State: completions.StateSucceeded, Provider: provider}}
}

func TestEveryWatcherIsHandedTheOutcome(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	first, second, other := hub.Watch(id, nil), hub.Watch(id, nil), hub.Watch("chatcmpl-2", nil)
	defer other.Close()
	require.False(t, closed(first.Done()))
	hub.Deliver(id, outcome("openai"))
	for _, watch := range []*handover.Watch{first, second} {
		<-watch.Done()
		require.Equal(t, outcome("openai"), watch.Outcome())
		require.False(t, closed(watch.Moved()))
	}
	require.False(t, closed(other.Done()))

	late := hub.Watch(id, nil)
	<-late.Done()
	require.Equal(t, outcome("openai"), late.Outcome(), "a late watcher is handed it while another still watches")
	late.Close()
	first.Close()
	second.Close()
}

func TestTheFirstOutcomeStands(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	watch := hub.Watch(id, nil)
	defer watch.Close()
	hub.Deliver(id, outcome("openai"))
	hub.Deliver(id, outcome("anthropic"))
	require.Equal(t, "openai", watch.Outcome().Completion.Provider)
}

func TestNothingIsKeptForNobody(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	hub.Claim(id)
	hub.Calling(id)
	hub.Release(id)
	hub.Deliver(id, outcome("openai"))
	watch := hub.Watch(id, nil)
	require.False(t, watch.Claimed())
	require.False(t, closed(watch.Calling()) || closed(watch.Moved()) || closed(watch.Done()))
	hub.Deliver(id, outcome("openai"))
	watch.Close()

	again := hub.Watch(id, nil)
	defer again.Close()
	require.False(t, closed(again.Done()), "what was delivered to earlier watchers is in the record, not here")
}

func TestTheRequestStaysWhileSomebodyWatches(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	_, ok := hub.Request(id)
	require.False(t, ok)
	reader := hub.Watch(id, nil)
	_, ok = hub.Request(id)
	require.False(t, ok, "who only reads brings no request")
	sender := hub.Watch(id, &llm.Request{Model: "gpt"})
	second := hub.Watch(id, &llm.Request{Model: "other"})
	request, ok := hub.Request(id)
	require.True(t, ok)
	require.Equal(t, "gpt", request.Model)
	request.Model = "changed"
	request, _ = hub.Request(id)
	require.Equal(t, "gpt", request.Model, "an activity's change of its copy is its own")

	sender.Close()
	second.Close()
	_, ok = hub.Request(id)
	require.True(t, ok)
	reader.Close()
	_, ok = hub.Request(id)
	require.False(t, ok)
}

func TestWatchersSeeTheCompletionsProgress(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	watch := hub.Watch(id, nil)
	defer watch.Close()
	require.False(t, watch.Claimed())
	hub.Claim(id)
	require.True(t, watch.Claimed())
	require.False(t, closed(watch.Calling()))
	hub.Calling(id)
	hub.Calling(id) // a repeated local activity says so again
	require.True(t, closed(watch.Calling()))
	hub.Release(id)
	hub.Release(id)
	require.True(t, closed(watch.Moved()))
	require.False(t, closed(watch.Done()))
	late := hub.Watch(id, nil)
	defer late.Close()
	require.True(t, closed(late.Moved()), "a late watcher learns that it is driven elsewhere")
	hub.Deliver(id, outcome("openai"))
	require.True(t, closed(watch.Done()), "it may yet end here")
}

func TestClosingAWatchTwiceDoesNotCostAnotherItsOutcome(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	first, second := hub.Watch(id, nil), hub.Watch(id, nil)
	defer second.Close()
	first.Close()
	first.Close()
	hub.Deliver(id, outcome("openai"))
	require.True(t, closed(second.Done()))
}

func TestTheHubIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	var group sync.WaitGroup
	for i := range 50 {
		name := fmt.Sprintf("chatcmpl-%d", i%5)
		keeper := hub.Watch(name, &llm.Request{Model: name})
		group.Go(func() {
			defer keeper.Close()
			hub.Claim(name)
			hub.Calling(name)
			request, ok := hub.Request(name)
			require.True(t, ok)
			require.Equal(t, name, request.Model)
			hub.Deliver(name, completions.Outcome{Completion: completions.Completion{ID: name}})
			<-keeper.Done()
			require.Equal(t, name, keeper.Outcome().Completion.ID)
			require.True(t, keeper.Claimed())
			hub.Release(name)
		})
		group.Go(func() {
			passing := hub.Watch(name, nil)
			passing.Close()
		})
	}
	group.Wait()
	_, ok := hub.Request("chatcmpl-0")
	require.False(t, ok, "nothing stays behind")
}

func TestAFeedIsFoundByThoseWhoComeLater(t *testing.T) {
	t.Parallel()
	hub := handover.NewHub()
	_, written := hub.Written(id)
	require.False(t, written)
	feed, leave := hub.Open(id)
	feed.Append(llm.Event{Type: llm.EventStart, Model: "m"})
	found, written := hub.Written(id)
	require.True(t, written)
	require.Same(t, feed, found)

	watch := hub.Watch(id, nil)
	require.Same(t, feed, watch.Feed())
	require.True(t, watch.Alone())
	second := hub.Watch(id, nil)
	require.False(t, watch.Alone())
	second.Close()

	leave()
	leave()
	_, written = hub.Written(id)
	require.False(t, written, "nobody writes it any more")
	again, leaveAgain := hub.Open(id)
	defer leaveAgain()
	require.Same(t, feed, again, "a later attempt goes on with what the watcher has")
	watch.Close()
}
