package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/simulator"
)

func TestTwentyClientsWithOneKeyMakeOneCall(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-popular"}, Latency: 700 * time.Millisecond})

	const clients = 20
	replies := make([]reply, clients)
	start, ctx := make(chan struct{}), within(t, late)
	var group errgroup.Group
	for i := range clients {
		group.Go(func() (err error) {
			<-start
			replies[i], err = holdfast.send(ctx, ask{route: "popular", prompt: "All together now.", key: "popular-1"})
			return err
		})
	}
	close(start)
	require.NoError(t, group.Wait())
	for i, got := range replies {
		require.Equal(t, http.StatusOK, got.status, "client %d: %s", i, got.body)
		require.JSONEq(t, string(replies[0].body), string(got.body), "client %d has another answer", i)
		require.Equal(t, replies[0].id(), got.id())
	}
	require.Equal(t, 1, providers.ofModel(simulator.OpenAI, "gpt-popular"))

	later := holdfast.mustSend(t, ask{route: "popular", prompt: "All together now.", key: "popular-1"})
	require.JSONEq(t, string(replies[0].body), string(later.body))
	other, err := holdfast.send(ctx, ask{route: "popular", prompt: "Another question.", key: "popular-1"})
	require.NoError(t, err)
	require.Equal(t, http.StatusConflict, other.status, "%s", other.body)
	require.Equal(t, 1, providers.ofModel(simulator.OpenAI, "gpt-popular"))
}
