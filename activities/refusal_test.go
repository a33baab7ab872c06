package activities_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

// guard notes what it is asked, and may have the key replaced when the keys are read again.
type guard struct {
	mu          sync.Mutex
	quarantined []string
	reload      func()
}

func (g *guard) Quarantine(_ context.Context, provider, name, mark, why string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.quarantined = append(g.quarantined, provider+"/"+name+"@"+mark+": "+why)
	return true, nil
}

func (g *guard) Reload(context.Context) error {
	if g.reload != nil {
		g.reload()
	}
	return nil
}

var refusal = &llm.Error{Kind: llm.KindCredential, Provider: "scripted", Status: 401}

func TestARefusedKeyIsQuarantined(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Step{Err: refusal})
	p.routes.mark = "m1"
	c := p.accept("")
	_, err := local(p, p.acts.CallModel, p.prepared(c))
	require.Error(t, err)
	require.Equal(t, []string{"one/main@m1: one has refused it (HTTP 401)"}, p.guard.quarantined)
	require.Len(t, p.provider.Calls(), 1)
}

func TestAKeyThatMayBeGoodElsewhereIsNotQuarantined(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Step{Err: refusal})
	p.routes.several = true
	_, err := local(p, p.acts.CallModel, p.prepared(p.accept("")))
	require.Error(t, err)
	require.Empty(t, p.guard.quarantined)
}

// A call that was refused because its key was replaced a moment before is made again with what is in its place, and is one attempt.
func TestACallWithAKeyThatWasReplacedIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, streamed := range []bool{false, true} {
		p := setup(t, llmtest.Step{Err: refusal}, llmtest.Answer(reply))
		p.routes.mark = "m1"
		p.guard.reload = func() { p.routes.mark = "m2" }
		c := p.accept("")
		in := p.prepared(c)
		if streamed {
			in.Recovery = "continue"
		}
		result, err := local(p, p.acts.CallModel, in)
		require.NoError(t, err)
		require.Equal(t, 1, result.Number)
		require.Empty(t, p.guard.quarantined)
		require.Len(t, p.provider.Calls(), 2)
		recorded, err := local(p, p.acts.Record, answered(c, result))
		require.NoError(t, err)
		require.Equal(t, completions.StateSucceeded, recorded.State)
		require.Equal(t, 1, recorded.Attempts)
	}
}

// Only once: where that is refused as well, it is a failure as any.
func TestACallIsMadeAgainOnceOnly(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Step{Err: refusal}, llmtest.Step{Err: refusal}, llmtest.Answer(reply))
	p.routes.mark = "m1"
	p.guard.reload = func() { p.routes.mark += "+" }
	_, err := local(p, p.acts.CallModel, p.prepared(p.accept("")))
	require.Error(t, err)
	require.Len(t, p.provider.Calls(), 2)
}
