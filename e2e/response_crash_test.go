package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// The provider has answered, and the answer cannot be recorded, for its table is locked: in that moment the process is killed. Of
// each response there is one, whatever way it was asked for, and its turn stands once in the log.
func TestAKillBetweenAnAnswerAndItsRecordLeavesOneResponse(t *testing.T) {
	t.Parallel()
	long(t)
	providers := simulate(t)
	config := providers.config(t, []string{"answered", "openai/gpt-answered"})
	dir := dataDir(t)
	holdfast := up(t, dir, config)
	sdk := holdfast.openAI()
	conversation := holdfast.newConversation(t)
	root, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "answered", Input: said("the stem")})
	require.NoError(t, err)

	ways := []struct {
		name   string
		stream bool
		params responses.ResponseNewParams
	}{
		{name: "alone", params: responses.ResponseNewParams{}},
		{name: "in a conversation", params: responses.ResponseNewParams{Conversation: in(conversation)}},
		{name: "on a response", params: responses.ResponseNewParams{PreviousResponseID: openaisdk.String(root.ID)}},
		{name: "streamed on a response", params: responses.ResponseNewParams{PreviousResponseID: openaisdk.String(root.ID)}, stream: true},
		{name: "streamed", params: responses.ResponseNewParams{}, stream: true},
		{name: "in the background", params: responses.ResponseNewParams{Background: openaisdk.Bool(true)}},
	}
	lock := holdfast.database(t, "holdfast")
	_, err = lock.Exec(within(t, soon), `BEGIN`)
	require.NoError(t, err)
	_, err = lock.Exec(within(t, soon), `LOCK TABLE completion_answers IN SHARE MODE`)
	require.NoError(t, err)
	ask := func(to openaisdk.Client, i int) (*responses.Response, error) {
		params, key := ways[i].params, option.WithHeader("Idempotency-Key", fmt.Sprint("answered-", i))
		params.Model, params.Input = "answered", said("asked "+ways[i].name)
		if !ways[i].stream {
			return to.Responses.New(context.Background(), params, key)
		}
		stream := to.Responses.NewStreaming(context.Background(), params, key)
		var got responseStream
		for stream.Next() {
			got.take(stream.Current())
		}
		return &got.final, stream.Err()
	}
	var sent sync.WaitGroup
	for i := range ways {
		sent.Go(func() {
			response, err := ask(sdk, i)
			if err == nil && response.Status == responses.ResponseStatusCompleted {
				t.Errorf("%s: completed before it was recorded", ways[i].name)
			}
		})
	}
	require.Eventually(t, func() bool {
		answered := 0
		for _, call := range providers.Completions(simulator.OpenAI) {
			if call.Done && call.Status == http.StatusOK && strings.HasPrefix(call.Text, "asked ") {
				answered++
			}
		}
		return answered == len(ways)
	}, soon, 10*time.Millisecond, "the provider has not answered all")
	require.Eventually(t, func() bool { // the records stand before the lock
		var waiting int
		require.NoError(t, lock.QueryRow(within(t, soon), `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'completion_answers'::regclass`).Scan(&waiting))
		return waiting > 0
	}, soon, 10*time.Millisecond, "nobody waits to record an answer")
	holdfast.kill(t)
	sent.Wait()

	holdfast = up(t, dir, config)
	sdk = holdfast.openAI()
	require.Eventually(t, func() bool { return len(holdfast.recorded(t, "open")) == 0 }, late, 2*tick, "completions are still open")
	for i, way := range ways {
		want := "[openai/gpt-answered] You said: asked " + way.name
		response, err := ask(sdk, i)
		require.NoError(t, err, way.name)
		require.Equal(t, responses.ResponseStatusCompleted, response.Status, way.name)
		require.Equal(t, want, response.OutputText())
		again, err := sdk.Responses.Get(t.Context(), response.ID, responses.ResponseGetParams{})
		require.NoError(t, err)
		require.JSONEq(t, response.RawJSON(), again.RawJSON())
		found := holdfast.record(t, "chatcmpl-"+strings.TrimPrefix(response.ID, "resp_"))
		require.Len(t, found.Attempts, 2, "%s: %+v", way.name, found)
		require.Equal(t, "possibly_billed", found.Attempts[0].State)
		require.Equal(t, "succeeded", found.Attempts[1].State)

		next, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "answered", Input: said("and after"), PreviousResponseID: openaisdk.String(response.ID)})
		require.NoError(t, err)
		body := providers.lastBody(t, simulator.OpenAI, "gpt-answered")
		require.Equal(t, 1, strings.Count(body, `"asked `+way.name+`"`), "%s: its turn is not in the log once: %s", way.name, body)
		require.Equal(t, 1, strings.Count(body, want), "%s: its turn is not in the log once: %s", way.name, body)
		require.Contains(t, next.OutputText(), "and after")
	}
	require.Len(t, holdfast.turns(t, conversation), 2, "what follows on a response in a conversation, without naming that, is a branch")
	require.Equal(t, 2*len(ways), len(providers.Completions(simulator.OpenAI))-1-len(ways), "each was asked for twice, and not more often")
	requireNothingStuck(t, holdfast)
}
